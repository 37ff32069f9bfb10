"""Editing: who may, what a first draft is filled in with, and what an edit does to a release that is under way."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from opendata.access.policy import may_edit_draft
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_edit
from opendata.catalog import drafts, queries, sense, views
from opendata.catalog.drafts import NewResource
from opendata.catalog.library.queries import Shelf, shelf
from opendata.catalog.lifecycle import EDITABLE_STATES, State, move
from opendata.catalog.models import (
    Dataset,
    DatasetLine,
    DatasetState,
    File,
    Release,
    ResourceVersion,
)
from opendata.catalog.profile import RESOURCE_CODE, DatasetMeta, ResourceMeta, disclosure_of
from opendata.core.checks import is_encoding
from opendata.core.errors import Conflict, FieldError, Forbidden, Gathered, Gone, NotFound
from opendata.core.ids import new_id
from opendata.edge.reading import read
from opendata.inventory import queries as inventory
from opendata.inventory.models import InventoryLine
from opendata.publishing.governance import openings
from opendata.publishing.governance.bar import lines_changed
from opendata.publishing.sentences import Step, say
from opendata.review import queries as reviews
from opendata.review import screening
from opendata.review import service as review
from opendata.review.rounds import service as rounds
from opendata.review.rounds.models import Result
from opendata.work.unit import Work

DEFAULT_LICENCE = "cc-by-4.0"
KEPT = ("disclosures",)
"""Stays when the metadata is replaced by one who does not know of it: nothing goes out without."""

KEPT_OF_RESOURCES = ("views", "dictionary")
"""The same of a resource: views are changed by themselves."""


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
    free: Collection[str] = (),
) -> tuple[Dataset, Release]:
    """A dataset with its first draft. `fields` are those of `DatasetMeta` that were given; the rest is filled in from the
    body and flagged. Without a name one is made from the title."""
    check_editor(work, agency)
    meta, defaulted = _first_meta(work, agency, fields, lines, free)
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


def check_editor(work: Work, agency: Agency, dataset: Dataset | None = None) -> None:
    """Who edits for the body, or the draft of this dataset of it."""
    actor = work.actor
    if not (may_edit_draft(actor, dataset, agency) if dataset else may_edit(actor, agency)):
        raise Forbidden("agency_editor_only", agency=agency.title)


def open_draft(work: Work, dataset: Dataset, agency: Agency) -> Release:
    """The release that edits go to: the open draft, or a new one with the content of the newest release. A release that is
    under way goes back to `draft`, and its approvals are void."""
    check_editor(work, agency, dataset)
    if dataset.state == DatasetState.DELETED.value:
        raise Gone("dataset_deleted", name=dataset.name)
    release = queries.release(work.session, dataset.draft_id)
    if release is None:
        newest = queries.last_release(work, dataset)
        return drafts.new_release(work, dataset, DatasetMeta(**newest.meta), newest.defaulted)
    if State(release.state) not in EDITABLE_STATES:
        move(release, State.DRAFT)
        say(release, Step.EDITED_AGAIN)
        rounds.close(work, release, Result.TAKEN_BACK)
        review.void(work, release)
        work.record("release.edited_again", "release", release.id, content_hash=release.content_hash)
    return release


def edit_dataset(
    work: Work,
    dataset: Dataset,
    agency: Agency,
    fields: Mapping[str, Any],
    *,
    replace: bool = False,
    free: Collection[str] = (),
) -> Release:
    """Sets the named metadata fields of the open draft; with `replace` the others (but `KEPT`) go back to their defaults. An edit that
    changes nothing leaves a release under way, and the approvals it has, alone."""
    check_editor(work, agency, dataset)
    standing = queries.last_release(work, dataset)
    kept = {name: standing.meta[name] for name in KEPT if name in standing.meta}
    meta = _edited(work, standing, kept if replace else standing.meta, fields, free)
    if meta.stored() == standing.meta and not (set(standing.defaulted) & set(fields)):
        return standing
    release = open_draft(work, dataset, agency)
    drafts.set_meta(work, release, meta, written=list(fields))
    work.record("dataset.edited", "release", release.id, fields=sorted(fields))
    return release


def check_fields(work: Work, dataset: Dataset, fields: Mapping[str, Any]) -> None:
    """`Invalid` naming what `edit_dataset` would refuse, of fields that may have the wrong shape."""
    standing = queries.last_release(work, dataset)
    _edited(work, standing, standing.meta, fields, ())


def _edited(
    work: Work,
    standing: Release,
    old: Mapping[str, Any],
    fields: Mapping[str, Any],
    free: Collection[str],
) -> DatasetMeta:
    """The metadata after an edit. A value that the release has already is no news: it is not judged again."""
    news = {name for name, value in fields.items() if value != standing.meta.get(name)}
    return dataset_meta(work, {**old, **fields}, news, free=free)


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
        kept = (
            {name: old.meta[name] for name in KEPT_OF_RESOURCES if name in old.meta} if replace else old.meta
        )
        keeps = str(old.meta.get("schema_name", ""))
        changes["meta"] = resource_meta(work.session, {**kept, **fields}, keeps=keeps).stored()
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
    """Gives up the open draft of a dataset that has been public; what is public stays. A draft on which somebody has
    decided is kept as `discarded`, whole, with its decisions; any other one is gone."""
    check_editor(work, agency)
    release = queries.release(work.session, dataset.draft_id)
    if release is None:
        return
    if release.number == 1:
        raise Forbidden("first_draft_stays", name=dataset.name)
    rounds.close(work, release, Result.TAKEN_BACK)
    review.void(work, release)
    if State(release.state) not in EDITABLE_STATES:
        move(release, State.DRAFT)
    kept = bool(reviews.decisions(work, release.id))
    work.record(
        "release.discarded", "dataset", dataset.id, number=release.number, release=release.id, kept=kept
    )
    if kept:
        move(release, State.DISCARDED)
        say(release, Step.DISCARDED)
        drafts.set_aside(work, dataset, release)
    else:
        screening.forget(work, release)
        drafts.discard(work, dataset, release)


def set_lines(work: Work, dataset: Dataset, lines: Sequence[InventoryLine]) -> None:
    """The dataset opens exactly these inventory lines."""
    mine = select(DatasetLine.line_id).where(DatasetLine.dataset_id == dataset.id)
    before = set(work.session.execute(mine).scalars())
    if before == {line.id for line in lines}:
        return
    work.session.execute(delete(DatasetLine).where(DatasetLine.dataset_id == dataset.id))
    _add_lines(work, dataset, lines)
    if dataset.published_id is not None:
        work.touch(dataset)
    openings.follow(work, dataset, before)
    work.record("dataset.lines_set", "dataset", dataset.id, lines=[line.resource_code for line in lines])


def lines_named(work: Work, agency: Agency, names: Sequence[str] | None) -> list[InventoryLine] | None:
    """The body's inventory lines of these ids or codes. `Invalid` naming each that is unknown or another body's."""
    wrong = Gathered()
    found: list[InventoryLine] = []
    for name in names or ():
        try:
            found += inventory.find(work, [name])
        except NotFound:
            wrong.add([FieldError("inventory", "line_not_found", {"id": name[:100]})])
    with wrong:
        _check_own(agency.id, found)
    wrong.raise_if_any()
    return found if names is not None else None


def _add_lines(work: Work, dataset: Dataset, lines: Sequence[InventoryLine]) -> None:
    _check_own(dataset.agency_id, lines)
    unique = {line.id: line for line in lines}
    work.session.add_all(DatasetLine(dataset_id=dataset.id, line_id=line_id) for line_id in unique)
    lines_changed(work, dataset, list(unique.values()))


def _check_own(agency_id: str, lines: Sequence[InventoryLine]) -> None:
    foreign = [line for line in lines if line.agency_id != agency_id]
    Gathered(
        FieldError("inventory", "line_of_other_agency", {"code": line.resource_code}) for line in foreign
    ).raise_if_any()


def want_check(work: Work, release: Release, resource_id: str) -> None:
    """Asks for the resource's file to be read and judged, so that its author soon sees what is wrong with it."""
    work.enqueue("validation.check", {"release_id": release.id, "resource_id": resource_id})


def dataset_meta(
    work: Work, fields: Mapping[str, Any], written: Collection[str], *, free: Collection[str] = ()
) -> DatasetMeta:
    """Checked metadata. `Invalid` naming every wrong field: all of those that have the wrong shape, and of those that were
    `written` what makes no sense (`free` ones may hold any text)."""
    sent = read(DatasetMeta, fields)
    wrong = sent.gather()
    wrong.add(sense.check(work, sent.so_far(), written, free=free))
    return sent.whole(wrong)


def resource_meta(
    ready: Shelf | Session, fields: Mapping[str, Any], path: str = "", *, keeps: str = ""
) -> ResourceMeta:
    """Checked metadata of a resource; `ready`: the ready schemas, or where they are looked up if one is named; `path` is put
    before the names of wrong fields. A schema that is named exists and
    is offered (or is `keeps`, which the resource has already), and an encoding is known. The schema is kept in the version
    that it has now: what was validated against it stays so."""
    sent = read(ResourceMeta, fields, path)
    wrong = sent.gather()
    named, before = sent.so_far().schema_name, f"{path}." if path else ""
    schemas = ready if isinstance(ready, Shelf) else shelf(ready) if named else None
    if schemas is not None and named and named != keeps:
        if schemas.is_withdrawn(named):
            wrong.add([FieldError(f"{before}schema_name", "schema_withdrawn", {"value": named})])
        elif not schemas.resolve(named):
            wrong.add([FieldError(f"{before}schema_name", "unknown_schema", {"value": named})])
    options = fields.get("options")  # as they came: another option may be wrong
    encoding = options.get("encoding") if isinstance(options, Mapping) else None
    if isinstance(encoding, str) and not is_encoding(encoding):
        wrong.add(
            [FieldError(f"{before}options.encoding", "encoding_unsupported", {"encoding": encoding[:40]})]
        )
    meta = sent.whole(wrong)
    return meta.model_copy(update={"schema_name": schemas.resolve(named)}) if schemas and named else meta


def name_from(title: str) -> str:
    """A short name: the title's ASCII letters and digits, or `dataset`, and eight random places to keep it unique."""
    folded = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", folded).strip("-")[:80] or "dataset"
    return f"{words}-{new_id()[-8:]}"


def _first_meta(
    work: Work,
    agency: Agency,
    fields: Mapping[str, Any],
    lines: Sequence[InventoryLine],
    free: Collection[str],
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
    filled["disclosures"] = [disclosure_of(fields.get("domain") or filled.get("domain"))]
    defaulted = [name for name, value in filled.items() if name not in fields and value]
    return dataset_meta(work, {**filled, **fields}, fields.keys(), free=free), defaulted
