"""The negative list by REST: what is forbidden is public, the words by which it is found are not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Response

from opendata.agencies import queries as agencies
from opendata.core.clock import day_of
from opendata.edge.conventions import (
    Limit,
    Offset,
    check_if_match,
    documented,
    json_answer,
    known_query,
)
from opendata.edge.http import ApiWork, SignedInWork, part
from opendata.inventory.negative import policy, queries, service
from opendata.inventory.negative.models import EntryStatus, NegativeEntry
from opendata.inventory.negative.schemas import (
    NegativeIn,
    NegativeMade,
    NegativeOut,
    NegativePage,
    NegativePatch,
    PublicMatchOut,
)
from opendata.work.unit import Work

router = APIRouter(tags=["negative list"], dependencies=[Depends(known_query)])
Themes = Annotated[Collection[str], Depends(part("themes"))]
"""Codes of the catalogue, which lies a floor above; `wiring` passes them in."""
AlreadyPublic = Callable[[Work, NegativeEntry], list[PublicMatchOut]]
Already = Annotated[AlreadyPublic, Depends(part("already_public"))]
"""Tells the bodies of what an entry forbids and is public, and lists it: the publishing's, floors above."""


@router.post("/negative-list", status_code=201, responses=documented(NegativeMade, 201))
def create_negative_entry(work: SignedInWork, body: NegativeIn, themes: Themes, already: Already) -> Response:
    """A new entry, by a city administrator. It binds at once: also what is already in review. What is public and matches is
    listed in the answer; it is not withdrawn."""
    entry = service.create(work, _fields(work, body.model_dump()), known_themes=themes)
    headers = {"Location": f"/api/v1/negative-list/{entry.number}"}
    made = _made(work, entry, already)
    return json_answer(made, status=201, headers=headers, etag=str(entry.edition))


@router.get("/negative-list", responses=documented(NegativePage))
def list_negative_entries(
    work: ApiWork, status: EntryStatus | None = None, offset: Offset = 0, limit: Limit = 100
) -> Response:
    """Entries by number: what must not be opened, on which basis, and until when that stands unreviewed."""
    found = queries.page(work, status=status, offset=offset, limit=limit)
    return json_answer(NegativePage(total=found.total, results=shapes(work, found.items)))


@router.get("/negative-list/{entry}", responses=documented(NegativeOut))
def get_negative_entry(work: ApiWork, entry: str) -> Response:
    """One entry, by its number or id."""
    found = queries.find(work, entry)
    return json_answer(shapes(work, [found])[0], etag=str(found.edition))


@router.patch("/negative-list/{entry}", responses=documented(NegativeMade))
def change_negative_entry(
    work: SignedInWork,
    entry: str,
    body: NegativePatch,
    themes: Themes,
    already: Already,
    if_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Changes the named fields, or lifts the entry with a reason."""
    found = queries.find(work, entry)
    check_if_match(if_match, str(found.edition))
    changes = _fields(work, body.model_dump(exclude_unset=True))
    service.change(work, found, changes, known_themes=themes)
    return json_answer(_made(work, found, already), etag=str(found.edition))


def _made(work: Work, entry: NegativeEntry, already: AlreadyPublic) -> NegativeMade:
    return NegativeMade(**shapes(work, [entry])[0].model_dump(), already_public=already(work, entry))


def shapes(work: Work, entries: Sequence[NegativeEntry]) -> list[NegativeOut]:
    bodies = agencies.by_ids(work.session, {e.agency_id for e in entries if e.agency_id})
    words = policy.may_see_words(work.actor)
    own = NegativeOut.model_fields.keys() - {"agency", "review_due", "keywords", "items"}
    return [
        NegativeOut(
            agency=bodies[entry.agency_id].name if entry.agency_id else None,
            review_due=queries.is_due(entry, day_of(work.now)),
            keywords=entry.keywords if words else None,
            items=entry.items if words else None,
            **{name: getattr(entry, name) for name in own},
        )
        for entry in entries
    ]


def _fields(work: Work, given: dict[str, Any]) -> dict[str, Any]:
    """The body by its id."""
    if "agency" in given:
        name = given.pop("agency")
        given["agency_id"] = agencies.find(work, name).id if name else None
    return given
