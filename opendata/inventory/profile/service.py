"""Changing the metadata profile: by the city's administrators, as a new version that takes nothing away from values that
are there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from opendata.core.errors import FieldError, Forbidden, Invalid
from opendata.inventory.negative.policy import may_keep
from opendata.inventory.profile import queries
from opendata.inventory.profile.fields import COUNTED, CityField, Kind, Scope
from opendata.inventory.profile.models import ProfileVersion
from opendata.work.unit import Work


def define(
    work: Work, fields: Sequence[CityField], note: str, *, taken: Collection[str]
) -> ProfileVersion | None:
    """From now on the city has exactly these fields, in this order; the version that says so. Saying it again changes
    nothing. `taken` are names that no field may have.

    Errors: `Forbidden`; `Invalid` naming every wrong field.
    """
    if not may_keep(work.actor):
        raise Forbidden("city_admin_only")
    before = queries.newest(work)
    old = queries.fields_of(before)
    if list(fields) == old:
        return before
    if errors := [*_wrong(fields, taken), *_lost(fields, old)]:
        raise Invalid(fields=errors)
    made = ProfileVersion(
        version=before.version + 1 if before else 1,
        fields=[field.stored() for field in fields],
        note=note,
        made_by=work.actor.id,
        made_at=work.now,
    )
    work.session.add(made)
    work.session.flush()
    work.forget(queries.NEWEST)
    work.forget(queries.FIELDS)
    names = [field.name for field in fields]
    work.record("profile.defined", "metadata_profile", str(made.version), fields=names, note=note)
    return made


def _wrong(fields: Sequence[CityField], taken: Collection[str]) -> Iterator[FieldError]:
    names: set[str] = set()
    for place, field in enumerate(fields):
        path = f"fields.{place}"
        if field.name in taken:
            yield FieldError(f"{path}.name", "field_name_taken", {"name": field.name})
        if field.name in names:
            yield FieldError(f"{path}.name", "field_name_repeated", {"name": field.name})
        names.add(field.name)
        codes = [choice.code for choice in field.choices]
        if (field.kind is Kind.CODE) != bool(codes):
            yield FieldError(f"{path}.choices", "choices_for_codes_only")
        if len(set(codes)) < len(codes):
            yield FieldError(f"{path}.choices", "choice_repeated")
        if field.facet and field.kind not in COUNTED:
            yield FieldError(f"{path}.facet", "facet_needs_codes")


def _lost(fields: Sequence[CityField], old: Sequence[CityField]) -> Iterator[FieldError]:
    """What the new version would take from values that there may be: fields, kinds, codes."""
    places = {field.name: place for place, field in enumerate(fields)}
    for field in old:
        if field.name not in places:
            yield FieldError("fields", "field_is_retired_not_removed", {"name": field.name})
            continue
        place = places[field.name]
        now = fields[place]
        if now.kind is not field.kind:
            yield FieldError(f"fields.{place}.kind", "field_kind_stays", {"kind": field.kind.value})
        if now.scope not in (field.scope, Scope.BOTH):
            yield FieldError(f"fields.{place}.scope", "field_scope_stays", {"scope": field.scope.value})
        codes = {choice.code for choice in now.choices}
        gone = [choice.code for choice in field.choices if choice.code not in codes]
        if gone:
            yield FieldError(f"fields.{place}.choices", "choice_stays", {"code": gone[0]})
