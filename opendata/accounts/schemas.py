"""API shapes of accounts and tokens."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from opendata.work.actor import Role, Scope, SiteRole


class RoleOut(BaseModel):
    agency: str = Field(description="The body's short name")
    role: Role


class MeOut(BaseModel):
    id: str
    name: str
    full_name: str
    email: str
    sysadmin: bool
    scopes: list[Scope] = Field(description="What the token in use may do")
    agency: str | None = Field(description="The only body for which the token in use works")
    roles: list[RoleOut]
    site_roles: list[SiteRole] = Field(description="Roles for the whole site")


class TokenIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field("", max_length=100, description="What it is for")
    days: int = Field(90, ge=1, le=366, description="How long it is valid")
    scopes: list[Scope] | None = Field(
        None, min_length=1, description="What it may do; as much as the one in use"
    )
    agency: str | None = Field(None, description="Name or id of the only body for which it works")


class TokenOut(BaseModel):
    id: str
    name: str
    scopes: list[Scope]
    agency: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class NewTokenOut(TokenOut):
    token: str = Field(description="The secret. It is shown this once.")
