"""From a page's request to a unit of work: the session cookie says who it is, and a form proves that it is ours.

A form must come from a page of ours twice over: by the browser's own word (`Sec-Fetch-Site`, `Origin`), and by the token
that the session's pages carry. The API ignores cookies, so nothing here opens a way to it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from fastapi import Depends, Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor

from opendata.accounts.models import User, WebSession
from opendata.accounts.notices.queries import unread
from opendata.accounts.sessions import session_hash
from opendata.core.errors import Forbidden, Unauthenticated
from opendata.edge.http import READING_METHODS, get_settings, identify, place_of, request_id
from opendata.settings import Settings
from opendata.supervision.policy import may_watch
from opendata.validation.library.keeping.policy import may_read
from opendata.web.forms import Form, posted
from opendata.work.actor import PUBLIC, REVIEWING_ROLES, Actor, Credentials, Role, SiteRole
from opendata.work.unit import Work

T = TypeVar("T")
KEEPERS = (Role.EDITOR, Role.ADMIN)


class _Text(Convertor[str]):
    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Language(_Text):
    """Keeps our addresses apart from all others."""

    regex = "zh|en"


class _Short(_Text):
    """A short name or an id. Leaves `/dataset/<name>.ttl` to the feeds."""

    regex = "[A-Za-z0-9_-]+"


register_url_convertor("language", _Language())
register_url_convertor("short", _Short())


@dataclass(frozen=True)
class Viewer:
    """Who looks at the page, as its frame needs it."""

    actor: Actor = PUBLIC
    csrf: str = ""
    stranger: bool = True
    """No session was shown: the page holds nothing of anyone."""
    name: str = ""
    """What pages call the viewer."""
    unread: int = 0
    """Notices that the viewer has not read."""

    @property
    def reviews(self) -> bool:
        return any(role in REVIEWING_ROLES for _agency, role in self.actor.roles)

    @property
    def keeps(self) -> bool:
        """Whether there is a body whose inventory or data are in the viewer's hands."""
        return self.actor.sysadmin or any(role in KEEPERS for _agency, role in self.actor.roles)

    @property
    def administers(self) -> bool:
        """Whether the viewer runs the site or a body."""
        return self.actor.sysadmin or any(role is Role.ADMIN for _agency, role in self.actor.roles)

    @property
    def keeps_list(self) -> bool:
        return self.actor.holds(SiteRole.CITY_ADMIN)

    @property
    def keeps_schemas(self) -> bool:
        """Whether the viewer writes the city's table schemas, or decides on them."""
        return may_read(self.actor)

    @property
    def watches(self) -> bool:
        return may_watch(self.actor)

    @property
    def supervises(self) -> bool:
        return self.actor.holds(SiteRole.SUPERVISOR)


def cookie_name(settings: Settings) -> str:
    """`__Host-` binds the cookie to this very host; browsers take it over https only."""
    return "__Host-session" if settings.site_url.startswith("https:") else "session"


def session_cookie(request: Request) -> str | None:
    return request.cookies.get(cookie_name(get_settings(request)))


def viewer_of(request: Request) -> Viewer:
    found = getattr(request.state, "viewer", None)
    return found if isinstance(found, Viewer) else Viewer(stranger=session_cookie(request) is None)


def check_origin(request: Request) -> None:
    """`Forbidden("form_not_ours")` for a form that another site sent."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise Forbidden("form_not_ours")
    origin = request.headers.get("origin")
    if origin is None:
        return
    named = urlsplit(origin)
    ours = urlsplit(get_settings(request).site_url)
    if named.netloc not in (ours.netloc, request.headers.get("host", "")) or not named.netloc:
        raise Forbidden("form_not_ours")


def check_token(request: Request, form: Form) -> None:
    """`Forbidden("form_not_ours")` unless the form carries the session's token."""
    expected = viewer_of(request).csrf
    if not expected or not hmac.compare_digest(expected.encode(), form.text("csrf").encode()):
        raise Forbidden("form_not_ours")


def recognise(request: Request, work: Work) -> None:
    """Sets the work's actor by the session cookie, and the viewer for the page's frame."""
    cookie = session_cookie(request)
    identify(request, work, Credentials(cookie=cookie))
    csrf, name, waiting = "", "", 0
    if cookie and work.actor.id is not None:
        query = select(WebSession.csrf_token, User).join(User, User.id == WebSession.user_id)
        csrf, user = work.session.execute(query.where(WebSession.id_hash == session_hash(cookie))).one()
        name, waiting = user.called, unread(work)
    request.state.viewer = Viewer(work.actor, csrf, stranger=cookie is None, name=name, unread=waiting)


PostedForm = Annotated[Form, Depends(posted)]


def get_page_work(request: Request, form: PostedForm) -> Iterator[Work]:
    """A unit of work for a page: reading for GET, writing (and committed before the answer) for a form."""
    if request.method in READING_METHODS:
        with place_of(request).reading(request_id=request_id(request)) as work:
            recognise(request, work)
            yield work
        return
    check_origin(request)
    with place_of(request).writing(PUBLIC, request_id=request_id(request)) as work:
        recognise(request, work)
        _signed_in(work)
        check_token(request, form)
        yield work


PageWork = Annotated[Work, Depends(get_page_work, scope="function")]


async def get_member_work(work: PageWork) -> Work:
    """The same, for pages of signed-in people. `Unauthenticated("token_needed")` leads to the sign-in page."""
    _signed_in(work)
    return work


MemberWork = Annotated[Work, Depends(get_member_work, scope="function")]


def _signed_in(work: Work) -> None:
    if work.actor.id is None:
        raise Unauthenticated("token_needed")


async def let_in(request: Request, check: Callable[[Work], T]) -> T:
    """Before an upload: what `check` returns, on a read-only work that is closed again."""

    def run() -> T:
        check_origin(request)
        with place_of(request).reading(request_id=request_id(request)) as work:
            recognise(request, work)
            _signed_in(work)
            return check(work)

    return await run_in_threadpool(run)


async def change(request: Request, form: Form, act: Callable[[Work], T]) -> T:
    """After an upload: what `act` returns, after its transaction is committed. The caller is asked for once more."""

    def run() -> T:
        with place_of(request).writing(PUBLIC, request_id=request_id(request)) as work:
            recognise(request, work)
            _signed_in(work)
            check_token(request, form)
            return act(work)

    return await run_in_threadpool(run)
