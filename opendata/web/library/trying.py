"""A place to try a file before it is sent. It is read in the sandbox and gone with the answer; nobody needs an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from opendata.catalog.codes import codes
from opendata.core.errors import Invalid, TooLarge, Unavailable, invalid
from opendata.core.names import clean_file_name
from opendata.edge import uploads
from opendata.edge.http import AppSettings, part
from opendata.ports.sandbox.port import Sandbox
from opendata.validation import trial
from opendata.validation.trial import Trial
from opendata.web import texts, verdicts
from opendata.web.forms import Form, Problem, problems
from opendata.web.http import PageWork, check_origin
from opendata.web.render import page
from opendata.web.verdicts import Verdict

router = APIRouter()
Parser = Annotated[Sandbox, Depends(part("sandbox"))]


@router.get("/validate")
def form(request: Request, language: str, work: PageWork, schema: str = "") -> Response:
    chosen = schema if codes().table_schema(schema) is not None else ""
    return _page(request, language, chosen)


@router.post("/validate")
async def check(request: Request, language: str, sandbox: Parser, settings: AppSettings) -> Response:
    """The same page with what was found."""
    check_origin(request)
    chosen = ""
    try:
        with trial.scratch(settings.scratch) as path:
            writer = partial(trial.Scratch, path, trial.MOST_BYTES)
            received = await uploads.receive(request, writer, file_field="file", limit=trial.MOST_BYTES)
            chosen = Form.of(received.fields).text("schema_name")
            if "file" not in received.files or not received.files["file"].stored.size:
                raise invalid("file", "missing")
            name = clean_file_name(received.files["file"].filename)
            found = await run_in_threadpool(trial.run, sandbox, path, name, schema_name=chosen)
    except (Invalid, TooLarge, Unavailable) as error:
        return _page(request, language, chosen, wrong=problems(error, language))
    return _page(request, language, chosen, found, name)


def _page(
    request: Request,
    language: str,
    chosen: str,
    found: Trial | None = None,
    name: str = "",
    wrong: Sequence[Problem] = (),
) -> Response:
    ready = sorted((choice(schema, language), key) for key, schema in codes().table_schemas.items())
    return page(
        request,
        "library/try.html",
        language,
        chosen=chosen,
        options=[(key, title) for title, key in ready],
        found=found,
        name=name,
        against=choice(found.schema, language) if found and found.schema else "",
        verdict=verdict_of(found, language) if found else None,
        wrong=wrong,
    )


def choice(schema: Mapping[str, Any], language: str) -> str:
    """A schema's title."""
    return texts.choose(str(schema.get("title", "")), str(schema.get("x-title-en", "")), language)


def verdict_of(found: Trial, language: str) -> Verdict:
    """What was found, as the reports of published files say it, under the file's own names of its columns."""
    groups = verdicts.grouped(found.report, found.schema or {}, language)
    own = {one["field"]: one["column"] for one in found.mapped}
    for group in groups:
        group.column = own.get(group.column, group.column)
    return Verdict(
        "valid" if found.valid else "structural" if found.structural else "wrong_cells",
        error_count=found.error_count,
        groups=groups,
        listed=sum(group.count for group in groups),
    )
