"""The client of an S3 server, by its address, and what its errors mean: for the stores and for the drop folder."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree.ElementTree import ParseError

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from opendata.core.errors import NoSpace, Unavailable
from opendata.ports.storage.port import ObjectMissing

THREADS = 40
"""Connections kept open: as many as the server has request threads."""
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 30.0
"""How long a server may be silent."""
RETRY_WAIT = 0.2
"""Seconds; no wait before the second try, twice this before the third."""

_MISSING = {"NoSuchKey", "NoSuchObject"}
_FULL = {"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage", "QuotaExceeded"}


def connected(
    url: str, answer_seconds: float = ANSWER_SECONDS, retry_wait: float = RETRY_WAIT
) -> tuple[Minio, str]:
    """The client, and the path of `s3+http(s)://key:secret@host:port/PATH[?region=…]`. Nothing is asked of the server yet.

    Key and secret are percent-decoded. `ValueError` (without the secret in it) for another form of address."""
    parts = urlsplit(url)
    if parts.scheme not in ("s3+http", "s3+https") or not (
        parts.hostname and parts.username and parts.password
    ):
        raise ValueError("a store's address reads s3+http(s)://key:secret@host:port/PREFIX")
    client = Minio(
        endpoint=parts.netloc.rpartition("@")[2],
        access_key=unquote(parts.username),
        secret_key=unquote(parts.password),
        secure=parts.scheme == "s3+https",
        region=dict(parse_qsl(parts.query)).get("region"),
        http_client=_connections(parts.scheme == "s3+https", answer_seconds, retry_wait),
    )
    return client, parts.path.strip("/")


def _connections(secure: bool, answer_seconds: float, retry_wait: float) -> urllib3.PoolManager:
    """Few retries with short waits: a person waits for the answer. The machine's own certificates are trusted."""
    return urllib3.PoolManager(
        maxsize=THREADS,
        timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=answer_seconds),
        retries=urllib3.Retry(
            total=3,
            connect=2,
            read=1,
            status=2,
            redirect=0,
            backoff_factor=retry_wait,
            status_forcelist=[500, 502, 503, 504],
            raise_on_status=False,  # the last answer says why
        ),
        ssl_context=ssl.create_default_context() if secure else None,
    )


def _meaning(error: Exception) -> Exception:
    """What an answer of the server (or its silence) means to the caller."""
    if isinstance(error, S3Error):
        if error.code in _MISSING:
            return ObjectMissing(error.object_name)
        if error.code in _FULL or error.response.status == 507:
            return NoSpace()
    # The two other errors of the client keep the status in an attribute each.
    elif 507 in (getattr(error, "status_code", None), getattr(error, "_code", None)):
        return NoSpace()
    return Unavailable("storage_unavailable")


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except (MinioException, urllib3.exceptions.HTTPError, OSError, ParseError, UnicodeError) as error:
        raise _meaning(error) from error
