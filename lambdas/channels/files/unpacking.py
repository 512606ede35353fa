"""A gzipped file as it is read unpacked, with a bound on how far it may grow. Imported when the first one comes.

It does not know what is inside.
"""

from typing import Final

from lambdas.aws.lake import Stream
from lambdas.channels.files.content import BrokenFileError
from model_artifact.errors import BrokenArchiveError
from model_artifact.gzip_stream import Gunzip
from model_artifact.limits import GIBIBYTE, Limits

# A table shrinks ten times, a log perhaps forty, a bomb a thousand.
_LIMITS: Final = Limits(total_bytes=8 * GIBIBYTE, expansion=200, seconds=840.0)


class Unpacked:
    """The content of a gzip stream, of several one behind the other too."""

    def __init__(self, packed: Stream) -> None:
        self._inside = Gunzip(packed, _LIMITS, one_stream=False)

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes, none at the end; BrokenFileError."""
        try:
            return self._inside.read(size)
        except BrokenArchiveError as error:
            raise BrokenFileError(f"Its gzip stream is unusable ({error.code}).") from error
