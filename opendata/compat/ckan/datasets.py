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
from opendata.agencies.policy import may_edit
from opendata.catalog import queries, sense, views
from opendata.catalog.drafts import NewResource
from opendata.catalog.lifecycle import EDITABLE_STATES, State
from opendata.catalog.models import Dataset, DatasetState
from opendata.catalog.views import DatasetView, ResourceView
from opendata.compat.ckan import packages
from opendata.compat.ckan.fields import dataset_fields, resource_fields
from opendata.compat.ckan.wire import Call, Ready, denied, dicts, flag, require, text_of, whole, wrong
from opendata.core.errors import NotFound
from opendata.publishing import drafts, identity, service
from opendata.settings import Policy

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
    need_account(call, "package_create")
    name = require(args, "name")
    check_length(name)
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
        resources=[_new(entry) for entry in dicts(args, "resources")],
        free=sense.CKAN_FREE,
    )
    return settle(call, dataset, agency, wanted=not flag(args, "private"))


def package_update(call: Call) -> Ready | dict[str, Any]:
    """Replaces a dataset's metadata: what is left out is cleared, but `resources` that are left out are kept."""
    dataset, agency = editable(call, require(call.args, "id", "name"))
    return _write(call, dataset, agency, replace=True)


def package_patch(call: Call) -> Ready | dict[str, Any]:
    """Changes the given keys of a dataset."""
    dataset, agency = editable(call, require(call.args, "id"))
    return _write(call, dataset, agency, replace=False)


def package_delete(call: Call) -> None:
    """Takes a dataset out of every door. Its name stays taken until it is purged."""
    dataset, agency = editable(call, require(call.args, "id"))
    if dataset.state != DatasetState.DELETED.value:
        service.withdraw(call.work, dataset, agency, DELETED_BY_API, delete=True)


def dataset_purge(call: Call) -> None:
    """Deletes a dataset for good: its name is free again. What was public stays in the audit trail."""
    dataset, agency = editable(call, require(call.args, "id"))
    if not call.work.actor.sysadmin:
        raise denied("only a sysadmin purges")
    service.purge(call.work, dataset, agency, DELETED_BY_API)


def dataset_submit(call: Call) -> Ready | dict[str, Any]:
    """Hands the open draft in at once, without waiting for the quiet time. Not of CKAN: ours."""
    dataset, agency = editable(call, require(call.args, "id"))
    service.submit(call.work, dataset, agency)
    return packages.fresh(call, dataset)


def package_resource_reorder(call: Call) -> dict[str, Any]:
    """Puts the resources in the `order` of ids; those that are not named follow."""
    order = [str(entry) for entry in _order(call)]
    dataset, agency = editable(call, require(call.args, "id"))
    before = wants_public(call, dataset)
    release = drafts.reorder(call.work, dataset, agency, order)
    settle(call, dataset, agency, wanted=before, answer=False)
    view = views.one(call.work.session, dataset, release)
    return {"id": dataset.id, "order": [resource.id for resource in view.resources]}


# -- what the other actions on datasets share ------------------------------------------------------------------------


def need_account(call: Call, action: str) -> None:
    if call.work.actor.is_public:
        raise denied(f"Action {action} requires an authenticated user")


def check_length(name: str) -> None:
    """CKAN's own words for the two mistakes that are made most."""
    if len(name) < 2:
        raise wrong({"name": ["Must be at least 2 characters long"]})
    if len(name) > 100:
        raise wrong({"name": ["Name must be a maximum of 100 characters long"]})


def editable(call: Call, id_or_name: str) -> tuple[Dataset, Agency]:
    """The dataset, if the actor may edit it; it is not found if the actor may not even see it."""
    try:
        dataset = packages.find(call.work, id_or_name)
    except NotFound:
        if call.work.actor.is_public:
            raise denied("this action requires an authenticated user") from None
        raise
    agency = call.work.session.get_one(Agency, dataset.agency_id)
    if not may_edit(call.work.actor, agency):
        raise denied("not authorized to edit this dataset")
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
    """After an edit: submits the draft, or asks for its submission, as the policy has it. Returns the package."""
    draft = queries.release(call.work.session, dataset.draft_id)
    if (
        wanted and draft is None and dataset.published_id is None
    ):  # it was withdrawn, and comes back as it was
        draft = drafts.open_draft(call.work, dataset, agency)
    wanted = wanted and draft is not None and State(draft.state) in EDITABLE_STATES
    if wanted and call.parts.settings.publication_policy is Policy.DIRECT:
        view = service.submit_view(call.work, dataset, agency)
        return packages.shown(call, view) if answer else {}
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
        check_length(name)
        identity.rename(call.work, dataset, agency, name)
    own = packages.derived_of(call.work, dataset, agency) if args.get("extras") else {}
    fields = dataset_fields(args, call, own)
    if replace and not fields.get("title"):
        fields["title"] = dataset.name
    drafts.edit_dataset(call.work, dataset, agency, fields, replace=replace, free=sense.CKAN_FREE)
    if args.get("resources") is not None:
        _sync(call, dataset, agency, dicts(args, "resources"))
    if private:
        service.keep_private(call.work, dataset, agency, WITHDRAWN_BY_API)
        return packages.fresh(call, dataset)
    return settle(call, dataset, agency, wanted=before if private is None else True)


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
    if not call.args.get("owner_org"):
        return agency
    wanted = _owner(call)
    if wanted.id != agency.id:
        identity.move_to(call.work, dataset, agency, wanted)
    return wanted


def _new(entry: Mapping[str, Any]) -> NewResource:
    fields = resource_fields(entry)
    return NewResource(drafts.resource_meta(fields), id=text_of(entry, "id") or None)


def _sync(call: Call, dataset: Dataset, agency: Agency, entries: Sequence[Mapping[str, Any]]) -> None:
    """Makes the draft's resources those that the client wrote: changes, adds, removes and orders. An id counts only if
    it is one of this dataset's: those of others are refused (CVE-2023-32321)."""
    view = _draft(call, dataset)
    there = {resource.id: resource for resource in view.resources}
    wanted: list[str] = []
    new: list[NewResource] = []
    for entry in entries:
        known = there.get(text_of(entry, "id").lower())
        if known is None:
            new.append(_new(entry))
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
    if [resource.id for resource in _draft(call, dataset).resources] != wanted:
        drafts.reorder(call.work, dataset, agency, wanted)


def _change(
    call: Call, dataset: Dataset, agency: Agency, known: ResourceView, entry: Mapping[str, Any]
) -> None:
    has_file = known.file is not None and entry.get("url_type", "upload") == "upload"
    fields = resource_fields(entry, has_file=has_file)
    if drafts.resource_meta(fields) == known.meta and has_file == (known.file is not None):
        return
    drop = known.file is not None and not has_file
    drafts.edit_resource(call.work, dataset, agency, known.id, fields, replace=True, drop_file=drop)


def _draft(call: Call, dataset: Dataset) -> DatasetView:
    release = queries.last_release(call.work, dataset)
    call.work.session.flush()
    return views.one(call.work.session, dataset, release)


def _order(call: Call) -> list[Any]:
    order = call.args.get("order")
    if not isinstance(order, list):
        raise wrong({"order": ["Must be a list of resource ids"]})
    return order
