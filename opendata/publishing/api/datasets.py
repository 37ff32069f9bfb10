"""Datasets and their open drafts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Response

from opendata.access.schemas import DatasetOut
from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.catalog.drafts import NewResource
from opendata.catalog.library.queries import shelf
from opendata.catalog.models import Dataset, Release
from opendata.catalog.profile import DatasetMeta, ResourceMeta
from opendata.core.errors import Gathered, NotFound, invalid
from opendata.core.names import check_name
from opendata.edge.conventions import documented, known_query
from opendata.edge.http import SignedInWork
from opendata.edge.reading import Body, Sent
from opendata.inventory.models import InventoryLine
from opendata.publishing import drafts, service
from opendata.publishing.api import editing
from opendata.publishing.api.editing import How
from opendata.publishing.api.schemas import DatasetIn, DatasetPatch, SourceIn, WithdrawIn
from opendata.publishing.bysource import service as bysource
from opendata.work.unit import Work

P = TypeVar("P", bound=DatasetPatch)
N = TypeVar("N", bound=DatasetIn)
Reason = Annotated[str, Query(max_length=5000, description="Needed if it is public")]
router = APIRouter(tags=["datasets"], dependencies=[Depends(known_query)])


@router.post("/datasets", status_code=201, responses=documented(DatasetOut, 201))
def create_dataset(work: SignedInWork, sent: Body[DatasetIn], how: How) -> Response:
    """A dataset with its first draft. What is left out is filled in from the body and listed in `defaulted`."""
    dataset, _release, agency = make(work, sent)
    location = f"/api/v1/datasets/{dataset.id}"
    return editing.finish(work, editing.new(dataset, agency), how, status=201, location=location)


@router.put(
    "/datasets/by-source/{agency}/{source_id:path}",
    responses=documented(DatasetOut) | documented(DatasetOut, 201),
)
def put_dataset(work: SignedInWork, agency: str, source_id: str, sent: Body[SourceIn], how: How) -> Response:
    """Creates the body's dataset of that identifier (201), or sets the named fields of its draft (200), with its links if
    they are named. Sending the same again changes nothing."""
    owner, found = _of_source(work, agency, source_id)
    began = editing.begin(work, found.id, how) if found else None
    wrong = _judge_edit(work, found, sent) if found else _judge_new(work, sent)
    links: list[ResourceMeta] = []
    with wrong:
        links = bysource.links(shelf(work.session), sent.right.get("resources") or ())
    body, lines = _whole(work, owner, sent, wrong)
    named = lines if body.inventory is not None else None
    dataset, is_new = drafts.put_by_source(work, owner, source_id, body.given(), name=body.name, lines=named)
    if body.resources is not None:
        bysource.set_links(work, dataset, owner, links)
    if body.submit:
        bysource.hand_in(work, dataset, owner)
    status = 201 if is_new else 200
    return editing.finish(work, began or editing.new(dataset, owner), how, status=status)


@router.delete("/datasets/by-source/{agency}/{source_id:path}", status_code=204, response_class=Response)
def take_dataset_back(
    work: SignedInWork, agency: str, source_id: str, how: How, reason: Reason = ""
) -> Response:
    """It is gone at its body: withdrawn here, or, if it has never been public, taken out of the review. Its id stays: a PUT
    of the identifier brings it back."""
    owner, found = _of_source(work, agency, source_id)
    if found is None:
        raise NotFound("dataset_not_found", id=source_id[:100])
    began = editing.begin(work, found.id, how)
    bysource.take_back(work, found, owner, reason)
    return _done(work, began, how)


@router.patch("/datasets/{dataset}", responses=documented(DatasetOut))
def edit_dataset(work: SignedInWork, dataset: str, sent: Body[DatasetPatch], how: How) -> Response:
    """Sets the named fields of the open draft. A release under way goes back to `draft`, its approvals are void."""
    began = editing.begin(work, dataset, how)
    drafts.check_editor(work, began.agency, began.dataset)
    body, lines = _whole(work, began.agency, sent, _judge_edit(work, began.dataset, sent))
    if body.inventory is not None:
        drafts.check_editor(work, began.agency)
        drafts.set_lines(work, began.dataset, lines)
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
    reason: Reason = "",
) -> Response:
    """Withdraws it and takes it out of the body's lists. Its history and its audit trail stay."""
    began = editing.begin(work, dataset, how)
    service.withdraw(work, began.dataset, began.agency, reason, delete=True)
    return _done(work, began, how)


def make(work: Work, sent: Sent[N], resources: Sequence[NewResource] = ()) -> tuple[Dataset, Release, Agency]:
    """The dataset that was sent, its first draft, and its body. `Invalid` names every wrong field."""
    wrong = _judge_new(work, sent)
    body_named = sent.need("agency", wrong)
    agency = work.once(("agency", body_named), lambda: agencies.find(work, body_named))
    drafts.check_editor(work, agency)
    body, lines = _whole(work, agency, sent, wrong)
    dataset, release = drafts.create_dataset(
        work,
        agency,
        body.given(),
        name=body.name,
        source_id=body.source_id,
        lines=lines,
        resources=resources,
    )
    return dataset, release, agency


def _of_source(work: Work, agency: str, source_id: str) -> tuple[Agency, Dataset | None]:
    """The body, for which the caller may write, and its dataset of that identifier."""
    if len(source_id) > 200:
        raise invalid("source_id", "too_long", limit=200)
    owner = agencies.find(work, agency)
    drafts.check_editor(work, owner)
    return owner, drafts.of_source(work, owner, source_id)


def _done(work: Work, began: editing.Editing, how: How) -> Response:
    return editing.finish(work, began, how) if how.dry_run else Response(status_code=204)


def _judge_new(work: Work, sent: Sent[P]) -> Gathered:
    """What is wrong with a dataset that is to be created."""
    wrong = sent.gather()
    wrong.add(check_name("name", sent.right["name"]) if sent.right.get("name") else ())
    with wrong:
        drafts.dataset_meta(work, _metadata(sent), _metadata(sent))
    return wrong


def _judge_edit(work: Work, dataset: Dataset, sent: Sent[P]) -> Gathered:
    """What is wrong with an edit."""
    wrong = sent.gather()
    with wrong:
        drafts.check_fields(work, dataset, _metadata(sent))
    return wrong


def _whole(work: Work, agency: Agency, sent: Sent[P], wrong: Gathered) -> tuple[P, Sequence[InventoryLine]]:
    """The input and the lines it names. `Invalid` with what is wrong with these too."""
    lines = None
    with wrong:
        lines = drafts.lines_named(work, agency, sent.right.get("inventory"))
    return sent.whole(wrong), lines or ()


def _metadata(sent: Sent[P]) -> dict[str, Any]:
    return {name: value for name, value in sent.right.items() if name in DatasetMeta.model_fields}
