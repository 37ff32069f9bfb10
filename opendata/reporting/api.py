"""Upward reporting by REST: `/api/v1/reporting/…`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from opendata.agencies import queries as agencies
from opendata.edge.conventions import Language, Limit, Offset, documented, json_answer, known_query
from opendata.edge.http import SignedInWork, part
from opendata.harvest.running.sentences import sentence, sentences
from opendata.reporting import mapping, queries, service
from opendata.reporting.jobs import Reporter
from opendata.reporting.models import LineState, PushAction, PushState, ReportLine, ReportPush, ReportTarget
from opendata.reporting.schemas import (
    LineOut,
    LinePage,
    MapOut,
    PushDetail,
    PushIn,
    PushOut,
    PushPage,
    TargetIn,
    TargetOut,
    TargetPatch,
)
from opendata.work.unit import Work

router = APIRouter(prefix="/reporting", tags=["reporting"], dependencies=[Depends(known_query)])
Reporting = Annotated[Reporter, Depends(part("reporter"))]


@router.get("/maps", responses=documented(list[MapOut]))
def list_maps(work: SignedInWork) -> Response:
    """Platforms for which there is a map, and what a target of each has to say."""
    queries.check_seen(work)
    found = [(name, used) for name in mapping.names() if (used := mapping.named(name)) is not None]
    return json_answer(
        [
            MapOut(name=name, title=used.title, options=used.options, withdraws=used.withdraw is not None)
            for name, used in found
        ]
    )


@router.post("/targets", status_code=201, responses=documented(TargetOut, 201))
def add_target(work: SignedInWork, reporter: Reporting, body: TargetIn) -> Response:
    """A platform above to which the public catalogue is reported, by an administrator."""
    service.check_keeper(work)
    target = service.add(work, columns(work, body))
    keep_secret(work, reporter, target, body)
    headers = {"Location": f"/api/v1/reporting/targets/{target.id}"}
    return json_answer(target_shape(work, target), status=201, headers=headers)


@router.get("/targets", responses=documented(list[TargetOut]))
def list_targets(work: SignedInWork) -> Response:
    """For administrators and supervisors, by name."""
    return json_answer([target_shape(work, target) for target in queries.targets(work)])


@router.get("/targets/{target}", responses=documented(TargetOut))
def get_target(work: SignedInWork, target: str) -> Response:
    return json_answer(target_shape(work, queries.target(work, target)))


@router.patch("/targets/{target}", responses=documented(TargetOut))
def edit_target(work: SignedInWork, reporter: Reporting, target: str, body: TargetPatch) -> Response:
    """Sets the named fields. Another address is where the same platform is now; another platform is another target."""
    found = queries.target(work, target)
    service.check_keeper(work)
    service.edit(work, found, columns(work, body))
    keep_secret(work, reporter, found, body)
    return json_answer(target_shape(work, found))


@router.delete("/targets/{target}", status_code=204, response_class=Response)
def end_target(work: SignedInWork, target: str) -> Response:
    """No more pushes. What the platform has it keeps."""
    found = queries.target(work, target)
    service.end(work, found)
    return Response(status_code=204)


@router.post("/targets/{target}/pushes", status_code=202, responses=documented(PushOut, 202))
def push_target(work: SignedInWork, target: str, body: PushIn, language: Language) -> Response:
    """Asks for a push: what is public now against what the platform has. At most one of a target at a time."""
    found = queries.target(work, target)
    push = service.ask_push(work, found, **body.model_dump())
    headers = {"Location": f"/api/v1/reporting/pushes/{push.id}"}
    return json_answer(push_shape(work, push, found, language), status=202, headers=headers)


@router.get("/targets/{target}/pushes", responses=documented(PushPage))
def list_pushes(
    work: SignedInWork, target: str, language: Language, offset: Offset = 0, limit: Limit = 20
) -> Response:
    """The target's pushes, the latest first."""
    found = queries.target(work, target)
    page = queries.pushes(work, found, offset=offset, limit=limit)
    results = [push_shape(work, push, found, language) for push in page.items]
    return json_answer(PushPage(total=page.total, results=results))


@router.get("/pushes/{push}", responses=documented(PushDetail))
def get_push(
    work: SignedInWork,
    push: str,
    language: Language,
    action: Annotated[list[PushAction] | None, Query()] = None,
    state: Annotated[list[LineState] | None, Query()] = None,
    offset: Offset = 0,
    limit: Limit = 100,
) -> Response:
    """A push with what became of each record and the platform's receipt; of a dry run, what would be sent."""
    found, target = queries.push(work, push)
    page = queries.lines(work, found.id, actions=action or (), states=state or (), offset=offset, limit=limit)
    told = push_shape(work, found, target, language).model_dump()
    records = LinePage(total=page.total, results=[line_shape(row, language) for row in page.items])
    return json_answer(PushDetail(**told, records=records))


@router.post("/pushes/{push}/cancel", responses=documented(PushOut))
def cancel_push(work: SignedInWork, push: str, language: Language) -> Response:
    """What was sent stays sent."""
    found, target = queries.push(work, push)
    service.cancel(work, found)
    return json_answer(push_shape(work, found, target, language))


def columns(work: Work, body: TargetPatch) -> dict[str, Any]:
    """What a request says of the target's columns."""
    found = body.given()
    if "agency" in body.model_fields_set:
        found["agency_id"] = agencies.find(work, body.agency).id if body.agency else None
    return found


def keep_secret(work: Work, reporter: Reporter, target: ReportTarget, body: TargetPatch) -> None:
    if "secret" in body.model_fields_set:
        service.keep_secret(work, target, reporter.secret, body.secret)


def target_shape(work: Work, target: ReportTarget) -> TargetOut:
    live, agency = queries.live_push(work, target.id), queries.agency_of(work, target)
    told = TargetOut.model_fields.keys() - {"agency", "held", "live_push"}
    return TargetOut(
        **{name: getattr(target, name) for name in told},
        agency=agency.name if agency is not None else None,
        held=queries.held(work, target.id),
        live_push=live.id if live is not None else None,
    )


def push_shape(work: Work, push: ReportPush, target: ReportTarget, language: str) -> PushOut:
    before = queries.before(work, push)
    apart = {"target", "status", "failure", "failure_code", "counts", "counts_before"}
    return PushOut(
        **{name: getattr(push, name) for name in PushOut.model_fields.keys() - apart},
        target=target.name,
        status=PushState(push.state),
        failure=sentence(push.failure, language) if push.failure else "",
        failure_code=push.failure.get("code", ""),
        counts=queries.counts(work, push.id),
        counts_before=queries.counts(work, before.id) if before is not None else None,
    )


def line_shape(row: ReportLine, language: str) -> LineOut:
    same = LineOut.model_fields.keys() - {"dataset", "action", "state", "told"}
    return LineOut(
        **{name: getattr(row, name) for name in same},
        dataset=row.dataset_id,
        action=PushAction(row.action),
        state=LineState(row.state),
        told=sentences(row.told, language),
    )
