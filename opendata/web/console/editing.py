"""Steps on a draft: its metadata, submission, withdrawal. Each is a form; a refused one is shown again with its reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from opendata.access import service as access
from opendata.catalog import queries
from opendata.catalog.codes import codes
from opendata.core.clock import BEIJING
from opendata.core.errors import Conflict, Gathered, Invalid, invalid
from opendata.edge.conventions import check_if_match
from opendata.inventory.models import Disclosure, Domain, Openness, UpdateCycle
from opendata.publishing import drafts as drafting
from opendata.publishing import service
from opendata.publishing.findings import service as findings
from opendata.publishing.timing import scheduling
from opendata.review import reasons
from opendata.web.console.drafts import Place, find, show
from opendata.web.forms import Form, Problem, given, no_day, problems
from opendata.web.governance import city
from opendata.web.harvest import origin
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import page, see_other
from opendata.work.unit import Work

router = APIRouter(prefix="/console/dataset/{dataset:short}")

TEXTS = (
    "title", "title_en", "description", "description_en", "domain", "licence", "openness", "open_condition", "update_cycle",
    "region", "contact_name", "contact_phone", "contact_email", "landing_page",
)  # fmt: skip
DATES = ("temporal_start", "temporal_end", "data_updated_on")
LISTS = ("keywords", "related_codes")
BOX = "bbox"
CHOICES = ("disclosures", "themes")


@router.get("/edit")
def edit_page(request: Request, language: str, dataset: str, work: MemberWork) -> Response:
    place = find(work, dataset)
    drafting.check_editor(work, place.agency, place.dataset)
    return _form(request, language, work, place, _values(place))


@router.post("/edit")
def edit(request: Request, language: str, dataset: str, work: MemberWork, form: PostedForm) -> Response:
    """Saves the fields. An edit that somebody else made meanwhile is not overwritten: `Stale`."""
    place = find(work, dataset)
    try:
        check_if_match(f'"{form.text("edition")}"', access.edit_etag(place.release))
        wrong, fields = (
            Gathered(),
            fields_of(form) | city.given(city.asked(work), form, place.view.meta.city_fields),
        )
        with wrong:
            need_title(fields)
        with wrong:
            drafting.check_fields(work, place.dataset, fields)
        wrong.raise_if_any()
        drafting.edit_dataset(work, place.dataset, place.agency, fields)
    except Invalid as error:
        work.take_back()
        wrong_fields = problems(error, language, _known(work))
        return _form(request, language, work, find(work, dataset), dict(form.values), wrong_fields)
    return see_other(f"/{language}/console/dataset/{place.dataset.id}", done="saved")


@router.post("/submit")
def submit(request: Request, language: str, dataset: str, work: MemberWork, form: PostedForm) -> Response:
    """Hands the draft in, exactly as the page showed it."""
    place = find(work, dataset)
    try:
        check_if_match(f'"{form.text("edition")}"', access.edit_etag(place.release))
        service.submit(work, place.dataset, place.agency, correction=bool(form.text("correction")))
    except (Invalid, Conflict) as error:
        return _refused(request, language, work, dataset, error)
    return see_other(f"/{language}/console/dataset/{place.dataset.id}", done="submitted")


@router.post("/mask")
def mask(request: Request, language: str, dataset: str, work: MemberWork, form: PostedForm) -> Response:
    """Masks the findings that were ticked; all that block, if none was."""
    place = find(work, dataset)
    try:
        check_if_match(f'"{form.text("edition")}"', access.edit_etag(place.release))
        findings.ask_masking(work, place.dataset, place.release, place.agency, form.many("finding"))
    except (Invalid, Conflict) as error:
        return _refused(request, language, work, dataset, error)
    return see_other(f"/{language}/console/dataset/{place.dataset.id}", done="masking")


@router.post("/schedule")
def schedule(request: Request, language: str, dataset: str, work: MemberWork, form: PostedForm) -> Response:
    """When an approved release becomes public; emptied: at once."""
    place = find(work, dataset)
    try:
        if not place.is_open:
            raise Conflict("schedule_over", state=place.release.state)
        scheduling.schedule(work, place.release, place.agency, _moment(form, "publish_at"))
    except (Invalid, Conflict) as error:
        return _refused(request, language, work, dataset, error)
    return see_other(f"/{language}/console/dataset/{place.dataset.id}", done="scheduled")


@router.post("/withdraw")
def withdraw(request: Request, language: str, dataset: str, work: MemberWork, form: PostedForm) -> Response:
    place = find(work, dataset)
    try:
        service.withdraw(work, place.dataset, place.agency, form.text("reason"))
    except (Invalid, Conflict) as error:
        return _refused(request, language, work, dataset, error)
    return see_other(f"/{language}/console/dataset/{place.dataset.id}", done="withdrawn")


@router.post("/discard")
def discard(language: str, dataset: str, work: MemberWork) -> Response:
    """Drops the open draft; what is public stays. A dataset that never was public leaves the body's lists."""
    place = find(work, dataset)
    release = queries.release(work.session, place.dataset.draft_id)
    if release is not None and release.number == 1:
        service.withdraw(work, place.dataset, place.agency, "", delete=True)
        return see_other(f"/{language}/console", done="discarded")
    drafting.discard_draft(work, place.dataset, place.agency)
    return see_other(f"/{language}/console/dataset/{place.dataset.id}", done="discarded")


def fields_of(form: Form) -> dict[str, Any]:
    """Metadata fields that the form sent."""
    fields = given(form, TEXTS, LISTS, CHOICES)
    fields |= {name: form.text(name) or None for name in DATES if name in form}
    if BOX in form:
        fields[BOX] = form.numbers(BOX) or None
    return fields


def _moment(form: Form, name: str) -> datetime | None:
    """Day and time as an input sends them, Beijing time; None for an empty one."""
    if not form.text(name):
        return None
    try:
        return datetime.fromisoformat(form.text(name)).replace(tzinfo=BEIJING)
    except ValueError:
        raise no_day(form, name) from None


def need_title(fields: Mapping[str, Any]) -> None:
    """`Invalid` for a title that was emptied."""
    if "title" in fields and not fields["title"]:
        raise invalid("title", "missing")


def _refused(
    request: Request, language: str, work: Work, dataset: str, error: Invalid | Conflict
) -> Response:
    """Nothing was changed; the draft's page says why."""
    work.take_back()
    return show(request, language, work, find(work, dataset), problems(error, language))


def _values(place: Place) -> dict[str, list[str]]:
    meta = place.view.meta.model_dump(mode="json")
    values = {name: [str(meta[name] or "")] for name in (*TEXTS, *DATES)}
    values |= {name: ["，".join(meta[name])] for name in LISTS}
    values[BOX] = [", ".join(str(side).removesuffix(".0") for side in meta[BOX] or ())]
    values |= {name: list(meta[name]) for name in CHOICES}
    values |= city.typed(place.view.meta.city_fields)
    values["edition"] = [access.edit_etag(place.release)]
    return values


def _known(work: Work) -> tuple[str, ...]:
    own = (city.PREFIX + field.name for field in city.asked(work))
    return (*TEXTS, *DATES, *LISTS, *CHOICES, BOX, *own)


def _form(
    request: Request,
    language: str,
    work: Work,
    place: Place,
    values: dict[str, list[str]],
    wrong: Sequence[Problem] = (),
) -> Response:
    lists = codes()
    return page(
        request,
        "console/edit.html",
        language,
        place=place,
        origin=origin.of(work, place.dataset.id),
        form=Form(values),
        defaulted=place.release.defaulted,
        domains=[d.value for d in Domain],
        disclosures=[d.value for d in Disclosure],
        cycles=[c.value for c in UpdateCycle],
        openness=[o.value for o in Openness if o is not Openness.CLOSED],
        licences=list(lists.licences),
        themes=list(lists.themes),
        regions=sorted(lists.regions),
        remarks=reasons.remarks(work, place.release) if place.editable else {},
        city=city.asked(work),
        wrong=wrong,
    )
