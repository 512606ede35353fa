"""The alert topic. It does not know whether an alert is due or was sent before."""

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from feedback.alert import Alert
from lambdas.aws.clients import Client


class NotPublishedError(RuntimeError):
    """The topic did not take the alert. ``is_certain``: it said so; else it may have been taken all the same."""

    def __init__(self, *, is_certain: bool) -> None:
        super().__init__("The topic did not take the alert.")
        self.is_certain = is_certain


class Topic:
    """An SNS topic that alerts are published to."""

    def __init__(self, *, arn: str, sns: Client) -> None:
        self._arn = arn
        self._sns = sns

    def publish(self, alert: Alert) -> str:
        """Publish and return the message id; NotPublishedError otherwise. The client must make one attempt only, since
        SNS would deliver a repeated one twice."""
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in alert.attributes.items()}
        try:
            answer = self._sns.publish(
                TopicArn=self._arn, Subject=alert.subject, Message=alert.body, MessageAttributes=attributes
            )
        except ClientError as error:
            is_refusal = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500) < 500
            raise NotPublishedError(is_certain=is_refusal) from error
        except BotoCoreError as error:
            never_arrived = isinstance(error, ConnectTimeoutError | EndpointConnectionError)
            raise NotPublishedError(is_certain=never_arrived) from error
        message_id: str = answer["MessageId"]
        return message_id
