"""`opendata validate`: a table, before it is sent."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from opendata import wiring
from opendata.catalog.codes import codes
from opendata.core.errors import invalid
from opendata.ports.sandbox.port import Limits
from opendata.validation import service as validation
from opendata.validation import trial
from opendata.validation.api import trial_body
from opendata.validation.telling import annotating
from opendata.validation.trial import Trial
from opendata.web.library import plain


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--schema", default="", help="A ready schema (NAME or NAME/VERSION), or a Table Schema in a .json file."
)
@click.option("--json", "as_json", is_flag=True, help="Print what POST /api/v1/validate answers.")
@click.option(
    "--annotate",
    "marked",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="OUT.xlsx",
    help="Write the file as a workbook, its wrong cells marked.",
)
@click.option("--language", type=click.Choice(["zh", "en"]), help="Of the sentences; by LANG if left out.")
def validate(file: Path, schema: str, as_json: bool, marked: Path | None, language: str | None) -> None:
    """Check a table before sending it: exit code 1 if it is not valid. Needs no server; nothing is kept."""
    language = language or ("zh" if os.environ.get("LANG", "").startswith("zh") else "en")
    found = _try(file, schema, marked)
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


def _try(file: Path, schema: str, marked: Path | None) -> Trial:
    own = json.loads(Path(schema).read_text(encoding="utf-8")) if schema.endswith(".json") else None
    ready = own or (codes().table_schema(schema) if schema else None)
    if schema and ready is None:
        raise invalid("schema", "unknown_schema", value=schema[:100])
    asked: dict[str, Any] = {"schema": ready, "limits": Limits.for_bytes(file.stat().st_size)}
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
