"""Sources and their runs by REST: `/api/v1/harvest/…`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from opendata.agencies import queries as agencies
from opendata.edge.conventions import Language, Limit, Offset, documented, json_answer, known_query
from opendata.edge.http import SignedInWork, part
from opendata.harvest import queries, service
from opendata.harvest.models import Action, HarvestOutcome, HarvestRun, HarvestSource, OutcomeState, RunState
from opendata.harvest.running.jobs import Harvester
from opendata.harvest.running.sentences import sentence, sentences
from opendata.harvest.schemas import (
    DeletionsIn,
    OutcomeOut,
    OutcomePage,
    RunDetail,
    RunIn,
    RunOut,
    RunPage,
    SourceIn,
    SourceOut,
    SourcePatch,
)
from opendata.work.unit import Work

router = APIRouter(prefix="/harvest", tags=["harvest"], dependencies=[Depends(known_query)])
Running = Annotated[Harvester, Depends(part("harvester"))]


@router.post("/sources", status_code=201, responses=documented(SourceOut, 201))
def add_source(work: SignedInWork, harvester: Running, body: SourceIn) -> Response:
    """A catalogue to harvest, by an administrator. Its records become datasets of the body, and enter review unless the source
    is trusted."""
    source = service.add(work, agencies.find(work, body.agency), body.whole())
    settle(work, harvester, source, body)
    headers = {"Location": f"/api/v1/harvest/sources/{source.id}"}
    return json_answer(source_shape(work, source), status=201, headers=headers)


@router.get("/sources", responses=documented(list[SourceOut]))
def list_sources(work: SignedInWork) -> Response:
    """Those of the bodies for which you work, by name."""
    return json_answer([source_shape(work, source) for source in queries.sources(work)])


@router.get("/sources/{source}", responses=documented(SourceOut))
def get_source(work: SignedInWork, source: str) -> Response:
    return json_answer(source_shape(work, queries.source(work, source)))


@router.patch("/sources/{source}", responses=documented(SourceOut))
def edit_source(work: SignedInWork, harvester: Running, source: str, body: SourcePatch) -> Response:
    """Sets the named fields. Whoever trusted the source trusted its address: with another one it has to be trusted anew."""
    found = queries.source(work, source)
    service.edit(work, found, body.given())
    settle(work, harvester, found, body)
    return json_answer(source_shape(work, found))


@router.delete("/sources/{source}", status_code=204, response_class=Response)
def end_source(work: SignedInWork, harvester: Running, source: str) -> Response:
    """No more runs. Its datasets stay; a source of that name for that body finds them again."""
    found = queries.source(work, source)
    service.end(work, found)
    harvester.folder.forget(found.id)
    return Response(status_code=204)


@router.post("/sources/{source}/runs", status_code=202, responses=documented(RunOut, 202))
def run_source(work: SignedInWork, source: str, body: RunIn, language: Language) -> Response:
    """Asks for a run; `dry_run` gathers and plans alone. At most one of a source at a time."""
    found = queries.source(work, source)
    run = service.ask_run(work, found, dry_run=body.dry_run)
    headers = {"Location": f"/api/v1/harvest/runs/{run.id}"}
    return json_answer(run_shape(work, run, found, language), status=202, headers=headers)


@router.get("/sources/{source}/runs", responses=documented(RunPage))
def list_runs(
    work: SignedInWork, source: str, language: Language, offset: Offset = 0, limit: Limit = 20
) -> Response:
    """The source's runs, the latest first."""
    found = queries.source(work, source)
    page = queries.runs(work, found, offset=offset, limit=limit)
    return json_answer(
        RunPage(total=page.total, results=[run_shape(work, run, found, language) for run in page.items])
    )


@router.get("/runs/{run}", responses=documented(RunDetail))
def get_run(
    work: SignedInWork,
    run: str,
    language: Language,
    action: Annotated[list[Action] | None, Query()] = None,
    state: Annotated[list[OutcomeState] | None, Query()] = None,
    offset: Offset = 0,
    limit: Limit = 100,
) -> Response:
    """A run with what became of each record, or what its plan is."""
    found, source = queries.run(work, run)
    page = queries.outcomes(
        work, found.id, actions=action or (), states=state or (), offset=offset, limit=limit
    )
    told = run_shape(work, found, source, language).model_dump()
    outcomes = OutcomePage(total=page.total, results=[outcome_shape(row, language) for row in page.items])
    return json_answer(RunDetail(**told, outcomes=outcomes))


@router.post("/runs/{run}/decision", responses=documented(RunOut))
def decide_run(work: SignedInWork, run: str, body: DeletionsIn, language: Language) -> Response:
    """Of a run that is held because too much is missing at the source: whether that is gone."""
    found, source = queries.run(work, run)
    service.decide(work, found, source, body.deletions)
    return json_answer(run_shape(work, found, source, language))


@router.post("/runs/{run}/cancel", responses=documented(RunOut))
def cancel_run(work: SignedInWork, run: str, language: Language) -> Response:
    """What it has applied already stays."""
    found, source = queries.run(work, run)
    service.cancel(work, found, source)
    return json_answer(run_shape(work, found, source, language))


def settle(
    work: Work,
    harvester: Harvester,
    source: HarvestSource,
    body: SourcePatch,
    *,
    trusted_by: str | None = None,
) -> None:
    """What of a request is no plain column of the source: its secret, and the decision to trust it. `trusted_by`: what the box
    stood for when somebody left it ticked; if that has ended, the box has to be ticked anew."""
    if "secret" in body.model_fields_set:
        service.keep_secret(work, source, harvester.secret, body.secret)
    has_ended = trusted_by is not None and source.trust_id is None
    if "trusted" in body.model_fields_set and not has_ended:
        service.trust(work, source, wanted=body.trusted, reason=body.trust_reason)


def source_shape(work: Work, source: HarvestSource) -> SourceOut:
    live = queries.live_run(work, source.id)
    told = SourceOut.model_fields.keys() - {"agency", "trusted", "live_run"}
    return SourceOut(
        **{name: getattr(source, name) for name in told},
        agency=queries.agency_of(work, source).name,
        trusted=source.trust_id is not None,
        live_run=live.id if live is not None else None,
    )


def run_shape(work: Work, run: HarvestRun, source: HarvestSource, language: str) -> RunOut:
    before = queries.before(work, run)
    told = RunOut.model_fields.keys() - {
        "source",
        "status",
        "failure",
        "failure_code",
        "counts",
        "counts_before",
    }
    return RunOut(
        **{name: getattr(run, name) for name in told},
        source=source.name,
        status=RunState(run.state),
        failure=sentence(run.failure, language) if run.failure else "",
        failure_code=run.failure.get("code", ""),
        counts=queries.counts(work, run.id),
        counts_before=queries.counts(work, before.id) if before is not None else None,
    )


def outcome_shape(row: HarvestOutcome, language: str) -> OutcomeOut:
    return OutcomeOut(
        number=row.number,
        identifier=row.identifier,
        title=row.title,
        action=Action(row.action),
        state=OutcomeState(row.state),
        dataset=row.dataset_id,
        told=sentences(row.told, language),
        changes=row.changes,
    )
