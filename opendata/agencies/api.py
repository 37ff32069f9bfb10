"""Public bodies and their people."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response

from opendata.accounts.service import find_user
from opendata.agencies import policy, queries, service
from opendata.agencies.models import Agency
from opendata.agencies.schemas import AgencyIn, AgencyOut, AgencyPatch, MemberIn, MemberOut
from opendata.core.errors import Forbidden
from opendata.edge.conventions import check_if_match, documented, json_answer, known_query
from opendata.edge.http import ApiWork, SignedInWork
from opendata.edge.reading import Body
from opendata.work.unit import Work

router = APIRouter(tags=["agencies"], dependencies=[Depends(known_query)])


@router.post("/agencies", status_code=201)
def create_agency(work: SignedInWork, sent: Body[AgencyIn], response: Response) -> AgencyOut:
    """A new body: by a sysadmin, or by an admin of the body above it."""
    wrong = sent.gather()
    wrong.add(service.check(work, sent.right))
    body = sent.whole(wrong)
    agency = service.create(work, **body.model_dump())
    response.headers["Location"] = f"/api/v1/agencies/{agency.name}"
    return _shape(work, [agency])[0]


@router.get("/agencies", responses=documented(list[AgencyOut]))
def list_agencies(
    work: ApiWork, parent: Annotated[str | None, Query(description="Name or id of the body above")] = None
) -> Response:
    """All bodies, or those right below one, by name."""
    above = queries.find(work, parent).id if parent is not None else None
    found = _shape(work, list(queries.every(work, parent_id=above)))
    return json_answer(found, public=True)


@router.get("/agencies/{name}", responses=documented(AgencyOut))
def get_agency(work: ApiWork, name: str) -> Response:
    agency = queries.find(work, name)
    return json_answer(_shape(work, [agency])[0], public=True, etag=str(agency.edition))


@router.patch("/agencies/{name}")
def edit_agency(
    work: SignedInWork,
    name: str,
    sent: Body[AgencyPatch],
    response: Response,
    if_match: Annotated[str | None, Header()] = None,
) -> AgencyOut:
    """Changes the named fields."""
    agency = queries.find(work, name)
    check_if_match(if_match, str(agency.edition))
    wrong = sent.gather()
    wrong.add(service.check(work, sent.right, agency))
    body = sent.whole(wrong)
    service.edit(work, agency, body.model_dump(exclude_unset=True))
    response.headers["ETag"] = f'"{agency.edition}"'
    return _shape(work, [agency])[0]


@router.get("/agencies/{name}/members")
def list_members(work: SignedInWork, name: str) -> list[MemberOut]:
    """The body's people and their roles, for its admins."""
    agency = queries.find(work, name)
    if not policy.may_administer(work.actor, agency):
        raise Forbidden("agency_admin_only")
    return [
        MemberOut(user=user.name, roles=[role.value for role in roles])
        for user, roles in queries.members(work, agency)
    ]


@router.put("/agencies/{name}/members/{user}")
def set_member(work: SignedInWork, name: str, user: str, body: MemberIn) -> MemberOut:
    """The person has exactly these roles afterwards; none ends the membership."""
    agency = queries.find(work, name)
    if not policy.may_administer(work.actor, agency):
        raise Forbidden("agency_admin_only")
    person = find_user(work, user)
    service.set_roles(work, agency, person, body.roles)
    return MemberOut(user=person.name, roles=sorted({role.value for role in body.roles}))


def _shape(work: Work, agencies: list[Agency]) -> list[AgencyOut]:
    above = queries.by_ids(work.session, {a.parent_id for a in agencies if a.parent_id})
    return [
        AgencyOut(
            parent=above[agency.parent_id].name if agency.parent_id else None,
            **{field: getattr(agency, field) for field in AgencyOut.model_fields.keys() - {"parent"}},
        )
        for agency in agencies
    ]
