"""The alert topic. It does not know whether an alert is due or was sent before."""

from botocore.exceptions import BotoCoreError, ClientError

from feedback.alerting.forms import Letter
from lambdas.aws.clients import Client

_ATTRIBUTE_LIMIT = 256


class NotPublishedError(RuntimeError):
    """The topic did not take the letter, or its answer was lost."""


class Topic:
    """An SNS topic that alerts are published to."""

    def __init__(self, *, arn: str, sns: Client) -> None:
        self._arn = arn
        self._sns = sns

    def publish(self, letter: Letter) -> str:
        """Publish and return the message id; NotPublishedError otherwise. The client must make one attempt only, since
        SNS would deliver a repeated one twice."""
        attributes = {
            name: {"DataType": "String", "StringValue": value[:_ATTRIBUTE_LIMIT]}
            for name, value in letter.attributes.items()
        }
        try:
            answer = self._sns.publish(
                TopicArn=self._arn, Subject=letter.subject, Message=letter.body, MessageAttributes=attributes
            )
        except (ClientError, BotoCoreError) as error:
            raise NotPublishedError("The topic did not take the alert.") from error
        message_id: str = answer["MessageId"]
        return message_id
