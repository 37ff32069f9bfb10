"""Webhooks are made and removed by those who run the site, or a body for its own datasets."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, func, select

from opendata.agencies.models import Agency
from opendata.agencies.policy import may_administer
from opendata.changes import queries as changes
from opendata.changes.models import ChangeKind
from opendata.changes.webhooks import delivering, queries
from opendata.changes.webhooks.models import Delivery, DeliveryState, Webhook
from opendata.core.errors import Conflict, Forbidden, invalid
from opendata.core.ids import new_id
from opendata.ports.fetcher.port import Fetcher, FetchFailed
from opendata.work.actor import Actor, Scope
from opendata.work.unit import Work

MOST = 100
"""Webhooks of a site: each costs a job a change."""


def may_keep(actor: Actor, agency: Agency | None) -> bool:
    """`agency`: whose datasets it is told of; None for all."""
    if agency is not None and may_administer(actor, agency):
        return True
    return actor.sysadmin and actor.can(Scope.ADMIN) and actor.agency_only is None


def create(
    work: Work, fetcher: Fetcher, url: str, events: Collection[ChangeKind], agency: Agency | None
) -> Webhook:
    """Told of what comes from now on. `Forbidden("webhook_role")`, `Conflict("webhooks_full")`, `Invalid` naming `url`."""
    check_may(work, agency)
    try:
        fetcher.check(url)
    except FetchFailed as failure:
        raise invalid("url", failure.code, **failure.params) from None
    if work.session.execute(select(func.count()).select_from(Webhook)).scalar_one() >= MOST:
        raise Conflict("webhooks_full", limit=MOST)
    made = Webhook(
        id=new_id(), url=url, events=sorted({kind.value for kind in events}), agency_id=agency.id if agency else None,
        position=changes.position(work, changes.NOW), asked_at=None, created_by=work.actor.id, created_at=work.now,
    )  # fmt: skip
    work.session.add(made)
    work.session.flush()
    work.record("webhook.created", "webhook", made.id, url=url, events=made.events, agency=made.agency_id)
    return made


def remove(work: Work, webhook: Webhook) -> None:
    work.session.execute(delete(Delivery).where(Delivery.webhook_id == webhook.id))
    work.session.delete(webhook)
    work.record("webhook.removed", "webhook", webhook.id, url=webhook.url)


def replay(work: Work, delivery: Delivery) -> None:
    """Sends it once more, out of turn: whatever came after it has been sent. `Conflict("delivery_waiting")` for one that is
    being tried anyway."""
    if delivery.state == DeliveryState.WAITING:
        raise Conflict("delivery_waiting")
    work.record("webhook.replayed", "webhook", delivery.webhook_id, delivery=delivery.id, was=delivery.state)
    delivery.state, delivery.attempts, delivery.next_at = DeliveryState.WAITING, 0, work.now
    work.enqueue(delivering.REPLAY, {"delivery": delivery.id})


def check_may(work: Work, agency: Agency | None) -> None:
    if not may_keep(work.actor, agency):
        raise Forbidden("webhook_role")


def kept(work: Work, webhook_id: str) -> Webhook:
    """One that the actor may keep. Others look as if they were not there: `NotFound("webhook_not_found")`."""
    return queries.find(work, webhook_id, lambda agency: may_keep(work.actor, agency))
