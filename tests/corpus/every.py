"""All cases, in the order of their classes."""

from collections.abc import Iterator

from tests.corpus.bodies import BODIES
from tests.corpus.case import Case
from tests.corpus.objects import keys, mails, transcripts
from tests.corpus.signatures import signatures


def cases(*, now: int) -> Iterator[Case]:
    """Every case; ``now`` is the time at which signatures are judged, in seconds since 1970."""
    for bodies in BODIES:
        yield from bodies()
    yield from keys()
    yield from mails()
    yield from transcripts()
    yield from signatures(now)
