"""Stands for the search: tells the progress that the test wrote beside the training data, and leaves the files of it.

Takes the search's own command line. Needs the standard library alone.
"""

import json
import sys
import time
from pathlib import Path


def main(argv: list[str]) -> int:
    arguments = dict(zip(argv[::2], argv[1::2], strict=True))
    output = Path(arguments["--output"])
    (output / "request-seen.json").write_text(Path(arguments["--request"]).read_text())
    play = json.loads((Path(arguments["--training"]) / "play.json").read_text())
    for told in play["progress"]:
        if told["event"] == "candidate" and told["status"] == "Completed":
            for part in ("processor", "algorithm"):
                folder = output / "candidates" / told["name"] / part
                folder.mkdir(parents=True)
                (folder / f"{part}.json").write_text("{}")
        with (output / "progress.jsonl").open("a") as stream:
            stream.write(json.dumps({"time": time.time(), **told}) + "\n")
    for name in ("notebooks/a.ipynb", "explainability/c-1/analysis.json", "insights/c-1/statistics.json"):
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        (output / name).write_text("{}")
    (output / "leaderboard.json").write_text("[]")
    if "failure" in play:
        (output / "failure").write_text(play["failure"])
    time.sleep(play.get("seconds", 0))
    return int("failure" in play)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
