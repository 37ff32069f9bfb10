"""Arguments of the datastore's actions, with CKAN's words for what is wrong with them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from opendata.compat.ckan.wire import MISSING, ActionError, Arguments, flag, text_of, wrong
from opendata.core.errors import Invalid, TooLarge
from opendata.edge.bodies import check_json
from opendata.edge.messages import LANGUAGES
from opendata.review import sentences
from opendata.review.detect.rules import Found
from opendata.tables.rows.engine import Refused

METHODS = ("upsert", "insert", "update")
_SORT = re.compile(
    r'(?P<name>"(?:[^"]|"")+"|.+?)(?:\s+(?P<way>asc|desc))?(?:\s+nulls\s+(?P<nulls>first|last))?\s*',
    re.I | re.S,
)
_TRUE, _FALSE = ("true", "yes", "t", "y", "1"), ("false", "no", "f", "n", "0")


def resource_id(args: Mapping[str, Any]) -> str:
    """`resource_id`, or its older name `id`."""
    for name in ("resource_id", "id"):
        if args.get(name) not in (None, ""):
            return text_of(args, name)
    raise wrong({"resource_id": [MISSING]})


def names(value: Any, name: str) -> list[str] | None:
    """A list of names, or a text with commas between them. None if it was not given."""
    if value is None:
        return None
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            value = _list_in_text(value)
        else:
            parts = [part.strip() for part in value.split(",")]
            return [_bare(part) for part in parts if part]
    if not isinstance(value, list):
        raise wrong({name: ["Not a list"]})
    for entry in value:
        if not isinstance(entry, str | list):
            raise wrong({name: [f"Neither a string nor a list: {entry}"]})
    return [_bare(entry) if isinstance(entry, str) else entry for entry in value]


def decoded(args: Mapping[str, Any], name: str) -> Any:
    """A JSON value, which GETs send as text."""
    value = args.get(name)
    if value is None or isinstance(value, dict | list):
        return value
    if isinstance(value, str):
        try:
            check_json(value.encode())
            found = orjson.loads(value)
        except (orjson.JSONDecodeError, UnicodeEncodeError, Invalid, TooLarge):
            raise wrong({name: ["Cannot parse JSON"]}) from None
        return found
    raise wrong({name: ["Cannot parse JSON"]})


def number(args: Mapping[str, Any], name: str, default: int) -> int:
    value = args.get(name)
    if value is None or value == "":
        return default
    try:
        return int(str(value))
    except ValueError:
        raise wrong({name: ["Invalid integer"]}) from None


def boolean(args: Mapping[str, Any], name: str, default: bool) -> bool:
    return flag(args, name, default)


def count_mode(args: Arguments) -> Any:
    """`calculate_record_count`: counts are always kept here, so it is only checked and said again."""
    value = args.get("calculate_record_count", "background")
    if value == "background" or isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in _TRUE + _FALSE:
        return word in _TRUE
    raise wrong({"calculate_record_count": ["Value must be a boolean or one of ['background']"]})


def sort_of(args: Mapping[str, Any], known: Sequence[str]) -> list[tuple[str, bool, bool]]:
    """`sort` as (name, descending, nulls first): PostgreSQL puts nulls at the high end."""
    value = args.get("sort")
    if value is None or value == "":
        return []
    if isinstance(value, str):
        clauses = [part for part in _split(value) if part.strip()]
    elif isinstance(value, list) and all(isinstance(part, str) for part in value):
        clauses = value
    else:
        raise wrong({"sort": ["Not a list"]})
    return [_sort_clause(clause.strip(), known) for clause in clauses]


def _sort_clause(clause: str, known: Sequence[str]) -> tuple[str, bool, bool]:
    if clause in known:
        return clause, False, False
    found = _SORT.fullmatch(clause)
    name = _bare(found["name"].replace('""', '"')) if found else ""
    if found is None or name not in known:
        raise wrong({"sort": [f'invalid value "{clause}"']})
    descending = (found["way"] or "").lower() == "desc"
    nulls = (found["nulls"] or "").lower()
    return name, descending, nulls == "first" or (descending and nulls != "last")


def _split(text: str) -> list[str]:
    """At commas outside double quotes."""
    return re.findall(r'(?:"(?:[^"]|"")*"|[^,])+', text)


def valid_name(name: Any) -> bool:
    """CKAN's rule for names of fields."""
    return (
        isinstance(name, str)
        and bool(name)
        and name == name.strip()
        and not name.startswith("_")
        and '"' not in name
        and not any(unicodedata.category(sign).startswith("C") for sign in name)
    )


def refused(error: Refused) -> ActionError:
    """What the worker refused, in CKAN's words."""
    params = error.params
    place = params.get("place", 0)
    if error.code in ("bad_cell", "duplicate"):
        text = params.get("text") or 'duplicate key value violates unique constraint "primary_key"'
        return wrong({"records": [text], "records_row": place})
    if error.code == "row_ordered":
        number = params.get("number")
        text = f"row order {number} keeps this row out: leave it out, or have the order lifted"
        where = {"records_row": place} if "place" in params else {}
        return wrong({"records": [text], **where, "row_order": number})
    if error.code == "screened":
        return _screened(params["findings"], params["resource"])
    texts: dict[str, dict[str, Any]] = {
        "not_an_object": {"records": [f'row "{place}" is not a json object']},
        "extra_keys": {"records": [f'row "{place + 1}" has extra keys "{_joined(params)}"']},
        "not_a_list": {"records": ["Records has to be a list of dicts"]},
        "no_key": {"table": ["unique key must be passed for update/upsert"]},
        "key_missing": {"key": [f'fields "{_joined(params)}" are missing but needed as key']},
        "unknown_fields": {"fields": [f'fields "{_joined(params)}" do not exist']},
        "key_not_found": {"key": [f'key "{_listed(params)}" not found']},
        "not_unique": {
            "constraints": ["Cannot insert records or create index because of uniqueness constraint"]
        },
        "too_many_columns": {"fields": [f"a table has at most {params.get('most')} columns"]},
        "bad_query": {"query": ["Invalid query"], "info": {"orig": [str(params.get("text", ""))]}},
        "too_heavy": {"query": ["Search took too long"]},
    }
    return wrong(texts.get(error.code, {"query": ["Invalid query"]}))


def _screened(findings: Sequence[Found], resource_id: str) -> ActionError:
    """Column, rule, how often, and what to do: in `records` for people, in `screening` for their programs."""
    texts = [
        {language: _told(finding, resource_id, language) for language in LANGUAGES} for finding in findings
    ]
    told = [
        {
            "column": finding.place,
            "rule": finding.rule,
            "count": finding.count,
            "suggestion": finding.suggestion,
            "sample": [shown["masked"] for shown in finding.sample],
            "detail": text,
        }
        for finding, text in zip(findings, texts, strict=True)
    ]
    return wrong({"records": [text["en"] for text in texts], "screening": told})


def _told(finding: Found, resource_id: str, language: str) -> str:
    said = sentences.sentence(finding, language)
    remedy = sentences.catalogue(language)["remedy.rows"].format(resource=resource_id)
    return f"{said} {remedy}" if language == "en" else said + remedy


def _joined(params: Mapping[str, Any]) -> str:
    return ", ".join(str(name)[:100] for name in params.get("names", ()))


def _listed(params: Mapping[str, Any]) -> str:
    return ", ".join(str(value)[:100] for value in params.get("values", ()))


def _list_in_text(value: str) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return [part.strip() for part in value.split(",")]


def _bare(text: str) -> str:
    """Without double quotes around it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
