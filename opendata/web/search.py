"""The search page: one form, facets as links that add and take away, all of it in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opendata.core.errors import BadQuery
from opendata.inventory.profile.fields import CityField
from opendata.search import finding
from opendata.search.finding import CITY, FACETS, SORTS, Found, Wanted
from opendata.web.forms import problems
from opendata.web.http import PageWork
from opendata.web.public import Index, PageNumber
from opendata.web.render import Pager, link, page
from opendata.web.texts import text

router = APIRouter()
RESULTS_A_PAGE = 20
FACET_ROWS = 8
"""Values of a facet that are shown before "more"."""


@dataclass(frozen=True)
class Value:
    value: str
    label: str
    count: int | None
    chosen: bool
    href: str
    """The same search with this value added, or without it."""


@dataclass(frozen=True)
class Facet:
    name: str
    title: str
    values: Sequence[Value]


@router.get("/search")
def search(
    request: Request,
    language: str,
    work: PageWork,
    index: Index,
    q: Annotated[str, Query(max_length=2000)] = "",
    sort: str = "",
    page_: Annotated[PageNumber, Query(alias="page")] = 1,
) -> Response:
    wanted = Wanted(
        text=q.replace("\0", ""),
        chosen=_chosen(request),
        sort=sort if sort in SORTS else "",
        offset=(page_ - 1) * RESULTS_A_PAGE,
        limit=RESULTS_A_PAGE,
    )
    wrong, found = [], Found(0, [], {})
    try:
        found = finding.search(work, index, wanted, language)
    except BadQuery as error:
        wrong = problems(error, language)
    address = Address(f"/{language}/search", wanted)
    facets = [_facet(name, found, wanted, address, language) for name in (*FACETS, *_of_city(found))]
    return page(
        request,
        "search.html",
        language,
        public=True,
        status=400 if wrong else 200,
        wanted=wanted,
        found=found,
        wrong=wrong,
        facets=[facet for facet in facets if facet.values],
        chips=[(f.title, v) for f in facets for v in f.values if v.chosen],
        pager=Pager(page_, RESULTS_A_PAGE, min(found.total, finding.DEEPEST)),
        address=address,
        sorts=list(SORTS),
        facet_rows=FACET_ROWS,
        feed="" if wrong else _feed(wanted),
    )


def _feed(wanted: Wanted) -> str:
    """The Atom feed of the same search; it knows no fields of the city."""
    known = set(wanted.chosen) <= set(FACETS)
    return link("/search.atom", q=wanted.text, **wanted.chosen) if known else ""


def _chosen(request: Request) -> dict[str, list[str]]:
    """The facets in the address, with at most 50 values each."""
    sent = request.query_params
    known = [*FACETS, *(name for name in dict.fromkeys(sent) if name.startswith(CITY))]
    return {name: list(dict.fromkeys(sent.getlist(name)))[:50] for name in known[:50] if sent.getlist(name)}


@dataclass(frozen=True)
class Address:
    """Addresses of searches like this one."""

    path: str
    wanted: Wanted

    def toggled(self, facet: str, value: str) -> str:
        """With the value added, or without it; back to the first page."""
        values = list(self.wanted.chosen.get(facet, ()))
        values = [v for v in values if v != value] if value in values else [*values, value]
        return self._made({**self.wanted.chosen, facet: values})

    def page(self, number: int) -> str:
        return self._made(dict(self.wanted.chosen), page=number if number > 1 else "")

    def without_facets(self) -> str:
        return self._made({})

    def without_words(self) -> str:
        return link(self.path, **dict(self.wanted.chosen), sort=self.wanted.sort)

    def _made(self, chosen: dict[str, Sequence[str]], **more: object) -> str:
        return link(self.path, q=self.wanted.text, **chosen, sort=self.wanted.sort, **more)


def _of_city(found: Found) -> dict[str, CityField]:
    return {CITY + field.name: field for field in found.city}


def _label(found: Found, facet: str, value: str, language: str) -> str:
    own = _of_city(found).get(facet)
    return own.shown(value, language) if own else finding.label(facet, value, language)


def _title(found: Found, facet: str, language: str) -> str:
    own = _of_city(found).get(facet)
    return own.said(language) if own else text(f"facet.{facet}", language)


def _facet(name: str, found: Found, wanted: Wanted, address: Address, language: str) -> Facet:
    """Chosen values first, also those that nothing is left of."""
    picked = list(wanted.chosen.get(name, ()))
    counted = {c.value: c for c in found.facets.get(name, ())}
    folded = {value.casefold(): value for value in counted}
    values = [
        Value(
            v,
            counted[folded[v.casefold()]].label,
            counted[folded[v.casefold()]].count,
            True,
            address.toggled(name, v),
        )
        if v.casefold() in folded
        else Value(v, _label(found, name, v, language), None, True, address.toggled(name, v))
        for v in picked
    ]
    taken = {v.casefold() for v in picked}
    values += [
        Value(c.value, c.label, c.count, False, address.toggled(name, c.value))
        for c in counted.values()
        if c.value.casefold() not in taken
    ]
    return Facet(name, _title(found, name, language), values)
