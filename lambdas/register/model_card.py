"""The model card of a package: what the comparison wrote, as the registry takes it.

It does not know what is in the card, only which parts the registry knows:
https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html#model-card-schema
"""

import json
from typing import Final

from feedback.strict_json import BrokenJsonError, parse

SIZE_LIMIT_BYTES: Final = 1024 * 1024

_LENGTH_LIMIT: Final = 100_000
_PARTS: Final = frozenset(
    {
        "model_overview",
        "intended_uses",
        "business_details",
        "training_details",
        "evaluation_details",
        "additional_information",
    }
)


class UnusableModelCardError(ValueError):
    """The registry would not take this card; the message is one sentence and says why."""


def model_card(body: bytes, *, is_reviewed: bool) -> dict[str, str]:
    """The card as CreateModelPackage takes it. It waits for a review where a person looks at the model at all."""
    try:
        document = parse(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UnusableModelCardError("The model card is not UTF-8.") from error
    except BrokenJsonError as error:
        raise UnusableModelCardError(f"The model card cannot be read. {error}") from error
    if not isinstance(document, dict):
        raise UnusableModelCardError("The model card is no object.")
    unknown = sorted(document.keys() - _PARTS)
    if unknown:
        raise UnusableModelCardError(f"The model card has a part that the registry does not know: {unknown[0][:63]!r}.")
    # On one line and of plain characters: the registry's pattern knows no line breaks.
    content = json.dumps(document, separators=(",", ":"), allow_nan=False)
    if len(content) > _LENGTH_LIMIT:
        raise UnusableModelCardError(
            f"The model card has {len(content)} characters, and the registry takes at most {_LENGTH_LIMIT}."
        )
    return {"ModelCardContent": content, "ModelCardStatus": "PendingReview" if is_reviewed else "Draft"}
