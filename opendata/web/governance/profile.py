"""The metadata profile, for the city's administrators: its own fields, one form each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from opendata.core.errors import Conflict, Forbidden, Invalid, NotFound, invalid
from opendata.edge.conventions import check_if_match
from opendata.edge.http import part
from opendata.edge.reading import read
from opendata.inventory.negative.policy import may_keep
from opendata.inventory.profile import queries, service
from opendata.inventory.profile.fields import CityField, Kind, Scope
from opendata.web.forms import Form, Problem, problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import page, see_other
from opendata.work.unit import Work

router = APIRouter(prefix="/console/metadata-profile")
Taken = Annotated[Any, Depends(part("taken_names"))]
TEXTS = ("name", "label", "label_en", "description", "description_en", "kind", "scope")
TICKS = ("required", "facet", "retired")
CHOICES = "choices"


@router.get("")
def listed(request: Request, language: str, work: MemberWork) -> Response:
    """The fields in their order, and the versions that there were."""
    _check(work)
    return page(
        request,
        "console/profile.html",
        language,
        fields=queries.every_field(work),
        versions=queries.versions(work),
    )


@router.get("/new")
def new(request: Request, language: str, work: MemberWork) -> Response:
    _check(work)
    return _form(
        request, language, work, None, Form.of({"kind": Kind.TEXT.value, "scope": Scope.DATASET.value})
    )


@router.post("/new")
def create(request: Request, language: str, work: MemberWork, form: PostedForm, taken: Taken) -> Response:
    """A new field, at the end of the others."""
    _check(work)
    return _save(request, language, work, None, form, taken)


@router.get("/{field:short}")
def one(request: Request, language: str, field: str, work: MemberWork) -> Response:
    _check(work)
    found = _find(work, field)
    values: dict[str, Any] = {name: str(getattr(found, name)) for name in TEXTS}
    values |= {name: "on" for name in TICKS if getattr(found, name)}
    values[CHOICES] = "\n".join(
        " | ".join(part for part in (one.code, one.label, one.label_en) if part) for one in found.choices
    )
    return _form(request, language, work, found, Form.of(values))


@router.post("/{field:short}")
def change(
    request: Request, language: str, field: str, work: MemberWork, form: PostedForm, taken: Taken
) -> Response:
    """The field as the form has it. What somebody else changed meanwhile is not overwritten: `Stale`."""
    _check(work)
    return _save(request, language, work, _find(work, field), form, taken)


def _save(
    request: Request, language: str, work: Work, old: CityField | None, form: Form, taken: Any
) -> Response:
    check_if_match(f'"{form.text("edition")}"', _edition(work))
    try:
        field = _field(form, old)
        others = queries.every_field(work)
        fields = [field if one == old else one for one in others] if old else [*others, field]
        if not form.text("note"):
            raise invalid("note", "missing")
        service.define(work, fields, form.text("note"), taken=taken)
    except (Invalid, Conflict) as error:
        work.take_back()
        return _form(request, language, work, old, form, _problems(error, language))
    return see_other(f"/{language}/console/metadata-profile", done="saved")


def _field(form: Form, old: CityField | None) -> CityField:
    """`Invalid` naming every part of the form that is wrong."""
    given: dict[str, Any] = {name: form.text(name) for name in TEXTS if name in form}
    given |= {name: bool(form.text(name)) for name in TICKS}
    if old is not None:
        given["name"] = old.name
    given[CHOICES] = [
        dict(zip(("code", "label", "label_en"), (part.strip() for part in line.split("|")), strict=False))
        for line in form.text(CHOICES).splitlines()
        if line.strip()
    ]
    sent = read(CityField, given)
    return sent.whole(sent.gather())


def _problems(error: Invalid | Conflict, language: str) -> list[Problem]:
    """`fields.3.choices` belongs to `choices`."""
    wrong = []
    for entry in error.fields:
        path = entry.path.removeprefix("fields.")
        place, _, inner = path.partition(".")
        wrong.append(type(entry)(inner if place.isdecimal() else path, entry.code, entry.params))
    return problems(Invalid(fields=wrong) if wrong else error, language)


def _find(work: Work, name: str) -> CityField:
    found = next((field for field in queries.every_field(work) if field.name == name), None)
    if found is None:
        raise NotFound("city_field_not_found", name=name[:100])
    return found


def _edition(work: Work) -> str:
    newest = queries.newest(work)
    return str(newest.version if newest else 0)


def _check(work: Work) -> None:
    if not may_keep(work.actor):
        raise Forbidden("city_admin_only")


def _form(
    request: Request,
    language: str,
    work: Work,
    field: CityField | None,
    form: Form,
    wrong: Sequence[Problem] = (),
) -> Response:
    return page(
        request,
        "console/profile_field.html",
        language,
        field=field,
        form=form,
        edition=form.text("edition") or _edition(work),
        kinds=[kind.value for kind in Kind],
        scopes=[scope.value for scope in Scope],
        wrong=wrong,
    )
