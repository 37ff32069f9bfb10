"""frictionless' errors, made and described without the way through descriptors that it takes for each one anew: some hundredths of
the time, where a table is wrong in every row."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any, TypeVar, cast

from frictionless import Error, Report
from frictionless.vendors import stringcase

E = TypeVar("E", bound=Error)
_ASSIGNED = frozenset({"title", "description", "message", "tags"})
_MUTABLE = (list, dict)


def quick(kind: type[E]) -> Callable[..., E]:
    """Makes the same errors as `kind` does, if it is given all values."""
    maker: Callable[..., E] = _maker(cast("Any", kind))
    return maker


@cache
def _maker(kind: Any) -> Callable[..., Any]:
    template = kind.template
    for name, snake in _properties(kind):
        template = template.replace(f"{{{name}}}", f"{{{snake}}}")

    def make(**values: Any) -> Any:
        error = object.__new__(kind)
        copies = {name: value.copy() for name, value in values.items() if isinstance(value, _MUTABLE)}
        error.__dict__.update(
            custom={},
            metadata_defaults={"custom": {}, **copies},
            metadata_assigned=_ASSIGNED | values.keys(),
            metadata_initiated=True,
        )
        for name, value in values.items():
            object.__setattr__(error, name, value)
        object.__setattr__(error, "message", template.format_map(values))
        return error

    return make


def descriptor_of(report: Report) -> dict[str, Any]:
    """Its descriptor."""
    errors = [task.errors for task in report.tasks]
    for task in report.tasks:
        task.errors = []
    try:
        descriptor: dict[str, Any] = report.to_descriptor()
    finally:
        for task, found in zip(report.tasks, errors, strict=True):
            task.errors = found
    for task, found in zip(descriptor["tasks"], errors, strict=True):
        task["errors"] = [_descriptor(error) for error in found]
    return descriptor


def _descriptor(error: Error) -> dict[str, Any]:
    made, kind = {}, cast("Any", type(error))
    assigned, defaults = error.metadata_assigned, error.metadata_defaults
    for name, snake in _properties(kind):
        value = getattr(error, snake, None)
        if value is None or value == {}:
            continue
        if snake == "type" or snake in assigned or value != defaults.get(snake, value):
            made[name] = deepcopy(value) if isinstance(value, _MUTABLE) else value
    return made | error.custom


@cache
def _properties(kind: Any) -> list[tuple[str, str]]:
    """(in a descriptor, of the object)"""
    properties = kind.metadata_ensure_profile().get("properties", {})
    return [(name, stringcase.snakecase(name)) for name in properties]
