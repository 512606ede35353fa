"""Which texts are all but equal to another that stays, as Ibis expressions: the same on any engine.

Of two texts whose shingles agree to `LIKENESS` or more, the one with the greater text_id stays, so that a test row
never yields to a training row (docs/decisions/0023). Only texts that share a band of their signature are compared,
in blocks of a fixed size, so that the work grows with the rows, not with their square. Knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from training_code.features import functions

LIKENESS = 0.8
BLOCK = 20
"""Up to so many texts that share a band are all compared with each other; in larger crowds each with those of its own
block and the one before."""

Store = Callable[[str, ir.Table], ir.Table]


def superfluous(rows: ir.Table, store: Store) -> ir.Table:
    """The `text_id` of every row that has a near duplicate with a greater one. `store` keeps a table that is read
    more than once."""
    signed = store("signatures", rows.select("text_id", bands=functions.signature(rows.text)))
    banded = signed.select("text_id", band=signed.bands.unnest())
    shared = banded.group_by("band").having(ibis._.count() > 1).aggregate()
    members = banded.semi_join(shared, "band")
    placed = members.mutate(
        block=(ibis.row_number().over(group_by="band", order_by=ibis.desc("text_id")) // BLOCK).cast("int64")
    )
    placed = store("band_members", placed)
    own = placed.select(band="band", block="block", greater="text_id")
    before = own.mutate(block=own.block + 1)
    pairs = placed.join(ibis.union(own, before), ["band", "block"])
    pairs = pairs.filter(pairs.greater > pairs.text_id).select("text_id", "greater").distinct()
    first = rows.select("text_id", first="text")
    second = rows.select(greater="text_id", second="text")
    compared = store("pairs", pairs).join(first, "text_id").join(second, "greater")
    alike = compared.select("text_id", likeness=functions.likeness(compared.first, compared.second))
    return alike.filter(alike.likeness >= LIKENESS).select("text_id").distinct()
