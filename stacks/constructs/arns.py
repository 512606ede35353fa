"""ARNs of this account and region, put together from text.

Knows the form of an ARN. `Stack.format_arn` says the same, but asks the CDK's Node process several times for each.
"""

from functools import cache

from aws_cdk import Aws


def arn(service: str, resource: str, *, region: str | None = None, account: str | None = None) -> str:
    """`arn:PARTITION:service:REGION:ACCOUNT:resource`; region and account are the stack's own unless given."""
    partition, own_region, own_account = _own()
    return ":".join(
        (
            "arn",
            partition,
            service,
            own_region if region is None else region,
            own_account if account is None else account,
            resource,
        )
    )


@cache
def _own() -> tuple[str, str, str]:
    return Aws.PARTITION, Aws.REGION, Aws.ACCOUNT_ID
