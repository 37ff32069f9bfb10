"""Elasticsearch: the server's integration-test distribution from Maven. The real server with its core modules."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import zipfile
from pathlib import Path

from packages import apt_install, apt_version, first_executable, run
from places import NotHere, account, cache, data_folder, fleeting, installed, locked, remove_data
from servers import HOST, Server, answers, began_at, free_port, spawn, wait_until

TITLE = "Elasticsearch"
VARIABLE = "OPENDATA_TEST_ELASTICSEARCH_URL"
VERSION = "9.5.2"
SHA256 = "de3d9c88b5f993d9b1f937a1da8d7bfa3e881f83bf3a0dab3e49a8d557934618"
OLDEST_JAVA = 21
GROUP, ARTIFACT = "org.elasticsearch.distribution.integ-test-zip", "elasticsearch"

SETTINGS = """\
cluster.name: opendata-test
discovery.type: single-node
network.host: 127.0.0.1
http.port: {http}
transport.port: {transport}
path.data: {folder}/data
path.logs: {folder}/logs
xpack.security.enabled: false
xpack.ml.enabled: false
# A developer's disk is often nearly full; that must not make an index read-only.
cluster.routing.allocation.disk.threshold_enabled: false
"""


def prepare() -> tuple[Path, Path]:
    """The server's folder and the Java it runs on, fetched if need be."""
    java = _java() or _install_java()
    return installed(f"elasticsearch-{VERSION}") or _fetch(), java


def start(prepared: tuple[Path, Path]) -> Server:
    home, java = prepared
    folder, port = data_folder("elasticsearch"), free_port()
    url = f"http://{HOST}:{port}"
    try:
        process = spawn([str(home / "bin" / "elasticsearch")], folder, _configure(home, java, folder, port))
        # This distribution answers 405 on "/"; the cluster's health is the sign of life.
        health = f"{url}/_cluster/health?wait_for_status=yellow&timeout=1s"
        wait_until(lambda: answers(health), process, folder, 240)
    except (NotHere, OSError):
        remove_data(folder)
        raise
    return Server(TITLE, process.pid, began_at(process.pid) or 0, str(folder), {VARIABLE: url})


def _configure(home: Path, java: Path, folder: Path, port: int) -> dict[str, str]:
    """A configuration of its own for each start: the server writes a keystore beside it."""
    config = folder / "config"
    shutil.copytree(home / "config", config)
    (config / "elasticsearch.yml").write_text(
        SETTINGS.format(http=port, transport=free_port(), folder=folder)
    )
    # A folder beside the configuration: the server refuses to start if what it may write to contains its own configuration.
    scratch = folder / "scratch"
    scratch.mkdir()
    account().own(folder)
    # Over some minutes the second compiler takes more time than its code saves.
    quick = " -XX:TieredStopAtLevel=1" if fleeting() else ""
    return {
        "ES_JAVA_HOME": str(java),
        "ES_PATH_CONF": str(config),
        "ES_TMPDIR": str(scratch),
        "ES_JAVA_OPTS": f"-Xms1g -Xmx1g{quick}",
    }


def _java() -> Path | None:
    """The newest installed Java of a sufficient version."""
    named = [Path(os.environ[name]) for name in ("ES_JAVA_HOME", "JAVA_HOME") if os.environ.get(name)]
    usual = [
        path
        for pattern in ("usr/lib/jvm/*", "opt/*jdk*", "opt/java/*")
        for path in sorted(Path("/").glob(pattern))
    ]
    program = first_executable("java")
    homes = [*named, *usual, *([program.resolve().parent.parent] if program else [])]
    found = {home: _java_version(home) for home in homes if (home / "bin" / "java").exists()}
    best = max(found, key=lambda home: found[home], default=None)
    return best if best is not None and found[best] >= OLDEST_JAVA else None


def _java_version(home: Path) -> int:
    release = home / "release"
    said = (
        re.search(r'JAVA_VERSION="(\d+)', release.read_text(errors="replace")) if release.exists() else None
    )
    return int(said.group(1)) if said else 0


def _install_java() -> Path:
    for package in ("openjdk-25-jre-headless", "openjdk-21-jre-headless"):
        if apt_version(package):
            apt_install(package)
            java = _java()
            if java is not None:
                return java
    raise NotHere(
        f"it needs Java {OLDEST_JAVA} or newer; none is installed, and the system has no package of it"
    )


def _fetch() -> Path:
    with locked("elasticsearch"):
        done = installed(f"elasticsearch-{VERSION}")
        if done:
            return done
        archive = _archive()
        if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
            raise NotHere(f"{archive.name} has not the pinned SHA-256")
        unpacked = cache() / f"elasticsearch-{VERSION}.new"
        shutil.rmtree(unpacked, ignore_errors=True)
        _unpack(archive, unpacked)
        home = (unpacked / f"elasticsearch-{VERSION}").rename(cache() / f"elasticsearch-{VERSION}")
        unpacked.rmdir()
        return home


def _archive() -> Path:
    """The zip in the local Maven repository, fetched by Maven if it is not there."""
    place = Path(*GROUP.split("."), ARTIFACT, VERSION, f"{ARTIFACT}-{VERSION}.zip")
    repository = Path("~/.m2/repository").expanduser()
    if not (repository / place).exists():
        if first_executable("mvn") is None:
            apt_install("maven")
        print("Elasticsearch: fetching it once, 132 MB", flush=True)
        repository = cache() / "maven"
        goal = ["dependency:get", "-Dtransitive=false", f"-Dartifact={GROUP}:{ARTIFACT}:{VERSION}:zip"]
        run(
            ["mvn", "-q", "-B", "-Dstyle.color=never", f"-Dmaven.repo.local={repository}", *goal],
            "mvn dependency:get",
        )
    return repository / place


def _unpack(archive: Path, target: Path) -> None:
    """Unpacks with the permissions, which `zipfile` drops; everyone may read."""
    with zipfile.ZipFile(archive) as bundle:
        for member in bundle.infolist():
            path = Path(bundle.extract(member, target))
            executable = member.is_dir() or (member.external_attr >> 16) & 0o111
            path.chmod(0o755 if executable else 0o644)
