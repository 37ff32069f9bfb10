"""Datasets and their open drafts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from opendata.access.schemas import DatasetOut
from opendata.agencies import queries as agencies
from opendata.core.errors import NotFound, invalid
from opendata.edge.conventions import documented, json_answer, known_query
from opendata.edge.http import SignedInWork
from opendata.inventory import queries as inventory
from opendata.inventory.models import InventoryLine
from opendata.publishing import drafts, service
from opendata.publishing.api import editing
from opendata.publishing.api.editing import How
from opendata.publishing.api.schemas import DatasetIn, DatasetPatch, SourceIn, WithdrawIn
from opendata.work.unit import Work

router = APIRouter(tags=["datasets"], dependencies=[Depends(known_query)])


@router.post("/datasets", status_code=201, responses=documented(DatasetOut, 201))
def create_dataset(work: SignedInWork, body: DatasetIn, how: How) -> Response:
    """A dataset with its first draft. What is left out is filled in from the body and listed in `defaulted`."""
    agency = agencies.find(work, body.agency)
    drafts.check_editor(work, agency)
    dataset, _release = drafts.create_dataset(
        work,
        agency,
        body.given(),
        name=body.name,
        source_id=body.source_id,
        lines=_lines(work, body.inventory) or (),
    )
    location = f"/api/v1/datasets/{dataset.id}"
    return editing.finish(work, editing.new(dataset, agency), how, status=201, location=location)


@router.put(
    "/datasets/by-source/{agency}/{source_id:path}",
    responses=documented(DatasetOut) | documented(DatasetOut, 201),
)
def put_dataset(work: SignedInWork, agency: str, source_id: str, body: SourceIn, how: How) -> Response:
    """Creates the body's dataset of that identifier (201), or sets the named fields of its draft (200). Sending the same
    again changes nothing."""
    if len(source_id) > 200:
        raise invalid("source_id", "too_long", limit=200)
    owner = agencies.find(work, agency)
    drafts.check_editor(work, owner)
    found = drafts.of_source(work, owner, source_id)
    began = editing.begin(work, found.id, how) if found else None
    dataset, is_new = drafts.put_by_source(
        work, owner, source_id, body.given(), name=body.name, lines=_lines(work, body.inventory)
    )
    status = 201 if is_new else 200
    return editing.finish(work, began or editing.new(dataset, owner), how, status=status)


@router.patch("/datasets/{dataset}", responses=documented(DatasetOut))
def edit_dataset(work: SignedInWork, dataset: str, body: DatasetPatch, how: How) -> Response:
    """Sets the named fields of the open draft. A release under way goes back to `draft`, its approvals are void."""
    began = editing.begin(work, dataset, how)
    drafts.check_editor(work, began.agency)
    if body.inventory is not None:
        drafts.set_lines(work, began.dataset, _lines(work, body.inventory) or ())
    if given := body.given():
        drafts.edit_dataset(work, began.dataset, began.agency, given)
    return editing.finish(work, began, how)


@router.delete("/datasets/{dataset}/draft", status_code=204, response_class=Response)
def discard_draft(work: SignedInWork, dataset: str, how: How) -> Response:
    """Drops the open draft of a dataset that has been public; what is public stays."""
    began = editing.begin(work, dataset, how)
    drafts.discard_draft(work, began.dataset, began.agency)
    return _done(work, began, how)


@router.post("/datasets/{dataset}/withdraw", responses=documented(DatasetOut))
def withdraw_dataset(work: SignedInWork, dataset: str, body: WithdrawIn, how: How) -> Response:
    """Takes a public dataset out of every door at once, for a reason that the public reads."""
    began = editing.begin(work, dataset, how)
    service.withdraw(work, began.dataset, began.agency, body.reason)
    return editing.finish(work, began, how)


@router.delete("/datasets/{dataset}", status_code=204, response_class=Response)
def delete_dataset(
    work: SignedInWork,
    dataset: str,
    how: How,
    reason: Annotated[str, Query(max_length=5000, description="Needed if it is public")] = "",
) -> Response:
    """Withdraws it and takes it out of the body's lists. Its history and its audit trail stay."""
    began = editing.begin(work, dataset, how)
    service.withdraw(work, began.dataset, began.agency, reason, delete=True)
    return _done(work, began, how)


def _done(work: Work, began: editing.Editing, how: How) -> Response:
    if how.dry_run:
        work.take_back()
        return json_answer({"dry_run": True, "changes": [], "missing": []})
    return Response(status_code=204)


def _lines(work: Work, names: list[str] | None) -> list[InventoryLine] | None:
    """The inventory lines of these ids or codes. `Invalid` naming the field if one is unknown."""
    if names is None:
        return None
    try:
        return list(inventory.find(work, names))
    except NotFound as error:
        raise invalid("inventory", "line_not_found", id=error.params.get("id", "")) from None
