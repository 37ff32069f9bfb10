"""The draft of a record that is new, has changed or comes back: its fields and its resources, with what people here wrote kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from opendata.agencies.models import Agency
from opendata.catalog import queries, views
from opendata.catalog.drafts import NewResource
from opendata.catalog.models import Dataset
from opendata.catalog.views import ResourceView
from opendata.core.canonical import sha256_json
from opendata.core.errors import Conflict
from opendata.harvest.models import HarvestSource, HeldRecord
from opendata.harvest.running.copying import Files, mark
from opendata.harvest.running.fitting import Clean, CleanResource
from opendata.harvest.running.merging import DATASET_DEFAULTS, RESOURCE_DEFAULTS, Row, match, merge
from opendata.publishing import drafts
from opendata.publishing import files as file_drafts
from opendata.work.unit import Work

SOURCE_URL = "source_url"
"""The extra of a copied file that tells where it came from."""
_LONGEST_SOURCE_ID = 200


@dataclass
class Writing:
    """`rows`: the resources as they are written from now on; `kept` and `changes`: names of fields and resources."""

    work: Work
    source: HarvestSource
    agency: Agency
    clean: Clean
    files: Files
    rows: list[Row] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    def create(self, identifier: str) -> Dataset:
        """By the remote's name, if that is free. It is never renamed afterwards: addresses stay."""
        source_id = own_identifier(self.source, identifier)
        try:
            dataset, _release = drafts.create_dataset(
                self.work, self.agency, self.clean.fields, name=self.clean.name or None, source_id=source_id
            )
        except Conflict as taken:
            if taken.code != "name_taken":
                raise
            dataset, _release = drafts.create_dataset(
                self.work, self.agency, self.clean.fields, source_id=source_id
            )
        self._add(dataset, range(len(self.clean.resources)))
        return dataset

    def update(self, dataset: Dataset, held: HeldRecord) -> None:
        """What the remote changed since it was written. Without a change there is no draft."""
        standing = queries.last_release(self.work, dataset)
        found = merge(
            held.fields, standing.meta, self.clean.fields, DATASET_DEFAULTS, filled_in=standing.defaulted
        )
        there = {view.id: view for view in views.one(self.work.session, dataset, standing).resources}
        if found.changes:
            drafts.edit_dataset(self.work, dataset, self.agency, found.changes)
        self.kept, self.changes = found.kept, sorted(found.changes)
        self._resources(dataset, held, there)

    def _resources(self, dataset: Dataset, held: HeldRecord, there: dict[str, ResourceView]) -> None:
        was = match(held.resources, self.clean.resources)
        taken = {row["id"] for row in was if row is not None}
        for row in held.resources:
            if row["id"] not in taken and (view := there.get(row["id"])) is not None:
                self._remove(dataset, row, view)
        for place, row in enumerate(was):
            if row is not None:
                self._edit(dataset, place, row, there.get(row["id"]))
        self._add(dataset, [place for place, row in enumerate(was) if row is None])

    def _remove(self, dataset: Dataset, row: Row, view: ResourceView) -> None:
        """It is not the remote's any more; one that people here worked at stays, and is theirs."""
        if merge(row["fields"], view.meta.stored(), {}, RESOURCE_DEFAULTS).kept:
            self.kept.append(f"resources.{view.meta.name or view.id}")
            return
        drafts.remove_resource(self.work, dataset, self.agency, row["id"])
        self.changes.append(f"resources.{view.meta.name or view.id}")

    def _edit(self, dataset: Dataset, place: int, row: Row, view: ResourceView | None) -> None:
        resource = self.clean.resources[place]
        copied = self._is_copied(place, row)
        wanted = _fields(resource, copied=copied)
        self.rows.append(self._row(place, row["id"], wanted, copied=copied))
        path = f"resources.{resource.meta.name or row['id']}"
        if view is None:  # people here took it out
            self.kept.append(path)
            return
        found = merge(row["fields"], view.meta.stored(), wanted, RESOURCE_DEFAULTS)
        self.kept += [f"{path}.{name}" for name in found.kept]
        if place in self.files.found:
            copy = self.files.found[place]
            file_drafts.replace(
                self.work, dataset, self.agency, row["id"], copy.stored, copy.name, found.changes
            )
        elif found.changes:
            drop = view.file is not None and not copied
            drafts.edit_resource(self.work, dataset, self.agency, row["id"], found.changes, drop_file=drop)
        else:
            return
        self.changes.append(path)

    def _add(self, dataset: Dataset, places: Any) -> None:
        """Links in one go, copied files one by one."""
        links = [place for place in places if place not in self.files.found]
        new = [NewResource(self.clean.resources[place].meta) for place in links]
        if new:
            _release, ids = drafts.add_resources(self.work, dataset, self.agency, new)
            self.rows += [
                self._row(place, resource_id, self.clean.resources[place].fields, copied=False)
                for place, resource_id in zip(links, ids, strict=True)
            ]
        for place in places:
            if (copy := self.files.found.get(place)) is not None:
                wanted = _fields(self.clean.resources[place], copied=True)
                resource_id, _file = file_drafts.add(
                    self.work, dataset, self.agency, copy.stored, copy.name, wanted
                )
                self.rows.append(self._row(place, resource_id, wanted, copied=True))
        self.changes += [f"resources.{self.clean.resources[place].meta.name or place}" for place in places]

    def _is_copied(self, place: int, row: Row) -> bool:
        return place in self.files.found or (
            bool(row["file"]) and (self.source.copy_files or bool(self.clean.resources[place].content))
        )

    def _row(self, place: int, resource_id: str, fields: dict[str, Any], *, copied: bool) -> Row:
        resource = self.clean.resources[place]
        return {
            "id": resource_id,
            "identifier": resource.identifier,
            "url": resource.url,
            "fields": fields,
            "file": mark(resource, self.clean.data_changed) if copied else "",
        }


def own_identifier(source: HarvestSource, identifier: str) -> str:
    """Of the dataset, as its body names it: the source's name and the remote's identifier."""
    whole = f"{source.name}:{identifier}"
    return whole if len(whole) <= _LONGEST_SOURCE_ID else f"{source.name}:{sha256_json(identifier)}"


def _fields(resource: CleanResource, *, copied: bool) -> dict[str, Any]:
    fields = resource.fields
    if copied:
        fields |= {"url": "", "extras": {**fields.get("extras", {}), SOURCE_URL: resource.url}}
    return fields
