"""One call of the target's API, and what its answer means."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from opendata.harvest.asking import Hosts
from opendata.harvest.reading import portals
from opendata.harvest.reading.loose import text
from opendata.ports.fetcher.port import Answered, Fetcher, FetchFailed, FetchLimits
from opendata.reporting.mapping import Call, Map
from opendata.reporting.models import LONGEST_MESSAGE, LONGEST_RECEIPT

LIMITS = FetchLimits(size=1 << 20, seconds=30.0, redirects=0)
_PASSING = frozenset({"fetch_refused", "fetch_broken", "fetch_too_slow", "address_unknown"})
_PASSING_STATUS = frozenset({408, 425, 429})
GONE = frozenset({404, 410})


class PushBroken(Exception):
    """It is not this record that is wrong: nothing more is sent in this push."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    LATER = "later"
    """The target is busy or out of reach: the same again after a while."""
    GONE = "gone"
    """It has no such record (any more)."""


@dataclass(frozen=True)
class Receipt:
    verdict: Verdict
    status: int | None = None
    """None where nobody answered."""
    identifier: str = ""
    message: str = ""
    retry_after: int | None = None
    failure: str = ""
    """The fetcher's code, where nobody answered."""


@dataclass
class Wire:
    """To one target, in one push."""

    fetcher: Fetcher
    hosts: Hosts
    url: str
    secret: str
    map: Map
    pause: float
    requests: int = 0

    def send(self, call: Call, facts: Mapping[str, Any]) -> Receipt:
        """`PushBroken` where the target lets nobody in, or is none."""
        answer = self._ask(call, facts)
        return self._judge(answer) if isinstance(answer, Answered) else answer

    def find(self, facts: Mapping[str, Any]) -> Receipt:
        """Whether it has a record of our identifier: accepted with its own identifier, or gone."""
        if self.map.find is None:
            return Receipt(Verdict.GONE)
        answer = self._ask(self.map.find, facts)
        if not isinstance(answer, Answered):
            return answer
        found = self._judge(answer)
        named = portals.first(_read(answer.body), self.map.find.receipt)[:LONGEST_RECEIPT]
        if found.verdict is not Verdict.ACCEPTED:
            return found
        return (
            Receipt(Verdict.ACCEPTED, found.status, named, found.message) if named else Receipt(Verdict.GONE)
        )

    def _ask(self, call: Call, facts: Mapping[str, Any]) -> Answered | Receipt:
        prepared = self.map.request(call, self.url, facts, self.secret)
        time.sleep(max(0.0, self.hosts.turn(prepared.url, self.pause)))
        self.requests += 1
        try:
            return self.fetcher.exchange(
                prepared.method,
                prepared.url,
                prepared.body,
                LIMITS,
                {"Accept": "application/json", **prepared.headers},
            )
        except FetchFailed as failure:
            if failure.code not in _PASSING:
                raise PushBroken(failure.code, **failure.params) from None
            return Receipt(Verdict.LATER, failure=failure.code)

    def _judge(self, answer: Answered) -> Receipt:
        told, answers = _read(answer.body), self.map.answers
        identifier = portals.first(told, answers.receipt)[:LONGEST_RECEIPT]
        said_of_it = [
            text(one) for path in (answers.message, answers.reasons) if path for one in portals.at(told, path)
        ]
        message = " ".join(filter(None, said_of_it))
        verdict = _verdict(answer.status)
        if verdict is Verdict.ACCEPTED and answers.code:
            said = portals.first(told, answers.code)
            if said in answers.later:
                verdict = Verdict.LATER
            elif said not in answers.accepted:
                verdict = Verdict.REFUSED
        if verdict is not Verdict.ACCEPTED:
            message = message or _plain(answer)
        return Receipt(verdict, answer.status, identifier, message[:LONGEST_MESSAGE], answer.retry_after)


def _verdict(status: int) -> Verdict:
    if 200 <= status < 300:
        return Verdict.ACCEPTED
    if status >= 500 or status in _PASSING_STATUS:
        return Verdict.LATER
    if status in GONE:
        return Verdict.GONE
    if status in (401, 403):
        raise PushBroken("report_not_let_in", status=status)
    if status < 400 or status == 405:
        raise PushBroken("report_wrong_address", status=status)
    return Verdict.REFUSED


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _plain(answer: Answered) -> str:
    """What it said, where the map does not know how it says so; a page for people says nothing here."""
    said = answer.body.decode("utf-8", "replace").strip()
    return "" if said.startswith("<") else said[:500]
