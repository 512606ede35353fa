"""Mutation score of the rules, on the synthesised templates of the prod stage and on templates of other people's style.

    .venv/bin/python -m benchmarks.mutation [--assembly cdk.out] [--json]

Synthesises the app (over stand-ins for the built bundles, or reads the assembly that is given), applies every mutation
of the table to every matching place, one at a time, and prints the share that `policy.check` notices, the findings of
the unchanged templates, and the survivors with a reason, or 'open'. Goal: at least 98 %, none on the unchanged.
"""

import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.mutation.faults import MUTATIONS
from benchmarks.mutation.score import Score, findings, score
from benchmarks.mutation.survivors import reason
from benchmarks.report import arguments, finish, show
from policy.reading import read_text
from tests.synthesis import stand_in_assets, synthesise

OTHERS = Path(__file__).parents[2] / "tests" / "unit" / "policy" / "templates" / "foreign"


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--assembly", type=Path, help="a synthesised cloud assembly, instead of a new one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        assembly = options.assembly or synthesise(stand_in_assets(folder / "build"), folder / "cdk.out", validate=False)
        ours = {
            path.name: path.read_text(encoding="utf-8")
            for path in sorted(assembly.glob("assembly-prod/*.template.json"))
        }
    others = {path.name: path.read_text(encoding="utf-8") for path in sorted(OTHERS.glob("*.yaml"))}
    results = [
        (name, templates, strict, score(templates, MUTATIONS, strict=strict))
        for name, templates in (("prod", ours), ("others", others))
        for strict in (True, False)
    ]
    show("Mutation score of the rules", [_row(*result) for result in results], note="goal: >= 0.98, strict, on prod")
    for result in results:
        _print_details(*result)
    finish(options.json, {_named(name, strict): result.share for name, _, strict, result in results})


def _named(name: str, strict: bool) -> str:
    return f"{name}, practices asked for" if strict else name


def _row(name: str, templates: dict[str, str], strict: bool, result: Score) -> dict[str, str | int | float]:
    before = (findings(read_text(text), source, strict=strict) for source, text in templates.items())
    return {
        "templates": _named(name, strict),
        "mutations": result.distinct,
        "applied": result.applied,
        "caught": result.caught,
        "score": result.share,
        "open": sum(not reason(outcome) for outcome in result.survivors),
        "findings before": sum(map(len, before)),
    }


def _print_details(name: str, templates: dict[str, str], strict: bool, result: Score) -> None:
    of = _named(name, strict)
    for source, text in templates.items():
        for rule_id, logical_id, detail in findings(read_text(text), source, strict=strict):
            print(f"{of}: unchanged: {source}: {rule_id} {logical_id} {detail}")
    survivors = Counter((each.mutation.id, each.template, each.logical_id, reason(each)) for each in result.survivors)
    for (mutation, source, logical_id, why), times in sorted(survivors.items()):
        print(f"{of}: survivor: {mutation} in {source}: {logical_id} (x{times}): {why or 'open'}")


if __name__ == "__main__":
    main()
