"""A ZIP of tables: which members are tables, and one of them as a file of its own."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from opendata.ports.sandbox.port import TaskError
from opendata.tabular import archive
from opendata.tabular.containers import shapes

TABLES = frozenset(
    (
        "csv",
        "tsv",
        "tab",
        "txt",
        "xlsx",
        "xls",
        "ods",
        "json",
        "ndjson",
        "jsonl",
        "geojson",
        "parquet",
        "kml",
        "gpkg",
        "shp",
    )
)
"""By the ends of their names; what is in them decides when they are read."""
MEMBER_BYTES = 1 << 30
_UTF8 = 0x800


@dataclass(frozen=True)
class Member:
    name: str
    size: int
    """Bytes when unpacked, as the archive declares; `unpacked` holds it to that."""

    @property
    def is_table(self) -> bool:
        return _ending(self.name).lstrip(".") in TABLES


def members(path: Path) -> list[Member]:
    """Of a ZIP, in its order, without folders and what systems leave behind. Errors: TaskError `archive_broken`."""
    try:
        with zipfile.ZipFile(path) as file:
            found = [Member(name_of(one), one.file_size) for one in file.infolist() if not one.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise TaskError("archive_broken") from None
    return [one for one in found if not _is_litter(one.name)]


def tables(path: Path) -> list[Member]:
    """The members that are tables by their names. Errors besides, if there are any: those of `archive.guard`."""
    known = members(path)
    found = [one for one in known if one.is_table]
    if found:
        archive.guard(path, office=False)
    elif any(_ending(one.name) in shapes.NEEDED for one in known):
        raise TaskError("shapefile_part_missing", parts=".shp")
    return found


def is_part(name: str, tables: Sequence[str]) -> bool:
    """Whether a member is a part of one of these tables (of a Shapefile), or what a system left behind."""
    stem = name[: -len(_ending(name))].casefold() if _ending(name) in shapes.PARTS else None
    return (
        name.endswith("/")
        or _is_litter(name)
        or (stem is not None and f"{stem}.shp" in map(str.casefold, tables))
    )


def choose(tables: Sequence[Member], wanted: str | int | None) -> Member:
    """By name or by number from 1; the largest if none is asked for. Errors: TaskError `member_missing`(member, members)."""
    if wanted is None:
        return max(tables, key=lambda one: one.size)
    named = next((one for one in tables if one.name == wanted), None)
    number = int(wanted) if str(wanted).isdecimal() and len(str(wanted)) < 6 else 0
    if named is None and 1 <= number <= len(tables):
        named = tables[number - 1]
    if named is None:
        raise TaskError("member_missing", member=wanted, members=[one.name for one in tables][:100])
    return named


def unpacked(path: Path, name: str) -> Path:
    """The member as a file, named as it is. It stays until another one is asked for, so that a task that reads it more than
    once unpacks it once. Errors: TaskError `member_missing`, `member_too_large`(limit), `archive_broken`."""
    stat = path.stat()
    key = (str(path), stat.st_mtime_ns, stat.st_size, name)
    if _kept.key != key or not _kept.path.exists():
        _kept.put(key, path, name)
    return _kept.path


class _Kept:
    """The member that was unpacked last."""

    def __init__(self) -> None:
        self.key: tuple[str, int, int, str] | None = None
        self.path = Path()
        self._folder: TemporaryDirectory[str] | None = None

    def put(self, key: tuple[str, int, int, str], path: Path, name: str) -> None:
        if self._folder is not None:
            self._folder.cleanup()
        self._folder = tempfile.TemporaryDirectory(prefix="member-", ignore_cleanup_errors=True)
        self.path = Path(self._folder.name, "member" + _ending(name)[:10])
        with _opened(path) as file:
            _unpack(file, name, self.path)
            if self.path.suffix == ".shp":
                for one in _beside(file, name):
                    _unpack(file, name_of(one), self.path.with_suffix(_ending(one.filename)))
        self.key = key


_kept = _Kept()


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as file:
            yield file
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError):
        raise TaskError("archive_broken") from None


def _unpack(file: zipfile.ZipFile, name: str, target: Path) -> None:
    member = next((one for one in file.infolist() if name_of(one) == name), None)
    if member is None:
        raise TaskError("member_missing", member=name, members=[])
    if member.file_size > MEMBER_BYTES:
        raise TaskError("member_too_large", member=name, limit=MEMBER_BYTES)
    with file.open(member) as source, target.open("wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)


def _beside(file: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """The other parts of a Shapefile: in its folder, under its name, whatever the case."""
    stem = name[: -len(_ending(name))]
    wanted = {(stem + ending).casefold() for ending in shapes.PARTS if ending != ".shp"}
    return [one for one in file.infolist() if name_of(one).casefold() in wanted]


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def name_of(member: zipfile.ZipInfo) -> str:
    """Chinese systems write names in GBK without saying so; zipfile reads those as CP437."""
    if member.flag_bits & _UTF8 or member.filename.isascii():
        return member.filename
    raw = member.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


def _is_litter(name: str) -> bool:
    return name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith((".", "~$", "Thumbs.db"))
