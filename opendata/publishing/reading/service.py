"""How a draft's file is read: the proposal, what the clerk makes of it, and one resource a table of a file with several.

What is accepted is kept with the resource, so the next delivery is read so too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opendata.agencies.models import Agency
from opendata.catalog.drafts import NewResource
from opendata.catalog.models import Dataset, File
from opendata.catalog.views import ResourceView
from opendata.core.errors import Conflict, FieldError, Gathered
from opendata.publishing import drafts
from opendata.tables.query import listed
from opendata.validation import service as validation
from opendata.validation.library.proposing import Proposal, propose
from opendata.work.unit import Work

TABLES = 200
"""Resources that one file becomes at most."""


def of(work: Work, resource: ResourceView) -> Proposal:
    """`Conflict("file_not_read")` for a link, a file that nobody has read yet, and one that is no table."""
    verdict = validation.known(work.session, resource.file, resource.meta) if resource.file else None
    profile = verdict.profile.profile if verdict and verdict.profile else None
    if profile is None:
        raise Conflict("file_not_read", state=validation.state_of(verdict) if verdict else "no_file")
    schema = validation.named_schema(work.session, resource.meta)
    return propose(profile, resource.meta.options.stored(), schema)


def accept(
    work: Work,
    dataset: Dataset,
    agency: Agency,
    resource: ResourceView,
    columns: Mapping[str, str] | None = None,
    *,
    without_total: bool | None = None,
) -> None:
    """The draft's file is read as proposed; with `columns` (field by header) these and no others are named, and
    `without_total` says whether a total at the end is set aside. `Invalid` naming each wrong entry."""
    drafts.check_editor(work, agency, dataset)
    proposal = of(work, resource)
    options = dict(proposal.options)
    if columns is not None:
        _check(proposal, columns, validation.named_schema(work.session, resource.meta))
        options["columns"] = dict(columns)
    if without_total is not None:
        options["without_total"] = without_total or None
    drafts.edit_resource(work, dataset, agency, resource.id, {"options": options})
    work.record("resource.reading_accepted", "resource", resource.id, columns=len(options.get("columns", {})))


def one_a_table(work: Work, dataset: Dataset, agency: Agency, resource: ResourceView) -> list[str]:
    """A resource for each other table of the file, at the end of the draft; their ids. Each has the whole file and reads
    its own table of it. `Conflict("no_other_tables")`, `Conflict("too_many_tables")`."""
    drafts.check_editor(work, agency, dataset)
    tables = of(work, resource).tables
    if not tables or resource.file is None:
        raise Conflict("no_other_tables")
    if len(tables) > TABLES:
        raise Conflict("too_many_tables", tables=len(tables), limit=TABLES)
    file = work.session.get_one(File, resource.file.id)
    first = of(work, resource).options
    new = []
    for table in tables:
        name = " – ".join(part for part in (resource.meta.name or file.name, *table.values()) if part)
        kept = {key: value for key, value in first.items() if key == "encoding"}
        fields = {"name": name[:300], "format": resource.meta.format, "media_type": resource.meta.media_type}
        new.append(
            NewResource(drafts.resource_meta(work.session, {**fields, "options": {**kept, **table}}), file)
        )
    _release, ids = drafts.add_resources(work, dataset, agency, new)
    return ids


def _check(proposal: Proposal, columns: Mapping[str, str], schema: Mapping[str, Any] | None) -> None:
    labels = [one.column for one in proposal.columns]
    fields = [str(field["name"]) for field in schema["fields"]] if schema else []
    wrong = Gathered()
    seen: set[str] = set()
    for label, field in columns.items():
        path = f"columns.{label}"[:300]
        if label not in labels:
            known = listed(label, labels)
            wrong.add([FieldError(path, "unknown_column", {"column": label[:200], "known": known})])
        elif field and fields and field not in fields:
            known = listed(field, fields)
            wrong.add([FieldError(path, "unknown_schema_field", {"field": field[:200], "known": known})])
        elif field in seen:
            wrong.add([FieldError(path, "field_given_twice", {"field": field[:200]})])
        seen |= {field} if field else set()
    wrong.raise_if_any()
