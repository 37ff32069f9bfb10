"""The evidence of a quarter as one archive: CSV for people, JSON for programs, and the hash of each file."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from opendata.agencies import queries as agencies
from opendata.core import csvtext
from opendata.inventory.plan import queries as plans
from opendata.inventory.plan import sheet
from opendata.supervision.periodic import calendar
from opendata.supervision.rectification import queries as orders
from opendata.supervision.rectification.queries import Wanted
from opendata.supervision.rectification.wording import demand_of
from opendata.supervision.scores.facts import Fact
from opendata.supervision.scores.quarter import Quarter
from opendata.supervision.usage import queries as usage
from opendata.work.unit import Work

BATCH = 500
Rows = Iterable[Sequence[object]]


def archive(work: Work, quarter: Quarter, scores: Sequence[dict[str, Any]]) -> bytes:
    """A ZIP. `scores` are those of the quarter as the API tells them."""
    names = {body.id: body.name for body in agencies.every(work)}
    files = {
        "scores.json": orjson.dumps(scores, option=orjson.OPT_INDENT_2),
        "scores.csv": _csv(_scores(scores)),
        "plan.csv": _csv(_plan(work, quarter)),
        "rectifications.csv": _csv(_orders(work, names)),
        "periodic-reviews.csv": _csv(_reviews(work, names)),
        "usage.csv": _csv(_usage(work, quarter, names)),
    }
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    manifest = {"quarter": str(quarter), "taken_at": work.now.isoformat(), "sha256": hashes}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in {"manifest.json": orjson.dumps(manifest), **files}.items():
            packed.writestr(name, data)
    return out.getvalue()


def _csv(rows: Rows) -> bytes:
    return (csvtext.MARK + csvtext.lines(rows)).encode()


def _scores(scores: Sequence[dict[str, Any]]) -> Rows:
    yield ("agency", "quarter", "points", "final", "rules_version", "hash", *Fact)
    for one in scores:
        told = (one[name] for name in ("agency", "quarter", "points", "final", "rules_version", "hash"))
        yield (*told, *(one["facts"].get(fact, 0) for fact in Fact))


def _plan(work: Work, quarter: Quarter) -> Rows:
    items = list(plans.every(work, plans.Wanted(quarter.year)))
    return sheet.rows(items, agencies.by_ids(work.session, {item.line.agency_id for item in items}))


def _orders(work: Work, names: dict[str, str]) -> Rows:
    yield ("number", "agency", "cause", "subject", "demand", "deadline", "state", "issued_at", "settled_at")
    offset = 0
    while found := orders.page(work, Wanted(), offset=offset, limit=BATCH).items:
        for o in found:
            yield (
                o.number, names.get(o.agency_id, o.agency_id), o.cause, o.subject, demand_of(o, "zh"), o.deadline, o.state,
                o.issued_at.isoformat(), o.settled_at.isoformat() if o.settled_at else None,
            )  # fmt: skip
        offset += BATCH


def _reviews(work: Work, names: dict[str, str]) -> Rows:
    yield ("dataset", "title", "agency", "update_cycle", "reviewed_on", "due_on")
    for due in calendar.every(work):
        yield (due.name, due.title, names.get(due.agency_id, ""), due.cycle, due.reviewed_on, due.due_on)


def _usage(work: Work, quarter: Quarter, names: dict[str, str]) -> Rows:
    yield ("dataset", "title", "agency", "views", "downloads", "calls")
    for used in usage.every(work, usage.Span(quarter.first, quarter.last)):
        uses = used.uses
        yield (used.name, used.title, names.get(used.agency_id, ""), uses.views, uses.downloads, uses.calls)
