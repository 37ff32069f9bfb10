"""API shapes of public bodies."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from opendata.agencies.models import AgencyKind
from opendata.work.actor import Role


class AgencyIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="Short name in addresses: 2 to 100 of a-z 0-9 _ -")
    title: str = Field(min_length=1, max_length=200)
    title_en: str = Field("", max_length=200)
    kind: AgencyKind = AgencyKind.GOVERNMENT_DEPARTMENT
    parent: str | None = Field(None, description="Name or id of the body above")
    uscc: str | None = Field(None, description="统一社会信用代码, 18 places")
    region_code: str = Field("", max_length=12, description="GB/T 2260: 2 to 12 digits")
    description: str = Field("", max_length=10_000)
    responsible_leader: str = Field("", max_length=100)
    office: str = Field("", max_length=200)
    contact_name: str = Field("", max_length=100)
    contact_phone: str = Field("", max_length=50)
    contact_email: str = Field("", max_length=254)
    image_url: str = Field("", max_length=1000, description="http or https")


class AgencyPatch(BaseModel):
    """Only the named fields change."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(None, min_length=1, max_length=200)
    title_en: str | None = Field(None, max_length=200)
    kind: AgencyKind | None = None
    uscc: str | None = None
    region_code: str | None = Field(None, max_length=12)
    description: str | None = Field(None, max_length=10_000)
    responsible_leader: str | None = Field(None, max_length=100)
    office: str | None = Field(None, max_length=200)
    contact_name: str | None = Field(None, max_length=100)
    contact_phone: str | None = Field(None, max_length=50)
    contact_email: str | None = Field(None, max_length=254)
    image_url: str | None = Field(None, max_length=1000)


class AgencyOut(BaseModel):
    id: str
    name: str
    title: str
    title_en: str
    kind: str
    parent: str | None
    uscc: str | None
    region_code: str
    description: str
    responsible_leader: str
    office: str
    contact_name: str
    contact_phone: str
    contact_email: str
    image_url: str
    edition: int


class MemberIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    roles: list[Role] = Field(
        description="All roles the person has afterwards; an empty list ends the membership"
    )


class MemberOut(BaseModel):
    user: str
    roles: list[str]
