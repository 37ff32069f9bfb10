"""datastore_create, datastore_upsert, datastore_delete and datastore_records_delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson

from opendata.catalog import drafts as edited
from opendata.catalog.drafts import NewResource
from opendata.catalog.profile import WRITTEN
from opendata.compat.ckan.datasets import editable, settle, wants_public
from opendata.compat.ckan.datastore import arguments, dictionary, places, shaping
from opendata.compat.ckan.datastore.filters import read_filters, shown
from opendata.compat.ckan.datastore.places import Writable, check_writable, writable
from opendata.compat.ckan.fields import resource_fields
from opendata.compat.ckan.wire import Call, Ready, require, wrong
from opendata.core.ids import new_id
from opendata.publishing import drafts
from opendata.publishing.rows import screening
from opendata.tables.rows import service as rows
from opendata.tables.rows.engine import Refused
from opendata.tables.rows.models import RowTable
from opendata.tables.rows.service import Change

_CREATE = frozenset({
    "resource_id", "id", "force", "resource", "aliases", "fields", "delete_fields", "records", "include_records",
    "primary_key", "indexes", "triggers", "calculate_record_count",
})  # fmt: skip
_UPSERT = frozenset({
    "resource_id", "id", "force", "records", "include_records", "method", "calculate_record_count", "dry_run",
})  # fmt: skip


def datastore_create(call: Call) -> Ready:
    """A table for rows, or changes of its columns, keys and names; and rows. `resource_id`, or `resource` for a new one;
    `fields` ([{id, type, info}]), `delete_fields`, `records`, `primary_key`, `indexes`, `aliases`, `force`,
    `include_records`."""
    args = call.args
    count = arguments.count_mode(args)
    wish = shaping.read(args)
    if not args.get("resource"):
        given = args.get("resource_id") or args.get("id")
        if not given:
            raise wrong({"resource_id": ["resource_id or resource required"]})
    place = _new_resource(call) if args.get("resource") else _resource(call)
    aliases = shaping.aliases(args)
    if aliases is None and dictionary.is_meant(call, place, wish):
        dictionary.write(call, place, wish.told)
        change = Change(0)
    else:
        table = _opened(call, place) or _made(call, place)
        change = _guarded(lambda: _shaped(call, place, table, wish, aliases))
        _note(call, place, "rows.created", change)
    if args.get("resource") and not place.draft:
        settle(call, place.dataset, place.agency, wanted=place.wanted, answer=False)
    result = {
        **_extras(args, _CREATE),
        **{key: args[key] for key in ("aliases", "indexes", "primary_key") if args.get(key) is not None},
        **({"fields": wish.told} if wish.told else {}),
        **(
            {"resource": {**args["resource"], "url": "_datastore_only_resource"}}
            if args.get("resource")
            else {}
        ),
        "calculate_record_count": count,
        "delete_fields": wish.delete_fields,
        "resource_id": place.resource_id,
        "method": "insert",
    }
    return _answer(result, "records", change)


def datastore_upsert(call: Call) -> Ready:
    """Adds or changes rows, all or none of them. `resource_id`, `records`, `method` (upsert, insert, update), `force`,
    `include_records`, `dry_run`."""
    args = call.args
    key = arguments.resource_id(args)
    method = args.get("method")
    if method is not None and method not in arguments.METHODS:
        raise wrong({"method": [f"Value must be one of {list(arguments.METHODS)}"]})
    count = arguments.count_mode(args)
    place = writable(call, key)
    check_writable(place, force=arguments.boolean(args, "force", False))
    table = _opened(call, place)
    if table is None:
        raise places.missing(key)
    records, show = args.get("records") or [], arguments.boolean(args, "include_records", False)
    if not isinstance(records, list):
        raise wrong({"records": ["Records has to be a list of dicts"]})
    dry = arguments.boolean(args, "dry_run", False)
    change = _guarded(lambda: _put(call, place, table, records, method or "upsert", show=show, dry=dry))
    if not dry:
        _note(call, place, "rows.written", change)
    result = {
        **_extras(args, _UPSERT),
        **({"method": method} if method else {}),
        **({"dry_run": dry} if "dry_run" in args else {}),
        "calculate_record_count": count,
        "resource_id": key,
    }
    return _answer(result, "records", change)


def datastore_delete(call: Call) -> Ready:
    """Deletes rows that meet `filters`, or without them the whole table with its dictionary. `resource_id`, `force`,
    `include_deleted_records`."""
    args = call.args
    key = arguments.resource_id(args)
    filters = args.get("filters")
    if filters is not None and not isinstance(filters, dict):
        raise wrong({"filters": ["filters must be either a dict or null."]})
    arguments.count_mode(args)
    place = writable(call, key)
    check_writable(place, force=arguments.boolean(args, "force", False))
    table = _opened(call, place)
    if table is None:
        raise places.missing(key)
    if filters is None:
        rows.drop(call.work, table)
        _note(call, place, "rows.dropped", Change(table.row_count))
        return _answer({"resource_id": key}, "deleted_records", Change(0))
    tree = read_filters(filters, ["_id", *(entry["id"] for entry in table.fields)])
    show = arguments.boolean(args, "include_deleted_records", False)
    change = _guarded(lambda: rows.delete(call.work, call.parts.rows, table, tree, show=show))
    _note(call, place, "rows.deleted", change)
    told = {"filterops": shown(tree)} if tree else {}
    return _answer({"resource_id": key, "filters": filters, **told}, "deleted_records", change)


def datastore_records_delete(call: Call) -> Ready:
    """Deletes rows that meet `filters` (`{}`: all of them); the table stays. `resource_id`, `force`."""
    arguments.resource_id(call.args)
    if "filters" not in call.args:
        raise wrong({"filters": ["Missing value"]})
    if not isinstance(call.args["filters"], dict):
        raise wrong({"filters": ["Must be a dict"]})
    return datastore_delete(call)


def _resource(call: Call) -> Writable:
    args = call.args
    key = arguments.resource_id(args)
    try:
        place = writable(call, key)
    except Exception as error:
        if getattr(error, "status", 0) == 404:
            raise wrong({"resource_id": [f"Resource not found: {key[:100]}"]}) from None
        raise
    check_writable(place, force=arguments.boolean(args, "force", False))
    return place


def _new_resource(call: Call) -> Writable:
    """A resource without a file or a link, whose rows clients write."""
    given = call.args["resource"]
    if not isinstance(given, dict):
        raise wrong({"resource": ["Must be a dict"]})
    if call.args.get("resource_id"):
        raise wrong({"resource": ["resource cannot be used with resource_id"]})
    if given.get("url"):
        raise wrong({"resource": ["The datapusher has to be enabled."]})
    dataset, agency = editable(call, require(given, "package_id"))
    resource_id = new_id()
    fields = resource_fields({**given, "url_type": WRITTEN})
    fields["url"] = f"{call.site_url}/datastore/dump/{resource_id}"
    new = NewResource(drafts.resource_meta(call.work.session, fields), id=resource_id)
    wanted = wants_public(call, dataset)
    drafts.add_resources(call.work, dataset, agency, [new])
    call.work.session.flush()
    return replace(writable(call, resource_id), wanted=wanted)


def _opened(call: Call, place: Writable) -> RowTable | None:
    return rows.open_table(
        call.work,
        call.parts.rows,
        place.resource_id,
        release=_draft_of(call, place) if place.draft else None,
        dictionary=place.resource.meta.dictionary,
    )


def _made(call: Call, place: Writable) -> RowTable:
    return rows.new_table(
        call.work, place.resource_id, release=_draft_of(call, place) if place.draft else None
    )


def _draft_of(call: Call, place: Writable) -> str:
    """The open draft that the rows belong to; there is one from now on, of which the caller is an author."""
    release = drafts.open_draft(call.work, place.dataset, place.agency)
    edited.mark_edited(call.work, release)
    return release.id


def _shaped(
    call: Call, place: Writable, table: RowTable, wish: shaping.Shape, aliases: list[str] | None
) -> Change:
    change = shaping.apply(call, place, table, wish, aliases, _guard(call, place, table))
    if not place.draft:
        screening.check_columns(call.work, place.view, place.resource, table, aliases or ())
    return change


def _guard(call: Call, place: Writable, table: RowTable) -> rows.Check | None:
    """Rows of a draft are screened with it, as its file."""
    return None if place.draft else screening.guard(call.work, call.parts.rows, place.resource, table)


def _put(
    call: Call, place: Writable, table: RowTable, records: list[Any], method: str, *, show: bool, dry: bool
) -> Change:
    if not records:
        return Change(0)
    work, engine, check = call.work, call.parts.rows, _guard(call, place, table)
    if not place.draft:
        screening.check_columns(work, place.view, place.resource, table)
    trial = work.session.begin_nested() if dry else None
    if method == "insert":
        change = rows.insert(work, engine, table, records, show=show, check=check)
    else:
        change = rows.merge(work, engine, table, records, method, show=show, check=check)
    if trial is not None:
        trial.rollback()
    return change


def _guarded(change: Callable[[], Change]) -> Change:
    try:
        return change()
    except Refused as error:
        raise arguments.refused(error) from None


def _note(call: Call, place: Writable, action: str, change: Change) -> None:
    call.work.record(action, "resource", place.resource_id, rows=change.rows, draft=place.draft)
    if place.draft:
        settle(call, place.dataset, place.agency, wanted=place.wanted, answer=False)


def _extras(args: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    unknown = {key: value for key, value in args.items() if key not in known}
    return {"__extras": unknown} if unknown else {}


def _answer(result: Mapping[str, Any], name: str, change: Change) -> Ready:
    body = orjson.dumps(result, default=str)
    if change.shown is not None:
        body = body[:-1] + b',"' + name.encode() + b'":' + change.shown + b"}"
    return Ready(body)
