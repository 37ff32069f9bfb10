"""Checks files against their Table Schema and keeps what was found.

frictionless decides what is an error; it runs in the sandbox only (`tasks`, `judging`, `schemas`, `proof`), so that the
server neither loads it nor meets strangers' bytes. The server reads reports (`engine.classify`) and keeps them (`service`).

Programs that have frictionless anyway get `validate` and `validate_package`, its own verdict sooner, by these names; they are
loaded when they are first asked for (docs/decisions/0007-names-loaded-late.md).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opendata.validation.proof.validating import Cancelled, validate, validate_package

__all__ = ["Cancelled", "validate", "validate_package"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("opendata.validation.proof.validating"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
