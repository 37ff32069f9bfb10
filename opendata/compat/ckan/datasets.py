"""Actions on datasets (CKAN's packages). Every change enters by `publishing`.

Under the `direct` policy a change of a public dataset is submitted in the same request. Under `reviewed` it goes to the
open draft, and a client that wants it public asks for its submission once it has been quiet for a while.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opendata.access import policy
from opendata.agencies import queries as agency_queries
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_edit, may_publish
from opendata.catalog import queries, sense, views
from opendata.catalog.drafts import NewResource
from opendata.catalog.lifecycle import EDITABLE_STATES, State
from opendata.catalog.models import Dataset, DatasetState
from opendata.catalog.profile import WRITTEN
from opendata.catalog.views import DatasetView, ResourceView
from opendata.compat.ckan import packages
from opendata.compat.ckan.fields import dataset_fields, resource_fields
from opendata.compat.ckan.wire import (
    MISSING,
    Call,
    Ready,
    denied,
    dicts,
    flag,
    not_found,
    require,
    text_of,
    whole,
    wrong,
)  # fmt: skip
from opendata.core.errors import NotFound
from opendata.core.names import NAME
from opendata.publishing import drafts, identity, service
from opendata.publishing.governance.bar import lines_of
from opendata.settings import Policy

MOST_OF_NAME = 100
MOST = 1000
"""Packages in one answer (CKAN's ckan.search.rows_max)."""
WITHDRAWN_BY_API = "Set private by API"
DELETED_BY_API = "Deleted by API"
_NO_CONTACT = dict.fromkeys(("contact_name", "contact_phone", "contact_email"), "")
"""A client's package shows no contact that nobody sent: readers are told the body's, as it is at the time."""


def package_show(call: Call) -> Ready | dict[str, Any]:
    """A dataset with its resources. `id`: its id or name. Who works for its organization gets the open draft, with its
    `release_state`; everyone else what was last published."""
    return packages.show(call, require(call.args, "id", "name_or_id"))


def package_list(call: Call) -> list[str]:
    """Names of the public datasets. `limit`, `offset`."""
    return list(
        queries.published_names(
            call.work,
            visible=policy.PUBLIC_FILTER,
            offset=whole(call.args, "offset", 0),
            limit=whole(call.args, "limit", 0) or None,
        )
    )


def package_create(call: Call) -> Ready | dict[str, Any]:
    """A new dataset. `name`, `owner_org`, `title`, `notes`, `private`, `tags`, `extras`, `groups`, `resources`, …"""
    args = call.args
    _check_creator(call)
    name = require(args, "name")
    _check_package_name(name)
    agency = _owner(call)
    fields = _NO_CONTACT | dataset_fields(args, call, packages.derived(agency), new=True)
    if not fields.get("title"):
        fields["title"] = name
    dataset, _release = drafts.create_dataset(
        call.work,
        agency,
        fields,
        name=name,
        dataset_id=text_of(args, "id").lower() or None,
        resources=[_new(call, entry) for entry in dicts(args, "resources")],
        free=sense.CKAN_FREE,
    )
    return settle(call, dataset, agency, wanted=not flag(args, "private"))


def package_update(call: Call) -> Ready | dict[str, Any]:
    """Replaces a dataset's metadata: what is left out is cleared, but `resources` that are left out are kept."""
    key = text_of(call.args, "id") or text_of(call.args, "name")
    if not key:
        raise wrong({"id": MISSING})
    dataset, agency = editable(call, key, missing="Package was not found.")
    call.changed["packages"] = [dataset.id]
    return _write(call, dataset, agency, replace=True)


def package_patch(call: Call) -> Ready | dict[str, Any]:
    """Changes the given keys of a dataset."""
    key = text_of(call.args, "id")
    if not key:
        raise wrong({"message": "Missing id, can not get Package object"})
    dataset, agency = editable(call, key)
    return _write(call, dataset, agency, replace=False)


def package_delete(call: Call) -> None:
    """Takes a dataset out of every door. Its name stays taken until it is purged."""
    dataset, agency = editable(call, require(call.args, "id"))
    if dataset.state != DatasetState.DELETED.value:
        service.withdraw(call.work, dataset, agency, DELETED_BY_API, delete=True)


def dataset_purge(call: Call) -> None:
    """Deletes a dataset for good: its name is free again. What was public stays in the audit trail."""
    key = require(call.args, "id")
    if not call.work.actor.sysadmin:
        raise denied()
    dataset, agency = editable(call, key, missing="Dataset was not found")
    service.purge(call.work, dataset, agency, DELETED_BY_API)


def dataset_submit(call: Call) -> Ready | dict[str, Any]:
    """Hands the open draft in at once, without waiting for the quiet time. Not of CKAN: ours."""
    dataset, agency = editable(call, require(call.args, "id"))
    service.submit(call.work, dataset, agency)
    return packages.fresh(call, dataset)


def package_resource_reorder(call: Call) -> dict[str, Any]:
    """Puts the resources in the `order` of ids; those that are not named follow."""
    key, order = require(call.args, "id"), [str(entry).lower() for entry in _order(call)]
    dataset, agency = editable(call, key)
    present = {resource.id for resource in _draft(call, dataset).resources}
    unknown = next((entry for entry in order if entry not in present), None)
    if unknown is not None:
        raise wrong({"order": f"resource_id {unknown[:100]} can not be found"})
    before = wants_public(call, dataset)
    release = drafts.reorder(call.work, dataset, agency, order)
    settle(call, dataset, agency, wanted=before, answer=False)
    view = views.one(call.work.session, dataset, release)
    return {"id": key, "order": [resource.id for resource in view.resources]}


def package_owner_org_update(call: Call) -> None:
    """Gives a dataset to another organization. `id`, `organization_id`. For those who may edit for both."""
    if call.work.actor.is_public or not (call.work.actor.sysadmin or call.work.actor.roles):
        raise denied()
    dataset, agency = editable(call, text_of(call.args, "id"), missing="Package was not found.")
    if not call.args.get("organization_id"):
        raise wrong({"organization_id": ["An organization must be provided"]})
    try:
        new = agency_queries.find(call.work, text_of(call.args, "organization_id"))
    except NotFound:
        raise not_found("Organization was not found.") from None
    if not may_edit(call.work.actor, new):
        raise denied()
    before = wants_public(call, dataset)
    if new.id != agency.id:
        identity.move_to(call.work, dataset, agency, new)
        settle(call, dataset, new, wanted=before, answer=False)


def edit_groups(call: Call, dataset: Dataset, group: str, *, inside: bool) -> None:
    """Puts a dataset into a group, or takes it out."""
    dataset, agency = editable(call, dataset.id)
    before = wants_public(call, dataset)
    named = [
        name for name in queries.last_release(call.work, dataset).meta.get("groups", []) if name != group
    ]
    fields = {"groups": [*named, group] if inside else named}
    drafts.edit_dataset(call.work, dataset, agency, fields, free=sense.CKAN_FREE)
    settle(call, dataset, agency, wanted=before, answer=False)


# -- what the other actions on datasets share ------------------------------------------------------------------------


_SIGNS = "Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_"


def name_errors(name: str) -> list[str]:
    """What is wrong with a name of a dataset, a group or an organization, in CKAN's words."""
    if name in ("new", "edit", "search"):
        return ["That name cannot be used"]
    if len(name) < 2:
        return ["Must be at least 2 characters long"]
    if len(name) > MOST_OF_NAME:
        return [f"Name must be a maximum of {MOST_OF_NAME} characters long"]
    return [] if NAME.fullmatch(name) else [_SIGNS]


def check_name(name: str) -> None:
    if errors := name_errors(name):
        raise wrong({"name": errors})


def _check_package_name(name: str) -> None:
    errors = name_errors(name)
    if len(name) < 2:
        errors.append(f'Name "{name}" length is less than minimum 2')
    if len(name) > MOST_OF_NAME:
        errors.append(f'Name "{name[:1000]}" length is more than maximum {MOST_OF_NAME}')
    if errors:
        raise wrong({"name": errors})


def editable(call: Call, id_or_name: str, *, missing: str = "", refusal: str = "") -> tuple[Dataset, Agency]:
    """The dataset, if the actor may edit it; it is not found (`missing` says so) if the actor may not even see it, and
    refused otherwise, in the words of `refusal`."""
    try:
        dataset = packages.find(call.work, id_or_name)
    except NotFound:
        raise not_found(missing) from None
    agency = call.work.session.get_one(Agency, dataset.agency_id)
    if not policy.may_edit_draft(call.work.actor, dataset, agency):
        raise denied(refusal or f"User {call.caller} not authorized to edit package {dataset.id}")
    return dataset, agency


def wants_public(call: Call, dataset: Dataset) -> bool:
    """Whether the client has asked for publication before: it is public, under way, or about to be submitted."""
    if dataset.state != DatasetState.ACTIVE.value:
        return False
    draft = queries.release(call.work.session, dataset.draft_id)
    under_way = draft is not None and draft.submitted_at is not None
    return dataset.published_id is not None or dataset.submit_at is not None or under_way


def settle(
    call: Call, dataset: Dataset, agency: Agency, *, wanted: bool, answer: bool = True
) -> Ready | dict[str, Any]:
    """After an edit: submits the draft, or asks for its submission, as the policy has it. Returns the package. What a
    collaborator edited stays a draft until somebody of the body hands it in."""
    wanted = wanted and not call.hold and may_publish(call.work.actor, agency)
    draft = queries.release(call.work.session, dataset.draft_id)
    if (
        wanted and draft is None and dataset.published_id is None
    ):  # it was withdrawn, and comes back as it was
        draft = drafts.open_draft(call.work, dataset, agency)
    wanted = wanted and draft is not None and State(draft.state) in EDITABLE_STATES
    if wanted and call.parts.settings.publication_policy is Policy.DIRECT:
        view = service.submit_view(call.work, dataset, agency)
        return packages.shown(call, view, lines_of(call.work, dataset)) if answer else {}
    if wanted:
        service.ask_submission(call.work, dataset, agency, call.parts.settings.quiet_seconds)
    return packages.fresh(call, dataset) if answer else {}


def _write(call: Call, dataset: Dataset, agency: Agency, *, replace: bool) -> Ready | dict[str, Any]:
    args = call.args
    before = wants_public(call, dataset)
    private = flag(args, "private") if args.get("private") is not None else None
    if text_of(args, "state") == "deleted":
        service.withdraw(call.work, dataset, agency, DELETED_BY_API, delete=True)
        return packages.fresh(call, dataset)
    agency = _move(call, dataset, agency)
    name = text_of(args, "name")
    if name and name != dataset.name:
        _check_package_name(name)
        identity.rename(call.work, dataset, agency, name)
    own = packages.derived_of(call.work, dataset, agency) if args.get("extras") else {}
    fields = dataset_fields(args, call, own)
    if not replace and "tag_string" in args and "tags" not in args:  # it adds to those that are there
        held = queries.last_release(call.work, dataset).meta.get("keywords", [])
        fields["keywords"] = list(dict.fromkeys([*held, *fields["keywords"]]))
    if replace and not fields.get("title"):
        fields["title"] = dataset.name
    drafts.edit_dataset(call.work, dataset, agency, fields, replace=replace, free=sense.CKAN_FREE)
    if args.get("resources") is not None:
        _sync(call, dataset, agency, dicts(args, "resources"))
    if private:
        service.keep_private(call.work, dataset, agency, WITHDRAWN_BY_API)
        return packages.fresh(call, dataset)
    return settle(call, dataset, agency, wanted=before if private is None else True)


def _check_creator(call: Call) -> None:
    """Who may make a dataset at all, and for the organization that is named; a wrong organization is told to sysadmins."""
    actor, key = call.work.actor, text_of(call.args, "owner_org")
    if actor.sysadmin:
        return
    every = agency_queries.every(call.work) if actor.roles else ()
    mine = {k for agency in every if may_edit(actor, agency) for k in (agency.id, agency.name)}
    if not mine:
        raise denied(f"User {call.caller} not authorized to create packages")
    if key and key not in mine:
        raise denied(f"User {call.caller} not authorized to add dataset to this organization")


def _owner(call: Call) -> Agency:
    key = text_of(call.args, "owner_org")
    if not key:
        raise wrong({"owner_org": ["An organization must be provided"]})
    try:
        return agency_queries.find(call.work, key)
    except NotFound:
        raise wrong({"owner_org": ["Organization does not exist"]}) from None


def _move(call: Call, dataset: Dataset, agency: Agency) -> Agency:
    """The owner that the client names; another one than before takes the dataset over."""
    named = text_of(call.args, "owner_org")
    if not named or (agency.active and named in (agency.name, agency.id)):
        return agency
    wanted = _owner(call)
    if wanted.id != agency.id and not may_edit(call.work.actor, agency):  # it is edited by a collaborator
        raise wrong({"owner_org": ["You cannot move this dataset to another organization"]})
    if wanted.id != agency.id and not may_edit(call.work.actor, wanted):
        raise wrong({"owner_org": ["You cannot add a dataset to this organization"]})
    if wanted.id != agency.id:
        identity.move_to(call.work, dataset, agency, wanted)
    return wanted


def _new(call: Call, entry: Mapping[str, Any]) -> NewResource:
    fields = resource_fields(entry)
    return NewResource(drafts.resource_meta(call.work.session, fields), id=text_of(entry, "id") or None)


def _sync(call: Call, dataset: Dataset, agency: Agency, entries: Sequence[Mapping[str, Any]]) -> None:
    """Makes the draft's resources those that the client wrote: changes, adds, removes and orders. An id counts only if
    it is one of this dataset's: those of others are refused (CVE-2023-32321)."""
    there = {resource.id: resource for resource in _draft(call, dataset).resources}
    added: list[str] = []
    wanted: list[str] = []
    new: list[NewResource] = []
    for entry in entries:
        known = there.get(text_of(entry, "id").lower())
        if known is None:
            new.append(_new(call, entry))
            wanted.append("")
            continue
        wanted.append(known.id)
        _change(call, dataset, agency, known, entry)
    for gone in there.keys() - set(wanted):
        drafts.remove_resource(call.work, dataset, agency, gone)
    if new:
        _release, added = drafts.add_resources(call.work, dataset, agency, new)
        ids = iter(added)
        wanted = [resource_id or next(ids) for resource_id in wanted]
    if [*(kept for kept in there if kept in wanted), *added] != wanted:
        drafts.reorder(call.work, dataset, agency, wanted)


def _change(
    call: Call, dataset: Dataset, agency: Agency, known: ResourceView, entry: Mapping[str, Any]
) -> None:
    """A file stays where the client says that it is an upload, or the rows that it writes (they are written down in one)."""
    stays_written = known.meta.is_written and entry.get("url_type") == WRITTEN
    has_file = known.file is not None and entry.get("url_type", "upload") == "upload"
    drop = known.file is not None and not has_file and not stays_written
    fields = resource_fields(entry, has_file=has_file)
    meta = drafts.resource_meta(call.work.session, fields, keeps=known.meta.schema_name)
    meta = meta.model_copy(update={name: getattr(known.meta, name) for name in drafts.KEPT_OF_RESOURCES})
    if meta == known.meta and not drop:
        return
    drafts.edit_resource(call.work, dataset, agency, known.id, fields, replace=True, drop_file=drop)


def _draft(call: Call, dataset: Dataset) -> DatasetView:
    release = queries.last_release(call.work, dataset)
    call.work.session.flush()
    return views.one(call.work.session, dataset, release)


def _order(call: Call) -> list[Any]:
    order = call.args.get("order")
    if order is None:
        raise wrong({"order": [MISSING]})
    if not isinstance(order, list):
        raise wrong({"order": "Must be a list of resource"})
    if len({str(entry) for entry in order}) != len(order):
        raise wrong({"order": "Must supply unique resource_ids"})
    return order
