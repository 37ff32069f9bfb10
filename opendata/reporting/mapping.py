"""How one platform above takes our records: a map, which is data (`catalog_schemas/reporting/NAME.json`, or written into the
target). Another province needs a map and no code.

In its texts `{name}` stands for a fact of the record (`facts`); alone it keeps its type, and `{keywords|,}` joins a list.
`{"$each": "resources", "$as": {…}}` makes a list with one entry for each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from opendata.ports.fetcher.port import Method
from opendata.reporting.facts import FACTS, LISTS
from opendata.settings import Settings

_NAME = re.compile(r"\{([\w.]{1,100})(?:\|([^{}]{0,10}))?\}")
_OPTION = "option."
_ALWAYS = frozenset({"identifier", "receipt", "key"})
EACH, AS = "$each", "$as"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Call(_Strict):
    method: Method
    path: str = Field(min_length=1, max_length=2000, description="Below the target's address; begins with /")
    query: dict[str, str] = Field(default_factory=dict, max_length=50)
    headers: dict[str, str] = Field(default_factory=dict, max_length=20)
    body: dict[str, Any] | None = Field(None, description="Sent as JSON")

    @model_validator(mode="after")
    def _below(self) -> Call:
        if not self.path.startswith("/"):
            raise PydanticCustomError("report_map_path", "a path begins with /")
        return self


class Find(Call):
    """Asks whether the target has a record of our identifier."""

    receipt: str = Field(
        min_length=1, max_length=200, description="Where in the answer its own identifier lies"
    )


class Answers(_Strict):
    """How the target's answers are read. Without `code` the HTTP status alone counts."""

    code: str = Field(
        "", max_length=200, description="Where its own code lies, for platforms that answer 200 to everything"
    )
    accepted: list[str] = Field(default_factory=list, max_length=50, description="Of `code`: taken")
    later: list[str] = Field(
        default_factory=list, max_length=50, description="Of `code`: to be sent again later"
    )
    receipt: str = Field("", max_length=200, description="Where its identifier of the record lies")
    message: str = Field("", max_length=200, description="Where it says why")
    reasons: str = Field("", max_length=200, description="Where it names each wrong field, if it does")


class Map(_Strict):
    title: str = Field(min_length=1, max_length=300)
    options: dict[str, str] = Field(
        default_factory=dict, max_length=20, description="{name: what it is}: what each target has to say"
    )
    headers: dict[str, str] = Field(default_factory=dict, max_length=20, description="Of every call")
    create: Call
    update: Call | None = Field(None, description="Left out: `create` again")
    withdraw: Call | None = Field(None, description="Left out: the target knows no withdrawal")
    find: Find | None = None
    repeatable: bool = Field(
        False, description="`create` twice makes one record, since it is kept under our identifier"
    )
    answers: Answers = Field(default_factory=Answers)
    required: list[str] = Field(
        default_factory=list, max_length=100, description="Facts that may not be empty"
    )
    codes: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        max_length=100,
        description="{fact: {our code: theirs}}; `*` stands for all others",
    )
    empty: Literal["send", "leave_out"] = "leave_out"

    @model_validator(mode="after")
    def _sound(self) -> Map:
        if not self.repeatable and self.find is None:
            raise PydanticCustomError("report_map_twice", "say `repeatable`, or how to `find` a record")
        options = {_OPTION + name for name in self.options}
        for call, known in (
            (self.create, _ALWAYS | FACTS.keys()),
            (self.update, _ALWAYS | FACTS.keys()),
            (self.find, _ALWAYS),
            (self.withdraw, _ALWAYS | {"reason"}),
        ):
            if call is not None:
                _check(_names(call.body), known | options)
                _check({*_names(call.path), *_names(call.query)}, known | options)
                _check(_names({**self.headers, **call.headers}), known | options | {"secret"})
        _check(set(self.required) | {name.partition(".")[0] for name in self.codes}, FACTS.keys())
        return self

    def coded(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The facts in the target's codes. `NoWord` for what its map has no code for; `Lacking` for what it must have."""
        for name in self.required:
            if is_empty(facts[name]):
                raise Lacking(name)
        return {name: self._coded(name, value) for name, value in facts.items()}

    def _coded(self, name: str, value: Any) -> Any:
        if name in LISTS:
            return [{key: self._code(f"{name}.{key}", said) for key, said in one.items()} for one in value]
        return (
            [self._code(name, one) for one in value] if isinstance(value, list) else self._code(name, value)
        )

    def _code(self, name: str, value: Any) -> Any:
        table = self.codes.get(name)
        if table is None or is_empty(value):
            return value
        found = table.get(str(value), table.get("*"))
        if found is None:
            raise NoWord(name, str(value))
        return found

    def request(self, call: Call, base: str, facts: Mapping[str, Any], secret: str) -> Prepared:
        """A call as it is sent."""
        query = {name: fill(text, facts) for name, text in call.query.items()}
        url = base.rstrip("/") + fill(call.path, facts, escape=True)
        url += f"?{urlencode(query)}" if query else ""
        known = {**facts, "secret": secret}
        headers = {name: str(fill(text, known)) for name, text in {**self.headers, **call.headers}.items()}
        if call.body is None:
            return Prepared(call.method, url, headers, None if call.method == "GET" else b"")
        body = json.dumps(self.written(call.body, facts), ensure_ascii=False).encode()
        return Prepared(call.method, url, {"Content-Type": "application/json", **headers}, body)

    def written(self, template: Any, facts: Mapping[str, Any]) -> Any:
        """A template with the facts in it."""
        if isinstance(template, str):
            return fill(template, facts)
        if isinstance(template, list):
            return [self.written(one, facts) for one in template]
        if not isinstance(template, dict):
            return template
        if EACH in template:
            return [self.written(template[AS], {**facts, **one}) for one in facts[template[EACH]]]
        found = {name: self.written(one, facts) for name, one in template.items()}
        return found if self.empty == "send" else {n: one for n, one in found.items() if not is_empty(one)}


class Prepared(NamedTuple):
    method: Method
    url: str
    headers: dict[str, str]
    body: bytes | None


class NoWord(Exception):
    """The map has no code for a value: the record is not sent, since a guess would be wrong."""

    def __init__(self, fact: str, value: str) -> None:
        super().__init__(fact, value)
        self.fact, self.value = fact, value


class Lacking(Exception):
    """The target must have it, and the record does not."""

    def __init__(self, fact: str) -> None:
        super().__init__(fact)
        self.fact = fact


def fill(template: str, facts: Mapping[str, Any], *, escape: bool = False) -> Any:
    alone = _NAME.fullmatch(template)
    if alone and alone[2] is None and not escape:
        return facts[alone[1]]

    def text(found: re.Match[str]) -> str:
        value = facts[found[1]]
        said = (
            (found[2] or ",").join(map(str, value))
            if isinstance(value, list)
            else ""
            if value is None
            else str(value)
        )
        return quote(said, safe="") if escape else said

    return _NAME.sub(text, template)


def is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def named(name: str) -> Map | None:
    """The map of that name; None for one that there is not."""
    path = Settings.from_env().catalog_schemas / "reporting" / f"{name}.json"
    return Map.model_validate_json(path.read_bytes()) if name in names() else None


def names() -> list[str]:
    return sorted(path.stem for path in (Settings.from_env().catalog_schemas / "reporting").glob("*.json"))


def _names(template: Any, inside: str = "") -> set[str]:
    """Of the facts in a template; those of a list's entries with its name before them."""
    return set(_found(template, inside))


def _found(template: Any, inside: str) -> Iterator[str]:
    if isinstance(template, str):
        for found in _NAME.finditer(template):
            own = inside and found[1] in LISTS[inside]
            yield f"{inside}.{found[1]}" if own else found[1]
    elif isinstance(template, list):
        for one in template:
            yield from _found(one, inside)
    elif isinstance(template, dict) and EACH in template:
        name = str(template[EACH])
        yield name
        if name in LISTS:
            yield from _found(template.get(AS), name)
    elif isinstance(template, dict):
        for one in template.values():
            yield from _found(one, inside)


def _check(names: set[str], known: Any) -> None:
    for name in sorted(names):
        of_list, _, item = name.partition(".")
        if name not in known and not (of_list in LISTS and item in LISTS[of_list]):
            raise PydanticCustomError("report_map_fact", "there is no fact {name}", {"name": name})
