"""The inventory line of a dataset that was published without one: made of the dataset's own words and files, and gone with it."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import delete, insert, select

from opendata.catalog.models import Dataset, DatasetLine
from opendata.catalog.views import DatasetView
from opendata.core.clock import day_of
from opendata.core.database import Written, table_of
from opendata.inventory import service as inventory
from opendata.inventory.elements import MOST_ITEMS
from opendata.inventory.models import FormatClass, InventoryLine
from opendata.publishing.governance.bar import lines_changed, lines_of
from opendata.validation import service as validation
from opendata.work.unit import Work

_OPENS = Written(insert(table_of(DatasetLine)))
_CLASSES = {
    "pdf": FormatClass.DOCUMENT,
    "doc": FormatClass.DOCUMENT,
    "docx": FormatClass.DOCUMENT,
    "png": FormatClass.IMAGE,
    "jpg": FormatClass.IMAGE,
    "json": FormatClass.SELF_DESCRIBING,
    "ndjson": FormatClass.SELF_DESCRIBING,
    "geojson": FormatClass.SELF_DESCRIBING,
    "xml": FormatClass.SELF_DESCRIBING,
    "parquet": FormatClass.DATABASE,
}
"""信息资源格式分类 by a file's format; a table of the office is a spreadsheet."""
_ITEM_TYPES = {"integer": "I", "number": "N", "date": "D", "datetime": "T", "time": "T", "boolean": "L"}
"""Types of Table Schema as those of information items (信息项); any other is text."""


def check(view: DatasetView) -> None:
    """`Invalid` naming what `enter` would refuse."""
    inventory.check(view.agency, _words(view))


def enter(work: Work, view: DatasetView) -> InventoryLine | None:
    """A dataset without an inventory line gets one, which is returned if it was made. Not before it is public, as lines are:
    a line made at its submission would tell its title and description to everybody before anybody has looked at them."""
    if lines_of(work, view.dataset):
        return None
    own = _id(view.dataset)
    # There already, if it was made once and not chosen any more; before its first release a dataset never had one.
    line = work.session.get(InventoryLine, own) if view.release.number > 1 else None
    made = None
    if line is None:
        fields = _words(view) | _facts(work, view)
        line = made = inventory.enter(work, view.agency, fields, line_id=own)
    _OPENS.send(work.session, {"dataset_id": view.dataset.id, "line_id": line.id})
    lines_changed(work, view.dataset, [line])
    return made


def take_back(work: Work, dataset: Dataset) -> None:
    """A line that was made of the dataset's own words goes with them. One that an editor wrote stays: the body still
    holds what it names."""
    line = work.session.get(InventoryLine, _id(dataset))
    if line is None:
        return
    others = select(DatasetLine).where(DatasetLine.line_id == line.id, DatasetLine.dataset_id != dataset.id)
    work.session.execute(
        delete(DatasetLine).where(DatasetLine.line_id == line.id, DatasetLine.dataset_id == dataset.id)
    )
    lines_changed(work, dataset)
    if not work.session.execute(others.limit(1)).first():
        inventory.remove(work, line)


def _id(dataset: Dataset) -> str:
    """The id of the line that a dataset got from `enter`, by which its withdrawal finds it again."""
    return str(uuid.uuid5(uuid.UUID(dataset.id), "inventory-line"))


def _words(view: DatasetView) -> dict[str, Any]:
    meta = view.meta
    return {
        "title": meta.title,
        "abstract": meta.description[:2500] or meta.title,
        "openness": meta.openness,
        "open_condition": meta.open_condition or None,
        "update_cycle": meta.update_cycle,
        "domain": meta.domain,
        "region_code": meta.region or None,
    }


def _facts(work: Work, view: DatasetView) -> dict[str, Any]:
    """What the files tell: the first one's format, the columns of all tables, the day on which they went out."""
    found: dict[str, Any] = {"issued_on": day_of(work.now)}
    formats = [resource.meta.format.lower() for resource in view.resources if resource.meta.format]
    if formats:
        found["format_type"] = formats[0]
        found["format_class"] = _CLASSES.get(formats[0], FormatClass.SPREADSHEET)
    if items := _items(work, view):
        found["items"] = items
    return found


def _items(work: Work, view: DatasetView) -> list[dict[str, Any]]:
    """An information item for each column; columns of one name are one item."""
    items: dict[str, dict[str, Any]] = {}
    for resource in view.resources:
        if resource.file is None:
            continue
        profile = validation.known(work.session, resource.file, resource.meta).profile
        schema = validation.schema_of(work.session, resource.meta, profile) or {}
        for field in schema.get("fields", []):
            name = str(field.get("title") or field.get("name") or "")[:200]
            if name:
                items.setdefault(name, {"name": name, "type": _ITEM_TYPES.get(field.get("type", ""), "C")})
    return list(items.values())[:MOST_ITEMS]
