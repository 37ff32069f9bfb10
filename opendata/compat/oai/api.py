"""OAI-PMH over HTTP: one address, six verbs, by GET or POST. Errors are the protocol's own, in an answer that is 200."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from opendata.agencies import queries as agencies
from opendata.compat.oai import asking, listing, wording
from opendata.compat.oai.asking import OaiError, Wanted
from opendata.compat.oai.listing import Listed
from opendata.edge.http import AppSettings
from opendata.feeds import answering, reading
from opendata.feeds.answering import reading_work
from opendata.feeds.terms import Site
from opendata.settings import Settings
from opendata.work.unit import Work

router = APIRouter(tags=["feeds"])
PAGE = 100
MOST_ARGUMENTS = 20
Pairs = Sequence[tuple[str, str]]
Given = Mapping[str, str]


@router.head("/oai", include_in_schema=False)
@router.get("/oai", response_class=Response)
def asked_by_get(request: Request, settings: AppSettings) -> Response:
    """OAI-PMH 2.0. `verb` is Identify, ListMetadataFormats, ListSets, ListIdentifiers, ListRecords or GetRecord;
    `metadataPrefix` is oai_dc or dcat; a `set` is `agency:NAME`; `from` and `until` are days or seconds in UTC."""
    return _answer(request, settings, request.query_params.multi_items())


@router.post("/oai", response_class=Response)
def asked_by_post(request: Request, settings: AppSettings, body: Annotated[bytes, Body()] = b"") -> Response:
    """The same with its arguments in a form, as the protocol has it. It changes nothing."""
    text = body.decode("utf-8", "replace")
    return _answer(request, settings, parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_ARGUMENTS))


def _answer(request: Request, settings: Settings, pairs: Pairs) -> Response:
    """The ETag goes by the state of the catalogue: an answer has the time in it, and is the same all the same."""
    site = Site.of(settings)
    with reading_work(request) as work:
        state = reading.state(work, settings)
        try:
            given = asking.arguments(pairs)
            told, body = pairs, VERBS[given["verb"]](work, settings, given)
        except OaiError as error:
            broken = error.code in ("badVerb", "badArgument")
            told, body = [] if broken else pairs, wording.error(error.code, error.text)
        document = wording.envelope(site, work.now, told, body)
    etag = hashlib.blake2b(repr((state.etag, list(pairs))).encode(), digest_size=12).hexdigest()
    return answering.whole(request, document, "text/xml; charset=utf-8", state.modified_at, etag=etag)


def _identify(work: Work, settings: Settings, given: Given) -> str:
    return wording.identify(Site.of(settings), settings.mail_sender, listing.earliest(work))


def _formats(work: Work, settings: Settings, given: Given) -> str:
    if "identifier" in given:
        _found(work, settings, given["identifier"])
    return wording.formats()


def _sets(work: Work, settings: Settings, given: Given) -> str:
    if "resumptionToken" in given:
        raise OaiError("badResumptionToken", "The list of sets comes whole.")
    return wording.sets((body.name, body.title) for body in agencies.every(work))


def _record(work: Work, settings: Settings, given: Given) -> str:
    prefix, site = asking.check_prefix(given["metadataPrefix"]), Site.of(settings)
    found = _found(work, settings, given["identifier"])
    told = next(iter(reading.of_ids(work, [found.id])), None)
    return f"<GetRecord>{wording.record(site, found, told, prefix)}</GetRecord>"


def _identifiers(work: Work, settings: Settings, given: Given) -> str:
    wanted, listed, site = *_listed(work, given), Site.of(settings)
    entries = "\n".join(wording.header(site, header) for header in listed.headers)
    return f"<ListIdentifiers>{entries}{_rest(work, wanted, listed)}</ListIdentifiers>"


def _records(work: Work, settings: Settings, given: Given) -> str:
    wanted, listed, site = *_listed(work, given), Site.of(settings)
    alive = [header.id for header in listed.headers if not header.deleted]
    told = {record.view.id: record for record in reading.of_ids(work, alive)}
    entries = "\n".join(wording.record(site, h, told.get(h.id), wanted.prefix) for h in listed.headers)
    return f"<ListRecords>{entries}{_rest(work, wanted, listed)}</ListRecords>"


Verb = Callable[[Work, Settings, Given], str]
VERBS: Mapping[str, Verb] = {
    "Identify": _identify,
    "ListMetadataFormats": _formats,
    "ListSets": _sets,
    "GetRecord": _record,
    "ListIdentifiers": _identifiers,
    "ListRecords": _records,
}


def _found(work: Work, settings: Settings, identifier: str) -> listing.Header:
    """`OaiError`: idDoesNotExist."""
    site, dataset_id = Site.of(settings), identifier.rpartition(":")[2]
    known = identifier == wording.identifier(site, dataset_id) and "\0" not in identifier
    found = listing.one(work, dataset_id) if known else None
    if found is None:
        raise OaiError("idDoesNotExist", "There is no such record.")
    return found


def _listed(work: Work, given: Given) -> tuple[Wanted, Listed]:
    """`OaiError`: as `asking.wanted`; noRecordsMatch."""
    wanted = asking.wanted(given)
    listed = listing.page(work, wanted, PAGE)
    if not listed.headers:
        raise OaiError("noRecordsMatch", "Nothing is in this set and between these dates.")
    return wanted, listed


def _rest(work: Work, wanted: Wanted, listed: Listed) -> str:
    """The token of the next page; an empty one on the last page of several."""
    if not listed.more and wanted.at is None:
        return ""
    size = listing.count(work, wanted) if wanted.size is None else wanted.size
    if not listed.more:
        return wording.token("", wanted.cursor, size)
    last = listed.headers[-1]
    following = replace(wanted, at=last.at, id=last.id, cursor=wanted.cursor + len(listed.headers), size=size)
    return wording.token(following.token(), wanted.cursor, size)
