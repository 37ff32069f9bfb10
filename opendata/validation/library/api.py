"""The ready Table Schemas: JSON, data dictionary, templates, the one that a header fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from opendata.catalog.library import queries as library
from opendata.core.errors import NotFound
from opendata.edge.conventions import PUBLIC_TAG, documented, json_answer, known_query
from opendata.edge.http import ApiWork
from opendata.validation.library import dictionary, matching, templates
from opendata.work.unit import Work

router = APIRouter(tags=["schemas"], dependencies=[Depends(known_query)])
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class SchemaRef(BaseModel):
    name: str
    version: str
    versions: list[str] = Field(description="All that are offered, the newest first")
    title: str
    title_en: str
    domain: str
    fields: int
    basis_verified: bool = Field(description="Whether somebody has read the legal basis in its official text")


class SchemaFile(StrEnum):
    TEMPLATE_CSV = "template.csv"
    TEMPLATE_XLSX = "template.xlsx"
    DICTIONARY = "dictionary.csv"


FILES: Mapping[SchemaFile, tuple[Callable[[Mapping[str, Any]], bytes], str]] = {
    SchemaFile.TEMPLATE_CSV: (templates.as_csv, "text/csv; charset=utf-8"),
    SchemaFile.TEMPLATE_XLSX: (templates.as_xlsx, XLSX),
    SchemaFile.DICTIONARY: (dictionary.as_csv, "text/csv; charset=utf-8"),
}


class HeaderIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    header: list[Annotated[str, Field(max_length=500)]] = Field(min_length=1, max_length=500)
    rows: list[list[Annotated[str, Field(max_length=5000)]]] = Field(
        default_factory=list, max_length=100, description="Some of the table's rows, as text"
    )


class MappedOut(BaseModel):
    column: str
    field: str
    by: str = Field(description="name, title, title_en, national_code, alias, or loosely")


class MatchOut(BaseModel):
    name: str
    version: str
    title: str
    title_en: str
    score: float = Field(description="0 to 1")
    mapped: list[MappedOut]
    missing: list[str] = Field(description="Required fields without a column")
    absent: list[str] = Field(description="Optional fields without a column")
    extra: list[str] = Field(description="Columns that the schema does not know")
    doubtful: list[str] = Field(description="Fields whose values do not look like theirs")


@router.get("/schemas", responses=documented(list[SchemaRef]))
def list_schemas(
    work: ApiWork,
    domain: Annotated[str | None, Query(max_length=40, description="Of this domain only")] = None,
) -> Response:
    """The ready Table Schemas that a resource may name in `schema_name`."""
    there = library.shelf(work.session)
    found = [
        SchemaRef(
            name=name,
            version=str(schema["x-version"]),
            versions=[version for version, offered in there.versions[name].items() if offered],
            title=str(schema["title"]),
            title_en=str(schema["x-title-en"]),
            domain=str(schema["x-domain"]),
            fields=len(schema["fields"]),
            basis_verified=bool(schema["x-basis-verified"]),
        )
        for name, schema in library.offered(work.session).items()
        if domain in (None, schema["x-domain"])
    ]
    return json_answer(found, public=True)


@router.post("/schemas/match", responses=documented(list[MatchOut]))
def match_schemas(work: ApiWork, body: HeaderIn) -> Response:
    """The ready schemas that a table fits, best first, each with what differs. Changes nothing."""
    found = matching.propose(library.offered(work.session).values(), body.header, body.rows)
    return json_answer([asdict(match) for match in found])


@router.get("/schemas/{name}", responses=documented(dict[str, Any]))
def get_schema(work: ApiWork, name: str) -> Response:
    """The newest version, a Table Schema descriptor (docs/schemas.md says what its own properties mean)."""
    return json_answer(dict(find(work, name)), public=True)


@router.get("/schemas/{name}/{version}", responses=documented(dict[str, Any]))
def get_version(work: ApiWork, name: str, version: str) -> Response:
    """One version. It never changes."""
    return json_answer(dict(find(work, name, version)), public=True)


@router.get("/schemas/{name}/{version}/{file}", response_class=Response)
def get_file(work: ApiWork, name: str, version: str, file: SchemaFile) -> Response:
    """A template to fill in (Chinese headers, an example row; the workbook offers the lists of codes), or the dictionary."""
    make, kind = FILES[file]
    found = find(work, name, version)
    saved = quote(f"{name}-{version}-{file.value}")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{saved}", **PUBLIC_TAG}
    return Response(make(found), headers=headers, media_type=kind)


def find(work: Work, name: str, version: str = "") -> Mapping[str, Any]:
    """`NotFound("schema_not_found")`."""
    found = library.find(work.session, f"{name}/{version}" if version else name)
    if found is None or "/" in name:
        raise NotFound("schema_not_found", id=f"{name}/{version}".rstrip("/")[:100])
    return found
