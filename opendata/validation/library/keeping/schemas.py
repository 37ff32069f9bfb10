"""A table schema as the city sends it: Table Schema with our own properties, and no way to name a file or an address."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from opendata.catalog.library.models import SchemaState
from opendata.inventory.profile.fields import FIELD_NAME

VERSION = r"^[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}$"
MOST_FIELDS = 500
LONGEST = 2000
Name = Annotated[str, Field(pattern=FIELD_NAME)]
Title = Annotated[str, Field(min_length=1, max_length=200)]
Said = Annotated[str, Field(min_length=1, max_length=LONGEST)]
Short = Annotated[str, Field(max_length=300)]
Columns = Name | Annotated[list[Name], Field(min_length=1, max_length=20)]
Check = Annotated[str, Field(max_length=60)] | dict[str, Any]
Missing = Annotated[list[Annotated[str, Field(max_length=50)]], Field(max_length=50)]


class Domain(StrEnum):
    LIVELIHOOD = "livelihood"
    PUBLIC_SERVICE = "public_service"
    MARKET_SUPERVISION = "market_supervision"
    PLATFORM = "platform"


class Constraints(BaseModel):
    model_config = ConfigDict(extra="forbid")

    required: bool = False
    unique: bool = False
    minLength: int | None = Field(None, ge=0, le=1_000_000)
    maxLength: int | None = Field(None, ge=0, le=1_000_000)
    minimum: int | float | str | None = None
    maximum: int | float | str | None = None
    pattern: str | None = Field(None, max_length=1000)
    enum: list[str | int | float | bool] | None = Field(None, min_length=1, max_length=5000)


class ColumnIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name
    title: Title
    title_en: Title = Field(alias="x-title-en")
    description: Said
    description_en: Said = Field(alias="x-description-en")
    type: Literal["string", "integer", "number", "boolean", "date", "time", "datetime", "year", "yearmonth"]
    format: Short | None = None
    example: Short | None = None
    constraints: Constraints | None = None
    missing_values: Missing | None = Field(None, alias="missingValues")
    checks: list[Check] | None = Field(None, max_length=20)
    unit: Short | None = Field(None, alias="x-unit")
    codelist: Short | None = Field(None, alias="x-codelist")
    national_code: Short | None = Field(None, alias="x-national-code")
    aliases: list[Title] | None = Field(None, alias="x-aliases", max_length=50)
    mask: Literal["drop", "name_if_natural_person", "id_keep_3_4", "public_by_law"] | None = Field(
        None, alias="x-mask"
    )
    privacy: Said | None = Field(None, alias="x-privacy", description="Note on personal data")
    privacy_en: Said | None = Field(None, alias="x-privacy-en")
    privacy_basis: Said | None = Field(None, alias="x-privacy-basis", description="Its statutory basis")
    privacy_basis_verified: bool | None = Field(None, alias="x-privacy-basis-verified")
    decimal_char: str | None = Field(None, alias="decimalChar", max_length=1)
    group_char: str | None = Field(None, alias="groupChar", max_length=1)
    bare_number: bool | None = Field(None, alias="bareNumber")
    true_values: Missing | None = Field(None, alias="trueValues")
    false_values: Missing | None = Field(None, alias="falseValues")


class Reference(BaseModel):
    model_config = ConfigDict(extra="forbid")

    resource: str = Field(
        pattern="^([a-z][a-z0-9_]{1,39})?$", description="Another ready schema by its name; empty for itself"
    )
    fields: Columns


class ForeignKey(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fields: Columns
    reference: Reference


class TableSchemaIn(BaseModel):
    """docs/schemas.md says what the `x-` properties mean."""

    model_config = ConfigDict(extra="forbid")

    profile: Short | None = Field(None, alias="$schema")
    name: Name = Field(description="Of all its versions; that of a ready schema for a new version of it")
    version: str = Field(
        alias="x-version", pattern=VERSION, description="Higher than all that are there: 1.2.0"
    )
    title: Title
    title_en: Title = Field(alias="x-title-en")
    description: Said
    description_en: Said = Field(alias="x-description-en")
    domain: Domain = Field(alias="x-domain")
    legal_basis: Said = Field(alias="x-legal-basis")
    basis_verified: bool = Field(False, alias="x-basis-verified")
    basis_confidence: Short = Field("", alias="x-basis-confidence")
    update_frequency: Short = Field("", alias="x-update-frequency")
    open_type: Short = Field("", alias="x-open-type")
    privacy: Said | None = Field(None, alias="x-privacy")
    privacy_en: Said | None = Field(None, alias="x-privacy-en")
    fields: list[ColumnIn] = Field(min_length=1, max_length=MOST_FIELDS)
    primary_key: Columns | None = Field(None, alias="primaryKey")
    unique_keys: list[list[Name]] | None = Field(None, alias="uniqueKeys", max_length=20)
    foreign_keys: list[ForeignKey] | None = Field(None, alias="foreignKeys", max_length=50)
    missing_values: Missing = Field(default_factory=lambda: [""], alias="missingValues")
    checks: list[Check] | None = Field(None, max_length=100)

    def descriptor(self) -> dict[str, Any]:
        """As it is kept and given out: what was not said and has no default is not in it."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"fields"}) | {
            "fields": [
                column.model_dump(mode="json", by_alias=True, exclude_unset=True) for column in self.fields
            ]
        }


class SchemaVersionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    table_schema: TableSchemaIn = Field(alias="schema")
    note: str = Field(min_length=1, max_length=1000, description="What it is for, or what is new; public")


class Outcome(StrEnum):
    APPROVE = "approve"
    RETURN = "return"


class SchemaDecisionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    outcome: Outcome
    hash: str = Field(pattern="^[0-9a-f]{64}$", description="Of what was looked at")
    reason: str = Field("", max_length=1000, description="Needed to return it")


class SchemaWithdrawalIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=1000, description="Public")


class DifferenceOut(BaseModel):
    kind: str = Field(description="`added`, `removed` or `changed`")
    path: str = Field(description="`fields.NAME.PROPERTY`, or a property of the schema")
    before: Any
    after: Any
    breaking: bool = Field(description="Whether a file that was valid may not be so any more")


class DifferencesOut(BaseModel):
    name: str
    since: str | None = Field(description="The version that it is compared with; null for the first")
    version: str
    breaking: bool
    differences: list[DifferenceOut]


class SchemaVersionOut(BaseModel):
    id: str
    name: str
    version: str
    state: SchemaState
    hash: str
    note: str
    author: str
    created_at: datetime
    submitted_at: datetime | None
    decided_at: datetime | None
    reason: str = Field(description="Why it was sent back, or withdrawn")


class SchemaVersionDetail(SchemaVersionOut):
    table_schema: dict[str, Any] = Field(alias="schema")
    changes: DifferencesOut
