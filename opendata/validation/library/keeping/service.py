"""The way of a table schema of the city: draft, review by a second person, publication, withdrawal.

Its contents were checked in the sandbox beforehand (`check`): not in a transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.exc import IntegrityError

from opendata.catalog.codes import codes, version_number
from opendata.catalog.library import queries as library
from opendata.catalog.library.models import SchemaState, SchemaVersion
from opendata.core.canonical import canonical_json, sha256_json
from opendata.core.errors import Conflict, FieldError, Forbidden, Invalid, Stale, invalid
from opendata.core.ids import new_id
from opendata.ports.sandbox.port import Sandbox
from opendata.validation import service as validation
from opendata.validation.library.keeping import policy
from opendata.validation.library.keeping.schemas import Outcome, SchemaVersionIn
from opendata.work.unit import Work

LARGEST = 256 << 10
"""Bytes of a schema as canonical JSON; the largest of ours has 40 KB."""
Descriptor = Mapping[str, Any]


def check(sandbox: Sandbox, sent: SchemaVersionIn) -> dict[str, Any]:
    """The descriptor, judged. `Invalid` naming every wrong place. Not to be called in a transaction."""
    descriptor = sent.table_schema.descriptor()
    size = len(canonical_json(descriptor))
    if size > LARGEST:
        raise invalid("schema", "schema_too_large", limit=LARGEST, size=size)
    if wrong := list(_incomplete(descriptor)):
        raise Invalid(fields=wrong)
    validation.check_schema(sandbox, descriptor)
    return descriptor


def create(work: Work, descriptor: Descriptor, note: str) -> SchemaVersion:
    """A draft. Errors: `Forbidden`; `Invalid` (`schema_version_not_higher`); `Conflict("schema_version_taken")`."""
    policy.check_writer(work.actor)
    _check_number(work, descriptor)
    made = SchemaVersion(
        id=new_id(),
        name=descriptor["name"],
        version=descriptor["x-version"],
        state=SchemaState.DRAFT.value,
        descriptor=dict(descriptor),
        hash=sha256_json(dict(descriptor)),
        note=note,
        author_id=work.actor.id or "",
        created_at=work.now,
        reason="",
    )
    work.session.add(made)
    _flush(work, made)
    _record(work, "schema.drafted", made)
    return made


def change(work: Work, found: SchemaVersion, descriptor: Descriptor, note: str) -> SchemaVersion:
    """Other contents, by its author. What is in review is a draft again: nobody has decided on these contents."""
    _check_author(work, found)
    _check_state(found, SchemaState.DRAFT, SchemaState.IN_REVIEW)
    found.state = SchemaState.DRAFT.value
    _check_number(work, descriptor)
    found.name, found.version = descriptor["name"], descriptor["x-version"]
    found.descriptor, found.hash, found.note = dict(descriptor), sha256_json(dict(descriptor)), note
    _flush(work, found)
    _record(work, "schema.changed", found)
    return found


def discard(work: Work, found: SchemaVersion) -> None:
    """A draft, or one in review, is given up: by its author, or by another administrator of the city."""
    policy.check_writer(work.actor)
    _check_state(found, SchemaState.DRAFT, SchemaState.IN_REVIEW)
    _record(work, "schema.discarded", found)
    work.session.delete(found)
    work.session.flush()


def submit(work: Work, found: SchemaVersion) -> SchemaVersion:
    _check_author(work, found)
    _check_state(found, SchemaState.DRAFT)
    _check_number(work, found.descriptor)
    found.state, found.submitted_at, found.reason = SchemaState.IN_REVIEW.value, work.now, ""
    work.session.flush()
    _record(work, "schema.submitted", found)
    return found


def decide(work: Work, found: SchemaVersion, outcome: Outcome, hash: str, reason: str = "") -> SchemaVersion:
    """Publishes it, or sends it back with a reason. By somebody who did not write it, for the contents that were seen.

    Errors: `Forbidden`; `Conflict("schema_state")`; `Stale("edited_meanwhile")`; `Invalid`."""
    policy.check_decider(work.actor, found)
    _check_state(found, SchemaState.IN_REVIEW)
    if hash != found.hash:
        raise Stale("edited_meanwhile", current=found.hash)
    if outcome is Outcome.RETURN and not reason.strip():
        raise invalid("reason", "missing")
    if outcome is Outcome.APPROVE:
        _check_number(work, found.descriptor)
    to = SchemaState.PUBLISHED if outcome is Outcome.APPROVE else SchemaState.DRAFT
    found.state, found.decided_by, found.decided_at = to.value, work.actor.id, work.now
    found.reason = "" if outcome is Outcome.APPROVE else reason
    work.session.flush()
    _record(
        work, "schema.published" if outcome is Outcome.APPROVE else "schema.returned", found, reason=reason
    )
    return found


def withdraw(work: Work, found: SchemaVersion, reason: str) -> SchemaVersion:
    """It is offered no longer; datasets that were validated against it go on naming it, and everybody can read it."""
    policy.check_writer(work.actor)
    _check_state(found, SchemaState.PUBLISHED)
    found.state, found.reason = SchemaState.WITHDRAWN.value, reason
    work.session.flush()
    _record(work, "schema.withdrawn", found, reason=reason)
    return found


def _check_number(work: Work, descriptor: Descriptor) -> None:
    """A version goes up, and nothing that was given out gets another meaning."""
    known = library.versions(work.session, descriptor["name"])
    highest = max(known, key=version_number, default="")
    if highest and version_number(descriptor["x-version"]) <= version_number(highest):
        raise invalid("schema.x-version", "schema_version_not_higher", highest=highest)


def _check_author(work: Work, found: SchemaVersion) -> None:
    policy.check_writer(work.actor)
    if work.actor.id != found.author_id:
        raise Forbidden("schema_author_only")


def _check_state(found: SchemaVersion, *states: SchemaState) -> None:
    if found.state not in [state.value for state in states]:
        raise Conflict("schema_state", state=found.state)


def _flush(work: Work, found: SchemaVersion) -> None:
    name, version = found.name, found.version
    try:
        work.session.flush()
    except IntegrityError:
        raise Conflict("schema_version_taken", name=name, version=version) from None


def _record(work: Work, action: str, found: SchemaVersion, **more: str) -> None:
    told = {name: value for name, value in more.items() if value}
    work.record(
        action, "table_schema", found.id, name=found.name, version=found.version, hash=found.hash, **told
    )


def _incomplete(descriptor: Descriptor) -> Iterator[FieldError]:
    """What the shape alone does not see: keys that name no field, code lists that nobody has, privacy without its basis."""
    names = {field["name"] for field in descriptor["fields"]}
    for place, field in enumerate(descriptor["fields"]):
        path = f"schema.fields.{place}"
        listed, own = field.get("x-codelist", ""), field.get("constraints", {}).get("enum")
        if listed and listed not in codes().lists and not own:
            known = ", ".join(codes().lists)
            yield FieldError(f"{path}.x-codelist", "codelist_unknown", {"value": listed, "known": known})
        if "x-privacy" in field and "x-privacy-basis" not in field:
            yield FieldError(f"{path}.x-privacy-basis", "missing")
    keys = [("primaryKey", descriptor.get("primaryKey"))]
    keys += [(f"uniqueKeys.{place}", key) for place, key in enumerate(descriptor.get("uniqueKeys", ()))]
    keys += [
        (f"foreignKeys.{place}.fields", key["fields"])
        for place, key in enumerate(descriptor.get("foreignKeys", ()))
    ]
    for path, key in keys:
        for name in [key] if isinstance(key, str) else key or ():
            if name not in names:
                yield FieldError(f"schema.{path}", "key_names_no_field", {"name": name})
