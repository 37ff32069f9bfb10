"""Resource views. What they say is a part of the resource's metadata, so it goes the way of every edit: under `reviewed`
nobody outside reads a title before two people have passed it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opendata.agencies.models import Agency
from opendata.catalog import queries
from opendata.catalog.models import Dataset
from opendata.catalog.views import ResourceView
from opendata.compat.ckan.datasets import editable, settle, wants_public
from opendata.compat.ckan.resources import dataset_of, seen_resource
from opendata.compat.ckan.wire import MISSING, Call, denied, flag, listed, not_found, require, text_of, wrong
from opendata.core.errors import NotFound
from opendata.core.ids import new_id
from opendata.publishing import drafts

TYPES: Mapping[str, Mapping[str, Any]] = {
    "text_view": {},
    "image_view": {"image_url": None},
    "datatables_view": {
        "date_format": "llll",
        "ellipsis_length": 100,
        "filterable": True,
        "responsive": False,
    },
    "webpage_view": {"page_url": None},
    "video_view": {"video_url": None},
    "audio_view": {"audio_url": None},
    "recline_view": {},
}
"""Kinds of views, and the settings that each has besides. What is None is left out until it is given."""
_FACE = ("id", "resource_id", "title", "description", "view_type", "package_id")
MOST = 100


def resource_view_show(call: Call) -> dict[str, Any]:
    """A view. `id`."""
    view_id = require(call.args, "id")
    resource = _seen(call, view_id, "Resource view not found, cannot check auth.")
    for view in resource.meta.views:
        if view["id"] == view_id.lower():
            return _shown(resource, view)
    raise not_found("Resource view not found, cannot check auth.")


def resource_view_list(call: Call) -> list[dict[str, Any]]:
    """The views of a resource, in their order. `id`: the resource's."""
    resource = _resource(call, require(call.args, "id"), "")
    return [_shown(resource, view) for view in resource.meta.views]


def resource_view_create(call: Call) -> dict[str, Any]:
    """A new view at the end. `resource_id`, `title`, `description`, `view_type`, and settings of that type."""
    args = call.args
    resource_id = require(args, "resource_id")
    kind = _kind(require(args, "view_type"))
    if not text_of(args, "title"):
        raise wrong({"title": [MISSING]})
    try:
        resource = seen_resource(call, resource_id)
    except NotFound:
        raise wrong({"resource_id": [f"Resource not found: {resource_id[:100]}"]}) from None
    dataset, agency = _for_edit(call, resource, "create resources on dataset", resource.dataset_id)
    if len(resource.meta.views) >= MOST:
        raise wrong({"resource_id": [f"A resource has at most {MOST} views"]})
    view = {"id": new_id(), **_told(args, kind)}
    queries.new_view_key(call.work, view["id"], resource.id)
    _write(call, dataset, agency, resource, [*resource.meta.views, view])
    return _shown(resource, view)


def resource_view_update(call: Call) -> dict[str, Any]:
    """Replaces what a view says. `id`, `title`, `description`, and settings of its type."""
    view_id = require(call.args, "id").lower()
    resource = _seen(call, view_id, "Resource view was not found.")
    dataset, agency = _for_edit(call, resource, "edit resource", resource.id)
    old = next((view for view in resource.meta.views if view["id"] == view_id), None)
    if old is None:
        raise not_found("Resource view was not found.")
    if not text_of(call.args, "title"):
        raise wrong({"title": [MISSING]})
    view = {"id": view_id, **_told(call.args, old["view_type"])}
    _write(call, dataset, agency, resource, [view if v["id"] == view_id else v for v in resource.meta.views])
    return _shown(resource, view)


def resource_view_reorder(call: Call) -> dict[str, Any]:
    """Puts views first. `id`: the resource's, `order`: ids of views; those that are not named follow."""
    if "order" not in call.args:
        raise wrong({"order": [MISSING]})
    resource_id, order = require(call.args, "id"), call.args["order"]
    if not isinstance(order, list):
        raise wrong({"order": "Must supply order as a list"})
    wanted = [str(view_id).lower() for view_id in order]
    if len(set(wanted)) != len(wanted):
        raise wrong({"order": "No duplicates allowed in order"})
    resource = _resource(call, resource_id, "Resource was not found.")
    dataset, agency = _for_edit(call, resource, "edit resource", resource.id)
    held = {view["id"]: view for view in resource.meta.views}
    unknown = next((view_id for view_id in wanted if view_id not in held), None)
    if unknown is not None:
        raise wrong({"order": f"View {unknown[:100]} does not exist"})
    views = [held.pop(view_id) for view_id in wanted] + list(held.values())
    _write(call, dataset, agency, resource, views)
    return {"id": resource.id, "order": [view["id"] for view in views]}


def resource_view_delete(call: Call) -> dict[str, str]:
    """Takes a view away. `id`."""
    view_id = require(call.args, "id").lower()
    resource = _seen(call, view_id, "")
    dataset, agency = _for_edit(call, resource, "delete resource", resource.id)
    if all(view["id"] != view_id for view in resource.meta.views):
        raise not_found()
    _write(call, dataset, agency, resource, [v for v in resource.meta.views if v["id"] != view_id])
    return {"resource_id": resource.id}


def resource_view_clear(call: Call) -> None:
    """Takes the views of some types, or all, away from what the caller may edit: for sysadmins. `view_types`."""
    if not call.work.actor.sysadmin:
        raise denied()
    kinds = {str(kind) for kind in listed(call.args, "view_types")}
    for resource_id in queries.resources_with_views(call.work):
        try:
            resource = seen_resource(call, resource_id)
        except NotFound:
            continue
        kept = [view for view in resource.meta.views if kinds and view["view_type"] not in kinds]
        if len(kept) < len(resource.meta.views):
            dataset, agency = editable(call, resource.dataset_id)
            _write(call, dataset, agency, resource, kept)


def resource_create_default_resource_views(call: Call) -> list[Any]:
    """Makes no view: the portal previews every file that it can by itself. `resource`."""
    if not isinstance(call.args.get("resource"), dict):
        raise wrong({"resource": [MISSING]})
    editable(call, dataset_of(call.work, require(call.args["resource"], "id")).id)
    return []


def package_create_default_resource_views(call: Call) -> list[Any]:
    """Makes no view: the portal previews every file that it can by itself. `package`."""
    if not isinstance(call.args.get("package"), dict):
        raise wrong({"package": [MISSING]})
    editable(call, require(call.args["package"], "id"))
    return []


def is_kept(view: Mapping[str, Any]) -> bool:
    """Whether a view of another CKAN is of a kind that there is here, too."""
    return view.get("view_type") in TYPES and bool(view.get("title"))


def keep_views(call: Call, resource_id: str, given: Sequence[Mapping[str, Any]]) -> None:
    """The resource has these views afterwards, under the ids that they bring; for whoever moves a whole platform."""
    resource = seen_resource(call, resource_id)
    dataset, agency = editable(call, resource.dataset_id)
    for view in given:
        if queries.resource_of_view(call.work, view["id"]) is None:
            queries.new_view_key(call.work, view["id"], resource.id)
    views = [{"id": view["id"], **_told(view, view["view_type"])} for view in given[:MOST]]
    if views != list(resource.meta.views):
        _write(call, dataset, agency, resource, views)


# -- the parts -------------------------------------------------------------------------------------------------------


def _kind(name: str) -> str:
    if name not in TYPES:
        raise wrong({"view_type": f"No plugin found for view_type {name[:100]}"})
    return name


def _told(args: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """What a client says of a view: its texts, and the settings that its type has."""
    settings = {}
    for name, default in TYPES[kind].items():
        value = args.get(name, default)
        if isinstance(default, bool):
            value = flag(args, name, default)
        elif isinstance(default, int) and not isinstance(value, int):
            value = int(value) if str(value).isdecimal() and len(str(value)) < 7 else default
        elif not isinstance(default, int):
            value = None if value is None else text_of(args, name, str(default or ""))
        if value is not None:
            settings[name] = value
    described = text_of(args, "description")[:10_000] if args.get("description") is not None else None
    texts = {"title": text_of(args, "title")[:1000], "description": described}
    return {**texts, "view_type": kind, **settings}


def _shown(resource: ResourceView, view: Mapping[str, Any]) -> dict[str, Any]:
    found = {**view, "resource_id": resource.id, "package_id": resource.dataset_id}
    return {**{key: found[key] for key in _FACE}, **{k: v for k, v in found.items() if k not in _FACE}}


def _seen(call: Call, view_id: str, missing: str) -> ResourceView:
    """The resource of a view that the caller sees."""
    resource_id = queries.resource_of_view(call.work, view_id.lower())
    return _resource(call, resource_id or "", missing)


def _resource(call: Call, resource_id: str, missing: str) -> ResourceView:
    try:
        return seen_resource(call, resource_id)
    except NotFound:
        raise not_found(missing) from None


def _for_edit(call: Call, resource: ResourceView, what: str, key: str) -> tuple[Dataset, Agency]:
    return editable(call, resource.dataset_id, refusal=f"User {call.caller} not authorized to {what} {key}")


def _write(
    call: Call, dataset: Dataset, agency: Agency, resource: ResourceView, views: Sequence[Mapping[str, Any]]
) -> None:
    before = wants_public(call, dataset)
    drafts.edit_resource(call.work, dataset, agency, resource.id, {"views": list(views)})
    settle(call, dataset, agency, wanted=before, answer=False)
