"""What may be called in the sandbox. All arguments and results are JSON values; paths are texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opendata.validation import judging, schemas


def validate(
    path: str,
    name: str,
    options: Mapping[str, Any] | None = None,
    schema: Mapping[str, Any] | None = None,
    limit_errors: int = 1000,
) -> dict[str, Any]:
    """A frictionless report descriptor (`judging.validate_file`)."""
    return judging.validate_file(Path(path), name, options, schema, limit_errors)


def judge(
    path: str,
    name: str,
    schema: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    limit_errors: int = 1000,
) -> dict[str, Any]:
    """`{profile, report}` (`judging.judge_file`)."""
    return judging.judge_file(Path(path), name, options, schema, limit_errors)


def check_schema(descriptor: Any) -> list[dict[str, Any]]:
    """What is wrong with a Table Schema: a list of `{path, code, params}`, [] if it may be used."""
    return [
        {"path": path, "code": code, "params": params}
        for path, code, params in schemas.check_schema(descriptor)
    ]
