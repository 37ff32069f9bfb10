"""CKAN's wire: the envelope, its errors, and the arguments of an action in all the ways in which clients send them.

As CKAN 2.12 answers: 200 for every success, 409 for wrong input, 403 for a missing right (never 401), 404, and a bare JSON
string with 400 for a request that is no call of an action at all.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import parse_qsl

import orjson
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from opendata.catalog import queries
from opendata.catalog.files import Stores
from opendata.catalog.queries import GroupFace
from opendata.core import errors
from opendata.core.errors import DomainError, FieldError, Invalid, TooLarge
from opendata.edge import messages
from opendata.edge.bodies import check_json
from opendata.edge.uploads import ReceivedFile
from opendata.inventory.profile import queries as profile
from opendata.inventory.profile.fields import CityField
from opendata.ports.job_queue.port import JobQueue
from opendata.ports.search_index.port import SearchIndex
from opendata.ports.table_store.port import TableStore
from opendata.search.service import Indexer
from opendata.settings import Settings
from opendata.tables.rows.engine import RowEngine
from opendata.work.unit import Work

Arguments = dict[str, Any]

CALLBACK = re.compile(r"[A-Za-z_$][\w$.]{0,100}")
MAX_FIELDS = 2000
MISSING = "Missing value"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, PUT, GET, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "X-CKAN-API-KEY, Authorization, Content-Type",
}
"""Any page may call: cookies are never looked at, so a browser lends nobody a right."""


class BadRequest(Exception):
    """Not a call of an action: the text goes out as a bare JSON string."""


class ActionError(Exception):
    """An error in CKAN's own words: the status, and the body of `error`."""

    def __init__(self, status: int, kind: str, body: Mapping[str, Any]) -> None:
        super().__init__(kind)
        self.status = status
        self.body = {"__type": kind, **body}


def wrong(fields: Mapping[str, Any]) -> ActionError:
    """A Validation Error: {field: [texts]}."""
    return ActionError(409, "Validation Error", fields)


def not_found(text: str = "") -> ActionError:
    return ActionError(404, "Not Found Error", {"message": f"Not found: {text}" if text else "Not found"})


def denied(text: str = "") -> ActionError:
    message = f"Access denied: {text}" if text else "Access denied"
    return ActionError(403, "Authorization Error", {"message": message})


def bad_search(text: str) -> ActionError:
    return ActionError(400, "Search Query Error", {"message": f"Search Query is invalid: {text!r}"})


@dataclass(frozen=True)
class Ready:
    """A result that is JSON already. `public`: the same for everybody without a token; `everyones`: with one, too. `used`:
    id of the public dataset, or of its resource, of which this is a use."""

    body: bytes
    public: bool = False
    everyones: bool = False
    used: str = ""


class Parts(Protocol):
    """What actions use of the wired application, which lies above us."""

    @property
    def settings(self) -> Settings: ...
    @property
    def stores(self) -> Stores: ...
    @property
    def index(self) -> SearchIndex: ...
    @property
    def indexer(self) -> Indexer: ...
    @property
    def tables(self) -> TableStore: ...
    @property
    def rows(self) -> RowEngine: ...
    @property
    def queue(self) -> JobQueue: ...


class Shelf:
    """Rendered packages, the least used dropped first. Belongs to one application; safe for threads."""

    def __init__(self, most_bytes: int = 32 << 20) -> None:
        self._most = most_bytes
        self._held: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: tuple[str, int]) -> bytes | None:
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def put(self, key: tuple[str, int], body: bytes) -> None:
        with self._lock:
            self._size += len(body) - len(self._held.pop(key, b""))
            self._held[key] = body
            while self._size > self._most:
                self._size -= len(self._held.popitem(last=False)[1])


@dataclass
class Call:
    """One call of an action."""

    parts: Parts
    work: Work
    args: Arguments
    shelf: Shelf
    files: Mapping[str, ReceivedFile] = field(default_factory=dict)
    hold: bool = False
    """One of several calls that are one change: what it edits stays a draft until the last of them."""
    changed: dict[str, list[str]] = field(default_factory=dict)
    """What the envelope names as changed; CKAN does so for package_update alone."""

    @cached_property
    def groups(self) -> Mapping[str, GroupFace]:
        return queries.group_faces(self.work)

    @cached_property
    def city_fields(self) -> Sequence[CityField]:
        return profile.city_fields(self.work)

    @property
    def caller(self) -> str:
        """The caller's name as CKAN writes it into its refusals: none for the public."""
        actor = self.work.actor
        return "" if actor.is_public else actor.name

    @property
    def site_url(self) -> str:
        return self.parts.settings.site_url


# -- what goes out ---------------------------------------------------------------------------------------------------


def success(help_url: str, result: Any, changed: Mapping[str, list[str]] | None = None) -> bytes:
    body = result.body if isinstance(result, Ready) else orjson.dumps(result, default=str)
    more = b',"changed_entities":%b' % orjson.dumps(changed) if changed else b""
    return b'{"help":%b,"success":true,"result":%b%b}' % (orjson.dumps(help_url), body, more)


def failure(help_url: str, error: ActionError) -> bytes:
    return orjson.dumps({"help": help_url, "success": False, "error": error.body}, default=str)


def jsonp(callback: str, body: bytes) -> bytes:
    """The answer as a script, with the two characters that end a line in old scripts but not in JSON escaped."""
    safe = body.replace("\u2028".encode(), b"\\u2028").replace("\u2029".encode(), b"\\u2029")
    return b"/**/%b(%b);" % (callback.encode(), safe)


def action_error(error: Exception) -> ActionError:
    """An error of ours, or of a library, as CKAN's. An unknown one is a 500 that tells nothing."""
    if isinstance(error, ActionError):
        return error
    if isinstance(error, DomainError):
        return _from_domain(error)
    if isinstance(error, StaleDataError):
        return wrong({"message": ["Somebody else edited it at the same time"]})
    if isinstance(error, IntegrityError):
        return wrong({"message": ["It conflicts with what is there"]})
    return ActionError(500, "Internal Server Error", {"message": "Internal Server Error"})


_NAME_TAKEN = "That URL is already in use."
_RENAMED = {
    "description": "notes",
    "licence": "license_id",
    "landing_page": "url",
    "keywords": "tags",
    "openness": "access_rights",
    "contact_email": "maintainer_email",
}
"""Fields of ours by the names that CKAN's clients sent."""


def _from_domain(error: DomainError) -> ActionError:
    text = messages.error_text(error, "en")
    match error:
        case errors.NotFound() | errors.Gone():
            return not_found()
        case errors.Forbidden() | errors.Unauthenticated():
            return denied(text)
        case errors.Invalid() if error.fields:
            return wrong(_field_texts(error.fields))
        case errors.Conflict() if error.code == "name_taken":
            return wrong({"name": [_NAME_TAKEN]})
        case errors.Conflict() if error.code == "id_taken":
            return wrong({"id": ["Dataset id already exists"]})
        case errors.Invalid() | errors.Conflict() | errors.Stale():
            return wrong({"message": [text]})
        case errors.TooLarge():
            return wrong({"upload": ["File upload too large"]})
        case errors.Limited():
            return ActionError(429, "Too Many Requests", {"message": text})
        case errors.NoSpace():
            return ActionError(507, "Insufficient Storage", {"message": text})
        case errors.Unavailable():
            return ActionError(503, "Service Unavailable", {"message": text})
    return ActionError(500, "Internal Server Error", {"message": "Internal Server Error"})


def _field_texts(fields: tuple[FieldError, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for wrong_field in fields:
        name, _, rest = wrong_field.path.partition(".")
        text = messages.field_text(wrong_field, "en")
        found.setdefault(_RENAMED.get(name, name), []).append(f"{rest}: {text}" if rest else text)
    return found


# -- what comes in ---------------------------------------------------------------------------------------------------


def from_query(query: str) -> Arguments:
    """The arguments of a GET; a repeated one is a list."""
    return mixed(_pairs(query))


def from_body(body: bytes, content_type: str, query: str, *, side_effect_free: bool) -> Arguments:
    """The arguments of a POST. A form with one key that is JSON is what `curl -d '{…}'` sends."""
    if content_type.startswith("application/x-www-form-urlencoded"):
        return _from_form(body)
    if query and side_effect_free:
        return from_query(query)
    if not body.strip():
        return {}
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"JSON Error: Error decoding JSON data. Error: {error}") from None
    if not content_type.startswith("application/json"):
        check_json(body)  # the body layer has checked what is sent as JSON, this was sent as something else
    if not isinstance(data, dict):
        raise BadRequest("JSON Error: Request data JSON decoded to something else than a dictionary.")
    return data


def _from_form(body: bytes) -> Arguments:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise BadRequest("JSON Error: the form is not UTF-8") from None
    if text.lstrip().startswith("{"):
        # Not encoded by the client, so that `&`, `=` and `+` in the JSON are no separators.
        return from_body(body, "", "", side_effect_free=False)
    pairs = _pairs(text)
    if len(pairs) == 1 and pairs[0][1] in ("", "1"):
        return from_body(pairs[0][0].encode(), "", "", side_effect_free=False)
    return mixed(pairs)


def mixed(pairs: list[tuple[str, Any]]) -> Arguments:
    found: Arguments = {}
    for name, value in pairs:
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise BadRequest(f"JSON Error: more than {MAX_FIELDS} fields") from None


# -- single arguments ------------------------------------------------------------------------------------------------


def require(args: Mapping[str, Any], *names: str) -> str:
    """The first of these arguments that is given. Missing is a Validation Error under the last name."""
    for name in names:
        if args.get(name) not in (None, ""):
            return text_of(args, name)
    raise wrong({names[-1]: [MISSING]})


def text_of(args: Mapping[str, Any], name: str, default: str = "") -> str:
    """A text; numbers are taken as written, none as nothing."""
    value = args.get(name)
    if value is None:
        return default
    if isinstance(value, bool | int | float | str):
        return str(value)
    raise wrong({name: ["Must be a Unicode string value"]})


def flag(args: Mapping[str, Any], name: str, default: bool = False) -> bool:
    """CKAN's booleans: `true`, `yes`, `t`, `y`, `1`; anything else is false."""
    value = args.get(name)
    if value is None or value == "":
        return default
    return value if isinstance(value, bool) else str(value).strip().lower() in ("true", "yes", "t", "y", "1")


def whole(args: Mapping[str, Any], name: str, default: int, *, most: int | None = None) -> int:
    """A whole number from 0; more than `most` is cut to it, as CKAN does."""
    value = args.get(name)
    if value is None or value == "":
        return default
    try:
        number = int(str(value))
    except ValueError:
        raise wrong({name: ["Invalid integer"]}) from None
    if number < 0:
        raise wrong({name: ["Must be a natural number"]})
    return min(number, most if most is not None else 1 << 53)


def listed(args: Mapping[str, Any], name: str) -> list[Any]:
    """A list; a JSON list in text (as GETs have it), or one value."""
    value = args.get(name)
    if isinstance(value, str) and value.startswith("["):
        try:
            check_json(value.encode())
            value = orjson.loads(value)
        except (orjson.JSONDecodeError, UnicodeEncodeError, Invalid, TooLarge):
            raise wrong({name: ["Could not parse as valid JSON"]}) from None
    if value is None or value == "":
        return []
    return value if isinstance(value, list) else [value]


def dicts(args: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of objects."""
    value = args.get(name)
    found = listed(args, name)
    if (
        isinstance(value, str | dict)
        and not (isinstance(value, str) and value.startswith("["))
        and value != ""
    ):
        raise no_dicts(args, name, value)
    if not all(isinstance(item, dict) for item in found):
        raise no_dicts(args, name, found)
    return found


def no_dicts(args: Mapping[str, Any], name: str, value: Any) -> ActionError:
    """Something else where a list of objects belongs: CKAN calls that by another name, and with another status."""
    text = f"Only lists of dicts can be placed against subschema ('{name}',), not {type(value)}"
    return ActionError(400, "Integrity Error", {"message": text, "data": {"type": "dataset", **args}})
