"""Lambda functions: their environment's key, dead letters, loops, and an end to their workers when they are deleted."""

from local.aws import resources, seams
from local.aws.clients import client
from local.aws.repairs import repair
from local.aws.seams import Properties


def register() -> frozenset[str]:
    """The types that are repaired here."""
    return frozenset({repair("AWS::Lambda::Function", _function, _end_workers)})


def _function(name: str, old: Properties, new: Properties) -> None:
    differing = resources.changed(old, new)
    if "KmsKeyArn" in differing:
        client("lambda").update_function_configuration(FunctionName=name, KMSKeyArn=new.get("KmsKeyArn", ""))
    if "DeadLetterConfig" in differing:
        client("lambda").update_function_configuration(
            FunctionName=name, DeadLetterConfig=new.get("DeadLetterConfig", {"TargetArn": ""})
        )
    if "RecursiveLoop" in differing:
        client("lambda").put_function_recursion_config(
            FunctionName=name, RecursiveLoop=new.get("RecursiveLoop", "Terminate")
        )


def _end_workers(name: str, properties: Properties) -> None:
    """ministack leaves the processes of a function that its stack deletes."""
    seams.end_lambda_workers_of(name)
