"""What a report says in short. Light on purpose: the server reads reports, only the sandbox makes them (judging.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

STRUCTURAL = frozenset(
    {
        "source-error", "scheme-error", "format-error", "encoding-error", "compression-error", "file-error",
        "hash-count", "byte-count", "resource-error", "dialect-error", "control-error", "schema-error", "field-error",
        "header-error", "blank-header", "unmatched-header", "label-error", "extra-label", "missing-label",
        "blank-label", "duplicate-label", "incorrect-label",
    }
)  # fmt: skip
"""frictionless' types of errors that make the whole table unreadable or another one than declared."""


def classify(report: Mapping[str, Any]) -> dict[str, Any]:
    """`{structural, valid, errors, by_type}` of a report descriptor. `errors` is frictionless' own count, which stops at
    the limit of the run; `by_type` counts the errors that are listed."""
    listed = list(report.get("errors") or [])
    for task in report.get("tasks") or []:
        listed += task.get("errors") or []
    by_type = Counter(str(error.get("type", "error")) for error in listed)
    counted = int((report.get("stats") or {}).get("errors", 0))
    return {
        "structural": any(kind in STRUCTURAL for kind in by_type),
        "valid": bool(report.get("valid")),
        "errors": max(counted, len(listed)),
        "by_type": dict(by_type),
    }
