"""The ready Table Schemas as pages, and one address for both: `/schemas/NAME/VERSION` is JSON for machines, a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from opendata.catalog.library import queries as library
from opendata.edge.conventions import json_answer
from opendata.edge.messages import preferred
from opendata.validation.library import dictionary
from opendata.validation.library.api import find
from opendata.web.http import PageWork
from opendata.web.render import page
from opendata.work.unit import Work

router = APIRouter()
shared = APIRouter()
"""Addresses without a language."""
DOMAINS = ("livelihood", "public_service", "market_supervision", "platform")


@router.get("/schemas")
def schema_list(request: Request, language: str, work: PageWork) -> Response:
    grouped: dict[str, list[Mapping[str, Any]]] = {domain: [] for domain in DOMAINS}
    for schema in library.offered(work.session).values():
        grouped.setdefault(str(schema["x-domain"]), []).append(schema)
    return page(request, "library/schemas.html", language, public=True, grouped=grouped)


@router.get("/schemas/{name:short}")
def newest(request: Request, language: str, name: str, work: PageWork) -> Response:
    return _page(request, language, work, find(work, name))


@router.get("/schemas/{name:short}/{version}")
def schema(request: Request, language: str, name: str, version: str, work: PageWork) -> Response:
    return _page(request, language, work, find(work, name, version))


@shared.get("/schemas")
def list_for_all(request: Request) -> Response:
    return _to_page(request, "/schemas")


@shared.get("/schemas/{name:short}")
@shared.get("/schemas/{name:short}/{version}")
def for_all(request: Request, work: PageWork, name: str, version: str = "") -> Response:
    found = find(work, name, version)
    if "text/html" not in request.headers.get("accept", ""):
        return json_answer(dict(found), headers={"Vary": "Accept", "Cache-Control": "no-cache"})
    return _to_page(request, f"/schemas/{quote(name)}" + (f"/{quote(version)}" if version else ""))


def _to_page(request: Request, path: str) -> Response:
    language = preferred(request.headers.get("accept-language", ""))
    headers = {"Vary": "Accept, Accept-Language", "Cache-Control": "no-cache"}
    return RedirectResponse(f"/{language}{path}", 302, headers)


def _page(request: Request, language: str, work: Work, found: Mapping[str, Any]) -> Response:
    known = library.versions(work.session, str(found["name"]))
    told = [(said, formula) for said, formula in dictionary.rules(found, language) if said]
    return page(
        request,
        "library/schema.html",
        language,
        public=True,
        schema=found,
        versions=[version for version, (_schema, offered) in known.items() if offered],
        withdrawal=library.withdrawal(work.session, str(found["name"]), str(found["x-version"])),
        entries=dictionary.entries(found, language),
        row_rules=told,
        privacy=dictionary.text(found, "x-privacy", language),
    )
