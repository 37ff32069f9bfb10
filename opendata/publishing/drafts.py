"""Editing: who may, what a first draft is filled in with, and what an edit does to a release that is under way."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete, select

from opendata.agencies.models import Agency
from opendata.agencies.policy import may_edit
from opendata.catalog import drafts, queries, views
from opendata.catalog.codes import codes
from opendata.catalog.drafts import NewResource
from opendata.catalog.lifecycle import EDITABLE_STATES, State, move
from opendata.catalog.models import (
    Dataset,
    DatasetLine,
    DatasetState,
    File,
    Release,
    ResourceVersion,
)
from opendata.catalog.profile import RESOURCE_CODE, DatasetMeta, ResourceMeta
from opendata.core.errors import Conflict, FieldError, Forbidden, Gone, Invalid
from opendata.core.ids import new_id
from opendata.inventory.models import InventoryLine
from opendata.publishing.sentences import Step, say
from opendata.review import screening
from opendata.review import service as review
from opendata.work.unit import Work

DEFAULT_LICENCE = "cc-by-4.0"


def create_dataset(
    work: Work,
    agency: Agency,
    fields: Mapping[str, Any],
    *,
    name: str | None = None,
    source_id: str | None = None,
    dataset_id: str | None = None,
    lines: Sequence[InventoryLine] = (),
    resources: Sequence[NewResource] = (),
) -> tuple[Dataset, Release]:
    """A dataset with its first draft. `fields` are those of `DatasetMeta` that were given; the rest is filled in from the
    body and flagged. Without a name one is made from the title."""
    check_editor(work, agency)
    meta, defaulted = _first_meta(agency, fields, lines)
    dataset, release = drafts.create_dataset(
        work,
        agency,
        name=name or name_from(meta.title_en or meta.title),
        meta=meta,
        source_id=source_id,
        dataset_id=dataset_id,
        defaulted=defaulted,
        resources=resources,
    )
    _add_lines(work, dataset, lines)
    work.record("dataset.created", "dataset", dataset.id, name=dataset.name, agency=agency.name)
    return dataset, release


def check_editor(work: Work, agency: Agency) -> None:
    if not may_edit(work.actor, agency):
        raise Forbidden("agency_editor_only", agency=agency.name)


def open_draft(work: Work, dataset: Dataset, agency: Agency) -> Release:
    """The release that edits go to: the open draft, or a new one with the content of the newest release. A release that is
    under way goes back to `draft`, and its approvals are void."""
    check_editor(work, agency)
    if dataset.state == DatasetState.DELETED.value:
        raise Gone("dataset_deleted", name=dataset.name)
    release = queries.release(work.session, dataset.draft_id)
    if release is None:
        newest = queries.releases(work, dataset)[0]
        return drafts.new_release(work, dataset, DatasetMeta(**newest.meta), newest.defaulted)
    if State(release.state) not in EDITABLE_STATES:
        move(release, State.DRAFT)
        say(release, Step.EDITED_AGAIN)
        review.void(work, release)
        work.record("release.edited_again", "release", release.id, content_hash=release.content_hash)
    return release


def edit_dataset(
    work: Work, dataset: Dataset, agency: Agency, fields: Mapping[str, Any], *, replace: bool = False
) -> Release:
    """Sets the named metadata fields of the open draft; with `replace` the others go back to their defaults. An edit that
    changes nothing leaves a release under way, and the approvals it has, alone."""
    check_editor(work, agency)
    standing = queries.release(work.session, dataset.draft_id) or queries.releases(work, dataset)[0]
    before = {} if replace else dict(standing.meta)
    if dataset_meta({**before, **fields}).stored() == standing.meta and not (
        set(standing.defaulted) & set(fields)
    ):
        return standing
    release = open_draft(work, dataset, agency)
    old = {} if replace else dict(release.meta)
    drafts.set_meta(work, release, dataset_meta({**old, **fields}), written=list(fields))
    work.record("dataset.edited", "release", release.id, fields=sorted(fields))
    return release


def of_source(work: Work, agency: Agency, source_id: str) -> Dataset | None:
    """The body's dataset of that identifier of its own."""
    query = select(Dataset).where(Dataset.agency_id == agency.id, Dataset.source_id == source_id)
    return work.session.execute(query).scalar_one_or_none()


def put_by_source(
    work: Work,
    agency: Agency,
    source_id: str,
    fields: Mapping[str, Any],
    *,
    name: str | None = None,
    lines: Sequence[InventoryLine] | None = None,
) -> tuple[Dataset, bool]:
    """The body's dataset of that identifier has these fields afterwards (others stay); (dataset, whether it is new).
    Doing it twice is doing it once."""
    check_editor(work, agency)
    dataset = of_source(work, agency, source_id)
    if dataset is None:
        dataset, _release = create_dataset(
            work, agency, fields, name=name, source_id=source_id, lines=lines or ()
        )
        return dataset, True
    if name is not None and name != dataset.name:
        raise Conflict("name_is_fixed", name=dataset.name)
    edit_dataset(work, dataset, agency, fields)
    if lines is not None:
        set_lines(work, dataset, lines)
    return dataset, False


def add_resources(
    work: Work, dataset: Dataset, agency: Agency, new: Sequence[NewResource]
) -> tuple[Release, list[str]]:
    """Adds resources to the open draft; returns it and their ids."""
    release = open_draft(work, dataset, agency)
    ids = drafts.add_resources(work, dataset, release, new)
    work.record("resource.added", "release", release.id, resources=ids)
    for resource_id, entry in zip(ids, new, strict=True):
        if entry.file:
            want_check(work, release, resource_id)
    return release, ids


def edit_resource(
    work: Work,
    dataset: Dataset,
    agency: Agency,
    resource_id: str,
    fields: Mapping[str, Any],
    *,
    replace: bool = False,
    file: File | None = None,
    drop_file: bool = False,
) -> tuple[Release, ResourceVersion]:
    """Sets the named fields of a resource in the open draft, and its file if one is given; `drop_file` makes it a link."""
    release = open_draft(work, dataset, agency)
    old = drafts.current_version(work, release, resource_id)
    changes: dict[str, Any] = {}
    if fields or replace:
        changes["meta"] = resource_meta({**({} if replace else old.meta), **fields}).stored()
    if file is not None or drop_file:
        changes["file_id"] = file.id if file else None
    version = drafts.edit_resource(work, release, resource_id, changes)
    work.record("resource.edited", "release", release.id, resource=resource_id, fields=sorted(fields))
    if version.file_id:
        want_check(work, release, resource_id)
    return release, version


def remove_resource(work: Work, dataset: Dataset, agency: Agency, resource_id: str) -> Release:
    release = open_draft(work, dataset, agency)
    drafts.remove_resource(work, release, resource_id)
    work.record("resource.removed", "release", release.id, resource=resource_id)
    return release


def reorder(work: Work, dataset: Dataset, agency: Agency, order: Sequence[str]) -> Release:
    """Puts the named resources first, in that order; the rest follows as it was."""
    release = open_draft(work, dataset, agency)
    present = [r.id for r in views.one(work.session, dataset, release).resources]
    wanted = [i for i in order if i in present] + [i for i in present if i not in order]
    for position, resource_id in enumerate(wanted):
        if drafts.current_version(work, release, resource_id).position != position:
            drafts.edit_resource(work, release, resource_id, {"position": position})
    work.record("resource.reordered", "release", release.id)
    return release


def discard_draft(work: Work, dataset: Dataset, agency: Agency) -> None:
    """Drops the open draft of a dataset that has been public; what is public stays."""
    check_editor(work, agency)
    release = queries.release(work.session, dataset.draft_id)
    if release is None:
        return
    if release.number == 1:
        raise Forbidden("first_draft_stays", name=dataset.name)
    review.void(work, release)
    if State(release.state) not in EDITABLE_STATES:
        move(release, State.DRAFT)
    work.record("release.discarded", "dataset", dataset.id, number=release.number)
    screening.forget(work, release)
    drafts.discard(work, dataset, release)


def set_lines(work: Work, dataset: Dataset, lines: Sequence[InventoryLine]) -> None:
    """The dataset opens exactly these inventory lines."""
    opened = select(DatasetLine.line_id).where(DatasetLine.dataset_id == dataset.id)
    if set(work.session.execute(opened).scalars()) == {line.id for line in lines}:
        return
    work.session.execute(delete(DatasetLine).where(DatasetLine.dataset_id == dataset.id))
    _add_lines(work, dataset, lines)
    if dataset.published_id is not None:
        work.touch(dataset)
    work.record("dataset.lines_set", "dataset", dataset.id, lines=[line.resource_code for line in lines])


def _add_lines(work: Work, dataset: Dataset, lines: Sequence[InventoryLine]) -> None:
    for line in lines:
        if line.agency_id != dataset.agency_id:
            raise Invalid(
                fields=[FieldError("inventory", "line_of_other_agency", {"code": line.resource_code})]
            )
    work.session.add_all(DatasetLine(dataset_id=dataset.id, line_id=line.id) for line in lines)


def want_check(work: Work, release: Release, resource_id: str) -> None:
    """Asks for the resource's file to be read and judged, so that its author soon sees what is wrong with it."""
    work.enqueue("validation.check", {"release_id": release.id, "resource_id": resource_id})


def dataset_meta(fields: Mapping[str, Any]) -> DatasetMeta:
    """Checked metadata. `Invalid` naming every wrong field."""
    try:
        meta = DatasetMeta(**fields)
    except ValidationError as error:
        raise Invalid(fields=field_errors(error)) from None
    unknown = [code for code in meta.themes if code not in codes().themes]
    if unknown:
        known = ", ".join(codes().themes)
        raise Invalid(fields=[FieldError("themes", "unknown_theme", {"value": unknown[0], "known": known})])
    return meta


def resource_meta(fields: Mapping[str, Any], path: str = "") -> ResourceMeta:
    """Checked metadata of a resource; `path` is put before the names of wrong fields. A schema that is named exists."""
    try:
        meta = ResourceMeta(**fields)
    except ValidationError as error:
        raise Invalid(fields=field_errors(error, path)) from None
    if meta.schema_name and codes().table_schema(meta.schema_name) is None:
        place = f"{path}.schema_name" if path else "schema_name"
        raise Invalid(fields=[FieldError(place, "unknown_schema", {"value": meta.schema_name})])
    return meta


def field_errors(error: ValidationError, path: str = "") -> list[FieldError]:
    """pydantic's errors as ours: the path with dots, its type as the code, its parameters."""
    return [
        FieldError(
            ".".join([*([path] if path else []), *(str(part) for part in entry["loc"])]),
            entry["type"],
            {"message": entry["msg"]} | {k: str(v) for k, v in entry.get("ctx", {}).items()},
        )
        for entry in error.errors(include_url=False, include_input=False)
    ]


def name_from(title: str) -> str:
    """A short name: the title's ASCII letters and digits, or `dataset`, and eight random places to keep it unique."""
    folded = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", folded).strip("-")[:80] or "dataset"
    return f"{words}-{new_id()[-8:]}"


def _first_meta(
    agency: Agency, fields: Mapping[str, Any], lines: Sequence[InventoryLine]
) -> tuple[DatasetMeta, list[str]]:
    filled: dict[str, Any] = {
        "description": fields.get("title", ""),
        "licence": DEFAULT_LICENCE,
        "region": agency.region_code,
        "update_cycle": "irregular",
        "openness": "unconditional",
    }
    if not (fields.get("maintainer_email") or fields.get("author_email")):  # a contact in CKAN's words
        filled |= {
            "contact_name": agency.contact_name or agency.title,
            "contact_phone": agency.contact_phone,
            "contact_email": agency.contact_email,
        }
    if lines:
        first = lines[0]
        filled |= {
            "description": first.abstract,
            "update_cycle": first.update_cycle,
            "openness": first.openness,
            "open_condition": first.open_condition,
            "domain": first.domain,
            "region": first.region_code or agency.region_code,
            "related_codes": [code for code in first.related_codes if re.fullmatch(RESOURCE_CODE, code)],
        }
    defaulted = [name for name, value in filled.items() if name not in fields and value]
    return dataset_meta({**filled, **fields}), defaulted
