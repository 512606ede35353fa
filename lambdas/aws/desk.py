"""The desk: what functions remember between calls, as small documents by partition and place.

Every write can be made conditional, so that of many functions one wins. It does not know what a partition is for, nor
the clock: an expired document may still be read for a while, and who minds looks at ``expires_at``.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.aws.attributes import from_item, to_attribute, to_item
from lambdas.aws.clients import Client

Document = dict[str, Any]


class DeskUnavailableError(RuntimeError):
    """The desk did not answer, or refused; whether a write happened is not known."""


class Desk:
    """The documents by ``pk`` and ``sk``. A document that is read has both in it, and ``expires_at`` (epoch seconds)
    where it was given one."""

    def __init__(self, *, table: str, dynamodb: Client) -> None:
        self._table = table
        self._dynamodb = dynamodb

    def get(self, pk: str, sk: str) -> Document | None:
        """The document as it is now, or None."""
        try:
            answer = self._dynamodb.get_item(TableName=self._table, Key=_key(pk, sk), ConsistentRead=True)
        except (ClientError, BotoCoreError) as error:
            raise DeskUnavailableError("The desk could not be read.") from error
        item = answer.get("Item")
        return from_item(item) if item else None

    def put(
        self,
        pk: str,
        sk: str,
        document: Mapping[str, Any],
        *,
        unless_exists: bool = False,
        expires_at: datetime | None = None,
    ) -> bool:
        """Write the document in place of what is there; False, and nothing written, where ``unless_exists`` forbids."""
        item = to_item({name: value for name, value in document.items() if name not in ("pk", "sk")}) | _key(pk, sk)
        if expires_at is not None:
            item["expires_at"] = to_attribute(int(expires_at.timestamp()))
        condition = {"ConditionExpression": "attribute_not_exists(pk)"} if unless_exists else {}
        try:
            self._dynamodb.put_item(TableName=self._table, Item=item, **condition)
        except (ClientError, BotoCoreError) as error:
            return _refused_or_raise(error)
        return True

    def query(
        self, pk: str, *, after: str | None = None, before: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """The documents of a partition in the order of ``sk``, those strictly between ``after`` and ``before``;
        ``limit`` of them at most, all by default."""
        if limit is not None and limit < 1:
            raise ValueError("the limit of a query is at least 1")
        condition, values = "pk = :pk", {":pk": {"S": pk}}
        if after is not None:
            condition, values[":from"] = f"{condition} AND sk > :from", {"S": after}
        elif before is not None:
            condition, values[":to"] = f"{condition} AND sk < :to", {"S": before}
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
        }
        documents: list[Document] = []
        while limit is None or len(documents) < limit:
            page = self._page(request | ({} if limit is None else {"Limit": limit - len(documents)}))
            for item in page.get("Items", []):
                document = from_item(item)
                if before is not None and document["sk"] >= before:
                    return documents
                documents.append(document)
            if "LastEvaluatedKey" not in page:
                break
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        return documents

    def delete(self, pk: str, sk: str) -> None:
        """Remove the document, if there is one."""
        try:
            self._dynamodb.delete_item(TableName=self._table, Key=_key(pk, sk))
        except (ClientError, BotoCoreError) as error:
            raise DeskUnavailableError("The desk could not be written.") from error

    def update_if(
        self,
        pk: str,
        sk: str,
        expression: str,
        *,
        condition: str,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> Document | None:
        """Run a DynamoDB update expression where the condition holds, and return the document as it is then; None, and
        nothing written, where it does not hold. ``values`` are JSON values by ``:name``, ``names`` by ``#name``."""
        request: dict[str, Any] = {}
        if values:
            request["ExpressionAttributeValues"] = {name: to_attribute(value) for name, value in values.items()}
        if names:
            request["ExpressionAttributeNames"] = dict(names)
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key=_key(pk, sk),
                UpdateExpression=expression,
                ConditionExpression=condition,
                ReturnValues="ALL_NEW",
                **request,
            )
        except (ClientError, BotoCoreError) as error:
            _refused_or_raise(error)
            return None
        return from_item(answer["Attributes"])

    def _page(self, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            page: dict[str, Any] = self._dynamodb.query(**request)
        except (ClientError, BotoCoreError) as error:
            raise DeskUnavailableError("The desk could not be read.") from error
        return page


def _key(pk: str, sk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _refused_or_raise(error: ClientError | BotoCoreError) -> bool:
    """False for a condition that did not hold; everything else is raised."""
    if isinstance(error, ClientError) and error.response["Error"]["Code"] == "ConditionalCheckFailedException":
        return False
    raise DeskUnavailableError("The desk could not be written.") from error
