"""A remote site of a test's making, read as the run reads one: over HTTP, its bytes parsed in the real sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from opendata.harvest.asking import Limits, Remote
from opendata.harvest.reading.parsing import Parser
from opendata.harvest.record import Record, Refused
from opendata.harvest.remotes.kinds import KINDS
from opendata.ports.sandbox.process import ProcessSandbox
from opendata.ports.storage.local_drop import LocalDrop
from tests.support.remote_site import RemoteSite, remote_site

Gathering = Callable[..., list[Record | Refused]]
"""Of a kind and an address or a path of the site, with options; all that comes."""


@pytest.fixture
def site() -> Iterator[RemoteSite]:
    with remote_site() as site:
        yield site


@pytest.fixture
def parser(warm_sandbox: ProcessSandbox, tmp_path: Path) -> Parser:
    return Parser(warm_sandbox, tmp_path)


@pytest.fixture
def dropped(tmp_path: Path) -> Path:
    """The site's folder for files of others."""
    folder = tmp_path / "dropped"
    folder.mkdir()
    return folder


@pytest.fixture
def ask(site: RemoteSite, parser: Parser, dropped: Path) -> Callable[..., Remote]:
    def asking(kind: str, url: str, *, secret: str = "", **options: Any) -> Remote:
        given = KINDS[kind].options.model_validate(options).model_dump()
        limits = Limits(page_bytes=8 << 20, pause=0.0)
        return Remote(site.fetcher, url, given, secret, limits=limits, parser=parser, drop=LocalDrop(dropped))

    return asking


@pytest.fixture
def gather(site: RemoteSite, ask: Callable[..., Remote]) -> Gathering:
    def gathered(kind: str, url: str, *, secret: str = "", **options: Any) -> list[Record | Refused]:
        address = url if "://" in url or not KINDS[kind].is_web else site.url + url
        return list(KINDS[kind].gather(ask(kind, address, secret=secret, **options)))

    return gathered
