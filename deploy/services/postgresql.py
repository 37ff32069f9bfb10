"""PostgreSQL from the system's package."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path

from packages import apt_install, first_executable, numbers, run
from places import NotHere, account, data_folder, remove_data
from servers import HOST, Server, began_at, complaint, free_port, spawn, wait_until

TITLE = "PostgreSQL"
VARIABLE = "OPENDATA_TEST_POSTGRES_URL"
OLDEST = 14


def prepare() -> Path:
    """The folder of `initdb` and `postgres`, installed if need be."""
    return _programs() or _install()


def start(programs: Path) -> Server:
    folder, port, password = data_folder("postgresql"), free_port(), secrets.token_hex(16)
    try:
        _initialise(programs, folder, password)
        process = spawn([str(programs / "postgres"), "-D", str(folder / "data"), *_options(port)], folder, {})
        reach = ["-h", HOST, "-p", str(port), "-U", "opendata"]
        ready = [str(programs / "pg_isready"), "-q", *reach]
        wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, process, folder, 60)
        try:
            run([str(programs / "createdb"), *reach, "opendata"], "createdb", {"PGPASSWORD": password})
        except NotHere:
            process.kill()
            process.wait()
            raise
    except (NotHere, OSError):
        remove_data(folder)
        raise
    url = f"postgresql://opendata:{password}@{HOST}:{port}/opendata"
    return Server(TITLE, process.pid, began_at(process.pid) or 0, str(folder), {VARIABLE: url})


def _initialise(programs: Path, folder: Path, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password)
    secret.chmod(0o600)
    account().own(folder)
    # Not by `run`, which would start it as the caller: initdb refuses root. md5, because scram is slow on purpose, at both ends
    # of each of thousands of connections; this server lives for a while, and on the loopback interface.
    command = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", "opendata", "--auth=md5"]
    command += [f"--pwfile={secret}", "--encoding=UTF8", "--locale=C.UTF-8"]
    process = spawn(command, folder, {})
    if process.wait() != 0:
        raise NotHere(f"initdb failed: {complaint(folder)}")
    secret.unlink()


def _options(port: int) -> list[str]:
    settings: dict[str, str | int] = {
        "listen_addresses": HOST,
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 200,
        # Tests make and drop a database each. These data are deleted with the server: nothing has to outlive a power cut.
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": 0,
    }
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _programs() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: numbers(path.parent.name))
    initdb = first_executable(*(folder / "initdb" for folder in reversed(folders)), "initdb")
    if initdb is None:
        return None
    programs = initdb.resolve().parent
    version = numbers(run([str(programs / "postgres"), "--version"], "postgres --version"))
    return programs if version and version[0] >= OLDEST else None


def _install() -> Path:
    apt_install("postgresql")
    programs = _programs()
    if programs is None:
        raise NotHere(f"the installed package has no server of version {OLDEST} or newer")
    return programs
