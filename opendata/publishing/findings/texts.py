"""Masking in the draft's metadata. A file's name is not touched: its author gives it another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from opendata.catalog.views import DatasetView
from opendata.publishing import drafts
from opendata.review.detect import masking
from opendata.review.detect.rules import Rule
from opendata.review.models import Finding
from opendata.work.unit import Work

Mask = Callable[[str], str]


def mask(work: Work, view: DatasetView, findings: Sequence[Finding], today: date) -> None:
    """The fields in which something was found get it masked; a field of text, of texts, or of texts by key."""
    changed: dict[str, Any] = {}
    stored = view.meta.stored()
    for finding in findings:
        name = finding.place.partition(".")[0]
        if name in stored:
            changed[name] = _each(changed.get(name, stored[name]), _mask_of(finding, today))
    if changed:
        drafts.edit_dataset(work, view.dataset, view.agency, changed)
    for position, resource in enumerate(view.resources):
        mine = [f for f in findings if f.place.startswith(f"resources.{position}.")]
        fields = resource.meta.stored()
        new: dict[str, Any] = {}
        for finding in mine:
            name = finding.place.rpartition(".")[2]
            if name in fields:
                new[name] = _each(new.get(name, fields[name]), _mask_of(finding, today))
        if new:
            drafts.edit_resource(work, view.dataset, view.agency, resource.id, new)


def _mask_of(finding: Finding, today: date) -> Mask:
    rule = Rule(finding.rule)
    return lambda text: masking.in_text(rule, text, today)


def _each(value: Any, change: Mask) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each(item, change) for item in value]
    if isinstance(value, dict):
        return {change(str(key)): _each(item, change) for key, item in value.items()}
    return value
