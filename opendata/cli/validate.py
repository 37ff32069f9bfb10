"""`opendata validate`: a table, before it is sent."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import click

from opendata import wiring
from opendata.ports.sandbox.port import Limits
from opendata.validation import service as validation
from opendata.validation import trial
from opendata.validation.api import trial_body
from opendata.validation.trial import Trial
from opendata.web.library import plain


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--schema", default="", help="A ready schema (NAME or NAME/VERSION), or a Table Schema in a .json file."
)
@click.option("--json", "as_json", is_flag=True, help="Print what POST /api/v1/validate answers.")
@click.option("--language", type=click.Choice(["zh", "en"]), help="Of the sentences; by LANG if left out.")
def validate(file: Path, schema: str, as_json: bool, language: str | None) -> None:
    """Check a table before sending it: exit code 1 if it is not valid. Needs no server; nothing is kept."""
    language = language or ("zh" if os.environ.get("LANG", "").startswith("zh") else "en")
    found = _try(file, schema)
    if as_json:
        click.echo(json.dumps(trial_body(found), ensure_ascii=False, indent=1))
    else:
        for line in plain.lines(found, file.name, language):
            click.echo(line)
    if not found.valid:
        sys.exit(1)


def _try(file: Path, schema: str) -> Trial:
    own = json.loads(Path(schema).read_text(encoding="utf-8")) if schema.endswith(".json") else None
    with tempfile.TemporaryDirectory() as folder:
        sandbox = wiring.sandbox(Path(folder))
        try:
            if own is not None:
                validation.check_schema(sandbox, own)
            name = "" if own is not None else schema
            limits = Limits.for_bytes(file.stat().st_size)
            return trial.run(sandbox, file.absolute(), file.name, schema=own, schema_name=name, limits=limits)
        finally:
            sandbox.close()
