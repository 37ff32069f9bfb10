"""The clerk's desk: the open drafts with their next step, and one draft with all that is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlalchemy import func, select
from starlette.responses import Response

from opendata.access import policy
from opendata.access import service as access
from opendata.agencies import policy as rights
from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.catalog import queries, views
from opendata.catalog.library import queries as library
from opendata.catalog.library.queries import Schema
from opendata.catalog.lifecycle import EDITABLE_STATES, State
from opendata.catalog.models import Dataset, DatasetLine, DatasetState, Release
from opendata.catalog.views import DatasetView, ResourceView
from opendata.core.clock import BEIJING
from opendata.core.errors import FieldError, Gone, NotFound
from opendata.edge import messages
from opendata.inventory import queries as inventory
from opendata.inventory.models import InventoryLine
from opendata.publishing import completeness, policy_record
from opendata.publishing.sentences import Step
from opendata.review import light, reasons
from opendata.review import queries as reviews
from opendata.review.rounds import queries as rounds
from opendata.settings import Policy
from opendata.supervision.alerts import service as alerts
from opendata.validation.library import matching
from opendata.validation.library.matching import Match
from opendata.web import texts, verdicts
from opendata.web.console.findings import told
from opendata.web.forms import Form, Problem
from opendata.web.governance import city
from opendata.web.harvest import origin
from opendata.web.http import MemberWork
from opendata.web.public import PageNumber
from opendata.web.render import Pager, page
from opendata.work.unit import Work

router = APIRouter(prefix="/console")
DeskPage = Annotated[PageNumber, Query(alias="page")]
A_PAGE = 30
RUNNING = frozenset({State.SUBMITTED, State.CHECKING, State.APPROVED})
"""States that a job will soon change."""


@dataclass(frozen=True)
class Place:
    """A dataset at its people's desk: the release that edits go to (or the newest one), and what is public."""

    dataset: Dataset
    agency: Agency
    view: DatasetView
    published: Release | None

    @property
    def release(self) -> Release:
        return self.view.release

    @property
    def is_open(self) -> bool:
        """Whether there is an open draft."""
        return self.dataset.draft_id == self.release.id

    @property
    def editable(self) -> bool:
        return self.is_open and State(self.release.state) in EDITABLE_STATES

    @property
    def running(self) -> bool:
        return self.is_open and State(self.release.state) in RUNNING

    def resource(self, resource_id: str) -> ResourceView | None:
        return next((r for r in self.view.resources if r.id == resource_id), None)


def find(work: Work, dataset_id: str) -> Place:
    """A dataset of a body for which the actor works. `NotFound("dataset_not_found")` for all others."""
    dataset = queries.dataset(work, dataset_id, visible=policy.seen_drafts_filter(work))
    if dataset.state in (DatasetState.DELETED.value, DatasetState.PURGED.value):
        raise Gone("dataset_deleted", name=dataset.name)
    view = views.one(work.session, dataset, queries.last_release(work, dataset))
    return Place(dataset, view.agency, view, queries.release(work.session, dataset.published_id))


@router.get("")
def desk(request: Request, language: str, work: MemberWork, page_: DeskPage = 1) -> Response:
    """What I have to do: drafts, newest edit first; below, what is public and can get a new release."""
    mine = policy.seen_drafts_filter(work)
    query = select(Dataset, Release).join(Release, Release.id == Dataset.draft_id)
    open_drafts = query.where(mine, Dataset.state != DatasetState.DELETED.value)
    rows = work.session.execute(open_drafts.order_by(Release.updated_at.desc()).limit(100)).all()
    shown = func.coalesce(Dataset.published_id, queries.last_release_id())
    done = select(Dataset, Release).join(Release, Release.id == shown)
    done = done.where(mine, Dataset.draft_id.is_(None), Dataset.state.in_(("active", "withdrawn")))
    total = work.session.execute(select(func.count()).select_from(done.subquery())).scalar_one()
    order = done.order_by(Release.updated_at.desc(), Dataset.id).offset((page_ - 1) * A_PAGE).limit(A_PAGE)
    found = work.session.execute(order).all()
    listed = editable(work)
    return page(
        request,
        "console/desk.html",
        language,
        drafts=views.many(work.session, [(d, r) for d, r in rows]),
        done_views=views.many(work.session, [(d, r) for d, r in found]),
        pager=Pager(page_, A_PAGE, total),
        may_create=bool(listed),
        alerts=len(alerts.standing(work)),
        listed=listed,
    )


@router.get("/new")
def new(
    request: Request, language: str, work: MemberWork, line: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """The first form; for an inventory line with the words of that line in it."""
    bodies = editable(work)
    return new_form(request, language, bodies, _of_line(work, line, bodies) if line else None)


def _of_line(work: Work, line_id: str, bodies: Sequence[Agency]) -> Form:
    """`NotFound("line_not_found")` for a line of a body that the actor does not edit."""
    line = inventory.find(work, [line_id])[0]
    body = next((body for body in bodies if body.id == line.agency_id), None)
    if body is None:
        raise NotFound("line_not_found", id=line_id)
    fields = {
        "title": line.title,
        "description": line.abstract,
        "domain": line.domain,
        "update_cycle": line.update_cycle,
    }
    return Form.of({**fields, "agency": body.name, "line": line.id})


def new_form(
    request: Request,
    language: str,
    bodies: Sequence[Agency],
    form: Form | None = None,
    wrong: Sequence[Problem] = (),
) -> Response:
    """The first form: at most six fields, the agency chosen already where there is only one."""
    return page(
        request,
        "console/new.html",
        language,
        bodies=bodies,
        form=form or Form(),
        wrong=wrong,
    )


def editable(work: Work) -> list[Agency]:
    """Bodies for which the actor may edit."""
    return [body for body in agencies.every(work) if rights.may_edit(work.actor, body)]


@router.get("/dataset/{dataset:short}")
def draft(request: Request, language: str, dataset: str, work: MemberWork) -> Response:
    return show(request, language, work, find(work, dataset))


@dataclass(frozen=True)
class Typed:
    """What was typed into one of the draft's forms and refused: `new` for a new link, else the resource's id."""

    into: str = ""
    form: Form = field(default_factory=Form)


def show(
    request: Request,
    language: str,
    work: Work,
    place: Place,
    wrong: Sequence[Problem] = (),
    typed: Typed | None = None,
) -> Response:
    """The draft's page; with problems after a step that was refused."""
    offered = library.offered(work.session)
    seen = [verdicts.of(work, r, language) for r in place.view.resources]
    being_read = any(v is not None and v.state == "waiting" for v in seen)
    masking = place.release.sentence.get("code") == Step.MASKING.value
    return page(
        request,
        "console/draft.html",
        language,
        place=place,
        view=place.view,
        meta=place.view.meta,
        release=place.release,
        missing=_missing(work, place, language),
        **city.beside(work, place.view.meta, language),
        resources=list(zip(place.view.resources, seen, strict=True)),
        waiting=being_read or place.running or masking,
        being_read=being_read,
        broken=any(v is not None and v.state in ("structural", "unreadable") for v in seen),
        **_of_reviews(work, place, language),
        masking=masking,
        releases=queries.releases(work, place.dataset),
        lines=opened_lines(work, place.dataset),
        may_edit=policy.may_edit_draft(work.actor, place.dataset, place.agency),
        may_publish=rights.may_publish(work.actor, place.agency),
        may_be_light=place.is_open and light.fits(work, place.dataset, place.release),
        reviewed=policy_record.in_force(work) is Policy.REVIEWED,
        schemas=schemas(offered, language),
        proposals=proposals(offered, place.view.resources, seen),
        etag=access.edit_etag(place.release),
        typed=typed or Typed(),
        wrong=wrong,
    )


def _of_reviews(work: Work, place: Place, language: str) -> dict[str, Any]:
    """What its source, screening and reviewers have said of it so far."""
    release = place.release
    return {
        "decisions": reviews.decisions(work, release.id),
        "findings": told(work, release, language),
        "forbidden": reviews.negative_hits(work, release),
        "origin": origin.of(work, place.dataset.id),
        "rounds": rounds.of_release(work, release.id),
        "remarks": reasons.remarks(work, release) if place.editable else {},
        "names": {r.id: r.meta.name or (r.file.name if r.file else r.meta.url) for r in place.view.resources},
        "publish_at": _local(release.publish_at),
    }


def _local(at: datetime | None) -> str:
    """As an input of day and time has it, Beijing time."""
    return at.astimezone(BEIJING).strftime("%Y-%m-%dT%H:%M") if at else ""


@dataclass(frozen=True)
class Lacking:
    """What an open draft still lacks: in which field or file, why with the remedy, and where it can be mended."""

    what: str
    sentence: str
    link: str


def _missing(work: Work, place: Place, language: str) -> list[Lacking]:
    lacking = completeness.missing(work, place.view) if place.editable else []
    called = {city.PREFIX + field.name: field.said(language) for field in city.asked(work)}
    return [_told(place, error, called, language) for error in lacking]


def _told(place: Place, error: FieldError, called: Mapping[str, str], language: str) -> Lacking:
    """`called`: the city's own fields, by their places."""
    head, _, rest = error.path.partition(".")
    sentence = messages.field_text(error, language)
    if head == "resources" and rest:
        resource = place.view.resources[int(rest.partition(".")[0])]
        file = resource.file.name if resource.file else resource.meta.url
        return Lacking(resource.meta.name or file, sentence, f"#r-{resource.id}")
    field = error.path if error.path in called else head
    edit = f"/{language}/console/dataset/{place.dataset.id}/edit#f-{field}"
    name = called.get(field) or texts.form_field(field, language)
    return Lacking(name, sentence, "#files" if head == "resources" else edit)


def opened_lines(work: Work, dataset: Dataset) -> Sequence[InventoryLine]:
    """The inventory lines that the dataset opens, whole: the desk leads to each and tells of its openness."""
    query = select(InventoryLine).join(DatasetLine, DatasetLine.line_id == InventoryLine.id)
    query = query.where(DatasetLine.dataset_id == dataset.id).order_by(InventoryLine.resource_code)
    return work.session.execute(query).scalars().all()


def proposals(
    offered: Mapping[str, Schema], resources: Sequence[ResourceView], seen: Sequence[verdicts.Verdict | None]
) -> dict[str, Match]:
    """The ready schema that a file fits best, by the resource's id."""
    found = {}
    for resource, verdict in zip(resources, seen, strict=True):
        if verdict is None or resource.meta.schema_name or resource.meta.table_schema:
            continue
        for match in matching.propose(offered.values(), verdict.header, verdict.sample, limit=1):
            found[resource.id] = match
    return found


def schemas(offered: Mapping[str, Schema], language: str) -> list[tuple[str, str]]:
    """Ready Table Schemas as (name, title), as the reader's language calls them."""
    return [
        (name, texts.choose(s.get("title", ""), s.get("x-title-en", ""), language) or name)
        for name, s in offered.items()
    ]
