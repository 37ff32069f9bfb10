"""Real PostgreSQL, MinIO, Elasticsearch, Chromium and nginx for tests and development, without a container engine.

    python deploy/services install          fetch and build what is missing (root installs packages)
    python deploy/services start            start the servers, write build/services/services.env
    python deploy/services status | stop
    python deploy/services run -- COMMAND   start, run the command with their addresses, stop; its exit code
    … run --meanwhile 'COMMAND' -- …        and run this one while they start; its failure is the end of it

`--only postgresql,minio` chooses. A service that cannot be had is named in one line with the reason; with
REQUIRE_SERVICES=1 (or --require) that is an error. Needs nothing but Python 3.11.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import chromium
import elasticsearch
import minio
import nginx
import postgresql
from places import NotHere, prefer_memory
from servers import Server, stop

STATE = Path(__file__).resolve().parents[2] / "build" / "services"


@dataclass(frozen=True)
class Kind:
    title: str
    variable: str
    prepare: Callable[[], Any]
    start: Callable[[Any], Server] | None
    """None: a program that tests start themselves."""


KINDS = {
    "postgresql": Kind(postgresql.TITLE, postgresql.VARIABLE, postgresql.prepare, postgresql.start),
    "minio": Kind(minio.TITLE, minio.VARIABLE, minio.prepare, minio.start),
    "elasticsearch": Kind(
        elasticsearch.TITLE, elasticsearch.VARIABLE, elasticsearch.prepare, elasticsearch.start
    ),
    "chromium": Kind(chromium.TITLE, chromium.VARIABLE, chromium.prepare, None),
    "nginx": Kind(nginx.TITLE, nginx.VARIABLE, nginx.prepare, None),
}


@dataclass(frozen=True)
class Outcome:
    kind: Kind
    environ: dict[str, str]
    missing: str = ""
    """Why the service is not there, in one line."""


def main() -> int:
    options = _options()
    kinds = [KINDS[name] for name in options.only.split(",")]
    if options.memory:
        prefer_memory()
    if options.action == "install":
        return _report(_each(kinds, _prepared), options.require)
    if options.action == "start":
        return _start(kinds, options.require)
    if options.action == "status":
        return _status()
    if options.action == "stop":
        _stop_all(_load())
        return 0
    return _run(kinds, options.command, options.require, shlex.split(options.meanwhile))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="services", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("action", choices=["install", "start", "status", "stop", "run"])
    parser.add_argument("--only", default=",".join(KINDS), help=f"some of {','.join(KINDS)}")
    parser.add_argument("--require", action="store_true", default=os.environ.get("REQUIRE_SERVICES") == "1")
    parser.add_argument("--memory", action="store_true", help="with run: data in memory, if there is room")
    parser.add_argument("--meanwhile", default="", metavar="COMMAND", help="with run: done while they start")
    # Split by hand: argparse takes no `--` behind an option and before words of its own.
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    options = parser.parse_args(words[:cut])
    options.command = words[cut + 1 :]
    unknown = set(options.only.split(",")) - set(KINDS)
    if unknown:
        parser.error(f"no such service: {', '.join(sorted(unknown))}")
    if (options.action == "run") != bool(options.command):
        parser.error("run takes a command after --, the other actions take none")
    if options.memory and options.action != "run":
        parser.error("--memory is for run: what outlives this command is kept on disk")
    if options.meanwhile and options.action != "run":
        parser.error("--meanwhile is for run")
    return options


def _each(kinds: list[Kind], step: Callable[[Kind], Outcome]) -> list[Outcome]:
    """All at once: Elasticsearch starts in 20 to 40 s, the others wait meanwhile for nothing."""

    def guarded(kind: Kind) -> Outcome:
        try:
            return step(kind)
        except NotHere as reason:
            return Outcome(kind, {}, missing=str(reason))
        except OSError as error:
            return Outcome(kind, {}, missing=f"{type(error).__name__}: {error}"[:300])

    with ThreadPoolExecutor(len(kinds)) as pool:
        return list(pool.map(guarded, kinds))


def _prepared(kind: Kind) -> Outcome:
    kind.prepare()
    return Outcome(kind, {})


def _starter(begun: list[Server]) -> Callable[[Kind], Outcome]:
    """`begun` gets each server as soon as it runs: who is interrupted meanwhile can still stop them."""

    def step(kind: Kind) -> Outcome:
        prepared = kind.prepare()
        if kind.start is None:
            return Outcome(kind, {kind.variable: str(prepared)})
        server = kind.start(prepared)
        begun.append(server)
        return Outcome(kind, server.environ)

    return step


def _report(outcomes: list[Outcome], require: bool) -> int:
    """One line for what is there, one for the suites that cannot run; 1 if those were required."""
    there = [outcome.kind.title for outcome in outcomes if not outcome.missing]
    if there:
        print("Services ready: " + ", ".join(there), flush=True)
    missing = "; ".join(
        f"{outcome.kind.title} ({outcome.missing})" for outcome in outcomes if outcome.missing
    )
    if missing:
        print(f"{'REQUIRED BUT MISSING' if require else 'SKIPPED SUITES'}: those on {missing}", flush=True)
    return 1 if missing and require else 0


def _start(kinds: list[Kind], require: bool) -> int:
    before = _load()
    if before and all(server.alive for server in before):
        print(f"Already running; addresses in {STATE / 'services.env'}")
        return 0
    _stop_all(before)
    servers: list[Server] = []
    try:
        outcomes = _each(kinds, _starter(servers))
        code = _report(outcomes, require)
    except KeyboardInterrupt:
        code = 130
    if code:
        _stop_all(servers)
        return code
    STATE.mkdir(parents=True, exist_ok=True)
    _write(STATE / "state.json", json.dumps([asdict(server) for server in servers], indent=1))
    lines = [
        f"export {name}={shlex.quote(value)}\n"
        for outcome in outcomes
        for name, value in outcome.environ.items()
    ]
    _write(STATE / "services.env", "".join(lines))
    print(f"Addresses: . {STATE / 'services.env'}")
    return 0


def _status() -> int:
    servers = _load()
    for server in servers:
        print(
            f"{server.title}: {'running' if server.alive else 'gone'}, process {server.pid}, data in {server.folder}"
        )
    if not servers:
        print("No services have been started here.")
    return 0 if servers and all(server.alive for server in servers) else 3


def _run(kinds: list[Kind], command: list[str], require: bool, meanwhile: list[str]) -> int:
    """Signals end the command and then the services; nothing is printed after the command."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    servers: list[Server] = []
    beside = subprocess.Popen(meanwhile) if meanwhile else None
    try:
        outcomes = _each(kinds, _starter(servers))
        if beside and (code := beside.wait()):
            return code
        if code := _report(outcomes, require):
            return code
        found = {name: value for outcome in outcomes for name, value in outcome.environ.items()}
        process = subprocess.Popen(command, env={**os.environ, **found})
        try:
            code = process.wait()
        except KeyboardInterrupt:
            process.terminate()
            code = process.wait()
        return code if code >= 0 else 128 - code
    except KeyboardInterrupt:
        return 130
    finally:
        if beside and beside.poll() is None:
            beside.terminate()
        _stop_all(servers)


def _interrupt(number: int, _frame: object) -> None:
    raise KeyboardInterrupt(number)


def _stop_all(servers: list[Server]) -> None:
    if servers:
        with ThreadPoolExecutor(len(servers)) as pool:
            list(pool.map(stop, servers))
    if servers == _load():
        (STATE / "state.json").unlink(missing_ok=True)
        (STATE / "services.env").unlink(missing_ok=True)


def _load() -> list[Server]:
    try:
        return [Server(**entry) for entry in json.loads((STATE / "state.json").read_text())]
    except (OSError, ValueError, TypeError):
        return []


def _write(path: Path, text: str) -> None:
    """For the owner only: the addresses hold passwords."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)


if __name__ == "__main__":
    sys.exit(main())
