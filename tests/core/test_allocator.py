"""Threads share the arenas of the C library's allocator."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

THREADS = """
import ctypes, threading
from opendata.core.allocator import share_arenas
share_arenas()
together, kept = threading.Barrier(8), []
def hold():
    kept.append([bytes(1000) for _ in range(1000)])
    together.wait()
threads = [threading.Thread(target=hold) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_many_threads_use_few_arenas() -> None:
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=True)
    assert 1 <= done.stdout.count("<heap nr=") <= 2
