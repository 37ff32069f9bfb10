"""Profiles and reports: facts about bytes, made once in the sandbox and kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from opendata.catalog.files import Stores
from opendata.catalog.library import queries as library
from opendata.catalog.profile import ResourceMeta
from opendata.catalog.views import DatasetView, FileView
from opendata.core.canonical import sha256_json
from opendata.core.errors import FieldError, Invalid, invalid
from opendata.core.failpoints import reach
from opendata.ports.sandbox.port import LimitExceeded, Limits, Sandbox, TaskFailed
from opendata.validation.engine import classify
from opendata.validation.library.dictionary import alone
from opendata.validation.models import FileProfile, FileReport
from opendata.work.actor import SYSTEM
from opendata.work.unit import Workplace

LIMIT_ERRORS = 1000
READERS = ("", "2, frictionless 5.21.0", "3, frictionless 5.21.0")
"""Who has read files here, the present reader last: a new one whenever the same bytes may give another profile or report.
What an older one found is shown until the file is judged again, which a new draft or publication does."""

NO_TABLE = frozenset({"not_a_table"})
"""Codes of a profile's error that mean: a fine file, but without rows (a PDF, a ZIP, an image)."""
_TURNS = threading.Lock()
_JUDGED: dict[tuple[str, str], tuple[threading.Lock, int]] = {}
"""What is being judged now, and how many want to."""


@dataclass(frozen=True)
class Judge:
    """What it takes to read and judge files: where the bytes are, and where it is safe to parse them."""

    place: Workplace
    stores: Stores
    sandbox: Sandbox


@dataclass(frozen=True)
class Verdict:
    """What is known of a resource's file. Either part is None while nobody has looked yet."""

    profile: FileProfile | None
    report: FileReport | None


def profile_key(file: FileView, meta: ResourceMeta, reader: str = READERS[-1]) -> str:
    extension = file.name.rpartition(".")[2].lower()
    read = {"extension": extension, "options": meta.options.stored()}
    return sha256_json({**read, "reader": reader} if reader else read)


def report_key(
    file: FileView, meta: ResourceMeta, schema: Mapping[str, Any], reader: str = READERS[-1]
) -> str:
    return sha256_json({"profile": profile_key(file, meta, reader), "schema": dict(schema)})


def schema_of(session: Session, meta: ResourceMeta, profile: FileProfile | None) -> dict[str, Any] | None:
    """The Table Schema that holds for a resource: its own, else the ready one it names, else the inferred one. Without
    foreign keys to other resources: those can only be judged together with them."""
    schema = named_schema(session, meta)
    if schema is None and profile is not None:
        schema = (profile.profile or {}).get("schema")
    return alone(schema) if schema else None


def named_schema(session: Session, meta: ResourceMeta) -> dict[str, Any] | None:
    """The schema that its publisher named: the resource's own, else a ready one."""
    if meta.table_schema is None and meta.schema_name:
        return dict(library.find(session, meta.schema_name) or {}) or None
    return meta.table_schema


def inferred(session: Session, file: FileView, meta: ResourceMeta) -> dict[str, Any] | None:
    """The schema that the present reader inferred from all of a file; None before it has read it, or where it cannot."""
    profile = session.get(FileProfile, (file.sha256, profile_key(file, meta)))
    return (profile.profile or {}).get("schema") if profile is not None else None


def known(session: Session, file: FileView, meta: ResourceMeta) -> Verdict:
    """What has been found out so far, by the latest reader that looked; reads only."""
    found = (_known_by(session, file, meta, reader) for reader in reversed(READERS))
    return next((verdict for verdict in found if verdict.profile is not None), Verdict(None, None))


def known_now(session: Session, file: FileView, meta: ResourceMeta) -> Verdict:
    """What the present reader has found out so far: what it has not looked at yet may not block anything."""
    return _known_by(session, file, meta, READERS[-1])


def _known_by(session: Session, file: FileView, meta: ResourceMeta, reader: str) -> Verdict:
    profile = session.get(FileProfile, (file.sha256, profile_key(file, meta, reader)))
    schema = schema_of(session, meta, profile)
    if schema is None:
        return Verdict(profile, None)
    return Verdict(profile, session.get(FileReport, (file.sha256, report_key(file, meta, schema, reader))))


def columns(session: Session, view: DatasetView) -> dict[str, list[str]]:
    """Names and titles of the columns of every file that has been read so far, by resource id."""
    keys = {r.id: (r.file.sha256, profile_key(r.file, r.meta)) for r in view.resources if r.file}
    query = select(FileProfile).where(FileProfile.sha256.in_({sha256 for sha256, _ in keys.values()}))
    known = {(p.sha256, p.options_hash): p.profile for p in session.execute(query).scalars()}
    found = {}
    for resource_id, key in keys.items():
        fields = ((known.get(key) or {}).get("schema") or {}).get("fields", [])
        found[resource_id] = [f"{field['name']} {field.get('title') or ''}" for field in fields]
    return found


def check_schema(sandbox: Sandbox, descriptor: Any, path: str = "schema") -> None:
    """`Invalid` naming every wrong place of a Table Schema. Parses in the sandbox: not to be called in a transaction."""
    try:
        found = sandbox.run("opendata.validation.tasks:check_schema", args={"descriptor": descriptor})
    except (TaskFailed, LimitExceeded):
        raise invalid(path, "schema_wrong", note="it cannot be read") from None
    if found:
        raise Invalid(
            fields=[
                FieldError(".".join(p for p in (path, e["path"]) if p), e["code"], e["params"]) for e in found
            ]
        )


def state_of(verdict: Verdict) -> str:
    """`done` (there is a report, or the file cannot be read), `no_table` (a fine file without rows), `waiting`."""
    error = verdict.profile.error if verdict.profile else None
    if error is not None:
        return "no_table" if error["code"] in NO_TABLE else "done"
    return "done" if verdict.report is not None else "waiting"


def obstacle(verdict: Verdict, place: str = "") -> FieldError | None:
    """What keeps the file of that place from being the table that it says it is: it cannot be read, or its columns are not
    those of its schema. None for a sound table, for wrong cells, for a file that is no table, and before anyone looked."""
    error = verdict.profile.error if verdict.profile else None
    if error is not None:
        return None if error["code"] in NO_TABLE else FieldError(place, error["code"], error["params"])
    if verdict.report is None or not verdict.report.structural:
        return None
    if problem := verdict.report.report.get("problem"):
        return FieldError(place, problem["code"], problem["params"])
    return FieldError(place, "table_structure")


def judge(judge: Judge, file: FileView, meta: ResourceMeta) -> Verdict:
    """Makes whatever is missing of the profile and the report, and keeps it. Idempotent; blocks while it parses, and while
    another job of this process judges the same."""
    with _one_at_a_time((file.sha256, profile_key(file, meta))):
        return _judge(judge, file, meta)


def _judge(judge: Judge, file: FileView, meta: ResourceMeta) -> Verdict:
    with judge.place.reading(SYSTEM) as work:
        verdict = known_now(work.session, file, meta)
        named = named_schema(work.session, meta)
    if verdict.profile is None:
        both = _make_both(judge, file, meta, alone(named) if named is not None else None)
        if both is not None:
            return both
    profile = verdict.profile or _make_profile(judge, file, meta)
    with judge.place.reading(SYSTEM) as work:
        schema = schema_of(work.session, meta, profile)
    if verdict.report is not None or profile.error is not None or schema is None:
        return Verdict(profile, verdict.report)
    return Verdict(profile, _make_report(judge, file, meta, schema))


@contextmanager
def _one_at_a_time(key: tuple[str, str]) -> Iterator[None]:
    """A draft that is handed in at once is judged by two jobs: the second finds what the first one kept."""
    with _TURNS:
        turn, waiting = _JUDGED.get(key, (threading.Lock(), 0))
        _JUDGED[key] = turn, waiting + 1
    try:
        with turn:
            yield
    finally:
        with _TURNS:
            turn, waiting = _JUDGED.pop(key)
            if waiting > 1:
                _JUDGED[key] = turn, waiting - 1


def _make_both(
    judge: Judge, file: FileView, meta: ResourceMeta, schema: dict[str, Any] | None
) -> Verdict | None:
    """In one pass over the file; None if that cannot be done. Without a schema by the one that is inferred."""
    args = {"schema": schema, "limit_errors": LIMIT_ERRORS}
    answer, error = _run(judge, "opendata.validation.tasks:judge", file, meta, args)
    if answer is None:
        if error is not None and error["code"] in NO_TABLE:
            return Verdict(_keep_profile(judge, file, meta, None, error), None)
        return None
    profile = _keep_profile(judge, file, meta, answer["profile"], None)
    held = schema if schema is not None else alone(answer["profile"]["schema"])
    return Verdict(profile, _keep_report(judge, file, meta, held, answer["report"], None))


def _make_profile(judge: Judge, file: FileView, meta: ResourceMeta) -> FileProfile:
    return _keep_profile(judge, file, meta, *_run(judge, "opendata.tabular.tasks:profile", file, meta, {}))


def _make_report(judge: Judge, file: FileView, meta: ResourceMeta, schema: dict[str, Any]) -> FileReport:
    args = {"schema": schema, "limit_errors": LIMIT_ERRORS}
    answer, error = _run(judge, "opendata.validation.tasks:validate", file, meta, args)
    return _keep_report(judge, file, meta, schema, answer, error)


def _keep_profile(
    judge: Judge,
    file: FileView,
    meta: ResourceMeta,
    answer: dict[str, Any] | None,
    error: dict[str, Any] | None,
) -> FileProfile:
    with judge.place.writing(SYSTEM) as work:
        profile = work.session.merge(
            FileProfile(
                sha256=file.sha256,
                options_hash=profile_key(file, meta),
                error=error,
                profile=answer,
                made_at=work.now,
            )
        )
    return profile


def _keep_report(
    judge: Judge,
    file: FileView,
    meta: ResourceMeta,
    schema: dict[str, Any],
    answer: dict[str, Any] | None,
    error: dict[str, Any] | None,
) -> FileReport:
    verdict = classify(answer) if answer is not None else None
    reach("check.read")
    with judge.place.writing(SYSTEM) as work:
        report = work.session.merge(
            FileReport(
                sha256=file.sha256,
                key=report_key(file, meta, schema),
                valid=verdict["valid"] if verdict else False,
                structural=verdict["structural"] if verdict else True,
                error_count=verdict["errors"] if verdict else 1,
                report=answer if answer is not None else {"valid": False, "problem": error},
                made_at=work.now,
            )
        )
        work.session.flush()
        reach("check.written")
    reach("check.committed")
    return report


def _run(
    judge: Judge, task: str, file: FileView, meta: ResourceMeta, args: dict[str, Any]
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """(answer, None), or (None, {code, params}) for a file that cannot be read within the limits."""
    with judge.stores.local_copy(file.sha256) as path:
        try:
            answer = judge.sandbox.run(
                task,
                args={"name": file.name, "options": meta.options.stored(), **args},
                inputs={"path": path},
                limits=Limits.for_bytes(file.size),
            )
            return answer, None
        except TaskFailed as failure:
            return None, {"code": failure.code, "params": failure.params}
        except LimitExceeded as failure:
            return None, {"code": "file_too_heavy", "params": {"limit": failure.limit}}
