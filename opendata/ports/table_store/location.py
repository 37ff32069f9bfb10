"""Where tables lie: a local folder, or a bucket of an S3 server. One file system interface (pyarrow's) for both."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pyarrow import fs

from opendata.core.errors import NoSpace, Unavailable

_SCHEMES = {"s3+http": "http", "s3+https": "https"}


@dataclass(frozen=True)
class S3Options:
    endpoint: str
    """`http://host:port` or `https://host:port`."""
    key: str
    secret: str = field(repr=False)
    bucket: str
    region: str = "us-east-1"


def parse_s3(url: str) -> S3Options | None:
    """`s3+http(s)://key:secret@host:port/PREFIX` -> bucket `PREFIX-tables`; None for anything else (a folder).

    Key and secret may be percent-encoded. `ValueError` when a part is missing (the text is not shown: it has a secret).
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        return None
    prefix = parts.path.strip("/")
    if not (parts.hostname and parts.username and parts.password and prefix) or "/" in prefix:
        raise ValueError("an S3 address reads s3+http(s)://key:secret@host:port/PREFIX")
    return S3Options(
        endpoint=f"{_SCHEMES[parts.scheme]}://{parts.netloc.rpartition('@')[2]}",
        key=unquote(parts.username),
        secret=unquote(parts.password),
        bucket=f"{prefix}-tables",
    )


@contextmanager
def store_errors() -> Iterator[None]:
    """Turns trouble with the store into `Unavailable`; its texts hold paths and addresses and are not passed on."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise NoSpace from None
        raise Unavailable("tables_unavailable") from None


class Location:
    """The root of all tables: paths under it for pyarrow's file system, addresses for Delta Lake."""

    def __init__(self, root: Path | S3Options) -> None:
        self.root = root
        if isinstance(root, S3Options):
            self.base = root.bucket
            self.files: fs.FileSystem = _s3(root)
            self.storage_options: dict[str, str] | None = _storage_options(root)
        else:
            root.mkdir(parents=True, exist_ok=True)
            self.base = str(root.resolve())
            self.files = fs.LocalFileSystem()
            self.storage_options = None

    @property
    def local(self) -> Path | None:
        """The folder, if this is one."""
        return None if isinstance(self.root, S3Options) else Path(self.base)

    def path(self, *parts: str) -> str:
        return "/".join([self.base, *parts])

    def address(self, table: str) -> str | Path:
        """The table's address for Delta Lake."""
        return Path(self.base, table) if self.local else f"s3://{self.base}/{table}"

    def create(self) -> None:
        """Makes the bucket if there is none (a folder exists already)."""
        if isinstance(self.root, S3Options):
            with store_errors():
                self.files.create_dir(self.base)

    def stat(self, paths: Sequence[str]) -> list[tuple[int, int] | None]:
        """(modification time in ns, size) of each file; None where there is none."""
        with store_errors():
            found = self.files.get_file_info(list(paths))
        return [(info.mtime_ns, info.size) if info.type == fs.FileType.File else None for info in found]

    def folders(self) -> list[str]:
        """Names of the folders right under the root."""
        with store_errors():
            found = self.files.get_file_info(fs.FileSelector(self.base, allow_not_found=True))
        return sorted(info.base_name for info in found if info.type == fs.FileType.Directory)

    def data_files(self, table: str) -> list[tuple[str, float]]:
        """(name, seconds since the epoch when written) of the Parquet files of a table, whether a version names them or
        not."""
        with store_errors():
            found = self.files.get_file_info(fs.FileSelector(self.path(table), allow_not_found=True))
        return [
            (info.base_name, info.mtime_ns / 1e9) for info in found if info.base_name.endswith(".parquet")
        ]

    def remove(self, folder: str) -> None:
        """Removes a folder and all in it; harmless if it is not there."""
        with store_errors():
            try:
                # Asked first: without its bucket, S3 refuses the deletion.
                if self.files.get_file_info(self.path(folder)).type != fs.FileType.NotFound:
                    self.files.delete_dir(self.path(folder))
            except FileNotFoundError:
                return


def _s3(options: S3Options) -> fs.FileSystem:
    scheme, _, host = options.endpoint.partition("://")
    return fs.S3FileSystem(
        access_key=options.key,
        secret_key=options.secret,
        endpoint_override=host,
        scheme=scheme,
        region=options.region,
        allow_bucket_creation=True,
        connect_timeout=3,
        request_timeout=20,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=3),
    )


def _storage_options(options: S3Options) -> dict[str, str]:
    return {
        "aws_endpoint_url": options.endpoint,
        "aws_access_key_id": options.key,
        "aws_secret_access_key": options.secret,
        "aws_region": options.region,
        "aws_allow_http": str(options.endpoint.startswith("http:")).lower(),
        # Two writers must not both make version n: the second PUT of its log entry is refused.
        "aws_conditional_put": "etag",
        "connect_timeout": "3s",
        "timeout": "20s",
        "retry_timeout": "10s",
        "max_retries": "2",
    }
