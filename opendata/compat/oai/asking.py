"""What a harvester asks, by the rules of OAI-PMH 2.0 (3.6), and what it is told where it breaks them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import orjson

PREFIXES = ("oai_dc", "dcat")
AGENCY = "agency:"
"""Begins the name of a set: the datasets of a body."""
_ARGUMENTS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "Identify": (frozenset(), frozenset()),
    "ListMetadataFormats": (frozenset(), frozenset({"identifier"})),
    "ListSets": (frozenset(), frozenset({"resumptionToken"})),
    "GetRecord": (frozenset({"identifier", "metadataPrefix"}), frozenset()),
    "ListIdentifiers": (frozenset({"metadataPrefix"}), frozenset({"from", "until", "set"})),
    "ListRecords": (frozenset({"metadataPrefix"}), frozenset({"from", "until", "set"})),
}
"""Arguments that a verb needs, and others that it takes."""
_DAY, _SECOND = (
    re.compile(r"\d{4}-\d\d-\d\d", re.ASCII),
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII),
)
_LONGEST_TOKEN = 2000


class OaiError(Exception):
    """A condition of the protocol: its code, and what is wrong in words."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        self.code, self.text = code, text


@dataclass(frozen=True)
class Wanted:
    """A list, or where it goes on: behind the record of this datestamp and id."""

    prefix: str
    agency: str = ""
    since: datetime | None = None
    before: datetime | None = None
    """Not included."""
    at: datetime | None = None
    id: str = ""
    cursor: int = 0
    """How many records came before."""
    size: int | None = None
    """Of the complete list, counted at its beginning."""

    def token(self) -> str:
        times = [None if t is None else t.isoformat() for t in (self.since, self.before, self.at)]
        told = [self.prefix, self.agency, *times, self.id, self.cursor, self.size]
        return base64.urlsafe_b64encode(orjson.dumps(told)).decode().rstrip("=")


def arguments(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The verb and its arguments. `OaiError`: badVerb, badArgument."""
    given = dict(pairs)
    if [name for name, _ in pairs].count("verb") != 1 or given["verb"] not in _ARGUMENTS:
        raise OaiError("badVerb", "Give one verb: " + ", ".join(_ARGUMENTS) + ".")
    needed, others = _ARGUMENTS[given["verb"]]
    names = given.keys() - {"verb"}
    if len(given) < len(pairs):
        raise OaiError("badArgument", "An argument is given twice.")
    if "resumptionToken" in names and given["verb"] in ("ListIdentifiers", "ListRecords"):
        if len(names) > 1:
            raise OaiError("badArgument", "resumptionToken stands alone.")
        return given
    if unknown := sorted(names - needed - others):
        raise OaiError("badArgument", f"{given['verb']} takes no {unknown[0][:40]!r}.")
    if missing := sorted(needed - names):
        raise OaiError("badArgument", f"{given['verb']} needs {missing[0]}.")
    return given


def wanted(given: Mapping[str, str]) -> Wanted:
    """What ListIdentifiers or ListRecords is to list. `OaiError`: badArgument, badResumptionToken, cannotDisseminateFormat,
    noRecordsMatch for a set that there cannot be."""
    if "resumptionToken" in given:
        return _resumed(given["resumptionToken"])
    since, before = given.get("from"), given.get("until")
    if since and before and len(since) != len(before):
        raise OaiError("badArgument", "from and until are of the same granularity.")
    found = Wanted(
        check_prefix(given["metadataPrefix"]),
        since=_instant("from", since) if since is not None else None,
        before=_after("until", before) if before is not None else None,
    )
    if found.since and found.before and found.since >= found.before:
        raise OaiError("badArgument", "from is later than until.")
    if (name := given.get("set")) is not None:
        if not name.startswith(AGENCY) or len(name) == len(AGENCY):
            raise OaiError("noRecordsMatch", "There is no such set; ListSets names them.")
        found = replace(found, agency=name.removeprefix(AGENCY))
    return found


def check_prefix(prefix: str) -> str:
    if prefix not in PREFIXES:
        raise OaiError("cannotDisseminateFormat", "The formats are " + " and ".join(PREFIXES) + ".")
    return prefix


def _resumed(token: str) -> Wanted:
    try:
        if len(token) > _LONGEST_TOKEN:
            raise ValueError
        prefix, agency, *times, last, cursor, size = orjson.loads(
            base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
        )
        since, before, at = (None if t is None else datetime.fromisoformat(t).astimezone(UTC) for t in times)
        texts = all(isinstance(t, str) and "\0" not in t for t in (prefix, agency, last))
        counts = all(isinstance(n, int) and 0 <= n < 1 << 53 for n in (cursor, size))
        if not texts or not counts or prefix not in PREFIXES or at is None:
            raise ValueError
    except (ValueError, TypeError, OverflowError, binascii.Error):
        raise OaiError("badResumptionToken", "This is no token of ours; begin the list again.") from None
    return Wanted(prefix, agency, since, before, at, last, cursor, size)


def _instant(name: str, text: str) -> datetime:
    """The beginning of the day or second."""
    try:
        if _DAY.fullmatch(text) or _SECOND.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise OaiError("badArgument", f"{name} is a day (2026-11-26) or a second (2026-11-26T08:00:00Z), in UTC.")


def _after(name: str, text: str) -> datetime:
    """The end of the day or second, which is within."""
    length = timedelta(days=1) if _DAY.fullmatch(text) else timedelta(seconds=1)
    try:
        return _instant(name, text) + length
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
