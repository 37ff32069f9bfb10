"""What a remote catalogue hands over, in one shape whatever it speaks. Each module of `remotes` is a `Gather`.

A record's fields are those of `PUT /api/v1/datasets/by-source`: a remote's words are mapped to ours where its language is
known, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from opendata.ports.storage.drop import Drop


@dataclass(frozen=True)
class RemoteResource:
    """A file of a remote record, or a link."""

    fields: Mapping[str, Any]
    """As `POST /api/v1/datasets/{id}/resources` takes them in JSON, the link (`url`) among them."""
    identifier: str = ""
    """The remote's own, where it has one."""
    sha256: str = ""
    """Of the file, in hexadecimal, where the remote tells it."""
    content: str = ""
    """What the kind's `Open` takes to give the bytes, where they have no address of their own: a path, a table."""


@dataclass(frozen=True)
class Record:
    """One dataset as the remote describes it."""

    identifier: str
    """The remote's own, the same at every run: with the source it is the dataset's identity here."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    resources: tuple[RemoteResource, ...] = ()
    page: str = ""
    """Where a person reads it at the remote."""
    name: str = ""
    """Its short name there, as the remote writes it: for the dataset's first name here, and no part of what is compared."""
    modified: datetime | None = None
    origin: str = ""
    """The address or identifier under which it was first published, where the remote has it from elsewhere itself."""
    deleted: bool = False
    """The remote says by itself that it is gone; nothing else of the record counts then."""
    left_out: tuple[str, ...] = ()
    """Fields of the remote that could not be kept: an address that is none, a day that never was."""


@dataclass(frozen=True)
class Refused:
    """A record that cannot be read. The others go on."""

    code: str
    """Of a message."""
    identifier: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


class SourceBroken(Exception):
    """The answer is none of a catalogue: an error, empty, cut, foreign. The run fails and nothing counts as gone."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params


@dataclass(frozen=True)
class Page:
    url: str
    """After redirects."""
    media_type: str
    body: bytes
    headers: Mapping[str, str]
    """Names in lower case."""


class Asking(Protocol):
    """What a `Gather` may do: ask the remote, within the run's limits. Tells nobody's secrets to other hosts."""

    @property
    def url(self) -> str:
        """The source's address."""
        ...

    @property
    def options(self) -> Mapping[str, Any]:
        """What an administrator set for this source, checked by its kind."""
        ...

    @property
    def secret(self) -> str:
        """A token, password or database address; empty without one."""
        ...

    @property
    def drop(self) -> Drop | None:
        """The folder into which bodies put files; None where the site has none."""
        ...

    def get(
        self,
        url: str,
        *,
        accept: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Page:
        """One page; a `body` is sent by POST. `SourceBroken` if it cannot be had, is too large, or the run was cancelled or is over its time."""
        ...

    def parse(self, task: str, body: bytes, **args: Any) -> Any:
        """What a task of the sandbox (`module:function`) answers about bytes, which it finds at `path`. `SourceBroken` with
        the code of its `TaskError`, or `harvest_too_heavy`."""
        ...

    def progress(self, seen: int, total: int | None = None) -> None:
        """Told after each page; where a run is cancelled it ends here."""
        ...


Gather = Callable[[Asking], Iterator[Record | Refused]]
"""Yields every record of the remote, each once; gathers all pages. `SourceBroken` for a run that cannot be believed."""
Sink = Callable[[bytes], Any]
Open = Callable[[Asking, str, Sink], str]
"""Gives the bytes of a `RemoteResource.content`, piece by piece, and the file's name. `SourceBroken` if they cannot be had."""
