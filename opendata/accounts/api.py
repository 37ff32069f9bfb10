"""Who am I, and my tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Response

from opendata.accounts import service, tokens
from opendata.accounts.models import ApiToken
from opendata.accounts.schemas import MeOut, NewTokenOut, RoleOut, TokenIn, TokenOut
from opendata.edge.conventions import known_query
from opendata.edge.http import SignedInWork, part
from opendata.work.actor import SiteRole
from opendata.work.unit import Work

router = APIRouter(tags=["accounts"], dependencies=[Depends(known_query)])


class Directory(Protocol):
    """What accounts ask about public bodies, which lie a floor above; `wiring` passes it in."""

    def id_of(self, work: Work, id_or_name: str) -> str: ...

    def names(self, work: Work, ids: Iterable[str]) -> Mapping[str, str]: ...


Agencies = Annotated[Directory, Depends(part("directory"))]


@router.get("/me")
def me(work: SignedInWork, agencies: Agencies) -> MeOut:
    """The account, and what the token in use may do."""
    actor = work.actor
    user = service.find_user(work, actor.name)
    names = agencies.names(work, {agency for agency, _role in actor.roles} | {actor.agency_only or ""})
    return MeOut(
        id=user.id,
        name=user.name,
        full_name=user.full_name,
        email=user.email,
        sysadmin=actor.sysadmin,
        scopes=sorted(actor.scopes),
        agency=names.get(actor.agency_only or ""),
        roles=[RoleOut(agency=names[a], role=r) for a, r in sorted(actor.roles) if a in names],
        site_roles=[role for role in SiteRole if actor.holds(role)],
    )


@router.get("/tokens")
def list_tokens(work: SignedInWork, agencies: Agencies) -> list[TokenOut]:
    """My tokens that are not revoked, newest first."""
    rows = tokens.listed(work, service.find_user(work, work.actor.name))
    names = agencies.names(work, {row.agency_id or "" for row in rows})
    return [TokenOut(**_facts(row, names)) for row in rows]


@router.post("/tokens", status_code=201)
def create_token(work: SignedInWork, body: TokenIn, agencies: Agencies) -> NewTokenOut:
    """A new token for me. The answer alone shows its secret."""
    agency_id = agencies.id_of(work, body.agency) if body.agency else work.actor.agency_only
    row, secret = tokens.create(
        work,
        service.find_user(work, work.actor.name),
        name=body.name,
        days=body.days,
        scopes=sorted(body.scopes if body.scopes is not None else work.actor.scopes),
        agency_id=agency_id,
    )
    work.session.flush()
    names = agencies.names(work, {agency_id or ""})
    return NewTokenOut(token=secret, **_facts(row, names))


@router.delete("/tokens/{token_id}", status_code=204, response_class=Response)
def revoke_token(work: SignedInWork, token_id: str) -> None:
    """Ends one of my tokens at once."""
    tokens.revoke(work, token_id=token_id)


def _facts(row: ApiToken, names: Mapping[str, str]) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name,
        "scopes": row.scopes,
        "agency": names.get(row.agency_id or ""),
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "last_used_at": row.last_used_at,
    }
