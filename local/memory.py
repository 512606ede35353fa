"""Gives memory that is no longer used back to the system, where the C library lets us ask. Knows nothing else.

Model artifacts of tens of megabytes pass through this process; glibc would keep them, once for every thread's arena.
"""

import ctypes
import gc
import sys

_M_ARENA_MAX = -8
_ARENAS = 2


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None


_library = _glibc()


def limit_arenas() -> None:
    """Before threads start: two arenas for all of them instead of eight for each core."""
    if _library is not None:
        _library.mallopt(_M_ARENA_MAX, _ARENAS)


def trim() -> None:
    """When things are quiet: collect garbage and release free pages."""
    gc.collect()
    if _library is not None:
        _library.malloc_trim(0)
