"""Jobs that bring messages. One job is one message; in the transaction that notes that it arrived the next one is asked for.
So there is one job a webhook at most, and one that died with its process is run again with the message that it had."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import ColumnElement, delete, func, or_, select

from opendata.agencies import queries as agencies
from opendata.changes.models import Change
from opendata.changes.webhooks import signing
from opendata.changes.webhooks.models import Delivery, DeliveryState, Webhook
from opendata.core.failpoints import reach
from opendata.core.ids import new_id
from opendata.ports.fetcher.port import Fetcher, FetchFailed, FetchLimits
from opendata.ports.job_queue.port import Handler, RetryLater
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace

NEXT, REPLAY = "changes.deliver", "changes.replay"
LIMITS = FetchLimits(size=64 << 10, seconds=15.0, redirects=0)
PAUSES = (5, 30, 300, 1800, 3600, 2 * 3600, 4 * 3600, 8 * 3600, 8 * 3600)
"""Seconds before the second attempt, the third … After the last one a message is dead: about a day after the first."""
LOST_AFTER = timedelta(hours=12)
"""Longer than the longest pause: of a job that has not said a word for so long nothing is to be expected."""
KEPT = timedelta(days=30)
"""So long what arrived is listed; what is dead longer."""


@dataclass(frozen=True)
class Courier:
    """What a message needs on its way."""

    place: Workplace
    fetcher: Fetcher
    secret: bytes
    site_url: str


@dataclass(frozen=True)
class Message:
    webhook_id: str
    position: int
    url: str
    id: str
    body: bytes


def jobs(courier: Courier) -> dict[str, Handler]:
    return {NEXT: partial(_follow, courier), REPLAY: partial(_replay, courier)}


def ask(work: Work) -> None:
    """Asks for the job of each webhook that has something to read and none under way."""
    behind = select(Webhook).where(*_behind(work)).with_for_update(skip_locked=True)
    for webhook in work.session.execute(behind).scalars():
        webhook.asked_at = work.now
        work.enqueue(NEXT, {"webhook": webhook.id})


def is_owed(work: Work) -> bool:
    return work.session.execute(select(Webhook.id).where(*_behind(work)).limit(1)).first() is not None


def _behind(work: Work) -> tuple[ColumnElement[bool], ...]:
    idle = or_(Webhook.asked_at.is_(None), Webhook.asked_at < work.now - LOST_AFTER)
    return idle, Webhook.position < _newest()


def _newest() -> ColumnElement[int]:
    return select(func.coalesce(func.max(Change.position), 0)).scalar_subquery()


def _follow(courier: Courier, webhook: str) -> None:
    """Job: the next change that concerns the webhook of this id, and the order for the one after it."""
    with courier.place.reading(SYSTEM) as work:
        message = _next_message(work, courier, webhook)
    if message is None:
        with courier.place.writing(SYSTEM) as work:
            _rest(work, webhook)
        return
    reach("webhook.taken")
    failure = _send(courier, message)
    reach("webhook.sent")
    with courier.place.writing(SYSTEM) as work:
        again = _note(work, message, failure)
        if again is None:
            _go_on(work, message)
        reach("webhook.written")
    reach("webhook.committed")
    if again is not None:
        raise RetryLater(again)


def _replay(courier: Courier, delivery: str) -> None:
    """Job: the message of the delivery of this id again, beside the order of the others."""
    with courier.place.reading(SYSTEM) as work:
        found = work.session.get(Delivery, delivery)
        if found is None or found.state != DeliveryState.WAITING:
            return
        webhook = work.session.get_one(Webhook, found.webhook_id)
        message = _message(work, courier, webhook, work.session.get_one(Change, found.position))
    failure = _send(courier, message)
    with courier.place.writing(SYSTEM) as work:
        again = _note(work, message, failure)
    if again is not None:
        raise RetryLater(again)


def _next_message(work: Work, courier: Courier, webhook_id: str) -> Message | None:
    webhook = work.session.get(Webhook, webhook_id)
    change = _next(work, webhook) if webhook is not None else None
    return _message(work, courier, webhook, change) if webhook is not None and change is not None else None


def _next(work: Work, webhook: Webhook) -> Change | None:
    query = select(Change).where(Change.position > webhook.position)
    if webhook.events:
        query = query.where(Change.kind.in_(webhook.events))
    if webhook.agency_id is not None:
        query = query.where(Change.agency_id == webhook.agency_id)
    return work.session.execute(query.order_by(Change.position).limit(1)).scalar()


def _message(work: Work, courier: Courier, webhook: Webhook, change: Change) -> Message:
    """Made when it is sent: of what is gone by then it says no more than the log does."""
    agency = agencies.by_ids(work.session, [change.agency_id])[change.agency_id]
    told = {
        "type": f"dataset.{change.kind}",
        "timestamp": change.at.isoformat(),
        "data": {
            "id": change.dataset_id,
            "name": change.name,
            "agency": agency.name,
            "revision": change.revision,
            "content_hash": change.content_hash,
            "url": f"{courier.site_url}/api/v1/datasets/{change.dataset_id}",
        },
    }
    body = json.dumps(told, ensure_ascii=False).encode()
    return Message(webhook.id, change.position, webhook.url, change.id, body)


def _send(courier: Courier, message: Message) -> FetchFailed | None:
    now = int(courier.place.clock.now().timestamp())
    headers = signing.headers(courier.secret, message.webhook_id, message.id, now, message.body)
    try:
        courier.fetcher.deliver(message.url, message.body, LIMITS, headers)
    except FetchFailed as failure:
        return failure
    return None


def _note(work: Work, message: Message, failure: FetchFailed | None) -> float | None:
    """Writes down what came of an attempt. Seconds until the next one; None where there is none."""
    webhook = work.session.get(Webhook, message.webhook_id)
    if webhook is None:
        return None
    if webhook.position < message.position:
        webhook.asked_at = work.now
    delivery = _delivery(work, message)
    delivery.attempts += 1
    delivery.last_at, delivery.next_at = work.now, None
    delivery.failure, delivery.status = (
        (failure.code, failure.params.get("status")) if failure else (None, None)
    )
    if failure is None:
        delivery.state = DeliveryState.DELIVERED
        return None
    if delivery.attempts > len(PAUSES):
        delivery.state = DeliveryState.DEAD
        work.record("webhook.dead", "webhook", message.webhook_id, delivery=delivery.id, failure=failure.code)
        return None
    pause = PAUSES[delivery.attempts - 1]
    delivery.state, delivery.next_at = DeliveryState.WAITING, work.now + timedelta(seconds=pause)
    return pause


def _delivery(work: Work, message: Message) -> Delivery:
    query = select(Delivery).where(
        Delivery.webhook_id == message.webhook_id, Delivery.position == message.position
    )
    found = work.session.execute(query).scalar_one_or_none()
    if found is None:
        found = Delivery(
            id=new_id(), webhook_id=message.webhook_id, position=message.position, state=DeliveryState.WAITING,
            attempts=0, failure=None, status=None, first_at=work.now, last_at=work.now, next_at=None,
        )  # fmt: skip
        work.session.add(found)
    return found


def _go_on(work: Work, message: Message) -> None:
    """The message is dealt with: the position moves on, and the next job follows in the same transaction."""
    webhook = work.session.get(Webhook, message.webhook_id, with_for_update=True)
    if webhook is None or webhook.position >= message.position:
        return
    webhook.position = message.position
    _forget(work, webhook)
    work.enqueue(NEXT, {"webhook": webhook.id})


def _rest(work: Work, webhook_id: str) -> None:
    """Nothing (more) concerns it. What came in since is found by the next `ask`."""
    webhook = work.session.get(Webhook, webhook_id, with_for_update=True)
    if webhook is None:
        return
    last = work.session.execute(select(_newest())).scalar_one()
    if _next(work, webhook) is None:
        webhook.position = last  # read before the look: what has come since is behind it
    webhook.asked_at = None


def _forget(work: Work, webhook: Webhook) -> None:
    old = Delivery.last_at < work.now - KEPT
    done = Delivery.state == DeliveryState.DELIVERED
    work.session.execute(delete(Delivery).where(Delivery.webhook_id == webhook.id, done, old))
