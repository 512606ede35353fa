"""The whole state machine: which part follows which."""

from stacks.constructs.pipeline import features, judging
from stacks.constructs.pipeline.addresses import PipelineAddresses, PipelineDefaults
from stacks.constructs.pipeline.candidates import candidates
from stacks.constructs.pipeline.states import State, run_failed


def pipeline_definition(to: PipelineAddresses, defaults: PipelineDefaults) -> State:
    """The definition as one JSON object."""
    return {
        "Comment": "Crawl the lake, make features, train candidates, compare them, gate and register the champion",
        "QueryLanguage": "JSONata",
        "StartAt": "Defaults",
        "States": {
            **features.inputs(to, defaults),
            **features.crawl(to, defaults),
            **features.features(to, defaults),
            **features.channels(to),
            **candidates(to, defaults, leads_to="Outcomes"),
            **judging.outcomes(leads_to="CurrentModel"),
            **judging.current_model(to, leads_to="ComparisonInputs"),
            **judging.compare(to, defaults, leads_to="PosttrainingBias"),
            **judging.bias_and_explanations(to, defaults, leads_to="Gate"),
            **judging.gate_and_register(to),
            "StepFailed": run_failed(),
        },
    }
