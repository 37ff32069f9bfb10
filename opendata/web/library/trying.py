"""A place to try a file before it is sent. It is read in the sandbox and gone with the answer; nobody needs an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from opendata.catalog.library import queries as library
from opendata.catalog.library.queries import Schema
from opendata.core.errors import Invalid, TooLarge, Unavailable, invalid
from opendata.edge import uploads
from opendata.edge.http import AppSettings, part, place_of
from opendata.edge.uploads import ReceivedForm
from opendata.ports.fetcher.port import Fetcher
from opendata.ports.sandbox.port import Sandbox
from opendata.validation import fetching, trial
from opendata.validation.telling import annotating
from opendata.validation.telling.groups import grouped, is_complete
from opendata.validation.trial import Trial
from opendata.web import texts
from opendata.web.forms import Form, Problem, problems
from opendata.web.http import PageWork, check_origin
from opendata.web.render import page
from opendata.web.verdicts import Verdict

router = APIRouter()
Parser = Annotated[Sandbox, Depends(part("sandbox"))]
WebFetcher = Annotated[Fetcher, Depends(part("fetcher"))]


@router.get("/validate")
def show(request: Request, language: str, work: PageWork, schema: str = "") -> Response:
    offered = library.offered(work.session)
    return _page(request, language, offered, schema if schema in offered else "")


@router.post("/validate")
async def check(
    request: Request, language: str, sandbox: Parser, settings: AppSettings, fetcher: WebFetcher
) -> Response:
    """The same page with what was found; or the file itself, its wrong cells marked."""
    check_origin(request)
    offered = await run_in_threadpool(_offered, request)
    chosen = url = sheet = ""
    try:
        with trial.scratch(settings.scratch) as path:
            writer = partial(trial.Scratch, path, trial.MOST_BYTES)
            received = await uploads.receive(request, writer, file_field="file", limit=trial.MOST_BYTES)
            form = Form.of(received.fields)
            chosen, url, sheet = form.text("schema_name"), form.text("url"), form.text("sheet")
            if not form.text("url") and not _has_file(received):
                raise invalid("file", "missing")
            against = await run_in_threadpool(trial.against, place_of(request), None, chosen)
            name = await run_in_threadpool(fetching.take, fetcher, received, path)
            asked: dict[str, Any] = {"schema": against.schema, "options": {"sheet": sheet} if sheet else None}
            if form.text("annotate"):
                mark = partial(annotating.annotate_trial, sandbox, path, name, settings.scratch, **asked)
                return annotating.answer(await run_in_threadpool(mark), name)
            judge = partial(trial.run, sandbox, path, name, offered=against.offered, **asked)
            found = await run_in_threadpool(judge)
    except (Invalid, TooLarge, Unavailable) as error:
        return _page(request, language, offered, chosen, sheet, wrong=problems(error, language), url=url)
    return _page(request, language, offered, chosen, sheet, found, name)


def _page(
    request: Request,
    language: str,
    offered: Mapping[str, Schema],
    chosen: str,
    sheet: str = "",
    found: Trial | None = None,
    name: str = "",
    wrong: Sequence[Problem] = (),
    url: str = "",
) -> Response:
    ready = sorted((choice(schema, language), key) for key, schema in offered.items())
    return page(
        request,
        "library/try.html",
        language,
        chosen=chosen,
        sheet=sheet,
        url=url,
        options=[(key, title) for title, key in ready],
        found=found,
        name=name,
        against=choice(found.schema, language) if found and found.schema else "",
        verdict=verdict_of(found, language) if found else None,
        wrong=wrong,
    )


def _offered(request: Request) -> Mapping[str, Schema]:
    with place_of(request).reading() as work:
        return library.offered(work.session)


def _has_file(received: ReceivedForm) -> bool:
    """A browser sends an empty file where none was chosen."""
    return "file" in received.files and received.files["file"].stored.size > 0


def choice(schema: Mapping[str, Any], language: str) -> str:
    """A schema's title."""
    return texts.choose(str(schema.get("title", "")), str(schema.get("x-title-en", "")), language)


def verdict_of(found: Trial, language: str) -> Verdict:
    """What was found, as the reports of published files say it, under the file's own names of its columns."""
    groups = grouped(found.report, found.schema or {}, found.own_names)
    return Verdict(
        "valid" if found.valid else "structural" if found.structural else "wrong_cells",
        rows=found.rows,
        layout=found.layout,
        error_count=found.error_count,
        groups=groups,
        listed=sum(group.count for group in groups),
        complete=is_complete(found.report),
    )
