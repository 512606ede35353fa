"""What was asked of other systems after a feedback, written beside it in the ledger. It does not know why."""

from botocore.exceptions import BotoCoreError, ClientError

from feedback.alerting.responses import ResponseState
from lambdas.aws.attributes import to_attribute
from lambdas.aws.clients import Client
from lambdas.aws.ledger import LedgerUnavailableError
from lambdas.telemetry import aws_code


class ResponseAudit:
    """The attribute ``response`` of the ledger's items."""

    def __init__(self, *, ledger_table: str, dynamodb: Client) -> None:
        self._ledger_table = ledger_table
        self._dynamodb = dynamodb

    def write(self, feedback_id: str, response_id: str, *, event: str, state: ResponseState) -> None:
        """Write the response, unless the feedback was erased meanwhile; LedgerUnavailableError otherwise."""
        response = {"id": response_id, "event": event, "state": state.value}
        try:
            self._dynamodb.update_item(
                TableName=self._ledger_table,
                Key={"feedback_id": {"S": feedback_id}},
                UpdateExpression="SET #response = :response",
                ConditionExpression="attribute_exists(feedback_id)",
                ExpressionAttributeNames={"#response": "response"},
                ExpressionAttributeValues={":response": to_attribute(response)},
            )
        except (ClientError, BotoCoreError) as error:
            if aws_code(error) != "ConditionalCheckFailedException":
                raise LedgerUnavailableError("A response could not be written beside its feedback.") from error
