"""Webhooks at the desk, for those who run the site or a body: made, watched, sent again, removed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.changes.models import ChangeKind
from opendata.changes.webhooks import delivering, queries, service, signing
from opendata.changes.webhooks.api import Client, SiteSecret, WebhookIn
from opendata.changes.webhooks.models import Delivery, DeliveryState
from opendata.core.errors import Conflict, Forbidden, Invalid, NotFound
from opendata.edge import messages
from opendata.edge.reading import read
from opendata.web.forms import Form, Problem, problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import Pager, page, see_other
from opendata.work.unit import Work

HERE = "/console/webhooks"
router = APIRouter(prefix=HERE)
MESSAGES_A_PAGE = 50
State = Annotated[str, Query(max_length=20)]
PageNumber = Annotated[int, Query(alias="page", ge=1, le=100_000)]


@router.get("")
def listed(request: Request, language: str, work: MemberWork) -> Response:
    _check(work)
    return _list(request, language, work)


@router.post("")
def create(
    request: Request, language: str, work: MemberWork, client: Client, secret: SiteSecret, form: PostedForm
) -> Response:
    """The page that answers is the only one that ever shows the secret."""
    _check(work)
    sent = {"url": form.text("url"), "events": form.many("events"), "agency": form.text("agency") or None}
    try:
        asked = read(WebhookIn, sent)
        body = asked.whole(asked.gather())
        agency = agencies.find(work, body.agency) if body.agency else None
        made = service.create(work, client, body.url, body.events, agency)
    except (Invalid, Conflict, Forbidden, NotFound) as error:
        work.take_back()
        return _list(request, language, work, form, problems(error, language))
    return _list(request, language, work, secret=(made.url, signing.secret_of(secret, made.id)))


@router.get("/{webhook:short}")
def one(
    request: Request, language: str, webhook: str, work: MemberWork, state: State = "", page_: PageNumber = 1
) -> Response:
    """What came of its messages, the newest first."""
    found = service.kept(work, webhook)
    wanted = DeliveryState(state) if state in list(DeliveryState) else None
    offset = (page_ - 1) * MESSAGES_A_PAGE
    rows, total = queries.deliveries(work, found, wanted, offset=offset, limit=MESSAGES_A_PAGE)
    return page(
        request,
        "webhooks/one.html",
        language,
        webhook=found,
        rows=[(delivery, change, _failure(delivery, language)) for delivery, change in rows],
        states=queries.states(work, found),
        behind=queries.owed(work, found),
        state=wanted,
        pager=Pager(page_, MESSAGES_A_PAGE, total),
    )


@router.post("/{webhook:short}/removal")
def remove(request: Request, language: str, webhook: str, work: MemberWork, form: PostedForm) -> Response:
    service.remove(work, service.kept(work, webhook))
    return see_other(f"/{language}{HERE}", done="removed")


@router.post("/{webhook:short}/deliveries/{delivery:short}/replay")
def replay(
    request: Request, language: str, webhook: str, delivery: str, work: MemberWork, form: PostedForm
) -> Response:
    service.replay(work, queries.delivery(work, service.kept(work, webhook), delivery))
    return see_other(f"/{language}{HERE}/{webhook}", done="saved")


def _failure(delivery: Delivery, language: str) -> str:
    """The sentence of the last attempt."""
    limits = {"limit": round(delivering.LIMITS.seconds), "status": delivery.status or ""}
    return messages.text(delivery.failure, language, limits) if delivery.failure else ""


def _check(work: Work) -> None:
    if not _bodies(work) and not service.may_keep(work.actor, None):
        raise Forbidden("webhook_role")


def _bodies(work: Work) -> Collection[Agency]:
    return [body for body in agencies.every(work) if service.may_keep(work.actor, body)]


def _list(
    request: Request,
    language: str,
    work: Work,
    form: Form | None = None,
    wrong: Sequence[Problem] = (),
    secret: tuple[str, str] | None = None,
) -> Response:
    kept = queries.kept(work, lambda agency: service.may_keep(work.actor, agency))
    return page(
        request,
        "webhooks/listed.html",
        language,
        webhooks=[(w, body, queries.states(work, w), queries.owed(work, w)) for w, body in kept],
        bodies=_bodies(work),
        whole_site=service.may_keep(work.actor, None),
        kinds=list(ChangeKind),
        form=form or Form(),
        secret=secret,
        wrong=wrong,
    )
