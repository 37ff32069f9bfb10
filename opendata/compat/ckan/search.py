"""package_search and the lists that come from the index. Hits carry the package as JSON bytes: they are joined, not read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson
from sqlalchemy import select

from opendata.access import policy
from opendata.agencies.models import Agency
from opendata.catalog import views, vocabularies
from opendata.catalog.codes import codes
from opendata.catalog.models import Dataset, DatasetState, Group, Release
from opendata.compat.ckan import packages
from opendata.compat.ckan.wire import (
    ActionError,
    Arguments,
    Call,
    Ready,
    bad_search,
    flag,
    listed,
    text_of,
    whole,
    wrong,
)
from opendata.core.errors import BadQuery, Unavailable
from opendata.edge import messages
from opendata.ports.search_index import port
from opendata.ports.search_index.port import Answer, Document, Everything, Exact, Request, Sort
from opendata.ports.search_index.values import regex
from opendata.search import service as search
from opendata.search.documents import document
from opendata.search.lucene import MAX_LENGTH, parse_fq, parse_q, parse_sort
from opendata.search.lucene_fields import FIELDS, TERMS
from opendata.search.query import all_of
from opendata.work.unit import Work

MOST = 1000
"""Rows of one answer (CKAN's ckan.search.rows_max)."""
MOST_VALUES = 60_000
MOST_FILTERS = 100
MOST_OFFSET = 1_000_000
MOST_DRAFTS = 1000
"""Unpublished datasets of one's own that are looked through."""
SOON = 100
"""Owed updates of the index that a search waits for: some tenths of a second."""
DEFAULT_SORT = "score desc, metadata_modified desc"
_NEWEST = (Sort("modified"),)
_KNOWN = frozenset(
    {
        "q", "fq", "fq_list", "rows", "start", "sort", "facet", "facet.field", "facet.limit", "facet.mincount", "fl",
        "include_private", "include_drafts", "include_deleted", "use_default_schema", "include_tracking", "extras", "callback",
        "qf", "mm", "bf", "boost", "tie", "defType", "df", "wt",
    }
)  # fmt: skip
"""What CKAN takes; those about Solr's own scoring change nothing here."""


def package_search(call: Call) -> Ready:
    """Datasets by `q` and `fq` (Solr's syntax); `rows` (10, at most 1000), `start`, `sort`, `facet.field`, `facet.limit`,
    `include_private` and `include_drafts` (the caller's own unpublished ones come first)."""
    args = call.args
    request = _request(args)
    _catch_up(call)
    own = _own_drafts(call, request) if _asks_for_own(call) and not call.work.actor.is_public else []
    start, rows = request.offset, request.limit
    first = own[start : start + rows]
    rest = rows - len(first)
    answer = _find(call, request, max(0, start - len(own)), rest)
    payloads = [orjson.dumps(package) for package in packages.rendered_all(call, first, private=True)]
    payloads += [hit.payload for hit in answer.hits[:rest]]
    if args.get("fl") not in (None, "", "*"):
        payloads = [_only(payload, args) for payload in payloads]
    body = _body(call, answer, len(own), payloads, args)
    return Ready(body, everyones=not _asks_for_own(call) and not _depends_on_time(args))


def current_package_list_with_resources(call: Call) -> Ready:
    """Public datasets, newest first. `limit` (1000 at most), `offset`."""
    offset = whole(call.args, "offset", 0, most=MOST_OFFSET)
    request = Request(sort=_NEWEST, offset=offset, limit=whole(call.args, "limit", MOST, most=MOST))
    hits = search.find(call.work, call.parts.index, request).hits
    return Ready(b"[%b]" % b",".join(hit.payload for hit in hits), everyones=True)


def tag_names(call: Call) -> list[str]:
    """Names of the tags of public datasets."""
    return _values(call, "tags")


def packages_of(call: Call, wanted: port.Query, limit: int) -> list[Any]:
    """Public packages that match, newest first."""
    request = Request(filter=wanted, sort=_NEWEST, limit=limit)
    return [orjson.loads(hit.payload) for hit in search.find(call.work, call.parts.index, request).hits]


def packages_in_groups(call: Call, groups: Sequence[Group]) -> list[str]:
    """Ids of the public datasets of groups, newest first."""
    return ids_of(call, Exact("groups", tuple(group.name for group in groups)))


def ids_of(call: Call, wanted: port.Query) -> list[str]:
    """Ids of the public datasets that match, newest first."""
    request = Request(filter=wanted, sort=_NEWEST, limit=MOST_VALUES)
    return [hit.id for hit in search.find(call.work, call.parts.index, request).hits]


def touch_all(work: Work, dataset_ids: Iterable[str]) -> None:
    """What packages carry of other things has changed: the index owes these datasets an update."""
    for dataset_id in dataset_ids:
        work.touch(work.session.get_one(Dataset, dataset_id))


def _catch_up(call: Call) -> None:
    """Who writes finds at once what they wrote, as in CKAN; the public finds it a moment later. Behind a long line nobody is
    made to wait."""
    if not call.work.actor.is_public and 0 < search.owed(call.work) <= SOON:
        with suppress(Unavailable):
            call.parts.indexer.drain()


# -- the request -----------------------------------------------------------------------------------------------------


def _request(args: Arguments) -> Request:
    unknown = sorted(name for name in args if name not in _KNOWN and not name.startswith("ext_"))
    if unknown:
        raise bad_search(f"Invalid search parameters: {unknown}")
    texts = [str(text) for text in (*_filters(args, "fq"), *_filters(args, "fq_list"))]
    if len(texts) > MOST_FILTERS or sum(map(len, texts)) > MAX_LENGTH:
        raise bad_search(f"more than {MOST_FILTERS} filters or {MAX_LENGTH} characters")
    if text_of(args, "q").lstrip().startswith("{!"):  # Solr's own language, which CKAN refuses too
        told = "Search error: \"Local parameters are not supported in param 'q'.\""
        raise ActionError(409, "Search Error", {"message": told})
    try:
        query = parse_q(text_of(args, "q"))
        filters = [parse_fq(text) for text in texts]
    except BadQuery as error:
        text = f"Search error: {messages.error_text(error, 'en')!r}"
        raise ActionError(409, "Search Error", {"message": text}) from None
    try:
        sort = parse_sort(text_of(args, "sort") or DEFAULT_SORT)
    except BadQuery:
        raise bad_search('Invalid "sort" parameter') from None
    return Request(
        query=query,
        filter=all_of(filters),
        sort=_without_score(sort) if isinstance(query, Everything) else sort,
        offset=whole(args, "start", 0, most=MOST_OFFSET),
        limit=_rows(args),
        facets=_facets(args),
    )


def _rows(args: Arguments) -> int:
    if not re.fullmatch(r"\s*[+-]?[0-9]*\s*", text_of(args, "rows")):
        raise wrong({"rows": ["Invalid integer", "Please enter an integer value"]})
    return whole(args, "rows", 10, most=MOST)


def _without_score(sort: tuple[Sort, ...]) -> tuple[Sort, ...]:
    """Where nothing scores, relevance orders nothing."""
    return tuple(key for key in sort if key.field != "score") or _NEWEST


def _filters(args: Arguments, name: str) -> list[Any]:
    value = args.get(name)
    if isinstance(value, str) and name == "fq":
        return [value]
    return listed(args, name)


def _facets(args: Arguments) -> dict[str, int]:
    """Our fields and how many values, for the fields that were asked for and that we count."""
    if not flag(args, "facet", True):
        return {}
    size = _facet_limit(args)
    known = [_facet_field(name) for name in _facet_names(args)]
    return {field: MOST_VALUES if field == "terms" else size for field in known if field}


def _facet_limit(args: Arguments) -> int:
    value = args.get("facet.limit")
    if value is None or value == "":
        return 50
    try:
        number = int(str(value))
    except ValueError:
        raise wrong({"facet.limit": ["Invalid integer"]}) from None
    return MOST_VALUES if number < 0 else min(number, MOST_VALUES)


def _facet_names(args: Arguments) -> list[str]:
    return [str(name) for name in listed(args, "facet.field")][:50]


def _facet_field(name: str) -> str:
    if name.startswith(TERMS):
        return "terms"
    known = FIELDS.get(name)
    return known.field if known and known.kind in ("keyword", "code") else ""


# -- the answer ------------------------------------------------------------------------------------------------------


def _find(call: Call, request: Request, offset: int, limit: int) -> Answer:
    wanted = Request(request.query, request.filter, request.sort, offset, limit, request.facets)
    return search.find(call.work, call.parts.index, wanted)


def _body(call: Call, answer: Answer, own: int, payloads: Sequence[bytes], args: Arguments) -> bytes:
    least = whole(args, "facet.mincount", 1)
    counted = {
        name: [(value, count) for value, count in _counts(answer, name, args) if count >= least]
        for name in (_facet_names(args) if flag(args, "facet", True) else ())
    }
    facets = {name: dict(values) for name, values in counted.items()}
    titles = {name: _titles(call, name, [v for v, _ in values]) for name, values in counted.items()}
    shown = {
        name: {
            "title": name,
            "items": [
                {"name": value, "display_name": titles[name].get(value, value), "count": count}
                for value, count in values
            ],
        }
        for name, values in counted.items()
    }
    return b'{"count":%d,"facets":%b,"results":[%b],"sort":%b,"search_facets":%b}' % (
        answer.total + own,
        orjson.dumps(facets),
        b",".join(payloads),
        orjson.dumps(text_of(args, "sort") or DEFAULT_SORT),
        orjson.dumps(shown),
    )


def _counts(answer: Answer, name: str, args: Arguments) -> Sequence[tuple[str, int]]:
    """The values of a facet, of a vocabulary those of its own terms."""
    found = answer.facets.get(_facet_field(name), ())
    if not name.startswith(TERMS):
        return found
    own = name.removeprefix(TERMS) + "="
    terms = [(value.removeprefix(own), count) for value, count in found if value.startswith(own)]
    return terms[: _facet_limit(args)]


def _titles(call: Call, facet: str, values: Sequence[str]) -> Mapping[str, str]:
    """How people read the values: titles of organizations, groups, licences."""
    if not values:
        return {}
    if facet == "license_id":
        return {v: codes().licences[v].title_en for v in values if v in codes().licences}
    if facet == "organization":
        rows = call.work.session.execute(select(Agency.name, Agency.title).where(Agency.name.in_(values)))
    elif facet == "groups":
        rows = call.work.session.execute(select(Group.name, Group.title).where(Group.name.in_(values)))
    else:
        return {}
    return {row[0]: row[1] or row[0] for row in rows}


def _only(payload: bytes, args: Arguments) -> bytes:
    wanted = {str(name).strip() for part in listed(args, "fl") for name in str(part).split(",")}
    return orjson.dumps({key: value for key, value in orjson.loads(payload).items() if key in wanted})


def _values(call: Call, field: str) -> list[str]:
    answer = search.find(
        call.work, call.parts.index, Request(sort=_NEWEST, limit=0, facets={field: MOST_VALUES})
    )
    return [value for value, _count in answer.facets[field]]


# -- one's own, which no index holds ---------------------------------------------------------------------------------


def _asks_for_own(call: Call) -> bool:
    return flag(call.args, "include_private") or flag(call.args, "include_drafts")


def _depends_on_time(args: Arguments) -> bool:
    """An answer to `NOW-7DAYS` is another one tomorrow, even if nothing changes."""
    return any("NOW" in str(args.get(name, "")) for name in ("q", "fq", "fq_list"))


def _own_drafts(call: Call, request: Request) -> list[views.DatasetView]:
    """Datasets that are not public, of the bodies for which the caller works, newest first."""
    query = (
        select(Dataset, Release)
        .join(Release, Release.id == Dataset.draft_id)
        .where(
            policy.seen_drafts_filter(call.work),
            Dataset.published_id.is_(None),
            Dataset.state == DatasetState.ACTIVE.value,
        )
        .order_by(Release.updated_at.desc(), Dataset.id)
        .limit(MOST_DRAFTS)
    )
    pairs = [(dataset, release) for dataset, release in call.work.session.execute(query)]
    wanted = all_of([request.query, request.filter])
    found = views.many(call.work.session, pairs) if pairs else []
    known = vocabularies.known(call.work, [view.meta.vocabulary_terms for view in found])
    return [view for view in found if matches(wanted, document(view, {}, lambda *_: b"", known))]


def matches(tree: port.Query, doc: Document) -> bool:
    """Whether a document meets a query: what an engine does, for the few that no index may hold."""
    match tree:
        case port.Words(field, tokens):
            return all(any(token in text for text in _texts(doc, field)) for token in tokens)
        case port.Phrase(field, tokens):
            return any(_in_a_row(tokens, text) for text in _texts(doc, field))
        case port.Prefix(field, prefix):
            values = [v for text in _texts(doc, field) for v in text] or [
                *doc.keywords.get(field, ()),
                doc.sorts.get(field, ""),
            ]
            return any(value.startswith(prefix) for value in values)
        case port.Pattern(field, pattern):
            looks = re.compile(regex(pattern))
            values = [v for text in _texts(doc, field) for v in text] or [
                *doc.keywords.get(field, ()),
                doc.sorts.get(field, ""),
            ]
            return any(looks.fullmatch(value) for value in values)
        case port.AtLeast(count, of):
            return sum(matches(part, doc) for part in of) >= count
        case port.Exact(field, values):
            return not set(values).isdisjoint(doc.keywords.get(field, ()))
        case port.Exists(field):
            return bool(doc.keywords.get(field))
        case port.Between():
            return _lies_in(tree, doc)
        case port.All(of):
            return all(matches(part, doc) for part in of)
        case port.AnyOf(of):
            return any(matches(part, doc) for part in of)
        case port.Not(of):
            return not matches(of, doc)
    return True


def _texts(doc: Document, field: str) -> Sequence[Sequence[str]]:
    return list(doc.texts.values()) if field == "text" else [doc.texts.get(field, ())]


def _in_a_row(tokens: Sequence[str], text: Sequence[str]) -> bool:
    length = len(tokens)
    return any(tuple(text[at : at + length]) == tuple(tokens) for at in range(len(text) - length + 1))


def _lies_in(span: port.Between, doc: Document) -> bool:
    value: Any = {**doc.dates, **doc.numbers, **doc.sorts}.get(span.field)
    if value is None:
        return False
    above = span.low is None or value > span.low or (span.include_low and value == span.low)
    below = span.high is None or value < span.high or (span.include_high and value == span.high)
    return bool(above and below)
