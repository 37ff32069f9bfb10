"""Reads of webhooks and of what came of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Row, func, select

from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.changes.models import Change
from opendata.changes.webhooks.models import Delivery, DeliveryState, Webhook
from opendata.core.errors import NotFound
from opendata.work.unit import Work

MayKeep = Callable[[Agency | None], bool]


def kept(work: Work, may: MayKeep) -> list[tuple[Webhook, Agency | None]]:
    """Those that the actor may keep, the oldest first, with the body that they are told of."""
    found = work.session.execute(select(Webhook).order_by(Webhook.id)).scalars().all()
    bodies = agencies.by_ids(work.session, {w.agency_id for w in found if w.agency_id})
    told = [(webhook, bodies.get(webhook.agency_id or "")) for webhook in found]
    return [(webhook, agency) for webhook, agency in told if may(agency)]


def find(work: Work, webhook_id: str, may: MayKeep) -> Webhook:
    found = work.session.get(Webhook, webhook_id)
    agency = agencies.by_ids(work.session, [found.agency_id]) if found and found.agency_id else {}
    if found is None or not may(next(iter(agency.values()), None)):
        raise NotFound("webhook_not_found", id=webhook_id[:100])
    return found


def deliveries(
    work: Work, webhook: Webhook, state: DeliveryState | None, *, offset: int, limit: int
) -> tuple[Sequence[Row[Delivery, Change]], int]:
    """The newest first, with the change that each is about; and how many there are."""
    wanted = [Delivery.webhook_id == webhook.id] + ([Delivery.state == state.value] if state else [])
    total = work.session.execute(select(func.count()).select_from(Delivery).where(*wanted)).scalar_one()
    query = select(Delivery, Change).join(Change, Change.position == Delivery.position).where(*wanted)
    query = query.order_by(Delivery.position.desc()).offset(offset).limit(limit)
    return work.session.execute(query).all(), total


def delivery(work: Work, webhook: Webhook, delivery_id: str) -> Delivery:
    found = work.session.get(Delivery, delivery_id)
    if found is None or found.webhook_id != webhook.id:
        raise NotFound("delivery_not_found", id=delivery_id[:100])
    return found


def owed(work: Work, webhook: Webhook) -> int:
    """How many changes it has not got to yet, those that do not concern it included."""
    last = work.session.execute(select(func.coalesce(func.max(Change.position), 0))).scalar_one()
    return max(0, last - webhook.position)


def states(work: Work, webhook: Webhook) -> dict[DeliveryState, int]:
    query = select(Delivery.state, func.count()).where(Delivery.webhook_id == webhook.id)
    return {DeliveryState(s): n for s, n in work.session.execute(query.group_by(Delivery.state))}
