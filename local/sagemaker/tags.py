"""Tags of resources, by ARN. Knows which records exist, nothing of what they are."""

from collections.abc import Callable

from local.sagemaker import listing
from local.sagemaker.errors import validation
from local.sagemaker.shapes import Fields
from local.sagemaker.store import Store

KIND = "tags"
MOST_TAGS = 50


class Tags:
    """The three tag operations, and what creates and deletes do with a request's Tags."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def operations(self) -> dict[str, Callable[[Fields], Fields]]:
        """What this part of SageMaker answers."""
        return {"AddTags": self.add, "ListTags": self.page, "DeleteTags": self.delete}

    def add(self, request: Fields) -> Fields:
        """Add tags or change their values; the answer has all of them."""
        arn = self._existing(request["ResourceArn"])
        self.keep(arn, request["Tags"])
        return {"Tags": self._of(arn)}

    def page(self, request: Fields) -> Fields:
        """One page of a resource's tags."""
        arn = self._existing(request["ResourceArn"])
        page = listing.cut(self._of(arn), {"MaxResults": MOST_TAGS, **request})
        return {"Tags": page.pop("records"), **page}

    def delete(self, request: Fields) -> Fields:
        """Remove tags by key; keys that are not there are no error."""
        arn = self._existing(request["ResourceArn"])
        left = [tag for tag in self._of(arn) if tag["Key"] not in request["TagKeys"]]
        self._store.put(KIND, arn, {"Tags": left})
        return {}

    def keep(self, arn: str, tags: list[Fields] | None) -> None:
        """Note the tags that a new resource came with, or add to those it has."""
        if not tags:
            return
        merged = {tag["Key"]: tag for tag in [*self._of(arn), *tags]}
        if len(merged) > MOST_TAGS:
            raise validation(f"Cannot have more than {MOST_TAGS} tags on {arn}")
        self._store.put(KIND, arn, {"Tags": list(merged.values())})

    def forget(self, arn: str) -> None:
        """Drop all tags of a resource that is gone."""
        self._store.delete(KIND, arn)

    def _of(self, arn: str) -> list[Fields]:
        record = self._store.get(KIND, arn)
        tags: list[Fields] = record["Tags"] if record else []
        return tags

    def _existing(self, arn: str) -> str:
        kind, _, name = arn.split(":", 5)[-1].partition("/")
        if self._store.get(kind, name) is None:
            raise validation(f'Could not find resource "{arn}".')
        return arn
