"""The guard before any zip-based format is parsed: a small file must not become a large one.

Reads the central directory only. What it lets pass is still parsed under the sandbox's memory limit.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from opendata.ports.sandbox.port import TaskError

MEMBERS = 1000
RATIO = 200
DECLARED = 2 << 30
_SMALL = 10 << 20
"""Below this many declared bytes the ratio says nothing: an empty sheet of blanks compresses well."""
_HEAD = 64 << 10


def guard(path: Path, *, office: bool = True) -> None:
    """With `office` also what only holds for workbooks. Errors: TaskError `archive_broken`; `archive_refused` with `reason` one of members, size, ratio, overlap, name,
    encrypted, entities."""
    with _open(path) as archive:
        members = archive.infolist()
        if len(members) > MEMBERS:
            raise TaskError("archive_refused", reason="members")
        declared = sum(member.file_size for member in members)
        if declared > DECLARED:
            raise TaskError("archive_refused", reason="size")
        if declared > _SMALL and declared > RATIO * max(1, path.stat().st_size):
            raise TaskError("archive_refused", reason="ratio")
        _no_overlap(members)
        for member in members:
            _check_member(member)
            if office:
                _check_xml(archive, member)


def names(path: Path) -> list[str]:
    """Names of at most `MEMBERS` members, [] when it is no readable archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()[:MEMBERS]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return []


def _open(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise TaskError("archive_broken") from None


def _no_overlap(members: list[zipfile.ZipInfo]) -> None:
    end = 0
    for member in sorted(members, key=lambda m: m.header_offset):
        if member.header_offset < end:
            raise TaskError("archive_refused", reason="overlap")
        end = member.header_offset + 30 + member.compress_size


def _check_member(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & 1:
        raise TaskError("archive_refused", reason="encrypted")
    if member.filename.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", member.filename):
        raise TaskError("archive_refused", reason="name")


def _check_xml(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    if member.filename.endswith((".xml", ".rels")):
        try:
            with archive.open(member) as file:
                head = file.read(_HEAD)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, zlib.error):
            raise TaskError("archive_broken") from None
        # No office program writes a document type; entities can stand nowhere else. UTF-16 hides it behind NULs.
        if b"<!DOCTYPE" in head.replace(b"\0", b"") or b"<!ENTITY" in head.replace(b"\0", b""):
            raise TaskError("archive_refused", reason="entities")
