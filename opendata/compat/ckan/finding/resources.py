"""resource_search: resources of public datasets by their fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, or_

from opendata.access.policy import PUBLIC_FILTER
from opendata.catalog import views
from opendata.catalog.models import File, Resource, ResourceVersion
from opendata.compat.ckan import packages
from opendata.compat.ckan.wire import Call, listed, text_of, whole, wrong

MOST = 1000
MOST_PAIRS = 20
_META = ResourceVersion.meta


def _holds(column: Any) -> Callable[[str], ColumnElement[bool]]:
    """The column holds the text, in any case."""
    return lambda text: func.lower(cast(column, String)).contains(text.lower(), autoescape=True)


def _begins(*columns: Any) -> Callable[[str], ColumnElement[bool]]:
    return lambda text: or_(
        *(func.lower(cast(column, String)).startswith(text.lower(), autoescape=True) for column in columns)
    )


def _extra(name: str) -> Any:
    return _META["extras"][name].as_string()


def _any(*columns: Any) -> Callable[[str], ColumnElement[bool]]:
    return lambda text: or_(*(_holds(column)(text) for column in columns))


_FIELDS: Mapping[str, Callable[[str], ColumnElement[bool]]] = {
    "id": _holds(Resource.id),
    "package_id": _holds(ResourceVersion.dataset_id),
    "name": _holds(_META["name"].as_string()),
    "description": _holds(_META["description"].as_string()),
    "format": _holds(_META["format"].as_string()),
    "url": _any(_META["url"].as_string(), File.name),
    "mimetype": _any(_META["media_type"].as_string(), File.media_type),
    "hash": _begins(File.sha256, _extra("hash")),
    "resource_type": _holds(_extra("resource_type")),
    "url_type": lambda text: (
        File.id.is_not(None) if text.lower() in "upload" else File.id.is_(None) & (text == "")
    ),
}
"""Fields that can be asked; of a hash the beginning, of the others any part."""
_ORDERS: Mapping[str, Any] = {
    "name": _META["name"].as_string(),
    "description": _META["description"].as_string(),
    "format": _META["format"].as_string(),
    "url": _META["url"].as_string(),
    "created": Resource.created_at,
    "metadata_modified": ResourceVersion.updated_at,
    "position": ResourceVersion.position,
    "id": Resource.id,
}


def resource_search(call: Call) -> dict[str, Any]:
    """Resources of public datasets. `query`: `field:text`, or several of them, all to be met; `order_by`, `offset`, `limit`."""
    if call.args.get("query") is None:
        raise wrong({"query": "Missing value"})
    conditions = [PUBLIC_FILTER, *_conditions(call)]
    order = _ORDERS.get(text_of(call.args, "order_by"), ResourceVersion.id)
    total, found = views.resources_matching(
        call.work.session,
        conditions,
        [order.nulls_last(), ResourceVersion.id],
        offset=whole(call.args, "offset", 0),
        limit=whole(call.args, "limit", MOST, most=MOST),
    )
    shown = [packages.resource(view, call.site_url, datastore=False) for view in found]
    for resource in shown:
        del resource["datastore_active"]
    return {"count": total, "results": shown}


def _conditions(call: Call) -> list[ColumnElement[bool]]:
    pairs = [str(pair) for pair in listed(call.args, "query")]
    if len(pairs) > MOST_PAIRS:
        raise wrong({"query": f"At most {MOST_PAIRS} pairs"})
    found = []
    for pair in pairs:
        field, colon, text = pair.partition(":")
        if not colon:
            raise wrong({"query": "Must be <field>:<value> pair(s)"})
        if field not in _FIELDS:
            raise wrong({"query": f'Field "{field[:100]}" not recognised in resource_search.'})
        found.append(_FIELDS[field](text))
    return found
