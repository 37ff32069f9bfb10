"""MinIO, the S3 server, built from its Go module (it publishes no other package)."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from packages import apt_install, apt_version, first_executable, numbers, run
from places import NotHere, cache, data_folder, installed, locked, remove_data
from servers import HOST, Server, answers, began_at, free_port, spawn, wait_until

TITLE = "MinIO"
VARIABLE = "OPENDATA_TEST_S3_URL"
MODULE = "github.com/minio/minio"
VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
CHECKSUM = "h1:/qdoYujxF5MBLDMVLeiYJ/7fBa1HikX39Dvzb9Ji8pA="
OLDEST_GO = (1, 24)


def prepare() -> Path:
    """The server's program, built if need be (some minutes)."""
    return installed(_place()) or _build()


def start(program: Path) -> Server:
    folder, port, password = data_folder("minio"), free_port(), secrets.token_hex(16)
    environ = {
        "MINIO_ROOT_USER": "opendata",
        "MINIO_ROOT_PASSWORD": password,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
    }
    command = [str(program), "server", str(folder / "data"), "--address", f"{HOST}:{port}", "--quiet"]
    try:
        process = spawn(command, folder, environ)
        wait_until(lambda: answers(f"http://{HOST}:{port}/minio/health/ready"), process, folder, 60)
    except (NotHere, OSError):
        remove_data(folder)
        raise
    url = f"s3+http://opendata:{password}@{HOST}:{port}/opendata-test"
    return Server(TITLE, process.pid, began_at(process.pid) or 0, str(folder), {VARIABLE: url})


def _place() -> str:
    return f"minio-{VERSION}/minio"


def _build() -> Path:
    with locked("minio"):
        done = installed(_place())
        if done:
            return done
        go = _go() or _install_go()
        print("MinIO: building it once, 4 to 6 minutes on 2 cores", flush=True)
        target = cache() / _place()
        building = cache() / f"minio-{VERSION}.new"
        niceness = ["nice"] if first_executable("nice") else []
        # Without a HOME (some CI) Go has no place for its modules.
        homeless = (
            {}
            if os.environ.get("HOME")
            else {"GOPATH": str(cache() / "go"), "GOCACHE": str(cache() / "go-build")}
        )
        environ = {"GOBIN": str(building), **homeless}
        run([*niceness, str(go), "install", f"{MODULE}@{VERSION}"], "go install", environ)
        _verify(go, building / "minio")
        building.chmod(0o755)
        building.rename(target.parent)
        return target


def _verify(go: Path, program: Path) -> None:
    """The module's checksum is pinned here, whatever checksum database the machine's Go asks."""
    if CHECKSUM not in run([str(go), "version", "-m", str(program)], "go version -m"):
        raise NotHere(f"the module {MODULE}@{VERSION} has not the pinned checksum")


def _go() -> Path | None:
    found = first_executable(
        "go", "/usr/local/go/bin/go", Path("~/go/bin/go").expanduser(), *Path("/usr/lib").glob("go-*/bin/go")
    )
    if found is None:
        return None
    version = re.search(r"go(\d+\.\d+)", run([str(found), "version"], "go version"))
    return found if version and numbers(version.group(1)) >= OLDEST_GO else None


def _install_go() -> Path:
    wanted = ".".join(map(str, OLDEST_GO))
    if apt_version("golang-go")[:2] < OLDEST_GO:
        raise NotHere(
            f"it is built with Go {wanted} or newer; none is installed, and the system's package is older"
        )
    apt_install("golang-go")
    go = _go()
    if go is None:
        raise NotHere(f"the installed Go is older than {wanted}")
    return go
