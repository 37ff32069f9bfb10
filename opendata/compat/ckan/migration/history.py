"""When what was done on the platform that is left: its activities, as lines of the audit trail. They say what somebody else
has recorded, so they stand under an action of their own, with their dates and their authors' ids (`activities/brought.py`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from opendata.compat.ckan.activities.brought import BROUGHT
from opendata.compat.ckan.activities.lines import OBJECTS
from opendata.compat.ckan.migration.report import Fate
from opendata.compat.ckan.migration.source import SourceFailed
from opendata.compat.ckan.migration.taking import Run
from opendata.work import trail
from opendata.work.unit import Work

PAGE = 100
"""Entries of one answer, and of one line of the trail."""
_KINDS = {"dataset": "package", "organization": "organization", "group": "group"}


def take_history(run: Run, kind: str, thing: Mapping[str, Any]) -> None:
    """What the source records of an object. A source without activities has none to give."""
    if "activity" not in run.source.extensions:
        return
    try:
        entries = list(_entries(run, kind, thing["id"]))
    except SourceFailed as failure:
        run.report.add("activities", thing["id"], str(thing.get("name", "")), Fate.REFUSED, str(failure))
        return
    if entries:
        run.take("activities", thing, entries, partial(_write, kind, thing["id"], entries))


def _entries(run: Run, kind: str, thing_id: str) -> Iterator[dict[str, Any]]:
    """The newest first; without the copy of the object that each has. A list of a group also tells what happened to its
    datasets, which bring their own."""
    offset = 0
    while True:
        page = run.source.action(f"{_KINDS[kind]}_activity_list", id=thing_id, limit=PAGE, offset=offset)
        yield from (_entry(told) for told in page if told["object_id"] == thing_id)
        offset += len(page)
        if len(page) < PAGE:
            return


def _entry(told: Mapping[str, Any]) -> dict[str, Any]:
    """`public`: whether that portal showed it to everybody; one that puts no labels on activities shows them with their object."""
    labels = told.get("permission_labels")
    titles = [
        part["title"]
        for part in (told.get("data") or {}).values()
        if isinstance(part, dict) and part.get("title")
    ]
    return {
        "id": str(told["id"]),
        "at": _moment(str(told["timestamp"])),
        "type": str(told["activity_type"]),
        "by": told["user_id"],
        "public": labels is None or "public" in labels,
        **({"title": str(titles[0])} if titles else {}),
    }


def _moment(stamp: str) -> str:
    """UTC without saying so, in one form, so that texts are in the order of time."""
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        raise SourceFailed(f"an activity's timestamp is no date: {stamp[:40]}") from None
    return (at.astimezone(UTC) if at.tzinfo else at).replace(tzinfo=None).isoformat(timespec="microseconds")


def _write(kind: str, thing_id: str, entries: list[dict[str, Any]], work: Work) -> tuple[Fate, str]:
    wanted = trail.Filter(subject=thing_id, action=BROUGHT)
    known = {
        entry["id"] for row in trail.newest(work, wanted, limit=1000) for entry in row.details["entries"]
    }
    fresh = [entry for entry in reversed(entries) if entry["id"] not in known]
    for start in range(0, len(fresh), PAGE):
        work.record("history.brought", OBJECTS[_KINDS[kind]], thing_id, entries=fresh[start : start + PAGE])
    return (Fate.CHANGED if known else Fate.TAKEN), f"{len(fresh)} entries"
