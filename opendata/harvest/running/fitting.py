"""A record as it can be written here: what is wrong in it is left out and told, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

from opendata.catalog.profile import ResourceMeta
from opendata.core.checks import is_web_address
from opendata.core.errors import FieldError, Invalid
from opendata.core.ids import is_id
from opendata.core.names import check_name
from opendata.harvest.models import HarvestSource
from opendata.harvest.reading import words
from opendata.harvest.record import Record, RemoteResource
from opendata.publishing import drafts
from opendata.work.unit import Work

ORIGIN = "uri"
"""The extra that tells where a dataset was published first, named as ckanext-dcat names it: whoever harvests us sees it."""
_NOT_HERE = ("name", "inventory")
"""Fields of a dataset that is put by its body: a remote has no say in them (for the name of a new one see `name_of`)."""
M = TypeVar("M", bound=BaseModel)
Told = dict[str, Any]
"""{code, params, path}: `path` is what was left out, where that is what is told."""


@dataclass(frozen=True)
class CleanResource:
    identifier: str
    sha256: str
    url: str
    meta: ResourceMeta
    content: str = ""
    """What the kind gives the bytes by, where they have no address."""

    @property
    def fields(self) -> dict[str, Any]:
        return self.meta.stored()


@dataclass
class Clean:
    """What is to be written."""

    fields: dict[str, Any]
    resources: list[CleanResource] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    name: str = ""
    """That the dataset is to have if it is new."""

    @property
    def data_changed(self) -> str:
        """The day on which the remote says that the data changed last."""
        return str(self.fields.get("data_updated_on", ""))


def told(code: str, path: str = "", **params: Any) -> Told:
    return {"code": code, "params": params, "path": path}


def name_of(record: Record) -> str:
    """The remote's short name, by the rule for those that people give; empty if it is none, or has the form of an id: that
    may be another dataset's one day."""
    return "" if check_name("name", record.name) or is_id(record.name) else record.name


def other_name(name: str) -> Told:
    """That a new dataset cannot have its remote's name."""
    return told("harvest_other_name", name=name)


def clean(work: Work, source: HarvestSource, record: Record) -> Clean:
    """`Invalid` if nothing can be made of it."""
    given = _given(source, record)
    meta, wrong = _kept(lambda fields: drafts.dataset_meta(work, fields, fields.keys()), given)
    found = Clean({name: value for name, value in meta.stored().items() if name in given})
    found.name = name_of(record)
    found.fields["licence"] = meta.licence  # an empty one too: nobody may fill it in
    found.told = [told("harvest_left_out", name) for name in record.left_out]
    found.told += [_left_out(error) for error in wrong]
    for place, remote in enumerate(record.resources):
        _add(found, f"resources.{place}", remote, lambda fields: drafts.resource_meta(work.session, fields))
    return found


def _given(source: HarvestSource, record: Record) -> dict[str, Any]:
    fields = {name: value for name, value in record.fields.items() if name not in _NOT_HERE}
    fields["licence"] = words.licence(str(fields.get("licence") or "")) or source.licence
    if is_web_address(record.page):
        fields.setdefault("landing_page", record.page)
    if origin := record.origin or record.page:
        extras = fields.get("extras")
        fields["extras"] = {**(extras if isinstance(extras, Mapping) else {}), ORIGIN: origin}
    return fields


def _add(
    found: Clean, path: str, remote: RemoteResource, check: Callable[[Mapping[str, Any]], ResourceMeta]
) -> None:
    url = str(remote.fields.get("url") or "").strip()
    if not remote.content and not is_web_address(url):
        found.told.append(told("not_web_address", path, value=url[:100]))
        return
    meta, wrong = _kept(check, {**remote.fields, "url": url})
    if not meta.url and not remote.content:  # too long, for one
        found.told.append(told("not_web_address", path, value=url[:100]))
        return
    found.resources.append(CleanResource(remote.identifier, remote.sha256, url, meta, remote.content))
    found.told += [_left_out(error, path) for error in wrong]


def _kept(check: Callable[[Mapping[str, Any]], M], fields: Mapping[str, Any]) -> tuple[M, list[FieldError]]:
    """What `check` makes of the fields that it takes, and what is wrong with the others."""
    wrong: list[FieldError] = []
    while True:
        try:
            return check(fields), wrong
        except Invalid as error:
            left = _without(fields, [place.path for place in error.fields])
            if left == fields:
                raise
            wrong += error.fields
            fields = left


def _without(fields: Mapping[str, Any], paths: list[str]) -> dict[str, Any]:
    """The fields without these places: an item of a list, a key of a mapping, or the whole field."""
    left = dict(fields)
    for path in sorted(paths, key=_place, reverse=True):  # later items first, or the places shift
        name, _, rest = path.partition(".")
        value = left.get(name)
        item = rest.partition(".")[0]
        if isinstance(value, list) and item.isdecimal() and int(item) < len(value):
            left[name] = [*value[: int(item)], *value[int(item) + 1 :]]
        elif isinstance(value, Mapping) and rest in value:
            left[name] = {key: held for key, held in value.items() if key != rest}
        else:
            left.pop(name, None)
    return left


def _place(path: str) -> tuple[str, int]:
    name, _, rest = path.partition(".")
    item = rest.partition(".")[0]
    return name, int(item) if item.isdecimal() else 0


def _left_out(error: FieldError, path: str = "") -> Told:
    return told(error.code, f"{path}.{error.path}" if path else error.path, **error.params)
