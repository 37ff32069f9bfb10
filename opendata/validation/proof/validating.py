"""`validate`, a drop-in for `frictionless.Resource.validate`, and `validate_package` for `frictionless.Package.validate`."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from frictionless import (
    Checklist,
    Error,
    FrictionlessException,
    Package,
    Report,
    Resource,
    errors,
    system,
)
from frictionless.formats.csv import settings as csv_settings
from frictionless.resources import TableResource

from opendata.validation.proof.checked import is_known
from opendata.validation.proof.feed import CHUNK, Feed, Onlooker, Progress
from opendata.validation.proof.rows import Baseline
from opendata.validation.proof.spreadsheets.opening import ours

LIMIT_ERRORS = 1000


class Cancelled(Exception):
    """Raised by a `progress` callback to end a validation; reaches its caller."""


class CheckStopped(Error):
    """frictionless itself stopped by an error of Python: sNaN against a bound, a naive time against an aware one, ..."""

    type = "task-error"
    title = "Task Error"
    description = "The check could not be carried out to its end."
    template = "Task Error: {note}"


def validate(
    resource: Resource,
    checklist: Checklist | None = None,
    *,
    limit_errors: int = LIMIT_ERRORS,
    limit_rows: int | None = None,
    progress: Progress | None = None,
    onlooker: Onlooker | None = None,
) -> Report:
    """The report of `resource.validate(checklist, limit_errors=..., limit_rows=...)`, sooner. Where that would raise, the
    report has one error of type `task-error` instead.

    `progress` is called now and then with the number of rows that were looked at; it may raise `Cancelled`. A table with keys
    may be read twice, and then is counted twice.
    `onlooker` is shown the cells in passing."""
    began = time.monotonic()
    csv.field_size_limit(csv_settings.FIELD_SIZE_LIMIT)  # as frictionless sets it, whoever changed it since
    try:
        if limit_rows or not _is_known(resource, checklist):
            return _plain(resource, checklist, limit_errors, limit_rows, progress)
        return _fed(resource, checklist, limit_errors, progress or _nobody, onlooker)
    except (Cancelled, MemoryError):
        raise
    except FrictionlessException as error:
        return _stopped(resource, began, error.to_errors())
    except Exception as error:
        note = f"the check stopped by {type(error).__name__}"
        return _stopped(resource, began, [CheckStopped(note=note)])


def validate_package(
    package: Package,
    checklist: Checklist | None = None,
    *,
    name: str | None = None,
    limit_errors: int = LIMIT_ERRORS,
    limit_rows: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """The report of `package.validate(...)`: of all its resources, or of the one that is named."""
    began = time.monotonic()
    resources = package.resources if name is None else [package.get_resource(name)]
    try:
        package.to_descriptor(validate=True)
    except FrictionlessException as error:
        unread: Report = Report.from_validation(time=_since(began), errors=error.to_errors())
        return unread
    reports = [
        validate(resource, checklist, limit_errors=limit_errors, limit_rows=limit_rows, progress=progress)
        for resource in resources
    ]
    report: Report = Report.from_validation_reports(time=_since(began), reports=reports)
    return report


def _is_known(resource: Resource, checklist: Checklist | None) -> bool:
    """Checks of others see every row, and what is open may have been read from."""
    return (
        type(resource) is TableResource
        and resource.closed
        and not isinstance(resource._dialect, str)
        and (checklist is None or (type(checklist) is Checklist and all(map(is_known, checklist.checks))))
        and system.onerror == "ignore"
    )


def _plain(
    resource: Resource,
    checklist: Checklist | None,
    limit_errors: int,
    limit_rows: int | None,
    progress: Progress | None,
) -> Report:
    count = 0

    def on_row(_: Any) -> None:
        nonlocal count
        count += 1
        if progress is not None and count % CHUNK == 0:
            progress(count)

    checked: Any = resource
    report: Report = checked.validate(
        checklist, on_row=on_row, limit_errors=limit_errors, limit_rows=limit_rows
    )
    return report


def _fed(
    resource: Any,
    checklist: Checklist | None,
    limit_errors: int,
    progress: Progress,
    onlooker: Onlooker | None,
) -> Report:
    checklist = checklist or Checklist()
    feed = Feed(resource, checklist.checks, progress, onlooker)
    counted = _Counted(checklist, limit_errors, feed)
    with _in_place(resource, feed), ours():
        report: Report = resource.validate(counted, limit_errors=limit_errors)
    return report


@contextmanager
def _in_place(resource: TableResource, feed: Feed) -> Iterator[None]:
    """The dialect reads through the feed meanwhile."""
    own = resource.dialect.__dict__
    own["read_enumerated_content_stream"] = feed
    try:
        yield
    finally:
        del own["read_enumerated_content_stream"]


class _Counted:
    """A checklist that sees when the limit of errors is reached, and finds out once what it is to look for."""

    def __init__(self, checklist: Checklist, limit: int, feed: Feed) -> None:
        self._checklist = checklist
        self._scope = set(checklist.scope)
        self._left = limit or -1
        self._feed = feed

    def connect(self, resource: Resource) -> list[Any]:
        baseline, *others = self._checklist.connect(resource)
        return [Baseline(baseline, self._feed), *others]

    def match(self, error: Error) -> bool:
        matched = not isinstance(error, errors.DataError) or error.type in self._scope
        if matched:
            self._left -= 1
            if self._left == 0:
                self._feed.settle()
        return matched


def _stopped(resource: Resource, began: float, found: list[Error]) -> Report:
    report: Report = Report.from_validation_task(resource, time=_since(began), errors=found)
    return report


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)


def _nobody(rows: int) -> None:
    pass
