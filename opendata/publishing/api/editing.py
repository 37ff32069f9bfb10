"""What all edits share: the dataset as its editor sees it, the condition, the dry run, the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from starlette.responses import Response

from opendata.access import policy as access_policy
from opendata.access import service as access
from opendata.access.schemas import dataset_out, seen_out
from opendata.agencies.models import Agency
from opendata.catalog import queries, views
from opendata.catalog.models import Dataset
from opendata.catalog.queries import LineRow
from opendata.catalog.views import DatasetView
from opendata.core.errors import Conflict
from opendata.edge import messages
from opendata.edge.conventions import DryRun, caller_language, check_if_match, json_answer
from opendata.publishing import completeness
from opendata.publishing.api.changes import Moment, differences, moment
from opendata.work.unit import Work


@dataclass(frozen=True)
class Asked:
    """How an edit was asked for."""

    if_match: str | None
    dry_run: bool
    language: str


async def asked(
    request: Request, dry_run: DryRun = False, if_match: Annotated[str | None, Header()] = None
) -> Asked:
    return Asked(if_match, dry_run, caller_language(request))


How = Annotated[Asked, Depends(asked)]


@dataclass(frozen=True)
class Editing:
    """A dataset about to be edited, and how it stood (for a dry run, and unless it is new)."""

    dataset: Dataset
    agency: Agency
    before: Moment | None


def begin(work: Work, id_or_name: str, how: Asked) -> Editing:
    """`NotFound` for what the actor does not see; `Stale` if the caller's copy is old."""
    return _begin(work, queries.dataset(work, id_or_name, visible=access_policy.visible_filter(work)), how)


def begin_with_resource(work: Work, resource_id: str, how: Asked) -> Editing:
    visible = access_policy.visible_filter(work)
    return _begin(work, queries.dataset_of_resource(work, resource_id, visible=visible), how)


def new(dataset: Dataset, agency: Agency) -> Editing:
    return Editing(dataset, agency, None)


def present(work: Work, dataset: Dataset) -> DatasetView:
    """What editors edit: the open draft, or the newest release."""
    return views.one(work.session, dataset, queries.last_release(work, dataset))


def finish(
    work: Work,
    editing: Editing,
    how: Asked,
    *,
    status: int = 200,
    body: Callable[[DatasetView], Any] | None = None,
    location: str | None = None,
) -> Response:
    """The answer after an edit: the dataset (or `body` of its draft) with its new ETag; for a dry run the difference, and
    nothing is kept."""
    work.session.flush()
    after = present(work, editing.dataset)
    if how.dry_run:
        answer = json_answer(
            {
                "dry_run": True,
                "changes": differences(editing.before, _moment(work, after)),
                "missing": missing(work, after, how.language),
            }
        )
        work.take_back()
        return answer
    shown = body(after) if body else _whole(work, editing.dataset, how.language)
    headers = {"Location": location} if location else {}
    return json_answer(shown, status=status, etag=access.edit_etag(after.release), headers=headers)


def missing(work: Work, view: DatasetView, language: str) -> list[dict[str, str]]:
    """What the draft still lacks, as sentences."""
    found = completeness.missing(work, view)
    return [{"field": f.path, "code": f.code, "detail": messages.field_text(f, language)} for f in found]


def refuse_dry_run(how: Asked) -> None:
    """For calls that store bytes before they can be checked."""
    if how.dry_run:
        raise Conflict("dry_run_needs_no_file")


def _whole(work: Work, dataset: Dataset, language: str) -> dict[str, Any]:
    seen, lines = access.see(work, dataset.id), _lines(work, dataset)
    return seen_out(seen, lines, language) if seen.sees_drafts else dataset_out(present(work, dataset), lines)


def _lines(work: Work, dataset: Dataset) -> Sequence[LineRow]:
    return queries.lines_of(work, [dataset.id]).get(dataset.id, [])


def _moment(work: Work, view: DatasetView) -> Moment:
    return moment(view, _lines(work, view.dataset))


def _begin(work: Work, dataset: Dataset, how: Asked) -> Editing:
    view = present(work, dataset)
    if access_policy.sees_drafts(work.actor, dataset, view.agency):  # to others it would tell of the draft
        check_if_match(how.if_match, access.edit_etag(view.release))
    return Editing(dataset, view.agency, _moment(work, view) if how.dry_run else None)
