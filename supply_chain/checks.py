"""The checks of code and dependencies, each by the tool made for it.

Knows how to call the tools and what of their answers is a finding. Does not know how the answers are shown. The tools
live in `.venv-audit`; nothing but the advisories needs a network.
"""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv-audit" / "bin"
RULES = Path(__file__).with_name("rules") / "nevers.yaml"
CODE = (
    "app.py",
    "benchmarks",
    "bundles",
    "cli",
    "faults",
    "feedback",
    "lambdas",
    "local",
    "model_artifact",
    "policy",
    "stacks",
    "supply_chain",
    "training_code",
)
ENVIRONMENTS = (
    ".venv",
    ".venv-local",
    ".venv-serving",
    ".venv-training",
    ".venv-toolkits",
    ".venv-gate",
    ".venv-audit",
)
ALLOWED_LICENCES = (
    "0BSD",
    "Apache",
    "BSD",
    "CC0",
    "CNRI",
    "HPND",
    "ISC",
    "MIT",
    "MPL",
    "Mozilla",
    "PSF",
    "Python Software",
    "Zlib",
    "Zope",
)
REFUSED_LICENCES = ("AGPL", "Affero", "EPL", "GPL", "General Public", "SSPL", "Commons Clause", "UNKNOWN")
# Package -> why it may stay although its licence is refused. Tools only: nothing of them is deployed or passed on.
LICENCE_EXCEPTIONS = {
    "docutils": "public domain but for one optional file; comes with the AWS CLI that the tests call",
    "face": "MIT by its repository; its metadata do not say so; comes with semgrep",
    "peewee": "MIT by its repository; its metadata do not say so; comes with semgrep",
    "semgrep": "LGPL; a tool of the audit, called as a command",
}
OUR_OWN = ("earshot",)
REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?\s*(?P<pin>==\S+)?")


class ToolError(RuntimeError):
    """A tool could not do its work; the message says which and what it said."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a check found. ``not_checked`` says why it could not look; then ``findings`` says nothing."""

    findings: tuple[str, ...] = ()
    looked_at: str = ""
    not_checked: str = ""


def code_rules(root: Path = ROOT) -> Result:
    """Our own nevers, by semgrep."""
    present = [name for name in CODE if (root / name).exists()]
    report = _json(
        [
            *("semgrep", "scan", "--metrics", "off", "--disable-version-check", "--quiet", "--json"),
            *("--config", str(RULES), "--exclude", "nevers.py", *present),
        ],
        cwd=root,
    )
    if report["errors"]:
        raise ToolError(f"semgrep could not read everything: {report['errors'][0].get('message', 'no reason given')}")
    findings = tuple(
        f"{each['path']}:{each['start']['line']}: {each['check_id'].rsplit('.', 1)[-1]}: {each['extra']['message']}"
        for each in report["results"]
    )
    return Result(findings=findings, looked_at=f"{len(report['paths']['scanned'])} files")


def weaknesses(root: Path = ROOT) -> Result:
    """Known weaknesses of Python code, by bandit, from medium severity up.

    ruff has the same rules under S instead of B, so that one ``noqa`` with its reason speaks to both.
    """
    present = [name for name in CODE if (root / name).exists()]
    report = _json(
        [
            "bandit",
            "--quiet",
            "--recursive",
            "--severity-level",
            "medium",
            "--exclude",
            "supply_chain/rules",
            "--format",
            "json",
            *present,
        ],
        cwd=root,
    )
    if report["errors"]:
        raise ToolError(f"bandit could not read {report['errors'][0]['filename']}")
    findings = tuple(
        f"{each['filename']}:{each['line_number']}: {each['test_id']}: {each['issue_text']}"
        for each in report["results"]
        if not _is_acknowledged(root / each["filename"], each["line_range"], each["test_id"])
    )
    return Result(findings=findings, looked_at=f"{report['metrics']['_totals']['loc']} lines")


def _is_acknowledged(path: Path, numbers: list[int], rule: str) -> bool:
    lines = path.read_text(encoding="utf-8").splitlines()[numbers[0] - 1 : numbers[-1]]
    return any(re.search(rf"# noqa: ([A-Z0-9]+, )*S{rule[1:]}\b", line) for line in lines)


def secrets(root: Path = ROOT) -> Result:
    """Keys and passwords in what git tracks, by detect-secrets. Lock files are left out: they are hashes throughout."""
    report = _json(
        [
            *("detect-secrets", "scan", "--no-verify"),
            *("--exclude-files", r"(^|/)requirements[^/]*\.txt$|package-lock\.json$|\.lock\.json$|images\.json$"),
            *("--exclude-files", r"^tests/infra/released/"),
            *("--disable-plugin", "Base64HighEntropyString", "--disable-plugin", "HexHighEntropyString"),
            *("--disable-plugin", "KeywordDetector"),
        ],
        cwd=root,
    )
    findings = tuple(
        f"{path}:{each['line_number']}: {each['type']}" for path, found in report["results"].items() for each in found
    )
    return Result(findings=findings, looked_at="all tracked files")


def pins(root: Path = ROOT) -> Result:
    """Every package that is installed has an exact version and a hash of its file."""
    findings = []
    count = 0
    for lock in sorted(root.glob("requirements*.txt")):
        for block in re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8")):
            found = REQUIREMENT.match(block)
            if found is None or block.startswith("#"):
                continue
            count += 1
            if found["pin"] is None or "--hash=sha256:" not in block:
                findings.append(f"{lock.name}: {found['name']} has no exact version or no hash")
    lock = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))
    for name, entry in lock["packages"].items():
        if name:
            count += 1
            if "integrity" not in entry:
                findings.append(f"package-lock.json: {name} has no integrity hash")
    return Result(findings=tuple(findings), looked_at=f"{count} pins")


def licences(root: Path = ROOT) -> Result:
    """Every installed package may be used here, by what it says of its own licence."""
    findings = []
    seen: dict[str, str] = {}
    for environment in ENVIRONMENTS:
        python = root / environment / "bin" / "python"
        if python.exists():
            listed = _json(["pip-licenses", "--python", str(python), "--from", "mixed", "--format", "json"], cwd=root)
            seen |= {package["Name"].lower(): package["License"] for package in listed}
    for name, licence in sorted(seen.items()):
        if name in OUR_OWN or name in LICENCE_EXCEPTIONS:
            continue
        if any(word in licence for word in REFUSED_LICENCES) or not any(word in licence for word in ALLOWED_LICENCES):
            findings.append(f"{name}: {licence}")
    findings += [f"{name}: the exception matches nothing any more" for name in LICENCE_EXCEPTIONS if name not in seen]
    return Result(findings=tuple(findings), looked_at=f"{len(seen)} packages")


def advisories(root: Path = ROOT) -> Result:
    """Published flaws of what is installed, by pip-audit; needs the network, and says so where there is none."""
    findings = []
    locks = sorted(root.glob("requirements*.txt"))
    for lock in locks:
        done = _run(
            [
                *("pip-audit", "--strict", "--disable-pip", "--require-hashes", "--progress-spinner", "off"),
                *("--timeout", "5", "--format", "json", "--requirement", str(lock)),
            ],
            cwd=root,
        )
        if not done.stdout.strip():
            said = done.stderr.strip().splitlines()
            return Result(not_checked=f"pip-audit could not ask its database ({said[-1][:160] if said else 'silent'})")
        for package in json.loads(done.stdout)["dependencies"]:
            findings += [
                f"{lock.name}: {package['name']} {package['version']}: {flaw['id']}" for flaw in package["vulns"]
            ]
    return Result(findings=tuple(findings), looked_at=f"{len(locks)} lock files")


CHECKS: dict[str, Callable[[], Result]] = {
    "rules": code_rules,
    "weaknesses": weaknesses,
    "secrets": secrets,
    "pins": pins,
    "licences": licences,
    "advisories": advisories,
}


def bill_of_materials(lock: Path, target: Path) -> None:
    """A CycloneDX document of what a lock file names, the same for the same file."""
    done = _run(
        ["cyclonedx-py", "requirements", str(lock), "--output-reproducible", "--of", "JSON", "-o", str(target)],
        cwd=ROOT,
    )
    if done.returncode:
        raise ToolError(f"cyclonedx-py could not read {lock.name}: {done.stderr.strip()[-200:]}")


def _json(command: list[str], *, cwd: Path) -> dict:  # type: ignore[type-arg]
    done = _run(command, cwd=cwd)
    try:
        return json.loads(done.stdout)  # type: ignore[no-any-return]
    except ValueError:
        raise ToolError(f"{command[0]} gave no report: {done.stderr.strip()[-200:]}") from None


def _run(command: list[str], *, cwd: Path) -> subprocess.CompletedProcess[str]:
    tool = BIN / command[0]
    if not tool.exists():
        raise ToolError(f"{command[0]} is not installed: run `make .venv-audit`")
    return subprocess.run([str(tool), *command[1:]], cwd=cwd, capture_output=True, text=True, check=False)
