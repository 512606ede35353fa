"""Single faults in the synthesised templates of prod: the rules notice each, or it is explained why not.

One place for each mutation and template; every place is tried by `python -m benchmarks.mutation`.
"""

import json

from benchmarks.mutation.faults import MUTATIONS
from benchmarks.mutation.score import score
from benchmarks.mutation.survivors import reason
from tests.synthesis import STACKS, Assembly

FEWEST_MUTATIONS = 150
LEAST_SCORE = 0.98


def test_single_faults_of_our_own_templates_are_noticed(app: Assembly) -> None:
    templates = {stack: json.dumps(app.template("prod", stack)) for stack in STACKS}
    result = score(templates, MUTATIONS, strict=True, once=True)
    assert result.distinct >= FEWEST_MUTATIONS
    assert result.share >= LEAST_SCORE
    unexplained = [(each.mutation.id, each.template, each.logical_id) for each in result.survivors if not reason(each)]
    assert unexplained == []
