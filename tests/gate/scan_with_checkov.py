"""Runs in checkov's own environment: all templates in one process, what failed as JSON on standard output.

.venv-gate/bin/python tests/gate/scan_with_checkov.py TEMPLATE...
"""

import json
import os
import sys

os.environ["LOG_LEVEL"] = "ERROR"  # read when checkov is imported; below it, the platform's absence is told at length

from checkov.cloudformation.runner import Runner
from checkov.runner_filter import RunnerFilter


def main(paths: list[str]) -> None:
    chosen = RunnerFilter(framework=["cloudformation"], download_external_modules=False)
    report = Runner().run(root_folder=None, files=paths, runner_filter=chosen)
    if report.parsing_errors:
        sys.exit(f"checkov cannot read {report.parsing_errors}")
    failed = [
        {"template": check.file_abs_path, "resource": check.resource, "id": check.check_id, "name": check.check_name}
        for check in report.failed_checks
    ]
    json.dump({"passed": len(report.passed_checks), "failed": failed}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
