"""Our own server under measurement: a data folder of its own, a free port on loopback, ended by process id."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from client import Client, Failed
from loops import Side

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-m", "opendata.start"]
SERVICES = {
    "postgresql": "OPENDATA_TEST_POSTGRES_URL",
    "minio": "OPENDATA_TEST_S3_URL",
    "elasticsearch": "OPENDATA_TEST_ELASTICSEARCH_URL",
}


@dataclass
class Ours:
    """A running server, and in the full stack its worker."""

    name: str
    folder: Path
    port: int
    environ: Mapping[str, str]
    services: list[int] = field(default_factory=list)
    """Roots of the processes of PostgreSQL, MinIO and Elasticsearch."""
    token: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self.processes]

    @property
    def side(self) -> Side:
        return Side(self.name, self.base, self.token, [*self.pids, *self.services])

    def start(self) -> float:
        """Starts it (again); seconds until it says that it is ready. `Failed` with the end of its log."""
        began = time.perf_counter()
        self._spawn("serve", "--port", str(self.port))
        if self.environ.get("OPENDATA_RUN_JOBS") == "0":
            self._spawn("worker")
        while time.perf_counter() - began < 120:
            if any(process.poll() is not None for process in self.processes):
                break
            if self._ready():
                return time.perf_counter() - began
            time.sleep(0.02)
        raise Failed(f"{self.name} did not start:\n{self._complaint()}")

    def stop(self) -> None:
        """As an operator would: SIGTERM, and SIGKILL to what is left after 30 seconds."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    def command(self, *words: str) -> str:
        """One of the operator's commands; what it printed."""
        done = subprocess.run([*PROGRAM, *words], env=self.environ, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"opendata {' '.join(words)}: {done.stderr[-1000:]}")
        return done.stdout.strip()

    def page_times(self, after: int) -> list[float]:
        """Milliseconds at the server of the pages of rows in its log, from a position of `log_size` on."""
        with (self.folder / "serve.log").open("rb") as log:
            log.seek(after)
            lines = [json.loads(line) for line in log if line.startswith(b"{")]
        return [float(line["ms"]) for line in lines if str(line.get("path")).endswith("/rows")]

    def log_size(self) -> int:
        return (self.folder / "serve.log").stat().st_size

    def _spawn(self, *words: str) -> None:
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [*PROGRAM, *words],
                env=self.environ,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)

    def _ready(self) -> bool:
        client = Client(self.base)
        try:
            return client.request("GET", "/readyz").status == 200
        except OSError:
            return False
        finally:
            client.close()

    def _complaint(self) -> str:
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(log.read_text(errors="replace")[-2000:] for log in logs)


@contextlib.contextmanager
def embedded(more: Mapping[str, str] | None = None) -> Iterator[Ours]:
    """The embedded shape: one process tree, everything in one folder. `more`: settings."""
    with _running("embedded", more or {}, []) as ours:
        yield ours


@contextlib.contextmanager
def full_stack(more: Mapping[str, str] | None = None) -> Iterator[Ours]:
    """Server and worker on PostgreSQL, S3 and Elasticsearch, whose addresses deploy/services has set. `more`: settings."""
    postgres, s3, search = (os.environ[variable] for variable in SERVICES.values())
    settings = {
        "OPENDATA_DATABASE_URL": postgres,
        "OPENDATA_STORAGE_URL": s3,
        "OPENDATA_SEARCH_URL": search,
        "OPENDATA_RUN_JOBS": "0",
        **(more or {}),
    }
    ports = [
        int(found.group(1)) for url in (postgres, s3, search) if (found := re.search(r":(\d+)(?:/|$)", url))
    ]
    with _running("full stack", settings, [pid for port in ports if (pid := listener(port))]) as ours:
        yield ours


def on_s3() -> contextlib.AbstractContextManager[Ours]:
    """The embedded shape with its files on S3."""
    return _running(
        "embedded, files on S3", {"OPENDATA_STORAGE_URL": os.environ[SERVICES["minio"]] + "-files"}, []
    )


@contextlib.contextmanager
def _running(name: str, settings: Mapping[str, str], services: list[int]) -> Iterator[Ours]:
    folder = Path(tempfile.mkdtemp(prefix="opendata-bench-", dir=os.environ.get("BENCH_DIR")))
    port = _free_port()
    kept = {key: value for key, value in os.environ.items() if not key.startswith("OPENDATA_")}
    environ = {
        **kept,
        "OPENDATA_DATA_DIR": str(folder / "data"),
        "OPENDATA_SITE_URL": f"http://127.0.0.1:{port}",
        "OPENDATA_PUBLICATION_POLICY": "direct",
        **settings,
    }
    ours = Ours(name, folder, port, environ, services)
    try:
        person = f"bench-{secrets.token_hex(4)}"  # the full stack is measured more than once
        ours.command("user", "create", person, "--email", f"{person}@example.org", "--sysadmin")
        ours.token = ours.command("token", "create", person)
        ours.start()
        yield ours
    finally:
        ours.stop()
        shutil.rmtree(folder, ignore_errors=True)


def listener(port: int) -> int | None:
    """The oldest process that listens on a port of this machine."""
    sockets = {
        fields[9]
        for table in ("tcp", "tcp6")
        for line in Path("/proc/net", table).read_text().splitlines()[1:]
        if (fields := line.split())[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port
    }
    owners = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _holds(entry, sockets)
    ]
    return min(owners, default=None)


def _holds(process: Path, sockets: set[str]) -> bool:
    try:
        links = [os.readlink(link) for link in (process / "fd").iterdir()]
    except OSError:
        return False
    return any(link.startswith("socket:") and link[8:-1] in sockets for link in links)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def peer() -> Side | None:
    """The other server, if the environment names one: BENCH_PEER_URL, BENCH_PEER_TOKEN and, for its processor time and
    memory, BENCH_PEER_PIDS (roots of its process trees)."""
    base = os.environ.get("BENCH_PEER_URL", "").rstrip("/")
    if not base:
        return None
    pids = [int(pid) for pid in os.environ.get("BENCH_PEER_PIDS", "").replace(",", " ").split()]
    side = Side("", base, os.environ.get("BENCH_PEER_TOKEN", ""), pids)
    status = json.loads(side.client().ask("status_show", {}))["result"]
    return Side(f"CKAN {status['ckan_version']}", base, side.token, pids)
