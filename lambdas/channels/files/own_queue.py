"""The files' channel's own queue, to which it sends what it has to go on with. It does not know what a message says."""

from lambdas.aws.clients import Client


class ChannelQueue:
    """A queue by its URL."""

    def __init__(self, *, url: str, sqs: Client) -> None:
        self._url = url
        self._sqs = sqs

    def send(self, body: str, *, delay_seconds: int) -> None:
        """Send one message; botocore's errors where that fails, and the file is begun again."""
        self._sqs.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay_seconds)
