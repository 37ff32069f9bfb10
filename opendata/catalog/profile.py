"""The metadata profile: what a release says of its dataset and of each resource (china.md 2.1 and 2.4).

Stored without the fields that hold their default, so that a later default never changes an old content hash.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from opendata.core.names import clean_text
from opendata.inventory.models import Disclosure, Domain, Openness, UpdateCycle
from opendata.inventory.profile.fields import MOST_FIELDS, Value

PROFILE_VERSION = "2026.1"
"""Goes into every content hash; counts up when a field changes its meaning."""


def _line(text: str) -> str:
    return clean_text(text).replace("\n", " ").strip()


Line = Annotated[str, AfterValidator(_line)]
"""Text on one line, cleaned."""
Text = Annotated[str, AfterValidator(clean_text)]
Keyword = Annotated[str, AfterValidator(_line), Field(min_length=1, max_length=100)]

RESOURCE_CODE = r"^[0-9A-Za-z][0-9A-Za-z/._-]{0,99}$"
"""信息资源代码 as bodies write them, also those of other cities: not all keep to the guide's form."""
ResourceCode = Annotated[str, Field(pattern=RESOURCE_CODE)]


def _box(sides: list[float]) -> list[float]:
    if len(sides) == 4:
        west, south, east, north = sides
        if -180 <= west <= east <= 180 and -90 <= south <= north <= 90:
            return sides
    raise PydanticCustomError("bbox_wrong", "west, south, east, north in degrees")


Box = Annotated[list[float], Field(max_length=4), AfterValidator(_box)]


DISCLOSURE_OF = {
    Domain.LIVELIHOOD: Disclosure.SERVICE,
    Domain.PUBLIC_SERVICE: Disclosure.SERVICE,
    Domain.MARKET_SUPERVISION: Disclosure.MANAGEMENT,
    Domain.OTHER: Disclosure.RESULT,
}
"""What data of a domain most often makes public (五公开)."""


def disclosure_of(domain: object) -> Disclosure:
    """What data of that domain most often makes public; of none, or of a word that is none: results."""
    return DISCLOSURE_OF[next((known for known in Domain if known == domain), Domain.OTHER)]


class DatasetMeta(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Line = Field("", max_length=300, description="信息资源名称")
    title_en: Line = Field("", max_length=300)
    description: Text = Field("", max_length=100_000, description="信息资源摘要")
    description_en: Text = Field("", max_length=100_000)
    keywords: list[Keyword] = Field(default_factory=list, max_length=200, description="关键字")
    themes: list[Line] = Field(
        default_factory=list, max_length=20, description="Codes of catalog_schemas/themes.json"
    )
    domain: Domain = Field(Domain.OTHER, description="重点领域")
    disclosures: list[Disclosure] = Field(
        default_factory=list, max_length=5, description="五公开: at least one before it is submitted"
    )
    licence: Line = Field("", max_length=100, description="Id of catalog_schemas/licences.json (使用协议)")
    openness: Openness = Field(Openness.UNCONDITIONAL, description="开放属性")
    open_condition: Text = Field("", max_length=2000, description="开放条件")
    update_cycle: UpdateCycle = Field(UpdateCycle.IRREGULAR, description="更新周期")
    region: Line = Field("", max_length=12, description="GB/T 2260 code of the area covered")
    bbox: Box | None = Field(
        None, description="空间范围: west, south, east, north in degrees of WGS 84 (CGCS2000)"
    )
    temporal_start: date | None = Field(None, description="First day covered")
    temporal_end: date | None = Field(None, description="Last day covered")
    data_updated_on: date | None = Field(
        None,
        description="数据更新时间: when the data itself changed last; what is said of it may change later",
    )
    related_codes: list[ResourceCode] = Field(
        default_factory=list, max_length=100, description="关联资源代码: codes of the resources it belongs to"
    )
    language: list[Line] = Field(default_factory=lambda: ["zh"], max_length=10, description="ISO 639-1 codes")
    contact_name: Line = Field("", max_length=200)
    contact_phone: Line = Field("", max_length=50)
    contact_email: Line = Field("", max_length=254)
    landing_page: Line = Field("", max_length=2000, description="A page about it elsewhere")
    version: Line = Field("", max_length=100)
    author: Line = Field("", max_length=500)
    author_email: Line = Field("", max_length=254)
    maintainer: Line = Field("", max_length=500)
    maintainer_email: Line = Field("", max_length=254)
    groups: list[Line] = Field(default_factory=list, max_length=200, description="Names of theme groups")
    vocabulary_terms: dict[Line, list[Keyword]] = Field(
        default_factory=dict, max_length=100, description="Terms of CKAN vocabularies, by the vocabulary's id"
    )
    city_fields: dict[str, Value] = Field(
        default_factory=dict,
        max_length=MOST_FIELDS,
        description="地方扩展元数据: values of the city's own fields by name (GET /metadata-profile)",
    )
    extras: dict[str, str] = Field(
        default_factory=dict, max_length=500, description="Free keys of CKAN clients"
    )
    kind: Line = Field("dataset", max_length=100, description="CKAN's dataset type")

    def stored(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_defaults=True)

    @classmethod
    def elements(cls) -> dict[str, Any]:
        """The core elements by name, each as a JSON Schema."""
        schema = cls.model_json_schema()
        inner = schema.get("$defs", {})
        return {
            name: _whole(element, inner)
            for name, element in schema["properties"].items()
            if name not in ("city_fields", "vocabulary_terms")
        }


def _whole(element: dict[str, Any], inner: dict[str, Any]) -> dict[str, Any]:
    """An element with what it refers to in it."""
    reference = element.get("$ref", "").rpartition("/")[2]
    return {**inner.get(reference, {}), **{key: value for key, value in element.items() if key != "$ref"}}


class ReadOptions(BaseModel):
    """How to read a file as a table, where guessing is not enough."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Line | None = Field(None, max_length=20)
    sheet: str | int | None = Field(None, description="A sheet's name or its number from 1")
    member: str | int | None = Field(None, description="Of a ZIP: a table's name in it, or its number from 1")
    header_row: int | None = Field(None, ge=1, le=1000, description="The header's row number from 1")
    header_rows: int | None = Field(
        None, ge=1, le=2, description="2 for a header of two levels with merged cells"
    )
    last_row: int | None = Field(
        None, ge=2, description="The last row of the table: a total and remarks stand below it"
    )
    without_total: bool | None = Field(None, description="A total in the last row is not one of the table")
    encoding: Line | None = Field(None, max_length=40)
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    quote: Line | None = Field(
        None, max_length=4, description="`\"`, `'`, or `none`: quotes are signs like others"
    )
    columns: dict[Annotated[str, Field(max_length=500)], Annotated[str, Field(max_length=500)]] | None = (
        Field(
            None,
            max_length=2000,
            description="What columns of the header are: the names of fields by the header's texts",
        )
    )

    def stored(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)


WRITTEN = "datastore"
"""`url_type` among the extras of a resource whose rows CKAN's clients write: its address is our own dump of them."""


class ResourceMeta(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: Line = Field("", max_length=300)
    name_en: Line = Field("", max_length=300)
    description: Text = Field("", max_length=100_000)
    description_en: Text = Field("", max_length=100_000)
    format: Line = Field("", max_length=100, description="As people write it: CSV, XLSX, GeoJSON")
    media_type: Line = Field("", max_length=200)
    url: Line = Field("", max_length=5000, description="The address of a link; empty for a file")
    table_schema: dict[str, Any] | None = Field(None, alias="schema", description="A Table Schema descriptor")
    schema_name: Line = Field("", max_length=100, description="A ready schema: NAME, or NAME/VERSION")
    options: ReadOptions = Field(default_factory=ReadOptions)
    extras: dict[str, Any] = Field(
        default_factory=dict, max_length=200, description="Free keys of CKAN clients"
    )
    views: list[dict[str, Any]] = Field(
        default_factory=list, max_length=100, description="Ways to show it that CKAN clients described"
    )
    dictionary: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        max_length=1000,
        description="What CKAN clients say of a table's columns, by their names: {label, notes}",
    )

    @property
    def is_written(self) -> bool:
        return self.extras.get("url_type") == WRITTEN

    def stored(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_defaults=True, by_alias=True)
