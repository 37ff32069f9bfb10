"""`opendata validate`: a table, before it is sent."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from opendata import wiring
from opendata.catalog.codes import codes
from opendata.cli.application import language_of, refuse
from opendata.core.errors import DomainError, TooLarge, invalid
from opendata.ports.sandbox.port import Limits
from opendata.validation import service as validation
from opendata.validation import trial
from opendata.validation.api import sent_schema, trial_body
from opendata.validation.telling import annotating
from opendata.validation.trial import Trial
from opendata.web.library import plain

MOST_OF_SCHEMA = 1 << 20


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--schema", default="", help="A ready schema (NAME or NAME/VERSION), or a Table Schema in a .json file."
)
@click.option("--sheet", default="", help="Of a workbook: a sheet's name, or its number from 1.")
@click.option("--member", default="", help="Of a ZIP: a table's name in it, or its number from 1.")
@click.option("--json", "as_json", is_flag=True, help="Print what POST /api/v1/validate answers.")
@click.option(
    "--annotate",
    "marked",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="OUT.xlsx",
    help="Write the file as a workbook, its wrong cells marked.",
)
@click.option("--language", type=click.Choice(["zh", "en"]), help="Of the sentences; by LANG if left out.")
def validate(
    file: Path, schema: str, sheet: str, member: str, as_json: bool, marked: Path | None, language: str | None,
) -> None:  # fmt: skip
    """Check a table before sending it: exit code 1 if it is not valid. Needs no server; nothing is kept."""
    language = language_of(language)
    if marked is not None:
        _check_target(marked, file)
    options = {name: value for name, value in (("sheet", sheet), ("member", member)) if value}
    try:
        found = _try(file, schema, options, marked)
    except DomainError as error:
        refuse(error, language)
    if as_json:
        body = trial_body(found)
        click.echo(
            json.dumps(body | {"findings": body["findings"].model_dump()}, ensure_ascii=False, indent=1)
        )
    else:
        for line in plain.lines(found, file.name, language):
            click.echo(line)
    if not found.valid:
        sys.exit(1)


def _check_target(marked: Path, file: Path) -> None:
    """A workbook beside the file, never in its place."""
    if marked.suffix.lower() != ".xlsx":
        raise click.BadParameter("the marked file is a workbook: name it OUT.xlsx", param_hint="--annotate")
    if marked.exists() and marked.samefile(file):
        raise click.BadParameter("this is the file itself: name another one", param_hint="--annotate")
    if not marked.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {marked.parent}", param_hint="--annotate")


def _own(schema: str) -> Any:
    """A Table Schema in a file, if one is named. `Invalid`, as for one that is sent to the server."""
    if not schema.endswith(".json"):
        return None
    try:
        with Path(schema).open("rb") as file:
            data = file.read(MOST_OF_SCHEMA + 1)
    except OSError as error:
        raise click.BadParameter(f"{schema}: {error.strerror}", param_hint="--schema") from None
    if len(data) > MOST_OF_SCHEMA:
        raise TooLarge("body_too_large", limit=MOST_OF_SCHEMA)
    return sent_schema(data)


def _try(file: Path, schema: str, options: dict[str, str], marked: Path | None) -> Trial:
    own = _own(schema)
    ready = own if own is not None else (codes().table_schema(schema) if schema else None)
    if schema and ready is None:
        raise invalid("schema", "unknown_schema", value=schema[:100])
    limits = Limits.for_bytes(file.stat().st_size)
    asked: dict[str, Any] = {"schema": ready, "options": options or None, "limits": limits}
    with tempfile.TemporaryDirectory() as folder:
        sandbox = wiring.sandbox(Path(folder))
        try:
            if own is not None:
                validation.check_schema(sandbox, own)
            if marked is not None:
                made = annotating.annotate_trial(sandbox, file.absolute(), file.name, Path(folder), **asked)
                marked.write_bytes(made.data)
            return trial.run(
                sandbox, file.absolute(), file.name, offered=codes().table_schemas.values(), **asked
            )
        finally:
            sandbox.close()
