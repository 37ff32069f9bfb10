"""What commands share: the application that they work on, and what they say when they are refused something."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

import click

from opendata import wiring
from opendata.core.errors import DomainError
from opendata.edge import messages
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


def language_of(asked: str | None = None) -> str:
    """The one that was asked for, else that of the terminal (LC_ALL, LC_MESSAGES, LANG)."""
    if asked:
        return asked
    told = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    return "zh" if told.startswith("zh") else "en"


def refuse(error: DomainError, language: str) -> NoReturn:
    """The sentences of an error and of its fields, on stderr; exit code 1."""
    click.echo(messages.error_text(error, language), err=True)
    for field in error.fields:
        click.echo(f"  {field.path}: {messages.field_text(field, language)}", err=True)
    sys.exit(1)
