"""The metadata profile by REST: public to read, the city's to extend."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from opendata.edge.conventions import check_if_match, documented, json_answer, known_query
from opendata.edge.http import ApiWork, SignedInWork, part
from opendata.inventory.profile import queries, service
from opendata.inventory.profile.fields import MOST_FIELDS, CityField
from opendata.inventory.profile.models import ProfileVersion

router = APIRouter(tags=["metadata profile"], dependencies=[Depends(known_query)])
Core = Annotated[Mapping[str, Any], Depends(part("core_elements"))]
"""The fixed elements, which the catalogue holds a floor above: JSON Schemas by name; `wiring` passes them in."""
Taken = Annotated[Collection[str], Depends(part("taken_names"))]


class ProfileIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fields: list[CityField] = Field(max_length=MOST_FIELDS, description="All fields, in their order")
    note: str = Field(min_length=1, max_length=1000, description="Why; public")


class ProfileVersionOut(BaseModel):
    version: int = Field(description="0 while the city has no fields of its own")
    note: str
    made_at: datetime | None
    fields: list[CityField]


class ProfileOut(ProfileVersionOut):
    core: dict[str, Any] = Field(description="The fixed elements by name, each as a JSON Schema")


class ProfileVersionPage(BaseModel):
    total: int
    results: list[ProfileVersionOut]


@router.get("/metadata-profile", responses=documented(ProfileOut))
def get_metadata_profile(
    work: ApiWork,
    core: Core,
    version: Annotated[
        int | None, Query(ge=1, description="An earlier version; the newest if left out")
    ] = None,
) -> Response:
    """What is said of a dataset: the core elements, and the fields that the city has added."""
    found = queries.newest(work) if version is None else queries.version(work, version)
    return json_answer(_whole(found, core), public=True, etag=_etag(found))


@router.get("/metadata-profile/versions", responses=documented(ProfileVersionPage))
def list_metadata_profile_versions(work: ApiWork) -> Response:
    """Every version of the city's fields, the newest first."""
    found = [_shape(version) for version in queries.versions(work)]
    return json_answer(ProfileVersionPage(total=len(found), results=found), public=True)


@router.put("/metadata-profile", responses=documented(ProfileOut))
def put_metadata_profile(
    work: SignedInWork,
    body: ProfileIn,
    core: Core,
    taken: Taken,
    if_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The city's fields, all of them, as a new version; by a city administrator. A field is retired, never removed, and
    keeps its kind and its codes."""
    check_if_match(if_match, _etag(queries.newest(work)))
    made = service.define(work, body.fields, body.note, taken=taken)
    return json_answer(_whole(made, core), etag=_etag(made))


def _etag(found: ProfileVersion | None) -> str:
    return str(found.version if found else 0)


def _whole(found: ProfileVersion | None, core: Mapping[str, Any]) -> ProfileOut:
    return ProfileOut(core=dict(core), **_shape(found).model_dump())


def _shape(found: ProfileVersion | None) -> ProfileVersionOut:
    fields = queries.fields_of(found)
    if found is None:
        return ProfileVersionOut(version=0, note="", made_at=None, fields=fields)
    return ProfileVersionOut(version=found.version, note=found.note, made_at=found.made_at, fields=fields)
