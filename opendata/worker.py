"""The job runner of the full stack: runs jobs, drains the index, keeps time; serves nothing."""

from __future__ import annotations

import signal
import threading

from opendata import wiring
from opendata.settings import Settings


def run(settings: Settings) -> None:
    """Blocks until SIGTERM or SIGINT, then finishes the running jobs."""
    app = wiring.build(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    app.start()
    try:
        stop.wait()
    finally:
        app.close()
