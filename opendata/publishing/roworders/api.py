"""Row orders by REST."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from opendata.access import policy as access_policy
from opendata.agencies.models import Agency
from opendata.catalog import queries as catalog
from opendata.catalog.codes import codes
from opendata.catalog.models import Dataset
from opendata.catalog.roworders import queries
from opendata.catalog.roworders.models import OrderState, RowOrder
from opendata.core.clock import day_of
from opendata.core.errors import Gone, NotFound, Unauthenticated, invalid
from opendata.edge.conventions import Language, documented, json_answer, known_query
from opendata.edge.http import ApiWork, SignedInWork, authorize, part, perform
from opendata.publishing.jobs import Journey
from opendata.publishing.roworders import preview, service
from opendata.publishing.roworders.preview import Asked
from opendata.publishing.roworders.schemas import (
    LiftIn,
    RowOrderIn,
    RowOrderOut,
    RowOrderPreviewOut,
    order_out,
    preview_out,
)
from opendata.work.unit import Work

router = APIRouter(tags=["row orders"], dependencies=[Depends(known_query)])
Journeys = Annotated[Journey, Depends(part("journey"))]
DryRun = Annotated[
    bool, Query(description="Say how many rows of which versions it would hide; place nothing")
]


@router.post(
    "/row-orders",
    status_code=201,
    responses=documented(RowOrderOut, 201) | documented(RowOrderPreviewOut),
)
async def place_row_order(
    request: Request, body: RowOrderIn, journey: Journeys, language: Language, dry_run: DryRun = False
) -> Response:
    """Hides rows of a dataset at once, in all its versions: for a secrecy reviewer or an administrator of its body. A second
    of them confirms, and the bytes are purged."""
    if dry_run:
        asked = await authorize(request, lambda work: _ask(work, journey, body))
        tried = await run_in_threadpool(preview.run, journey, asked)
        return json_answer(preview_out(tried, language))

    def change(work: Work) -> Response:
        dataset, agency = _target(work, body)
        order = service.place(work, journey.secret, dataset, agency, body.wanted, body.cause)
        work.session.flush()
        headers = {"Location": f"/api/v1/row-orders/{order.number}"}
        return json_answer(order_out(work, order, language), status=201, headers=headers)

    # The digest is kept for a day: keys are somebody's, so it is salted like them.
    salted = hashlib.blake2b(body.model_dump_json().encode(), key=journey.secret[:64], digest_size=32)
    return await perform(request, change, digest=salted.hexdigest())


@router.get("/row-orders", responses=documented(list[RowOrderOut]))
def list_row_orders(
    work: SignedInWork,
    language: Language,
    state: Annotated[OrderState | None, Query()] = None,
    dataset: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Those of the bodies for which the caller works, the latest first."""
    query = select(RowOrder).join(Dataset, Dataset.id == RowOrder.dataset_id)
    query = query.where(access_policy.draft_filter(work))
    if state is not None:
        query = query.where(RowOrder.state == state.value)
    if dataset:
        query = query.where((Dataset.id == dataset) | (Dataset.name == dataset))
    rows = work.session.execute(query.order_by(RowOrder.placed_at.desc()).limit(500)).scalars().all()
    return json_answer([order_out(work, order, language) for order in rows])


@router.get("/row-orders/{row_order}", responses=documented(RowOrderOut))
def get_row_order(work: SignedInWork, row_order: str, language: Language) -> Response:
    """By number or id: where it stands, and what was done."""
    return json_answer(order_out(work, find(work, row_order)[0], language))


@router.post("/row-orders/{row_order}/confirmation", responses=documented(RowOrderOut))
def confirm_row_order(work: SignedInWork, row_order: str, language: Language) -> Response:
    """A second person has the bytes purged from every store. There is no way back."""
    found, agency = find(work, row_order)
    service.confirm(work, found, agency)
    return json_answer(order_out(work, found, language))


@router.post("/row-orders/{row_order}/lifting", responses=documented(RowOrderOut))
def lift_row_order(work: SignedInWork, row_order: str, body: LiftIn, language: Language) -> Response:
    """Ends it. Rows that were hidden come back; what was purged does not, but may be delivered again."""
    found, agency = find(work, row_order)
    service.lift(work, found, agency, body.reason)
    return json_answer(order_out(work, found, language))


@router.get("/files/{sha256}", response_class=Response)
def get_file_by_hash(work: ApiWork, sha256: str, language: Language) -> Response:
    """Bytes that were public once and held a row that had to go: 410 with the order, its day and ground. 404 for all others:
    files are downloaded by their resource."""
    found = queries.public_tombstone(work.session, sha256)
    if found is None:
        raise NotFound("file_not_found", sha256=sha256[:64])
    tombstone, order = found
    ground = codes().label("row_order_ground", order.ground, language)
    day = day_of(tombstone.hidden_at).isoformat()
    told = {"sha256": tombstone.sha256, "replaced_by": tombstone.replaced_by}
    raise Gone("file_rows_removed", number=order.number, day=day, ground=ground, tombstone=told)


def find(work: Work, order_id: str) -> tuple[RowOrder, Agency]:
    """For the people of its body."""
    order = queries.find(work, order_id)
    query = select(Dataset.id).where(Dataset.id == order.dataset_id, access_policy.draft_filter(work))
    if work.session.execute(query).first() is None:
        raise NotFound("row_order_not_found", id=order_id[:100])
    return order, work.session.get_one(Agency, order.agency_id)


def _target(work: Work, body: RowOrderIn) -> tuple[Dataset, Agency]:
    if work.actor.id is None:
        raise Unauthenticated("token_needed")
    if bool(body.dataset) == bool(body.resource):
        raise invalid("dataset", "row_order_target")
    mine = access_policy.draft_filter(work)
    if body.resource:
        dataset = catalog.dataset_of_resource(work, body.resource, visible=mine)
    else:
        dataset = catalog.dataset(work, body.dataset, visible=mine)
    agency = work.session.get_one(Agency, dataset.agency_id)
    service.check_may(work, agency)
    return dataset, agency


def _ask(work: Work, journey: Journey, body: RowOrderIn) -> Asked:
    dataset, _agency = _target(work, body)
    return preview.ask(work, journey.secret, dataset, body.wanted)
