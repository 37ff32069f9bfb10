"""What CKAN's clients write, as fields of our profile: package and resource dictionaries, tags, groups, extras."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from opendata.catalog.codes import vocabulary
from opendata.catalog.files import MEDIA_TYPES, format_of
from opendata.catalog.profile import RESOURCE_CODE, WRITTEN
from opendata.catalog.queries import GroupFace
from opendata.compat.ckan.terms.rules import names_of, read_tags
from opendata.compat.ckan.wire import MISSING, Call, dicts, not_found, text_of, wrong
from opendata.core.checks import is_email, is_language, is_region
from opendata.harvest.ckan_words import (
    BOX_EXTRA,
    DATASET_TEXTS,
    FIELD_EXTRAS,
    LIST_EXTRAS,
    RESOURCE_TEXTS,
    box,
)
from opendata.inventory.models import Disclosure, Domain, Openness, UpdateCycle
from opendata.inventory.profile import fields as city
from opendata.inventory.profile.fields import CityField, Value

_OURS = frozenset(
    {
        "id", "package_id", "position", "state", "created", "last_modified", "metadata_modified", "datastore_active", "url_type",
        "cache_last_updated", "cache_url", "mimetype_inner", "revision_id", "upload", "clear_upload", "schema",
        "tracking_summary", *RESOURCE_TEXTS,
    }
)  # fmt: skip
"""Keys of a resource that the server sets, or that have a place of their own. Any other key is the client's, and kept."""
_FILE_FACTS = frozenset({"size", "hash"})
_EMPTY_FACTS = _FILE_FACTS | {"resource_type"}
"""Keys that our own answers always have: an empty one is no news."""
_CODES = {"update_cycle": UpdateCycle, "openness": Openness, "domain": Domain}
_DATES = {"temporal_start", "temporal_end", "data_updated_on"}
_MEANINGS = {"region": is_region, "contact_email": is_email}
_LIST_MEANINGS: Mapping[str, Callable[[str], object]] = {
    "language": is_language,
    "related_codes": lambda code: re.fullmatch(RESOURCE_CODE, code),
    "disclosures": lambda code: code in list(Disclosure),
}
_EMAILS = ("author_email", "maintainer_email")
_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL = re.compile(rf"(?!\.)(?!.*\.$)(?!.*\.\.)[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*")
"""CKAN's own rule."""
_RESET: dict[str, Any] = {
    "update_cycle": "irregular",
    "openness": "unconditional",
    "domain": "other",
    "temporal_start": None,
    "temporal_end": None,
    "data_updated_on": None,
    "bbox": None,
    "related_codes": [],
    "themes": [],
    "language": ["zh"],
    "city_fields": {},
}
"""What a field of ours is when its extra is left out; a text is empty then."""


def dataset_fields(
    args: Mapping[str, Any], call: Call, own: Mapping[str, str], *, new: bool = False
) -> dict[str, Any]:
    """Fields of `DatasetMeta` for the keys that were given; unknown keys are dropped, as CKAN does. Extras are replaced
    as a whole, without those that only say what we derive ourselves (`own`); but for a `new` dataset fields of ours that
    they leave out stay open, to be filled in."""
    found: dict[str, Any] = {
        field: text_of(args, key) for key, field in DATASET_TEXTS.items() if args.get(key) is not None
    }
    if not found.get("kind", "x"):
        del found["kind"]
    _check_emails(found)
    if "tags" in args:
        found["keywords"], found["vocabulary_terms"] = read_tags(call.work, dicts(args, "tags"))
    if "tag_string" in args and not args.get("tags"):
        found["keywords"] = _of_string(args)
    if "groups" in args:
        found["groups"] = _groups(args, call.groups)
    if "extras" in args:
        extras = {key: value for key, value in _extras(args).items() if own.get(key) != value}
        fields = _from_extras(extras, call.city_fields)
        found |= {f: v for f, v in fields.items() if not new or v != _RESET.get(f, "")}
    return found


def extras_of(args: Mapping[str, Any], *, once: bool = True) -> dict[str, str]:
    """Extras of an organization or a group; not `once`: the last of a key counts."""
    return _extras(args, once=once)


def resource_fields(
    args: Mapping[str, Any], *, file_name: str = "", has_file: bool = False
) -> dict[str, Any]:
    """Fields of `ResourceMeta` for the keys that were given. `file_name`: of the upload that comes with it; `has_file`: it
    has bytes of its own, whose address, size and hash are not the client's to say."""
    found: dict[str, Any] = {
        field: text_of(args, key) for key, field in RESOURCE_TEXTS.items() if key in args
    }
    has_file = has_file or bool(file_name)
    hidden = _OURS | _FILE_FACTS if has_file else _OURS
    free = {
        key: value
        for key, value in args.items()
        if key not in hidden and not (value in (None, "") and key in _EMPTY_FACTS)
    }
    if args.get("url_type") == WRITTEN and not has_file:
        free["url_type"] = WRITTEN
    if free:
        found["extras"] = free
    if isinstance(args.get("schema"), dict):
        found["schema"] = args["schema"]
    if has_file:
        found["url"] = ""
    kind = found.get("format") or format_of(file_name or _path_of(found.get("url", "")))
    if found.get("format") or kind.lower() in MEDIA_TYPES:
        found["format"] = vocabulary().customary(kind.upper()) if kind.lower() in MEDIA_TYPES else kind
    return found


def _path_of(url: str) -> str:
    """The path of a link, if its end looks like a file's name."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    return path if "." in path.rsplit("/", 1)[-1] else ""


def _check_emails(found: Mapping[str, Any]) -> None:
    given = {name: found[name].strip() for name in _EMAILS if name in found}
    bad = {name: address for name, address in given.items() if address and not _EMAIL.fullmatch(address)}
    if bad:
        raise wrong({name: [f"Email {bad[name][:100]} is not a valid format"] for name in bad})


def _of_string(args: Mapping[str, Any]) -> list[str]:
    return names_of([name for part in text_of(args, "tag_string").split(",") if (name := part.strip())])


def _groups(args: Mapping[str, Any], every: Mapping[str, GroupFace]) -> list[str]:
    """Names of the groups, each given by name or id."""
    given = dicts(args, "groups")
    if not given:
        return []
    known = {key: group.name for group in every.values() for key in (group.id, group.name)}
    names = []
    for entry in given:
        key = entry.get("id") or entry.get("name")
        if key not in known:
            raise not_found("Group was not found.")
        names.append(known[key])
    return list(dict.fromkeys(names))


def _extras(args: Mapping[str, Any], *, once: bool = True) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in dicts(args, "extras"):
        if entry.get("state") == "deleted" or entry.get("deleted"):
            continue
        key, value = entry.get("key"), entry.get("value")
        if not isinstance(key, str) or not key.strip():
            raise wrong({"extras": [{"key": [MISSING]}]})
        if once and key in found:
            raise wrong({"extras_validation": [f'Duplicate key "{key}"']})
        if value is None:
            raise wrong({"extras": [{"value": [MISSING]}]})
        found[key] = text_of(entry, "value")
    return found


def _from_extras(extras: Mapping[str, str], own: Sequence[CityField]) -> dict[str, Any]:
    """Fields of ours and of the city (`own`) among the extras; one that does not fit its field stays a free extra, so nothing is lost."""
    free = dict(extras)
    fields: dict[str, Any] = {}
    for key, field in FIELD_EXTRAS.items():
        if key in free and _fits(field, free[key]):
            fields[field] = free.pop(key)
        else:
            fields[field] = _RESET.get(field, "")
    start, end = fields["temporal_start"], fields["temporal_end"]
    if start and end and end < start:  # ISO dates, so they compare as texts
        free["temporal_end"], fields["temporal_end"] = end, _RESET["temporal_end"]
    for key, field in LIST_EXTRAS.items():
        values = [value for part in free.get(key, "").split(",") if (value := part.strip())]
        fits = all(_LIST_MEANINGS[field](value) for value in values) if field in _LIST_MEANINGS else True
        fields[field] = values if values and fits else _RESET.get(field)
        if fits:
            free.pop(key, None)
    if fields["disclosures"] is None:  # a client that does not know of them takes none away
        del fields["disclosures"]
    fields["bbox"] = box(free.get(BOX_EXTRA, ""))
    if fields["bbox"]:
        del free[BOX_EXTRA]
    fields["city_fields"] = _city_fields(free, own)
    for name in fields["city_fields"]:
        del free[name]
    return {**fields, "extras": free}


def _city_fields(extras: Mapping[str, str], own: Sequence[CityField]) -> dict[str, Value]:
    read = {field.name: city.read(field, extras[field.name]) for field in own if field.name in extras}
    return {name: value for name, value in read.items() if not city.judge({name: value}, own)}


def _fits(field: str, text: str) -> bool:
    try:
        if field in _CODES:
            _CODES[field](text)
        elif field in _DATES:
            date.fromisoformat(text)
        elif field in _MEANINGS:
            return not text or _MEANINGS[field](text)
    except ValueError:
        return False
    return True
