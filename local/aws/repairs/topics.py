"""SNS topics: the key of their messages."""

from local.aws import resources
from local.aws.clients import client
from local.aws.repairs import repair
from local.aws.seams import Properties


def register() -> frozenset[str]:
    """The types that are repaired here."""
    return frozenset({repair("AWS::SNS::Topic", _topic)})


def _topic(arn: str, old: Properties, new: Properties) -> None:
    if "KmsMasterKeyId" in resources.changed(old, new):
        client("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=new.get("KmsMasterKeyId", "")
        )
