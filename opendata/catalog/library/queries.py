"""Reads of the ready schemas, of the project and of the city alike: by name, by version, those that are offered.

A version that the city has published counts before a file of the same number: datasets were validated against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

from opendata.catalog.codes import codes, version_number
from opendata.catalog.library.models import READABLE, SchemaState, SchemaVersion

Schema = Mapping[str, Any]
T = TypeVar("T")
MOST_KEPT = 1000
_kept: dict[str, Schema] = {}
"""Descriptors by the hash of their contents: what is published never changes, and every desk asks for it."""


@dataclass(frozen=True)
class Shelf:
    """Which schemas there are, without their contents."""

    versions: Mapping[str, Mapping[str, bool]]
    """{name: {version: whether it is offered}}, the newest version first; withdrawn ones are not offered."""

    def resolve(self, reference: str) -> str:
        """`name/version` of what `name` (the newest that is offered) or `name/version` means; empty if there is none."""
        name, slash, version = reference.partition("/")
        known = self.versions.get(name, {})
        if slash:
            return reference if version in known else ""
        return next((f"{name}/{number}" for number, offered in known.items() if offered), "")

    def is_withdrawn(self, reference: str) -> bool:
        name, _, version = reference.partition("/")
        known = self.versions.get(name, {})
        return not known.get(version, True) if version else bool(known) and not any(known.values())


def shelf(session: Session) -> Shelf:
    found: dict[str, dict[str, bool]] = {
        name: dict.fromkeys(known, True) for name, known in codes().schema_versions.items()
    }
    for row in _rows(session):
        found.setdefault(row.name, {})[row.version] = row.state == SchemaState.PUBLISHED.value
    return Shelf({name: _newest_first(known) for name, known in sorted(found.items())})


def find(session: Session, reference: str) -> Schema | None:
    """The schema that `name` (the newest that is offered) or `name/version` (a withdrawn one, too) means."""
    name, slash, version = reference.partition("/")
    known = versions(session, name)
    if slash:
        return known[version][0] if version in known else None
    return next((schema for schema, offered in known.values() if offered), None)


def versions(session: Session, name: str) -> Mapping[str, tuple[Schema, bool]]:
    """Of one name: {version: (schema, whether it is offered)}, the newest first."""
    found = {version: (schema, True) for version, schema in codes().schema_versions.get(name, {}).items()}
    for row in _rows(session, SchemaVersion.name == name):
        found[row.version] = (_contents(session, row.hash), row.state == SchemaState.PUBLISHED.value)
    return _newest_first(found)


def offered(session: Session) -> Mapping[str, Schema]:
    """The newest version of each that is offered, by name."""
    own = {f"{row.name}/{row.version}": row.hash for row in _rows(session)}
    there = shelf(session)
    wanted = {name: there.resolve(name) for name in there.versions}
    return {
        name: _contents(session, own[reference]) if reference in own else _of_ours(reference)
        for name, reference in wanted.items()
        if reference
    }


def withdrawal(session: Session, name: str, version: str) -> SchemaVersion | None:
    """The row of a withdrawn version: since when, and why."""
    query = select(SchemaVersion).where(SchemaVersion.name == name, SchemaVersion.version == version)
    found = session.execute(query).scalar_one_or_none()
    return found if found is not None and found.state == SchemaState.WITHDRAWN.value else None


def _rows(session: Session, *conditions: ColumnElement[bool]) -> Sequence[Row[str, str, str, str]]:
    """(name, version, hash, state) of what was published."""
    query = select(SchemaVersion.name, SchemaVersion.version, SchemaVersion.hash, SchemaVersion.state)
    return session.execute(query.where(SchemaVersion.state.in_(READABLE), *conditions)).all()


def _contents(session: Session, made: str) -> Schema:
    if made not in _kept:
        query = select(SchemaVersion.descriptor).where(SchemaVersion.hash == made).limit(1)
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[made] = session.execute(query).scalar_one()
    return _kept[made]


def _of_ours(reference: str) -> Schema:
    name, _, version = reference.partition("/")
    return codes().schema_versions[name][version]


def _newest_first(known: Mapping[str, T]) -> dict[str, T]:
    return dict(sorted(known.items(), key=lambda item: version_number(item[0]), reverse=True))
