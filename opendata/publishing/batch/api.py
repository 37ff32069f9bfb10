"""Datasets in bulk: one request, one transaction, an outcome for each. What is wrong with one leaves the others alone."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from sqlalchemy.exc import IntegrityError
from starlette.responses import Response

from opendata.catalog.drafts import NewResource
from opendata.catalog.library.queries import Shelf, shelf
from opendata.core.errors import DomainError, Forbidden, Unavailable
from opendata.edge import problem
from opendata.edge.conventions import DryRun, Language, documented, json_answer, known_query
from opendata.edge.http import SignedInWork
from opendata.edge.reading import Sent
from opendata.publishing import service
from opendata.publishing.api.datasets import make
from opendata.publishing.batch.schemas import BatchDataset, BatchIn, BatchOut
from opendata.publishing.bysource import service as bysource
from opendata.work.unit import Work

router = APIRouter(tags=["datasets"], dependencies=[Depends(known_query)])


@router.post("/datasets/batch", responses=documented(BatchOut))
def create_datasets(
    work: SignedInWork,
    body: BatchIn,
    language: Language,
    dry_run: DryRun = False,
) -> Response:
    """Up to 1,000 new datasets with their links. Each is made whole or not at all; what is wrong with one is told in its
    outcome and leaves the others alone. Whoever may make none of them is refused as a whole."""
    schemas = shelf(work.session)
    made: list[dict[str, str] | DomainError] = []
    for sent in body.datasets:
        try:
            with work.part():
                made.append(_make(work, sent, schemas, submit=body.submit))
        except (DomainError, IntegrityError) as error:
            made.append(_known(error))
    refused = [error for error in made if isinstance(error, DomainError)]
    if len(refused) == len(made) and all(isinstance(error, Forbidden) for error in refused):
        raise refused[0]
    if dry_run:
        work.take_back()
    outcomes = [_outcome(index, entry, language) for index, entry in enumerate(made)]
    answer = {"dry_run": dry_run, "made": len(made) - len(refused), "refused": len(refused)}
    return json_answer({**answer, "outcomes": outcomes})


def _make(work: Work, sent: Sent[BatchDataset], schemas: Shelf, *, submit: bool) -> dict[str, str]:
    wrong = sent.gather()
    with wrong:
        given = bysource.links(schemas, sent.right.get("resources", ()))
        links = [NewResource(meta) for meta in given]
    if wrong.fields:  # the rest is judged too, so that one answer names every wrong field
        with wrong:
            make(work, sent)
        wrong.raise_if_any()
    dataset, release, agency = make(work, sent, links)
    if submit:
        release = service.submit(work, dataset, agency)
    return {"id": dataset.id, "name": dataset.name, "state": str(release.state)}


def _known(error: Exception) -> DomainError:
    """What ails the service is no matter of one dataset, and ends the whole batch."""
    known = problem.domain_error(error)
    if isinstance(known, Unavailable):
        raise known
    return known


def _outcome(index: int, made: dict[str, str] | DomainError, language: str) -> dict[str, Any]:
    if not isinstance(made, DomainError):
        return {"index": index, "status": 201, "dataset": made, "problem": None}
    told = problem.problem(made, language)
    return {"index": index, "status": told["status"], "dataset": None, "problem": told}
