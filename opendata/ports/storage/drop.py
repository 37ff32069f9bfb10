"""What we ask of a folder into which others put files, by SFTP or by hand, on a disk or in a bucket. It is read, never written.

Paths are relative, with `/`, without `..`. Errors: `ObjectMissing` for a file that has gone meanwhile,
`core.errors.Unavailable("storage_unavailable")` when it cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Entry:
    path: str
    size: int
    modified_at: datetime
    tag: str
    """Changes with the bytes, as far as one can tell without reading them."""


class Drop(Protocol):
    def entries(self, folder: str) -> Iterator[Entry]:
        """Every file below a folder, in the order of their paths; none where there is no such folder."""
        ...

    def read(self, path: str) -> Iterator[bytes]: ...

    def local_path(self, path: str) -> Path | None:
        """Where the file lies on this machine's disk, if it is there."""
        ...
