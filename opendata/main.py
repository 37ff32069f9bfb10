"""The HTTP server: the layers before the framework, every package's endpoints, and the page that explains them."""

from __future__ import annotations

import gc
import socket
from collections.abc import AsyncIterator, Container, Iterator
from contextlib import asynccontextmanager
from functools import cache
from html import escape
from typing import Any

import uvicorn
from fastapi import APIRouter, FastAPI, Request
from sqlalchemy.engine import make_url
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from opendata.access import api as access
from opendata.accounts import api as accounts
from opendata.accounts.notices import api as notices
from opendata.agencies import api as agencies
from opendata.agencies.delegation import api as delegation
from opendata.application import Application
from opendata.changes import api as changes
from opendata.changes.webhooks import api as webhooks
from opendata.compat.ckan import api as ckan
from opendata.compat.dcat import api as dcat
from opendata.compat.dcat import dumps, syndication
from opendata.compat.oai import api as oai
from opendata.core.errors import Conflict
from opendata.edge import health, problem
from opendata.edge.bodies import BodyLimits
from opendata.edge.bytecache import ByteCache, Generation
from opendata.edge.frame import Frame, configure_logging
from opendata.edge.health import Metrics, Readiness
from opendata.edge.idempotency import with_memory
from opendata.edge.ratelimit import RateLimit
from opendata.edge.serving.dispatch import refuse_early
from opendata.edge.serving.protocol import PunctualProtocol
from opendata.edge.trail import api as audit_trail
from opendata.harvest import api as harvest
from opendata.inventory import api as inventory
from opendata.inventory.catalogues import api as catalogues
from opendata.inventory.negative import api as negative
from opendata.inventory.plan import api as plan
from opendata.inventory.profile import api as metadata_profile
from opendata.inventory.transfer import api as inventory_lists
from opendata.publishing import api as publishing
from opendata.publishing.roworders import api as row_orders
from opendata.publishing.rows import api as row_waivers
from opendata.publishing.standing import api as standing
from opendata.reporting import api as reporting
from opendata.search import api as search
from opendata.settings import Settings
from opendata.supervision.alerts import api as alerts
from opendata.supervision.links import api as link_checks
from opendata.supervision.mqa import api as mqa
from opendata.supervision.periodic import api as periodic
from opendata.supervision.rectification import api as rectification
from opendata.supervision.reports import api as reports
from opendata.supervision.scores import api as scores
from opendata.supervision.usage import api as usage
from opendata.supervision.usage.counting import Counting
from opendata.tables import api as tables
from opendata.validation import api as validation
from opendata.web import api as web

API = "/api/v1"
API_ROUTERS: tuple[APIRouter, ...] = (
    agencies.router,
    delegation.router,
    accounts.router,
    notices.router,
    inventory.router,
    inventory_lists.router,
    catalogues.router,
    plan.router,
    negative.router,
    metadata_profile.router,
    audit_trail.router,
    access.router,
    rectification.router,
    periodic.router,
    alerts.router,
    usage.router,
    scores.router,
    mqa.router,
    link_checks.router,
    reports.router,
    publishing.router,
    standing.router,
    row_orders.router,
    row_waivers.router,
    harvest.router,
    reporting.router,
    search.router,
    changes.router,
    webhooks.router,
    tables.router,
    validation.router,
)
"""Under /api/v1. The first route that matches answers."""
OTHER_ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    dcat.router,
    syndication.router,
    dumps.router,
    oai.router,
    web.router,
)
"""Under their own paths: health, feeds, pages."""
FACES: tuple[tuple[str, problem.Face], ...] = (
    *web.FACES,
    ("/api/", problem.response),
    ("/api/v1/uploads", publishing.tus_face),
    ("/api/3/", ckan.face),
    ("/api/action/", ckan.face),
)
"""Who words an error, by path; problem+json where nobody else does."""

MAX_CONNECTIONS = 4000


class Server(FastAPI):
    """FastAPI behind our layers. They stand outside of its own error layer, so that its last answer passes them too."""

    def build_middleware_stack(self) -> ASGIApp:
        settings: Settings = self.state.application.settings
        app: ASGIApp = BodyLimits(super().build_middleware_stack(), settings.max_json_bytes)
        app = ByteCache(app, self.state.generation, self.state.metrics.cache_hits.inc)
        app = RateLimit(app, settings.rate_limit)
        note_use = self.state.application.journal.note
        return Frame(app, self.state.metrics, https=settings.site_url.startswith("https:"), note_use=note_use)


def create_app(application: Application) -> FastAPI:
    """The server over a wired application. It runs the application's jobs if `settings.run_jobs`."""
    app = Server(
        routes=routes(),
        title="Open government data platform",
        version="1",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    settings = application.settings
    url = make_url(settings.database)
    app.state.application = application
    app.state.metrics, app.state.readiness = Metrics(), Readiness()
    app.state.generation = Generation(
        application.place, url.database if url.get_backend_name() == "sqlite" else None
    )
    app.state.faces = FACES
    problem.install(app)
    return app


@cache
def routes() -> list[BaseRoute]:
    """Every endpoint, for all servers of a process: the framework works a route out when it is first tried, in 7 ms each."""
    found = APIRouter()
    found.include_router(ckan.router)  # first: routes are tried in order, and these are asked most
    for router in API_ROUTERS:
        found.include_router(with_memory(router), prefix=API)
    found.include_router(reference)
    for router in OTHER_ROUTERS:
        found.include_router(router)
    refuse_early(found.routes)
    return found.routes


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    application: Application = app.state.application
    if application.settings.run_jobs:
        await run_in_threadpool(application.start)
    counting = Counting(application.place, application.journal)
    counting.start()
    yield
    await run_in_threadpool(counting.stop)
    app.state.generation.close()
    if application.settings.run_jobs:
        await run_in_threadpool(application.close)


def reserve(host: str, port: int) -> socket.socket:
    """The address, taken but not listening yet. `Conflict("address_taken")` if it is not to be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
    except OSError as error:
        raise Conflict("address_taken", address=f"{host}:{port}", reason=error.strerror or "") from error
    return found


def serve(application: Application, reserved: socket.socket) -> None:
    """Serves on the reserved address until SIGINT or SIGTERM; then takes no new request and gives the running ones 20 seconds."""
    configure_logging(application.settings.log_level)
    config = uvicorn.Config(
        create_app(application),
        loop="uvloop",
        http=PunctualProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # edge.http.client_address reads them, by settings.trusted_proxies
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=20,
        limit_concurrency=MAX_CONNECTIONS,
        backlog=2048,
    )
    gc.freeze()  # what is there from the start stays: nobody need look again and again whether it can go
    try:
        uvicorn.Server(config).run(sockets=[reserved])
    finally:
        if not application.settings.run_jobs:
            application.close()


reference = APIRouter(include_in_schema=False)


@reference.get(f"{API}/docs")
def docs(request: Request) -> Response:
    """Every call, made from the OpenAPI document: a page without scripts that loads nothing."""
    return HTMLResponse("".join(_page(request.app.openapi())), headers={"X-Cache-Tag": "public"})


def _page(document: dict[str, Any]) -> Iterator[str]:
    title = escape(document["info"]["title"])
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>'
    yield f'<p>Machine-readable: <a href="{API}/openapi.json">openapi.json</a>. Send a token as '
    yield "<code>Authorization: Bearer TOKEN</code>. Errors are <code>application/problem+json</code>; "
    yield "<code>errors</code> names every wrong field.</p>"
    shapes = document.get("components", {}).get("schemas", {})
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield from _operation(method, path, operation, shapes)
    yield "<h2>Shapes</h2>"
    for name, schema in shapes.items():
        yield f'<h3 id="{escape(name)}">{escape(name)}</h3>'
        yield from _properties(schema, shapes)


def _operation(method: str, path: str, operation: dict[str, Any], known: Container[str]) -> Iterator[str]:
    yield f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
    yield f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p>"
    if parameters := operation.get("parameters"):
        yield "<table><tr><th>Parameter<th>In<th>Type<th>Meaning</tr>"
        for p in parameters:
            needed = " (required)" if p.get("required") else ""
            yield f"<tr><td><code>{escape(p['name'])}</code>{needed}<td>{escape(p['in'])}"
            yield f"<td>{_type(p.get('schema', {}), known)}<td>{escape(p.get('description', ''))}</tr>"
        yield "</table>"
    for media, body in operation.get("requestBody", {}).get("content", {}).items():
        yield f"<p>Body <code>{escape(media)}</code>: {_type(body.get('schema', {}), known)}</p>"
    for status, answer in operation.get("responses", {}).items():
        shapes = [_type(c.get("schema", {}), known) for c in answer.get("content", {}).values()]
        yield f"<p>{escape(status)} {escape(answer.get('description', ''))}: {', '.join(shapes)}</p>"


def _properties(schema: dict[str, Any], known: Container[str]) -> Iterator[str]:
    yield f"<p>{escape(schema.get('description', ''))}</p><ul>"
    for name, inner in schema.get("properties", {}).items():
        needed = ", required" if name in schema.get("required", []) else ""
        yield f"<li><code>{escape(name)}</code>: {_type(inner, known)}{needed} {escape(inner.get('description', ''))}"
    yield "</ul>"


def _type(schema: dict[str, Any], known: Container[str]) -> str:
    """The type in words; a shape as a link to its description, if the document has one."""
    if "$ref" in schema:
        shape = schema["$ref"].rsplit("/", 1)[-1]
        name = escape(shape)
        return f'<a href="#{name}">{name}</a>' if shape in known else name
    if "anyOf" in schema:
        return " or ".join(_type(one, known) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}), known)}"
    if "enum" in schema:
        return " | ".join(escape(str(value)) for value in schema["enum"])
    return escape(str(schema.get("type", "any")))
