"""cdk-nag's rule packs over the construct tree.

`validate_scope` is what the CDK's validation calls too; called here, the app is synthesised once and nothing raises.
"""

import re
from collections.abc import Iterator

from aws_cdk import App

from tests.gate.findings import Finding

PACKS = ("AwsSolutionsChecks", "HIPAASecurityChecks", "NIST80053R5Checks", "PCIDSS321Checks", "ServerlessChecks")

_BUCKET = re.compile(r".*Lake(?P<artifacts>Artifacts)?Bucket[0-9A-F]{8}.*?/(?P<prefix>[^<>\"{}]*)$")
# By reference, or by the output of the stack that has it.
_STORE = re.compile(r".*?(?P<store>Ledger|Drop)(Table|Bucket)[0-9A-F]{8}.*?/(?P<rest>[^<>\"{}]*)$")
_ARN = re.compile(r"arn:<AWS::Partition>:(?P<service>[a-z0-9-]+):<AWS::Region>:<AWS::AccountId>:(?P<resource>.*)$")


def findings(app: App) -> Iterator[Finding]:
    """What the five packs find in every stage."""
    import cdk_nag

    for pack in PACKS:
        for violation in getattr(cdk_nag, pack)(app).validate_scope(app).violations:
            id_, _, detail = violation.rule_name.partition("[")
            for resource in violation.violating_resources:
                stage, _, construct = resource.construct_path.partition("/")
                yield Finding(stage=stage, construct=construct, id=id_, detail=_told_shortly(detail.rstrip("]"), stage))


def _told_shortly(detail: str, stage: str) -> str:
    """The evidence that IAM5 asks for, as `stacks/acknowledgements.py` writes it: without account, hash and stage."""
    kind, _, resource = detail.partition("::")
    if kind != "Resource":
        return detail
    if bucket := _BUCKET.match(resource):
        return f"{'Artifacts' if bucket['artifacts'] else 'Lake'}/{bucket['prefix']}"
    if store := _STORE.match(resource):
        return f"{store['store']}/{store['rest']}"
    if arn := _ARN.match(resource):
        return re.sub(rf"earshot([-_/]){stage}", r"earshot\1STAGE", f"{arn['service']}:{arn['resource']}")
    return resource
