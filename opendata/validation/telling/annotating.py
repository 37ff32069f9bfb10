"""A file handed back with its wrong cells marked: made in the sandbox, kept nowhere."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from starlette.responses import Response

from opendata.access import policy
from opendata.access import service as access
from opendata.access.download import disposition
from opendata.catalog.files import Stores
from opendata.catalog.profile import ResourceMeta
from opendata.catalog.views import FileView
from opendata.core.errors import Unavailable
from opendata.edge.conventions import PUBLIC_TAG
from opendata.ports.sandbox.port import Limits, Sandbox
from opendata.ports.storage.port import ObjectMissing
from opendata.validation import service, trial
from opendata.validation.models import Prepared
from opendata.validation.preparing import Kind, Question
from opendata.work.unit import Work

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LIMITS = Limits(memory=1 << 30, cpu_seconds=90, wall_seconds=180)
"""Half a million cells are read, marked and written in about twenty seconds of a quiet processor."""
_MARKED = "marked.xlsx"


@dataclass(frozen=True)
class Annotated:
    data: bytes
    """The workbook."""
    valid: bool
    errors: int
    complete: bool
    """Whether every error is marked."""
    cells: int
    """Cells with a comment."""
    rows: int | None
    """Rows of the copy, if the file itself could not be kept."""
    whole: bool
    """Whether all rows are in it."""

    @property
    def headers(self) -> dict[str, str]:
        """The same for an answer over HTTP."""
        told = {"Valid": self.valid, "Errors": self.errors, "Complete": self.complete, "Whole": self.whole}
        return {f"X-Validation-{name}": str(value).lower() for name, value in told.items()}


def annotate(
    sandbox: Sandbox,
    path: Path,
    name: str,
    *,
    scratch: Path,
    schema: Mapping[str, Any] | None,
    options: Mapping[str, Any] | None = None,
    any_header: bool = False,
    limits: Limits = LIMITS,
) -> Annotated:
    """Blocks. `any_header`: `telling.tasks.annotate`. `Invalid` for a file that cannot be read as a table;
    `Unavailable("trial_busy")`."""
    with tempfile.TemporaryDirectory(prefix="marked-", dir=scratch) as folder, trial.turn():
        answer = sandbox.run(
            "opendata.validation.telling.tasks:annotate",
            args={"name": name, "options": options, "schema": schema, "any_header": any_header},
            inputs={"path": path},
            output=Path(folder),
            limits=limits,
        )
        return Annotated(Path(folder, _MARKED).read_bytes(), **answer)


def annotate_trial(
    sandbox: Sandbox,
    path: Path,
    name: str,
    scratch: Path,
    *,
    schema: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    limits: Limits = LIMITS,
) -> Annotated:
    """Of a file that is only tried, with the arguments and errors of `trial.run`."""
    return annotate(
        sandbox, path, name, scratch=scratch, schema=schema, options=options, any_header=True, limits=limits
    )


@dataclass(frozen=True)
class Wanted:
    """The file of a resource, as somebody may have it."""

    file: FileView
    meta: ResourceMeta
    schema: Mapping[str, Any] | None
    public: bool
    """Whether everybody gets the same."""


def wanted(work: Work, resource: str, *, draft: bool) -> Wanted:
    """The marked file holds the file, so its door is the download's: `access.data_file` with its errors."""
    found = access.resource(work, resource, draft=draft)
    file = access.data_file(work, found)
    meta = found.resource.meta
    schema = service.schema_of(work.session, meta, service.known(work.session, file, meta).profile)
    return Wanted(file, meta, schema, found.public and policy.is_data_public(found.view))


def question(asked: Wanted) -> Question:
    """What is asked of a large file: the same as `annotate_resource` asks."""
    args = {"name": asked.file.name, "options": asked.meta.options.stored(), "schema": asked.schema}
    return Question(Kind.MARKED, asked.file.sha256, asked.file.size, {**args, "any_header": False})


def restored(stores: Stores, found: Prepared) -> Annotated:
    """What the job has made. `Unavailable("file_unavailable")`."""
    try:
        data = b"".join(stores.inbox.read(found.object_sha256 or ""))
    except ObjectMissing:
        raise Unavailable("file_unavailable", retry_after=60) from None
    return Annotated(data, **(found.answer or {})["value"])


def annotate_resource(sandbox: Sandbox, stores: Stores, scratch: Path, asked: Wanted) -> Annotated:
    """Blocks; not to be called in a transaction. `Unavailable("file_unavailable")`, and the errors of `annotate`."""
    options = asked.meta.options.stored()
    try:
        with stores.local_copy(asked.file.sha256) as path:
            return annotate(
                sandbox, path, asked.file.name, scratch=scratch, schema=asked.schema, options=options
            )
    except ObjectMissing:
        raise Unavailable("file_unavailable", retry_after=60) from None


def answer(made: Annotated, name: str, *, public: bool = False) -> Response:
    """The workbook as a download. `name`: of the file."""
    headers = {
        "Content-Disposition": disposition(f"{PurePath(name).stem[:80]}-校验结果.xlsx"),
        "X-Content-Type-Options": "nosniff",
        **made.headers,
        **(PUBLIC_TAG if public else {"Cache-Control": "private, no-store"}),
    }
    return Response(made.data, headers=headers, media_type=MEDIA_TYPE)
