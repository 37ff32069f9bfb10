"""Actions on resources. An upload has streamed into the inbox store before the action begins (`api`)."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from typing import Any

from opendata.access import policy
from opendata.agencies.models import Agency
from opendata.catalog import files, queries, views
from opendata.catalog.drafts import NewResource
from opendata.catalog.models import Dataset, File
from opendata.catalog.views import DatasetView, ResourceView
from opendata.compat.ckan import packages
from opendata.compat.ckan.datasets import editable, settle, wants_public
from opendata.compat.ckan.fields import resource_fields
from opendata.compat.ckan.wire import MISSING, Call, not_found, require, text_of, wrong
from opendata.core.errors import NotFound
from opendata.core.ids import is_id
from opendata.core.names import clean_file_name
from opendata.publishing import drafts
from opendata.tables.queries import columns_of
from opendata.work.unit import Work


def resource_show(call: Call) -> dict[str, Any]:
    """A resource of a dataset that the caller sees; for its own people as the open draft has it."""
    resource_id = require(call.args, "id")
    try:
        return _rendered(call, seen_resource(call, resource_id))
    except NotFound:
        raise not_found() from None


def seen_resource(call: Call, resource_id: str) -> ResourceView:
    """A resource as the caller sees it. `NotFound`."""
    dataset = dataset_of(call.work, resource_id)
    agency = call.work.session.get_one(Agency, dataset.agency_id)
    inside = policy.sees_drafts(call.work.actor, dataset, agency)
    release = queries.release(
        call.work.session, (dataset.draft_id if inside else None) or dataset.published_id
    )
    if release is None:
        release = queries.releases(call.work, dataset)[0]
    found = views.resource(call.work.session, release, resource_id.lower())
    if found is None:
        raise NotFound("resource_not_found", id=resource_id[:100])
    return found


def resource_create(call: Call) -> dict[str, Any]:
    """A new resource at the end of a dataset. `package_id`, and `upload` (a file) or `url`."""
    key = require(call.args, "package_id")
    dataset, agency = editable(
        call, key, refusal=f"User {call.caller} not authorized to create resources on dataset {key[:100]}"
    )
    _check(call)
    before = wants_public(call, dataset)
    file = _received(call, agency)
    fields = resource_fields(call.args, file_name=file.name if file else "")
    if not fields.get("media_type") and file is None:
        fields["media_type"] = mimetypes.guess_type(fields.get("url", ""))[0] or ""
    new = NewResource(drafts.resource_meta(call.work.session, fields), file, text_of(call.args, "id") or None)
    _release, added = drafts.add_resources(call.work, dataset, agency, [new])
    settle(call, dataset, agency, wanted=before, answer=False)
    return _answer(call, dataset, added[0])


def resource_update(call: Call) -> dict[str, Any]:
    """Replaces a resource's metadata, and its file if one is sent; without `upload` the file stays."""
    return _write(call, replace=True)


def resource_patch(call: Call) -> dict[str, Any]:
    """Changes the given keys of a resource, and its file if one is sent."""
    return _write(call, replace=False)


def resource_delete(call: Call) -> None:
    """Takes a resource out of its dataset."""
    dataset, agency = _to_edit(call, require(call.args, "id"), "delete", "")
    before = wants_public(call, dataset)
    drafts.remove_resource(call.work, dataset, agency, _id(call.args))
    settle(call, dataset, agency, wanted=before, answer=False)


def visible_resource(call: Call, resource_id: str) -> tuple[DatasetView, ResourceView]:
    """A resource as published, and the view that shows it. `NotFound`. For its rows, which only what is public has."""
    dataset = queries.dataset_of_resource(call.work, resource_id.lower(), visible=policy.PUBLIC_FILTER)
    release = queries.release(call.work.session, dataset.published_id)
    view = views.one(call.work.session, dataset, release) if release else None
    for resource in view.resources if view else ():
        if view is not None and resource.id == resource_id.lower():
            return view, resource
    raise NotFound("resource_not_found", id=resource_id[:100])


def _write(call: Call, *, replace: bool) -> dict[str, Any]:
    if not replace and not call.args.get("id"):
        raise wrong({"message": "Missing id, can not get Resource object"})
    resource_id = require(call.args, "id").lower()
    dataset, agency = _to_edit(call, resource_id, "edit", "Resource was not found." if replace else "")
    _check(call)
    before = wants_public(call, dataset)
    old = _in_draft(call, dataset, agency, resource_id)
    file = _received(call, agency)
    to_link = old.file is not None and file is None and _becomes_link(call.args)
    fields = resource_fields(
        call.args,
        file_name=file.name if file else "",
        has_file=old.file is not None and not to_link,
    )
    if not replace and "extras" in fields:
        fields["extras"] = {**old.meta.extras, **fields["extras"]}
    if replace:
        kept = _kept(old, call.args)
        extras = {**kept.pop("extras", {}), **fields.get("extras", {})}
        fields = kept | fields | ({"extras": extras} if extras else {})
    drafts.edit_resource(
        call.work, dataset, agency, resource_id, fields, replace=replace, file=file, drop_file=to_link
    )
    settle(call, dataset, agency, wanted=before, answer=False)
    return _answer(call, dataset, resource_id)


def _kept(old: ResourceView, args: Mapping[str, Any]) -> dict[str, Any]:
    """What resource_update leaves as it was where the client says nothing of it: CKAN does so for these alone."""
    found: dict[str, Any] = {name: getattr(old.meta, name) for name in ("name", "format") if name not in args}
    facts = {
        name: old.meta.extras[name]
        for name in ("size", "hash")
        if name in old.meta.extras and name not in args
    }
    return {**found, **({"extras": facts} if facts else {})}


def _to_edit(call: Call, resource_id: str, verb: str, missing: str) -> tuple[Dataset, Agency]:
    try:
        dataset = dataset_of(call.work, resource_id)
    except NotFound:
        raise not_found(missing) from None
    return editable(
        call, dataset.id, refusal=f"User {call.caller} not authorized to {verb} resource {resource_id[:100]}"
    )


def _check(call: Call) -> None:
    """What CKAN finds wrong with a resource in its own words."""
    size, wanted = call.args.get("size"), text_of(call.args, "id")
    if size not in (None, "") and not re.fullmatch(r"-?[0-9]{1,18}", str(size)):
        raise wrong({"size": ["Invalid integer"]})
    if wanted and not is_id(wanted):
        raise wrong({"id": ["Invalid id provided"]})


def _becomes_link(args: Mapping[str, Any]) -> bool:
    """A client that sends an address and says that it is no upload any more."""
    given = "url_type" in args or args.get("clear_upload")
    return bool(given) and args.get("url_type") != "upload" and bool(args.get("url"))


def dataset_of(work: Work, resource_id: str) -> Dataset:
    """The dataset of a resource, if the actor sees it in any form."""
    dataset = queries.dataset_of_resource(work, resource_id.lower(), visible=policy.visible_filter(work))
    return packages.find(work, dataset.id)


def _in_draft(call: Call, dataset: Dataset, agency: Agency, resource_id: str) -> ResourceView:
    release = drafts.open_draft(call.work, dataset, agency)
    found = views.resource(call.work.session, release, resource_id)
    if found is None:
        raise NotFound("resource_not_found", id=resource_id[:100])
    return found


def _received(call: Call, agency: Agency) -> File | None:
    """The row of the file that came with the call."""
    received = call.files.get("upload")
    if received is None:
        return None
    if not clean_file_name(received.filename):
        raise wrong({"upload": [MISSING]})
    return files.register(call.work, agency, received.stored, received.filename)


def _answer(call: Call, dataset: Dataset, resource_id: str) -> dict[str, Any]:
    call.work.session.flush()
    release = queries.release(call.work.session, dataset.draft_id or dataset.published_id)
    found = views.resource(call.work.session, release, resource_id) if release else None
    if found is None:
        raise NotFound("resource_not_found", id=resource_id)
    return _rendered(call, found)


def _rendered(call: Call, resource: ResourceView) -> dict[str, Any]:
    columns = columns_of(call.work, [resource.dataset_id]).get(resource.dataset_id, {})
    return packages.resource(resource, call.site_url, datastore=resource.id in columns)


def _id(args: Mapping[str, Any]) -> str:
    return text_of(args, "id").lower()
