"""Which column of somebody's file holds what: canonical names, and what people call them.

It does not know file formats, nor which columns are needed.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

# Canonical column -> names it goes by, best first; compared without case, spaces and punctuation.
SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": (
        "reviewtext",
        "text",
        "reviewbody",
        "body",
        "review",
        "comment",
        "comments",
        "content",
        "feedback",
        "message",
    ),
    "rating": ("rating", "stars", "starrating", "reviewrating", "score", "overall", "star"),
    "title": ("title", "reviewtitle", "headline", "reviewheadline", "summary", "subject"),
    "product_id": ("productid", "clothingid", "product", "sku", "asin", "itemid", "articleid", "item"),
    "category": ("departmentname", "department", "category", "productcategory", "classname", "class"),
    "created_at": ("createdat", "reviewdate", "date", "created", "submittedat", "timestamp", "time"),
    "channel": ("channel", "source"),
    "review_id": ("reviewid", "id", "uuid"),
    "customer_age": ("age", "customerage", "reviewerage"),
}
CUSTOMER: Final[Mapping[str, tuple[str, ...]]] = {
    "customer_ref": ("customerref", "customerid", "customer", "reviewerid", "userid", "user", "email", "customeremail"),
    "language": ("language", "lang", "locale", "languagecode"),
}
"""The columns that only feedback has, and reviews to learn from have not."""


def simple(name: str) -> str:
    """The name without case, spaces and punctuation."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def found_by_name(header: Sequence[str], synonyms: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Canonical column -> place in the header, for those that are there. Of two of one name the first counts."""
    places: dict[str, int] = {}
    for place, column in enumerate(header):
        places.setdefault(simple(column), place)
    found: dict[str, int] = {}
    for canonical, names in synonyms.items():
        place_or_none = next((places[name] for name in names if name in places), None)
        if place_or_none is not None and place_or_none not in found.values():
            found[canonical] = place_or_none
    return found
