"""Datasets with their resources, and the files of those that are uploads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from opendata.accounts.models import User
from opendata.catalog import vocabularies
from opendata.catalog.models import Dataset
from opendata.catalog.profile import WRITTEN
from opendata.compat.ckan.datastore.dictionary import bring
from opendata.compat.ckan.migration.history import take_history
from opendata.compat.ckan.migration.report import Fate
from opendata.compat.ckan.migration.source import SourceFailed, said
from opendata.compat.ckan.migration.tables import dictionaries, take_rows
from opendata.compat.ckan.migration.taking import Run, chosen, told
from opendata.compat.ckan.previews.views import is_kept, keep_views
from opendata.compat.ckan.wire import ActionError
from opendata.core.canonical import sha256_json
from opendata.core.errors import DomainError
from opendata.edge.uploads import ReceivedFile
from opendata.ports.fetcher.port import FetchFailed
from opendata.publishing import identity
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work

_KEYS = (
    "id", "name", "title", "notes", "url", "version", "author", "author_email", "maintainer", "maintainer_email", "license_id",
    "type", "owner_org", "extras",
)  # fmt: skip
_MADE = frozenset({"package_id", "position", "datastore_active", "datastore_contains_all_records_of_source_file", "revision_id", "ckan_url", "tracking_summary"})  # fmt: skip
"""Keys of a resource that the source makes up."""
Told = dict[str, list[dict[str, Any]]]
"""Told, or what is told of columns, by the ids of their resources."""
_FILE_FACTS = ("url", "last_modified", "size", "hash")
LARGEST = 5 << 30
SECONDS = 3600.0
"""For one file: 5 GiB at 1.5 MB a second."""
UPDATED = "modified"
"""The extra that tells when the data was updated last (`data_updated_on`)."""


def take_datasets(run: Run) -> None:
    for package in run.source.packages(run.organizations):
        views, words = _views(run, package), dictionaries(run, package)
        facts = {
            "package": _package(package),
            "private": package.get("private"),
            "files": run.with_files,
            "views": views,
            **({"dictionaries": words} if words else {}),
        }
        files = _fetch(run, package)
        if files is None:
            continue
        needs = [package.get("owner_org"), *(group["id"] for group in package.get("groups", []))]
        fate = run.take(
            "dataset", package, facts, partial(_write, run, package, files, views, words), filter(None, needs)
        )
        _tell_views(run, views, fate)
        for resource_id in words:
            run.report.add("dictionary", resource_id, package["name"], fate)
        if fate is Fate.REFUSED:
            continue
        fresh = take_rows(run, package)
        if (fresh or fate is not Fate.EQUAL) and not package.get("private") and not run.dry:
            _open(run, package)
        take_history(run, "dataset", package)


def _package(package: Mapping[str, Any]) -> dict[str, Any]:
    """The dataset as it is sent to `package_create`."""
    sent = chosen(package, _KEYS)
    extras = {extra["key"]: extra["value"] for extra in package.get("extras", [])}
    if package.get("metadata_modified"):
        extras.setdefault(UPDATED, str(package["metadata_modified"])[:10])
    sent["extras"] = [{"key": key, "value": value} for key, value in sorted(extras.items())]
    sent["tags"] = [chosen(tag, ("name", "vocabulary_id")) for tag in package.get("tags", [])]
    sent["groups"] = [{"name": group["name"]} for group in package.get("groups", [])]
    sent["resources"] = [
        {key: value for key, value in resource.items() if key not in _MADE and value is not None}
        for resource in package.get("resources", [])
    ]
    return sent


def _free_unknown_terms(work: Work, tags: Sequence[dict[str, Any]]) -> None:
    """A term of a vocabulary that did not come over is a free tag, so that no word is lost."""
    named = [{tag["vocabulary_id"]: [tag["name"]]} for tag in tags if tag.get("vocabulary_id")]
    known = vocabularies.known(work, named)
    for tag in tags:
        if (tag.get("vocabulary_id"), tag["name"]) not in known:
            tag.pop("vocabulary_id", None)


def _write(
    run: Run,
    package: Mapping[str, Any],
    files: Mapping[str, ReceivedFile],
    views: Told,
    words: Told,
    work: Work,
) -> tuple[Fate, str]:
    """The draft, with everything in it but what only a submission does."""
    sent = _package(package)
    _free_unknown_terms(work, sent["tags"])
    there = work.session.get(Dataset, package["id"])
    held = _files_here(run, work, sent["resources"]) if there is not None else set()
    for resource in sent["resources"]:  # an upload begins as a link, and gets its bytes below
        if resource.get("url_type") == WRITTEN:
            resource["url"] = f"{run.here.settings.site_url}/datastore/dump/{resource['id']}"
        elif resource["id"] not in held:
            resource.pop("url_type", None)
    action = "package_create" if there is None else "package_update"
    run.act(work, action, {**sent, **({"private": True} if there is None else {})}, hold=True)
    for resource in sent["resources"]:
        file = files.get(resource["id"])
        if file is not None:
            run.act(work, "resource_update", {**resource, "url_type": "upload"}, file, hold=True)
            run.remember(work, "file", resource["id"], _file_mark(resource))
    for resource_id, given in views.items():
        keep_views(run.call(work, {}, hold=True), resource_id, [view for view in given if is_kept(view)])
    for resource_id, columns in words.items():
        bring(run.call(work, {}, hold=True), resource_id, columns)
    _keep_origin(work, package)
    return (Fate.TAKEN if there is None else Fate.CHANGED), ""


def _open(run: Run, package: Mapping[str, Any]) -> None:
    """Submits what is public there. What may not go out stays a draft, and the report says why."""
    try:
        with run.here.place.writing(SYSTEM) as work:
            if work.session.get_one(Dataset, package["id"]).draft_id is not None:
                run.act(work, "dataset_submit", {"id": package["id"]})
    except (DomainError, ActionError) as error:
        run.report.add("publication", package["id"], package["name"], Fate.REFUSED, f"a draft: {told(error)}")
        with run.here.place.writing(SYSTEM) as work:  # so that the next run tries again
            run.remember(work, "dataset", package["id"], "")


def _keep_origin(work: Work, package: Mapping[str, Any]) -> None:
    dataset = work.session.get_one(Dataset, package["id"])
    creator = package.get("creator_user_id")
    known = creator is not None and work.session.get(User, creator) is not None
    identity.keep_origin(
        work,
        dataset,
        created_at=_at(package.get("metadata_created")),
        created_by=creator if known else None,
        resources={r["id"]: at for r in package.get("resources", []) if (at := _at(r.get("created")))},
    )


def _at(stamp: str | None) -> datetime | None:
    """CKAN's dates are UTC without saying so."""
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC) if stamp else None


# -- views -----------------------------------------------------------------------------------------------------------


def _views(run: Run, package: Mapping[str, Any]) -> Told:
    """The views of each resource that has any."""
    found: Told = {}
    for resource in package.get("resources", []):
        try:
            listed = run.source.action("resource_view_list", id=resource["id"])
        except SourceFailed as failure:
            run.report.add("view", resource["id"], resource.get("name") or "", Fate.REFUSED, str(failure))
            continue
        if listed:
            found[resource["id"]] = listed
    return found


def _tell_views(run: Run, views: Told, fate: Fate) -> None:
    """They come over with their dataset, but for kinds that this portal has not."""
    for view in (view for given in views.values() for view in given):
        kept = is_kept(view)
        reason = "" if kept else f"there is no view_type {view['view_type']} here"
        run.report.add("view", view["id"], view.get("title") or "", fate if kept else Fate.REFUSED, reason)


# -- files -----------------------------------------------------------------------------------------------------------


def _fetch(run: Run, package: Mapping[str, Any]) -> dict[str, ReceivedFile] | None:
    """The files that are new, in the inbox store. None if one cannot be had: then the dataset is left for the next run."""
    found: dict[str, ReceivedFile] = {}
    if not run.with_files:
        return found
    for resource in package.get("resources", []):
        if resource.get("url_type") != "upload" or not resource.get("url"):
            continue
        with run.here.place.reading(SYSTEM) as work:
            known = run.held(work, "file", resource["id"]) == _file_mark(resource)
        if known or run.dry:
            run.report.add("file", resource["id"], resource["url"], Fate.EQUAL if known else Fate.TAKEN)
            continue
        try:
            found[resource["id"]] = _file(run, resource["url"])
        except (FetchFailed, DomainError) as error:
            reason = said(error) if isinstance(error, FetchFailed) else told(error)
            run.report.add("file", resource["id"], resource["url"], Fate.REFUSED, reason)
            run.report.add("dataset", package["id"], package["name"], Fate.REFUSED, "a file cannot be had")
            return None
        run.report.add("file", resource["id"], resource["url"], Fate.TAKEN)
    return found


def _file(run: Run, url: str) -> ReceivedFile:
    writer = run.here.stores.inbox.writer(limit=LARGEST)
    try:
        fetched = run.source.file(url, writer.write, LARGEST, SECONDS)
        return ReceivedFile(fetched.name or "file", fetched.media_type, writer.commit())
    finally:
        writer.abort()


def _files_here(run: Run, work: Work, resources: list[dict[str, Any]]) -> set[str]:
    """Ids of the resources whose bytes are here and the same."""
    return {r["id"] for r in resources if run.held(work, "file", r["id"]) == _file_mark(r)}


def _file_mark(resource: Mapping[str, Any]) -> str:
    return sha256_json({key: resource.get(key) for key in _FILE_FACTS})
