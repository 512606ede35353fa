"""Autopilot's branch: the states of `autopilot_definition.py` in this pipeline's places and limits."""

from stacks.constructs import autopilot_definition
from stacks.constructs.autopilot_definition import AutopilotPlan, scoring_arguments, scoring_inputs
from stacks.constructs.blazingtext_definition import has_own_disks
from stacks.constructs.pipeline.addresses import PipelineAddresses, PipelineDefaults
from stacks.constructs.pipeline.jobs import EXIT_MESSAGE, PROCESSING, job_input, job_output, processing_job
from stacks.constructs.pipeline.states import THROTTLED, State, failure_of, job_done

START = autopilot_definition.START


def autopilot_states(
    to: PipelineAddresses, defaults: PipelineDefaults, *, features: State, candidate_folder: str, failed: str
) -> dict[str, State]:
    """From START to the candidate's folder; `features` is the input of every job that reads them."""
    plan = AutopilotPlan(
        job_prefix=to.job_prefix,
        features=f"'{to.lake}curated/features/' & $run & '/'",
        output=f"'{to.artifacts}autopilot/'",
        role=to.autopilot_role,
        model_role=to.autopilot_model_role,
        key=to.key,
        minutes=defaults.autopilot_minutes,
        candidates=defaults.autopilot_candidates,
        instance_type=defaults.processing_instance_type,
        has_own_disks=has_own_disks(defaults.processing_instance_type),
        poll_seconds=defaults.poll_seconds,
    )
    scoring = processing_job(
        to,
        defaults,
        step=f"{autopilot_definition.NAME}-score",
        arguments=scoring_arguments(exit_message=EXIT_MESSAGE),
        inputs=[features, *(job_input(name, uri) for name, uri in scoring_inputs(plan).items())],
        outputs=[job_output("candidate", candidate_folder, f"{PROCESSING}/output")],
        catch=failure_of("ScoreBest", leads_to=failed),
        then=job_done(autopilot_definition.NAME),
    )
    return autopilot_definition.autopilot_states(
        plan,
        retry=[THROTTLED],
        failure_of=lambda step: failure_of(step, leads_to=failed),
        failed=failed,
        scoring=scoring,
    )
