"""What is public, for `ckanapi load organizations|groups|datasets -I FILE`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from opendata.compat.ckan.api import ACTIONS
from opendata.compat.ckan.migration.taking import Here
from opendata.compat.ckan.wire import Arguments, Call, Ready, Shelf
from opendata.core.errors import DomainError

KINDS = {
    "organizations": ("organization_list", "organization_show"),
    "groups": ("group_list", "group_show"),
    "datasets": ("package_list", "package_show"),
}
"""In the order in which they must be loaded: an object names those before it."""
PAGE = 1000


def write(here: Here, folder: Path) -> Iterator[tuple[Path, int]]:
    """One JSON object a line, a file for each kind; yields each file with its count."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, (listing, showing) in KINDS.items():
        path, count = folder / f"{kind}.jsonl", 0
        with path.open("wb") as file:
            for body in _bodies(here, listing, showing):
                file.write(body + b"\n")
                count += 1
        yield path, count


def _bodies(here: Here, listing: str, showing: str) -> Iterator[bytes]:
    offset = 0
    while names := _ask(here, listing, {"limit": PAGE, "offset": offset}):
        yield from (body for name in names for body in _shown(here, showing, name))
        offset += len(names)


def _shown(here: Here, showing: str, name: str) -> Iterable[bytes]:
    try:
        found = _ask(here, showing, {"id": name, "include_users": False})
    except DomainError:  # withdrawn since it was listed
        return []
    return [found if isinstance(found, bytes) else orjson.dumps(found, default=str)]


def _ask(here: Here, action: str, args: Arguments) -> Any:
    """The answer to the public."""
    with here.place.reading() as work:
        answer = ACTIONS[action].function(Call(here, work, args, Shelf()))
    return answer.body if isinstance(answer, Ready) else answer
