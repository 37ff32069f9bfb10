"""Webhooks by REST, for those who run the site or a body."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.changes.models import Change, ChangeKind
from opendata.changes.webhooks import queries, service, signing
from opendata.changes.webhooks.models import Delivery, DeliveryState, Webhook
from opendata.core.errors import Gathered
from opendata.edge.conventions import Limit, Offset, documented, json_answer, known_query
from opendata.edge.http import SignedInWork, part
from opendata.edge.reading import Body
from opendata.ports.fetcher.port import Fetcher
from opendata.work.unit import Work

router = APIRouter(prefix="/webhooks", tags=["changes"], dependencies=[Depends(known_query)])
Client = Annotated[Fetcher, Depends(part("fetcher"))]
SiteSecret = Annotated[bytes, Depends(part("secret"))]


class WebhookIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str = Field(max_length=2000, pattern="^https?://", description="Gets a POST for each change")
    events: list[ChangeKind] = Field(default=[], max_length=10, description="Kinds of changes; none: all")
    agency: str | None = Field(
        default=None,
        max_length=100,
        description="Name or id of a body: only its datasets. Who runs a body must name it",
    )


class WebhookOut(BaseModel):
    id: str
    url: str
    events: list[ChangeKind]
    agency: str | None
    created_at: datetime
    behind: int = Field(description="Changes of the log that it has not got to yet")
    waiting: int = Field(description="Messages that are tried again")
    delivered: int = Field(description="In the last 30 days")
    dead: int = Field(description="Given up after a day; can be replayed")


class WebhookMade(WebhookOut):
    secret: str = Field(description="Shown this once. Signs each message: Standard Webhooks, `v1`")


class WebhooksOut(BaseModel):
    results: list[WebhookOut]


class DeliveryOut(BaseModel):
    id: str
    event: str = Field(description="`webhook-id` of the message, the same at each attempt")
    change: ChangeKind
    dataset: str
    name: str | None
    state: DeliveryState
    attempts: int
    failure: str | None = Field(description="Why the last attempt failed: a code of docs/errors.md")
    status: int | None = Field(description="Of the receiver's last answer, where it was no good one")
    first_at: datetime
    last_at: datetime
    next_at: datetime | None

    @classmethod
    def of(cls, delivery: Delivery, change: Change) -> DeliveryOut:
        return cls(
            id=delivery.id, event=change.id, change=ChangeKind(change.kind), dataset=change.dataset_id, name=change.name,
            state=DeliveryState(delivery.state), attempts=delivery.attempts, failure=delivery.failure,
            status=delivery.status, first_at=delivery.first_at, last_at=delivery.last_at, next_at=delivery.next_at,
        )  # fmt: skip


class DeliveriesOut(BaseModel):
    total: int
    results: list[DeliveryOut] = Field(description="The newest change first")


@router.post("", status_code=201, responses=documented(WebhookMade, 201))
def create_webhook(work: SignedInWork, client: Client, secret: SiteSecret, sent: Body[WebhookIn]) -> Response:
    """Each change from now on is sent to the address, in order, at least once, signed. docs/changes.md says how to verify it."""
    wrong: Gathered = sent.gather()
    body = sent.whole(wrong)
    agency = agencies.find(work, body.agency) if body.agency else None
    made = service.create(work, client, body.url, body.events, agency)
    told = WebhookMade(**_told(work, made, agency).model_dump(), secret=signing.secret_of(secret, made.id))
    return json_answer(told, status=201, headers={"Location": f"/api/v1/webhooks/{made.id}"})


@router.get("", responses=documented(WebhooksOut))
def list_webhooks(work: SignedInWork) -> Response:
    """Those that you may keep: all for who runs the site, a body's for its administrators."""
    kept = queries.kept(work, lambda agency: service.may_keep(work.actor, agency))
    return json_answer(WebhooksOut(results=[_told(work, webhook, agency) for webhook, agency in kept]))


@router.get("/{webhook}", responses=documented(WebhookOut))
def get_webhook(work: SignedInWork, webhook: str) -> Response:
    """One of them, and how far it has got."""
    found = service.kept(work, webhook)
    agency = agencies.by_ids(work.session, [found.agency_id]) if found.agency_id else {}
    return json_answer(_told(work, found, next(iter(agency.values()), None)))


@router.delete("/{webhook}", status_code=204, response_class=Response)
def delete_webhook(work: SignedInWork, webhook: str) -> Response:
    """It gets nothing more; what was owed to it is forgotten."""
    service.remove(work, service.kept(work, webhook))
    return Response(status_code=204)


@router.get("/{webhook}/deliveries", responses=documented(DeliveriesOut))
def list_deliveries(
    work: SignedInWork,
    webhook: str,
    state: Annotated[DeliveryState | None, Query(description="`dead`: what can be replayed")] = None,
    offset: Offset = 0,
    limit: Limit = 100,
) -> Response:
    """Messages from their first attempt on. One that was never tried is not among them: `behind` counts it."""
    found, total = queries.deliveries(work, service.kept(work, webhook), state, offset=offset, limit=limit)
    return json_answer(DeliveriesOut(total=total, results=[DeliveryOut.of(d, c) for d, c in found]))


@router.post(
    "/{webhook}/deliveries/{delivery}/replay", status_code=202, responses=documented(DeliveryOut, 202)
)
def replay_delivery(work: SignedInWork, webhook: str, delivery: str) -> Response:
    """Sends a message that is dead, or was delivered, once more, with the same id, beside the order of the others."""
    found = queries.delivery(work, service.kept(work, webhook), delivery)
    service.replay(work, found)
    return json_answer(DeliveryOut.of(found, work.session.get_one(Change, found.position)), status=202)


def _told(work: Work, webhook: Webhook, agency: Agency | None) -> WebhookOut:
    states = queries.states(work, webhook)
    return WebhookOut(
        id=webhook.id, url=webhook.url, events=[ChangeKind(kind) for kind in webhook.events],
        agency=agency.name if agency else None, created_at=webhook.created_at, behind=queries.owed(work, webhook),
        **{state.value: states.get(state, 0) for state in DeliveryState},
    )  # fmt: skip
