"""CKAN's Action API v3 over HTTP: `/api/3/action/{name}`. The table of actions is at the end."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from opendata.catalog.codes import codes
from opendata.compat.ckan import (
    datasets,
    datastore,
    groups,
    images,
    organizations,
    refused,
    resources,
    search,
    users,
    wire,
)
from opendata.compat.ckan.activities import actions as activities
from opendata.compat.ckan.datastore import dumping
from opendata.compat.ckan.finding import autocomplete
from opendata.compat.ckan.finding.resources import resource_search
from opendata.compat.ckan.following import actions as following
from opendata.compat.ckan.people import accounts, collaborators, members
from opendata.compat.ckan.previews import views
from opendata.compat.ckan.revising import bulk
from opendata.compat.ckan.revising.revise import package_revise
from opendata.compat.ckan.tasks import actions as tasks
from opendata.compat.ckan.terms import tags, vocabularies
from opendata.compat.ckan.wire import Arguments, BadRequest, Call, Ready, Shelf
from opendata.core.errors import DomainError, TooLarge, Unauthenticated
from opendata.core.ids import is_id
from opendata.edge import messages, uploads
from opendata.edge.conventions import EVERYONES_TAG, PUBLIC_TAG, bearer_token
from opendata.edge.http import application, authorize, identify, request_id
from opendata.edge.problem import retry_headers
from opendata.edge.uploads import ReceivedFile
from opendata.edge.usage.journal import Use, mark
from opendata.settings import Settings
from opendata.work.actor import PUBLIC, Credentials, Scope
from opendata.work.unit import Work

log = logging.getLogger(__name__)
VERSION = "2.12.0"
"""The CKAN whose answers these are; clients choose their calls by it."""
JSON = "application/json;charset=utf-8"
_READERS = ThreadPoolExecutor(40, "ckan-reader")
"""As many as the framework's own pool has, reached in half the time: these calls are short."""
_WRITERS = ThreadPoolExecutor(8, "ckan-writer")
_TURN = threading.Lock()
"""SQLite lets one write, and makes the others look again in ever longer steps; here they wait in line instead."""
_SHARED = {"Cache-Control": "public, max-age=0, must-revalidate"}
_FOR_PUBLIC, _FOR_EVERYONE = _SHARED | PUBLIC_TAG, _SHARED | EVERYONES_TAG
_FOR_CALLER = {"Cache-Control": "private, no-store"}


@dataclass(frozen=True)
class Action:
    function: Callable[[Call], Any]
    changes: bool
    """Has side effects: POST only, in a writing unit of work."""
    file_field: str | None = ""
    """The argument that may be a file; None: any, where actions look for them by themselves."""
    file_limit: int | None = None
    """Bytes; None: as large as files may be at all."""


@dataclass
class _Sent:
    args: Arguments
    files: Mapping[str, ReceivedFile] = field(default_factory=dict)


# -- HTTP ------------------------------------------------------------------------------------------------------------


async def act(request: Request) -> Response:
    """Any action, by any way of sending its arguments."""
    if request.method == "OPTIONS":
        return Response(b"", headers=wire.CORS, media_type=JSON)
    name = request.path_params["name"]
    action = ACTIONS.get(name)
    try:
        if action is None:
            raise BadRequest(f"Action name not known: {name[:100]}")
        sent = await _sent(request, action)
        callback = _callback(request, sent)
    except BadRequest as error:
        return _answer(orjson.dumps(f"Bad request: {error}"), 400)
    except DomainError as error:
        return face(error, request)
    run = partial(_perform, request, name, action, sent, callback)
    return await asyncio.get_running_loop().run_in_executor(_WRITERS if action.changes else _READERS, run)


def face(error: DomainError, request: Request, status: int | None = None) -> Response:
    """Errors that arise before or around an action, for `edge.problem`: in CKAN's envelope too."""
    broken = next((f for f in error.fields if f.code.startswith("json_")), None)
    if broken is not None:
        text = f"Bad request: JSON Error: {messages.field_text(broken, 'en')}"
        return _answer(orjson.dumps(text), 400)
    known = wire.action_error(error)
    body = wire.failure(_help_url(request, request.path_params.get("name", "")), known)
    return _answer(body, status or known.status, retry_headers(error))


def versions(request: Request) -> Response:
    return _answer(b'{"version":3}', 200)


def download(request: Request) -> Response:
    """CKAN's address of an upload leads on to the download door, which decides who may have it."""
    resource_id = request.path_params["resource_id"]
    if not is_id(resource_id):
        return _answer(orjson.dumps("Not found"), 404)
    return RedirectResponse(f"/api/v1/resources/{resource_id.lower()}/download", 302, wire.CORS)


def image(request: Request) -> Response:
    """An image of an organization or a group."""
    app = application(request)
    with app.place.reading(request_id=request_id(request)) as work:
        return images.send(request, work, request.path_params["name"], app.stores, app.settings)


def dump(request: Request) -> Response:
    """The rows of a table as a file."""
    app = application(request)

    @contextmanager
    def opened(args: Arguments) -> Iterator[Call]:
        with app.place.reading(request_id=request_id(request)) as work:
            _identify(request, work, bearer_token(request) or request.headers.get("x-ckan-api-key"))
            yield Call(app, work, args, _shelf(request))

    answer = dumping.answer(request.path_params["resource_id"], request.query_params, opened)
    if answer.status_code == 200 and is_id(request.path_params["resource_id"]):
        mark(request, Use.CALL, request.path_params["resource_id"].lower())
    return answer


def _perform(request: Request, name: str, action: Action, sent: _Sent, callback: str) -> Response:
    """The action in its unit of work; the answer is made before the commit, and sent after it."""
    app = application(request)
    help_url = _help_url(request, name)
    token = None if callback else bearer_token(request) or request.headers.get("x-ckan-api-key")
    opened = (
        app.place.writing(PUBLIC, request_id(request))
        if action.changes
        else app.place.reading(request_id=request_id(request))
    )
    headers, audience = {}, _FOR_CALLER
    try:
        with _turn(app.settings, action), opened as work:
            _identify(request, work, token)
            call = Call(app, work, sent.args, _shelf(request), sent.files)
            result = action.function(call)
            if isinstance(result, Ready) and result.used and not action.changes:
                mark(request, Use.CALL, result.used)
            body = wire.success(help_url, result, call.changed)
        status = 200
        if isinstance(result, Ready) and not action.changes and not callback:
            audience = _FOR_EVERYONE if result.everyones else _FOR_PUBLIC if result.public else _FOR_CALLER
    except Exception as error:
        known = wire.action_error(error)
        if known.status == 500:
            log.exception("action %s failed", name)
        if isinstance(error, DomainError):
            headers = retry_headers(error)
        status, body = known.status, wire.failure(help_url, known)
    if callback and status == 200:
        return Response(wire.jsonp(callback, body), status, wire.CORS, "application/javascript;charset=utf-8")
    return _answer(body, status, headers | audience)


def _turn(settings: Settings, action: Action) -> AbstractContextManager[Any]:
    return _TURN if action.changes and settings.database.startswith("sqlite") else nullcontext()


def _identify(request: Request, work: Work, token: str | None) -> None:
    """A token that is not good is no token."""
    try:
        identify(request, work, Credentials(token=token))
    except Unauthenticated:
        work.actor = PUBLIC


def _answer(body: bytes, status: int, more: Mapping[str, str] | None = None) -> Response:
    headers = {**wire.CORS, "Vary": "Authorization", **_FOR_CALLER, **(more or {})}
    return Response(body, status, headers, JSON)


def _help_url(request: Request, name: str) -> str:
    site: str = application(request).settings.site_url
    return f"{site}/api/3/action/help_show?name={quote(name)}"


def _shelf(request: Request) -> Shelf:
    state = request.app.state
    found: Shelf | None = getattr(state, "ckan_shelf", None)
    if found is None:
        found = state.ckan_shelf = Shelf()
    return found


# -- what was sent ---------------------------------------------------------------------------------------------------


async def _sent(request: Request, action: Action) -> _Sent:
    query = request.scope["query_string"].decode("latin-1")
    if request.method in ("GET", "HEAD"):
        if action.changes:
            raise BadRequest("JSON Error: Invalid request. Please use POST method for your request")
        return _Sent(wire.from_query(query))
    kind = request.headers.get("content-type", "")
    if kind.lower().startswith("multipart/form-data"):
        return await _multipart(request, action)
    body = await _body(request)
    return _Sent(wire.from_body(body, kind.lower(), query, side_effect_free=not action.changes))


async def _body(request: Request) -> bytes:
    """The whole body, within the limit: one without a content type has passed the body layer by."""
    limit = application(request).settings.max_json_bytes
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise TooLarge("body_too_large", limit=limit)
    return bytes(body)


async def _multipart(request: Request, action: Action) -> _Sent:
    """Fields, and a file that streams into the inbox store; only from those who may write at all."""
    if action.changes:
        await authorize(request, _may_send)
    app = application(request)
    takes_files = action.file_field != ""
    largest = action.file_limit or app.settings.max_upload_bytes
    limit = largest if takes_files else app.settings.max_json_bytes
    form = await uploads.receive(
        request,
        partial(app.stores.inbox.writer, limit=limit),
        file_field=action.file_field,
        limit=limit,
    )
    return _Sent(dict(form.fields), form.files)


def _may_send(work: Work) -> None:
    actor = work.actor
    if not (actor.can(Scope.WRITE) and (actor.sysadmin or actor.roles or actor.datasets)):
        raise Unauthenticated("token_needed")


def _callback(request: Request, sent: _Sent) -> str:
    callback = sent.args.pop("callback", None)
    if callback is None or request.method not in ("GET", "HEAD"):
        return ""
    if not wire.CALLBACK.fullmatch(str(callback)):
        raise BadRequest("callback is no name of a function")
    return str(callback)


# -- actions about the site itself -----------------------------------------------------------------------------------


def status_show(call: Call) -> dict[str, Any]:
    """The site, and which CKAN it speaks like."""
    settings = call.parts.settings
    return {
        "ckan_version": VERSION,
        "site_title": settings.site_title,
        "site_description": settings.site_title_zh,
        "site_url": settings.site_url,
        "locale_default": "zh",
        "error_emails_to": "",
        "extensions": ["datastore"],
    }


def help_show(call: Call) -> str:
    """The documentation of an action. `name`."""
    name = wire.require(call.args, "name")
    if name not in ACTIONS:
        raise wire.not_found("Action function not found")
    return inspect.getdoc(ACTIONS[name].function) or ""


def get_site_user(call: Call) -> None:
    """Nobody gets the site's own user: there is none to be had."""
    raise wire.denied("Only internal services allowed to use this action")


def license_list(call: Call) -> list[dict[str, Any]]:
    """The licences that a dataset may have."""
    return [
        {
            "id": licence.id,
            "title": licence.title_en,
            "url": licence.url,
            "status": "active",
            "family": "",
            "maintainer": "",
            "domain_content": False,
            "domain_data": True,
            "domain_software": False,
            "is_generic": False,
            "is_okd_compliant": licence.open,
            "is_osi_compliant": False,
            "od_conformance": "approved" if licence.open else "not reviewed",
            "osd_conformance": "not reviewed",
        }
        for licence in codes().licences.values()
    ]


_READING = (
    datasets.package_show, datasets.package_list, search.package_search, search.current_package_list_with_resources,
    organizations.organization_list, organizations.organization_show, organizations.organization_list_for_user,
    groups.group_list, groups.group_show, groups.group_package_show, groups.group_list_authz, resources.resource_show,
    datastore.datastore_search, datastore.datastore_info, datastore.datastore_search_sql, users.user_show, users.user_list, users.user_autocomplete,
    users.api_token_list, members.member_list, members.member_roles_list, tags.tag_list, tags.tag_show, tags.tag_search,
    tags.tag_autocomplete, vocabularies.vocabulary_list, vocabularies.vocabulary_show, autocomplete.package_autocomplete,
    autocomplete.format_autocomplete, autocomplete.organization_autocomplete, autocomplete.group_autocomplete,
    resource_search, views.resource_view_show, views.resource_view_list, status_show, help_show, license_list, get_site_user,
    collaborators.package_collaborator_list, collaborators.package_collaborator_list_for_user,
    *following.READING, *tasks.READING, *activities.READING, *refused.READING,
)  # fmt: skip
_CHANGING = (
    datasets.package_create, datasets.package_update, datasets.package_patch, datasets.package_delete, datasets.dataset_purge,
    datasets.dataset_submit, datasets.package_resource_reorder, datasets.package_owner_org_update,
    organizations.organization_delete, organizations.organization_purge, groups.group_delete, groups.group_purge, resources.resource_delete, members.member_create,
    members.member_delete, members.organization_member_create, members.organization_member_delete,
    members.group_member_create, members.group_member_delete, accounts.user_create, accounts.user_update,
    accounts.user_patch, accounts.user_delete, accounts.user_invite, users.api_token_create, users.api_token_revoke,
    tags.tag_create, tags.tag_delete, vocabularies.vocabulary_create, vocabularies.vocabulary_update,
    vocabularies.vocabulary_delete, views.resource_view_create, views.resource_view_update, views.resource_view_reorder,
    views.resource_view_delete, views.resource_view_clear, views.resource_create_default_resource_views,
    views.package_create_default_resource_views, datastore.datastore_create, datastore.datastore_upsert,
    datastore.datastore_delete, datastore.datastore_records_delete, *following.CHANGING, *tasks.CHANGING, *activities.CHANGING, *refused.CHANGING,
    collaborators.package_collaborator_create, collaborators.package_collaborator_delete,
    bulk.bulk_update_private, bulk.bulk_update_public, bulk.bulk_update_delete,
)  # fmt: skip
_TAKING_FILES = (resources.resource_create, resources.resource_update, resources.resource_patch)
_TAKING_IMAGES = (
    organizations.organization_create, organizations.organization_update, organizations.organization_patch, groups.group_create,
    groups.group_update, groups.group_patch,
)  # fmt: skip

ACTIONS: Mapping[str, Action] = {
    **{function.__name__: Action(function, changes=False) for function in _READING},
    **{function.__name__: Action(function, changes=True) for function in _CHANGING},
    **{function.__name__: Action(function, changes=True, file_field="upload") for function in _TAKING_FILES},
    **{
        function.__name__: Action(function, True, "image_upload", images.LARGEST)
        for function in _TAKING_IMAGES
    },
    "package_revise": Action(package_revise, changes=True, file_field=None),
}

router = APIRouter()
for _path in ("/api/3/action/{name}", "/api/action/{name}"):
    router.add_route(_path, act, methods=["GET", "POST", "PUT", "OPTIONS"], include_in_schema=False)
for _path in ("/api/3", "/api/3/", "/api", "/api/"):
    router.add_route(_path, versions, include_in_schema=False)
router.add_route("/uploads/group/{name}", image, include_in_schema=False)
router.add_route("/datastore/dump/{resource_id}", dump, include_in_schema=False)
router.add_route(
    "/dataset/{dataset}/resource/{resource_id}/download/{filename:path}", download, include_in_schema=False
)
