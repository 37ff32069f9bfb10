"""The application that a command works on."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from opendata import wiring
from opendata.settings import Settings


def with_app(command: Callable[..., Any]) -> Callable[..., Any]:
    """Passes the application, built on a migrated database, as the first argument."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        settings = Settings.from_env()
        wiring.migrate(settings)
        app = wiring.build(settings)
        try:
            return command(app, *args, **kwargs)
        finally:
            app.close()

    return run
