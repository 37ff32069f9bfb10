"""package_revise: a package changed in part, if it is as the client believes."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import orjson

from opendata.compat.ckan import packages
from opendata.compat.ckan.datasets import editable, package_update, settle
from opendata.compat.ckan.resources import resource_update
from opendata.compat.ckan.revising import paths
from opendata.compat.ckan.revising.paths import NoSuchPlace
from opendata.compat.ckan.wire import MISSING, Call, Ready, flag, wrong
from opendata.core.errors import Invalid, TooLarge
from opendata.core.ids import new_id
from opendata.edge.bodies import check_json
from opendata.edge.uploads import ReceivedFile

_NOT_WRITTEN = ("metadata_modified", "release_state", "release_sentence")


def package_revise(call: Call) -> dict[str, Any]:
    """Changes parts of a dataset. `match` (what it must be like; `id` or `name` at least), `filter` (places to clear: `-tags`,
    `+resources__0`, `-resources__*`), `update` (what to write), `include` (places of the answer to leave out); each also as
    single places: `match__title`, `update__resources__0__name`, `update__resources__extend`; a file as
    `update__resources__0__upload`."""
    args = call.args
    match, flat_match = _object(args, "match"), _places(args, "match__")
    key = flat_match.get("id") or match.get("id") or flat_match.get("name") or match.get("name")
    if not key:
        raise wrong({"match__id": MISSING})
    dataset, agency = editable(call, str(key))
    package = _plain(packages.fresh(call, dataset))
    _check(package, match, flat_match)
    revised = deepcopy({name: value for name, value in package.items() if name not in _NOT_WRITTEN})
    paths.sift(revised, _patterns(args, "filter"))
    revised["id"] = dataset.id
    _write(revised, _object(args, "update"), _places(args, "update__"))
    uploads = _uploads(call, revised)
    found = package_update(replace(call, args=revised, changed={}, hold=call.hold or bool(uploads)))
    for entry, file in uploads:
        args = {**entry, "url_type": "upload"}
        resource_update(replace(call, args=args, files={"upload": file}, changed={}, hold=True))
    if uploads:
        found = settle(call, dataset, agency, wanted=not flag(revised, "private"))
    answer = {"package": _plain(found)}
    paths.sift(answer, _patterns(args, "include"))
    return answer


def _uploads(call: Call, revised: dict[str, Any]) -> list[tuple[dict[str, Any], ReceivedFile]]:
    """The resources that get a file (new ones have their ids from here on), each with it."""
    found = []
    for name, file in call.files.items():
        if not (name.startswith("update__resources__") and name.endswith("__upload")):
            raise wrong({name: ["A file belongs to update__resources__N__upload"]})
        try:
            entry, _place = paths.find(revised, name.removeprefix("update__").removesuffix("__upload"))
        except NoSuchPlace as error:
            raise wrong({name: [str(error)]}) from None
        if not isinstance(entry, dict):
            raise wrong({name: ["A file belongs to update__resources__N__upload"]})
        entry.setdefault("id", new_id())
        found.append((entry, file))
    return found


def _check(package: dict[str, Any], match: Mapping[str, Any], flat: Mapping[str, Any]) -> None:
    wrongs = list(paths.unmatched(package, match))
    for path, wanted in sorted(flat.items()):
        try:
            found, place = paths.find(package, path)
        except NoSuchPlace:
            wrongs.append((path,))
            continue
        wrongs += paths.unmatched(found, wanted, place)
    if wrongs:
        raise wrong({"match": [paths.written(place) for place in wrongs]})


def _write(package: dict[str, Any], update: Mapping[str, Any], flat: Mapping[str, Any]) -> None:
    try:
        paths.merge(package, update)
    except NoSuchPlace as error:
        raise wrong({"update": [str(error)]}) from None
    # What makes a list longer first: other places may be in what it adds.
    for path, value in sorted(flat.items(), key=lambda pair: (not pair[0].endswith("extend"), pair[0])):
        try:
            paths.put(package, path, value)
        except NoSuchPlace as error:
            raise wrong({path: [str(error)]}) from None


def _object(args: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = _read(args.get(name))
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise wrong({name: ["Must be a dict"]})
    return value


def _places(args: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): _read(args[name]) for name in args if name.startswith(prefix)}


def _patterns(args: Mapping[str, Any], name: str) -> list[str]:
    value = _read(args.get(name))
    if value is None or value == "":
        return []
    found = value.split(",") if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(part, str) for part in found):
        raise wrong({name: ["Not a list of strings"]})
    return [part.strip() for part in found]


def _read(value: Any) -> Any:
    """A value as it was sent; a text that is a JSON object, list or text (as forms have it) is read."""
    if not isinstance(value, str) or value[:1] not in ("{", "[", '"'):
        return value
    try:
        check_json(value.encode())
        return orjson.loads(value)
    except (orjson.JSONDecodeError, UnicodeEncodeError, Invalid, TooLarge):
        return value


def _plain(found: Ready | dict[str, Any]) -> Any:
    return (
        orjson.loads(found.body)
        if isinstance(found, Ready)
        else orjson.loads(orjson.dumps(found, default=str))
    )
