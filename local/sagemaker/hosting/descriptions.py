"""Plans as DescribeEndpoint tells them: variants, what a deployment is doing, data capture. Values in, values out."""

import time
from collections.abc import Callable

from local.sagemaker.hosting.plans import FleetPlan, VariantPlan
from local.sagemaker.store import Record


def variants(plan: FleetPlan) -> Record:
    """The variants that are in service, by the member that lists them."""
    return _by_member(plan, _in_service)


def pending(plan: FleetPlan, status: str, share: float, *, started: float) -> Record:
    """A PendingDeploymentSummary: what the new fleet is doing now, and with what share of the traffic."""
    state = {
        "Status": status,
        "StartTime": time.time(),
        "StatusMessage": f"{share:.0%} of the traffic goes to the new fleet.",
    }

    def arriving(variant: VariantPlan) -> Record:
        is_up = status != "Creating"
        return {
            **_in_service(variant),
            "CurrentWeight": variant.weight if share else 0.0,
            "CurrentInstanceCount": variant.instances if is_up else 0,
            "VariantStatus": [state],
        }

    return {"EndpointConfigName": plan.config_name, "StartTime": started, **_by_member(plan, arriving)}


def capture(config: Record | None) -> Record | None:
    """A DataCaptureConfigSummary; None where nothing is configured."""
    if not config:
        return None
    is_on = config.get("EnableCapture", True)
    return {
        "EnableCapture": is_on,
        "CaptureStatus": "Started" if is_on else "Stopped",
        "CurrentSamplingPercentage": config.get("InitialSamplingPercentage", 100),
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }


def _by_member(plan: FleetPlan, describe: Callable[[VariantPlan], Record]) -> Record:
    members = {"ProductionVariants": plan.variants, "ShadowProductionVariants": plan.shadows}
    return {member: [describe(variant) for variant in listed] for member, listed in members.items() if listed}


def _in_service(variant: VariantPlan) -> Record:
    now = time.time()
    return {
        "VariantName": variant.name,
        "DeployedImages": [
            {"SpecifiedImage": source.image, "ResolvedImage": source.image, "ResolutionTime": now}
            for source in variant.containers
        ],
        "CurrentWeight": variant.weight,
        "DesiredWeight": variant.weight,
        "CurrentInstanceCount": variant.instances,
        "DesiredInstanceCount": variant.instances,
    }
