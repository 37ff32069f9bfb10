"""What `datastore_create` makes of a table: its columns, key, indexes and other names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select

from opendata.compat.ckan.datastore import arguments
from opendata.compat.ckan.datastore.places import Writable
from opendata.compat.ckan.wire import MISSING, ActionError, Call, wrong
from opendata.core.ids import is_id
from opendata.tables.rows import service as rows
from opendata.tables.rows.models import RowAlias, RowTable
from opendata.tables.rows.service import Change, Wish
from opendata.tables.rows.types import guess, read_type

MOST_NAME = 63
"""Characters of a column's name, PostgreSQL's limit."""
_TOLD = {"int4": "integer", "json": "json"}


@dataclass
class Shape:
    """What a client wants, read but not yet held against the table."""

    told: list[dict[str, Any]] = field(default_factory=list)
    """`fields` as sent; types that were guessed are filled in."""
    delete_fields: bool = False
    primary_key: list[str] | None = None
    indexes: list[Any] | None = None
    records: Any = None
    show: bool = False


def read(args: Mapping[str, Any]) -> Shape:
    told = _fields(args.get("fields"))
    for name in ("primary_key", "indexes", "aliases"):
        arguments.names(args.get(name), name)
    if args.get("triggers"):
        raise wrong({"triggers": ["triggers are not supported: rows are checked by their table's schema"]})
    return Shape(
        told=told,
        delete_fields=arguments.boolean(args, "delete_fields", False),
        primary_key=arguments.names(args.get("primary_key"), "primary_key"),
        indexes=arguments.names(args.get("indexes"), "indexes"),
        records=args.get("records"),
        show=arguments.boolean(args, "include_records", False),
    )


def aliases(args: Mapping[str, Any]) -> list[str] | None:
    found = arguments.names(args.get("aliases"), "aliases")
    for name in found or ():
        if not arguments.valid_name(name) or "%" in name or is_id(name) or len(name) > 200:
            raise wrong({"alias": [f'"{name}" is not a valid alias name']})
    return found


def apply(
    call: Call,
    place: Writable,
    table: RowTable,
    shape: Shape,
    names: list[str] | None,
    check: rows.Check | None,
) -> Change:
    """Columns, rows, indexes, key, aliases: in this order, all or nothing. `Refused`."""
    work, engine = call.work, call.parts.rows
    records = _records(shape.records)
    known = {entry["id"] for entry in table.fields}
    fields = [_typed(entry, known, records) for entry in shape.told]
    if len({entry["id"] for entry in fields}) < len(fields):
        raise wrong({"field": ["Duplicate column names are not supported"]})
    wish = Wish([entry for entry in fields if entry], shape.delete_fields, shape.indexes, records)
    _check_new_names(wish, known)
    rows.shape(work, engine, table, wish)
    change = Change(0)
    if records:
        change = rows.insert(work, engine, table, records, show=shape.show, check=check)
    _check_indexed(table, shape)
    if shape.primary_key is not None:
        rows.set_key(work, engine, table, shape.primary_key)
    if names is not None:
        _name(call, place, names)
    return change


def _fields(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        kind = type(value)
        text = f"Only lists of dicts can be placed against subschema ('fields',), not {kind}"
        raise ActionError(400, "Integrity Error", {"message": text, "data": {"fields": value}})
    errors = [_name_errors(entry) for entry in value]
    if any(errors):
        raise wrong({"fields": errors})
    return [dict(entry) for entry in value]


def _name_errors(entry: Mapping[str, Any]) -> dict[str, list[str]]:
    name = entry.get("id")
    if name in (None, ""):
        return {"id": [MISSING]}
    if not arguments.valid_name(str(name)):
        return {"id": [f'"{name}" is not a valid field name']}
    return {}


def _typed(entry: dict[str, Any], known: set[str], records: Sequence[Any]) -> dict[str, Any]:
    """The field with our name of its type; of one that is there only what is told of it counts."""
    name = entry["id"] = str(entry["id"])
    if name in known:
        if entry.get("type") and read_type(entry["type"]) is None:
            raise _bad_type(entry["type"])
        return {**entry, "type": "text"}
    if not entry.get("type"):
        if not records or name not in records[0]:
            raise wrong({"fields": [f'"{name}" type not guessable']})
        kind = guess(records[0][name])
        entry["type"] = _TOLD.get(kind, kind)
        return {**entry, "type": kind}
    found = read_type(entry["type"])
    if found is None:
        raise _bad_type(entry["type"])
    return {**entry, "type": found}


def _bad_type(kind: Any) -> ActionError:
    return wrong({"fields": [f'"{str(kind)[:100]}" is not a valid field type']})


def _check_new_names(wish: Wish, known: set[str]) -> None:
    first = wish.records[0] if wish.records else {}
    new = [entry["id"] for entry in wish.fields if entry["id"] not in known]
    new += [name for name in first if name not in known and name not in new]
    too_long = [name for name in new if len(name) > MOST_NAME]
    if too_long:
        texts = [f'Column heading "{name}" exceeds limit of 63 characters.' for name in too_long]
        raise wrong({"fields": texts})
    for name in new:
        if not arguments.valid_name(name):
            raise wrong({"fields": [f'"{name}" is not a valid field name']})


def _records(value: Any) -> list[Any]:
    if not value:
        return []
    if not isinstance(value, list) or not isinstance(value[0], dict):
        raise wrong({"records": ["The first row is not a json object"]})
    return value


def _check_indexed(table: RowTable, shape: Shape) -> None:
    known = {entry["id"] for entry in table.fields}
    wanted: list[Any] = [*(shape.indexes or ()), *([shape.primary_key] if shape.primary_key else ())]
    for index in wanted:
        for name in index if isinstance(index, list) else [index]:
            if name not in known:
                raise wrong({"index": [f'The field "{index}" is not a valid column name.']})


def _name(call: Call, place: Writable, names: list[str]) -> None:
    """Makes these the aliases. Under the `reviewed` policy too: a name tells nothing of the rows."""
    session = call.work.session
    session.execute(delete(RowAlias).where(RowAlias.resource_id == place.resource_id))
    taken = session.execute(select(RowAlias.name).where(RowAlias.name.in_(names))).scalars().first()
    if taken is not None:
        raise wrong({"alias": [f'The alias "{taken}" already exists.']})
    session.add_all([RowAlias(name=name, resource_id=place.resource_id) for name in dict.fromkeys(names)])
    session.flush()
