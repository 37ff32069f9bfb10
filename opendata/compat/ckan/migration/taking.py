"""What all kinds of objects share when they are taken: the comparison with what was taken before, and the actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from opendata.catalog.files import Stores
from opendata.compat.ckan.api import ACTIONS
from opendata.compat.ckan.migration.models import Imported
from opendata.compat.ckan.migration.report import Fate, Report
from opendata.compat.ckan.migration.source import CkanSource
from opendata.compat.ckan.wire import ActionError, Arguments, Call, Parts, Shelf, action_error
from opendata.core.canonical import sha256_json
from opendata.core.errors import DomainError
from opendata.edge.uploads import ReceivedFile
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace


class Here(Parts, Protocol):
    """The wired application, which lies above us."""

    @property
    def place(self) -> Workplace: ...
    @property
    def stores(self) -> Stores: ...


Write = Callable[[Work], tuple[Fate, str]]
"""Takes one object, in a unit of work: what became of it, and what else is to be known."""


@dataclass
class Run:
    """One run of an import."""

    here: Here
    source: CkanSource
    dry: bool = False
    with_files: bool = False
    contact_email: str = ""
    """Of bodies whose source names none: nothing is published without one."""
    organizations: Sequence[str] = ()
    """Names of those whose datasets are taken; none: all."""
    report: Report = field(default_factory=Report)
    _tried: dict[str, Write] = field(default_factory=dict)
    """In a dry run: how what was found is made, by id, for what needs it."""
    _shelf: Shelf = field(default_factory=Shelf)

    def take(
        self, kind: str, thing: Mapping[str, Any], facts: Any, write: Write, needs: Iterable[str] = ()
    ) -> Fate:
        """Takes an object if `facts` differ from those of last time. What is refused leaves nothing. `needs`: ids of objects
        that must be there, which a dry run has not left behind."""
        thing_id, name = str(thing.get("id", "")), str(thing.get("name", ""))
        mark = sha256_json(facts)
        try:
            fate, reason = self._take(kind, thing_id, mark, write, needs)
        except (DomainError, ActionError) as error:
            fate, reason = Fate.REFUSED, told(error)
        self.report.add(kind, thing_id, name, fate, reason)
        return fate

    def _take(
        self, kind: str, thing_id: str, mark: str, write: Write, needs: Iterable[str]
    ) -> tuple[Fate, str]:
        with self.here.place.reading(SYSTEM) as work:
            held = work.session.get(Imported, (self.source.url, kind, thing_id))
            if held is not None and held.hash == mark:
                return Fate.EQUAL, ""
        with self.here.place.writing(SYSTEM) as work:
            for needed in needs:
                if needed in self._tried:
                    self._tried[needed](work)
            fate, reason = write(work)
            work.session.flush()
            if self.dry:
                work.take_back()
                self._tried[thing_id] = write
            elif fate is not Fate.REFUSED:
                self.remember(work, kind, thing_id, mark)
        return fate, reason

    def remember(self, work: Work, kind: str, thing_id: str, mark: str) -> None:
        row = Imported(source=self.source.url, kind=kind, id=thing_id, hash=mark, taken_at=work.now)
        work.session.merge(row)

    def held(self, work: Work, kind: str, thing_id: str) -> str | None:
        row = work.session.get(Imported, (self.source.url, kind, thing_id))
        return row.hash if row else None

    def act(
        self,
        work: Work,
        action: str,
        args: Arguments,
        file: ReceivedFile | None = None,
        *,
        hold: bool = False,
    ) -> Any:
        """One of CKAN's actions, in this unit of work. `hold`: nothing is submitted by it."""
        files = {"upload": file} if file else {}
        return ACTIONS[action].function(self.call(work, args, files, hold=hold))

    def call(
        self, work: Work, args: Arguments, files: Mapping[str, ReceivedFile] | None = None, *, hold: bool
    ) -> Call:
        return Call(self.here, work, args, self._shelf, files or {}, hold=hold)


def chosen(thing: Mapping[str, Any], keys: Iterable[str]) -> Arguments:
    """These keys of an object, if it has them."""
    return {key: thing[key] for key in keys if thing.get(key) is not None}


def told(error: DomainError | ActionError) -> str:
    """Why something was refused, in one line."""
    body = action_error(error).body
    texts = {key: value for key, value in body.items() if key != "__type"}
    if set(texts) == {"message"}:
        message = texts["message"]
        return str(message[0] if isinstance(message, list) else message)
    return orjson.dumps(texts, default=str).decode()
