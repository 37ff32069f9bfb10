"""CKAN 2.12 itself: a second site beside one that runs (`PEER_ROOT`), emptied before each area.

It shares the servers of the first and has databases, a site id and an address of its own, so that nothing of the first is
seen or touched.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from ckan_diff.people import ORGANIZATIONS, PEOPLE, ROOT, email

PORT = int(os.environ.get("CKAN_DIFF_PORT", "5056"))
SITE = f"http://127.0.0.1:{PORT}"
_CHANGES = {
    "ckan.site_id": "diff",
    "ckan.site_url": SITE,
    "ckan.plugins": "activity datastore text_view image_view datatables_view resource_proxy",
    "ckan.auth.user_create_groups": "false",  # as a government's site has it
    "ckan.auth.user_create_organizations": "false",
    "ckan.auth.allow_dataset_collaborators": "true",
}


def _replaced(old: str, new: str) -> Callable[[re.Match[str]], str]:
    """Makes `key = old` into `key = new`."""

    def change(line: re.Match[str]) -> str:
        key, _, value = line[0].partition("=")
        return f"{key.strip()} = {re.sub(f'^{old}$', new, value.strip())}"

    return change


class Peer:
    """Start with `with Peer(root) as peer`; `fresh()` gives the tokens of the people on an empty site."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "diff"
        self.ini = self.folder / "ckan.ini"
        self.client = httpx.Client(base_url=SITE, timeout=120)
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Peer:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "storage").mkdir(exist_ok=True)
        self._configure()
        if not (self.folder / "ready").exists():
            self._initialise()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self.client.close()

    def send(
        self, method: str, path: str, *, content: bytes | None, headers: dict[str, str]
    ) -> httpx.Response:
        return self.client.request(method, path, content=content, headers=headers)

    def fresh(self) -> dict[str, str]:
        """An empty site with the people in it; their tokens."""
        self._stop()
        for name in ("ckan_diff", "datastore_diff"):
            self._sql(f"drop database if exists {name} with (force)")
            self._sql(f"create database {name} template {name}_start owner ckan")
        shutil.rmtree(self.folder / "storage")
        (self.folder / "storage").mkdir()
        self._forget_index()
        self._start()
        tokens = {"root": (self.folder / "token").read_text("utf-8").strip()}
        for name, title in ORGANIZATIONS.items():
            self._act(tokens, "organization_create", name=name, title=title)
        for name, (organization, capacity) in PEOPLE.items():
            self._act(tokens, "user_create", name=name, email=email(name), password="differs-12345")
            tokens[name] = self._act(tokens, "api_token_create", user=name, name="test")["token"]
            if organization:
                self._act(tokens, "organization_member_create", id=organization, username=name, role=capacity)
        for name in ORGANIZATIONS:  # who made it is no member
            self._act(tokens, "organization_member_delete", id=name, username=ROOT)
        return tokens

    def _act(self, tokens: dict[str, str], action: str, **args: Any) -> Any:
        reply = self.client.post(
            f"/api/3/action/{action}", json=args, headers={"Authorization": tokens["root"]}
        )
        assert reply.status_code == 200, reply.text
        return reply.json()["result"]

    # -- the site ----------------------------------------------------------------------------------------------------

    def _configure(self) -> None:
        text = (self.root / "ckan.ini").read_text("utf-8")
        changes = {
            r"sqlalchemy\.url": r"(.*/)\w+::\1ckan_diff",
            r"ckan\.datastore\.\w+_url": r"(.*/)\w+::\1datastore_diff",
            r"ckan\.redis\.url": r"(.*/)\d+::\g<1>1",
        }
        for key, value in {**_CHANGES, "ckan.storage_path": str(self.folder / "storage")}.items():
            changes[re.escape(key)] = f".*::{value}"
        for key, change in changes.items():
            old, _, new = change.partition("::")
            text, count = re.subn(rf"(?m)(?<=^)(?:{key})\s*=\s*.*$", _replaced(old, new), text)
            assert count, f"no {key} in ckan.ini: the first site would be used"
        self.ini.write_text(text, "utf-8")
        program = f"""from ckan.config.middleware import make_app
from ckan.cli import CKANConfigLoader
application = make_app(CKANConfigLoader("{self.ini}").get_config())
"""
        (self.folder / "wsgi.py").write_text(program, "utf-8")

    def _initialise(self) -> None:
        for name in ("ckan_diff", "datastore_diff", "ckan_diff_start", "datastore_diff_start"):
            self._sql(f"drop database if exists {name} with (force)")
        for name in ("ckan_diff", "datastore_diff"):
            self._sql(f"create database {name} owner ckan")
        self._ckan("db", "init")
        self._ckan("db", "upgrade", "-p", "activity")
        rights = self._ckan("datastore", "set-permissions")
        subprocess.run(self._psql(), input=rights, text=True, check=True, capture_output=True)
        self._ckan("user", "add", ROOT, f"email={email(ROOT)}", "password=peer-admin-1234")
        self._ckan("sysadmin", "add", ROOT)
        token = self._ckan("user", "token", "add", ROOT, "peer", "-q").strip().splitlines()[-1].strip()
        (self.folder / "token").write_text(token, "utf-8")
        for name in ("ckan_diff", "datastore_diff"):
            self._sql(f"alter database {name} rename to {name}_start")
        (self.folder / "ready").touch()

    def _start(self) -> None:
        venv = self.root / "venv" / "bin"
        command = [
            str(venv / "uwsgi"),
            "--http-socket",
            f"127.0.0.1:{PORT}",
            "--wsgi-file",
            "wsgi.py",
            "--master",
        ]
        command += [
            "--enable-threads",
            "--processes",
            "1",
            "--lazy-apps",
            "--buffer-size",
            "32768",
            "--die-on-term",
        ]
        command += ["--post-buffering", "65536", "--disable-logging", "--add-header", "Connection: close"]
        with (self.folder / "uwsgi.log").open("wb") as log:
            self._server = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        while True:
            assert self._server.poll() is None, "CKAN ended"
            try:
                if self.client.get("/api/3/action/status_show").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.3)

    def _stop(self) -> None:
        if self._server is not None:
            self._server.send_signal(signal.SIGTERM)
            self._server.wait()
            self._server = None

    def _forget_index(self) -> None:
        text = self.ini.read_text("utf-8")
        found = re.search(r"^solr_url\s*=\s*(.*)$", text, flags=re.M)
        assert found is not None, "no solr_url"
        body = {"delete": {"query": f'site_id:"{_CHANGES["ckan.site_id"]}"'}}
        httpx.post(f"{found[1]}/update?commit=true", json=body, timeout=60).raise_for_status()

    def _ckan(self, *arguments: str) -> str:
        command = [str(self.root / "venv" / "bin" / "ckan"), "-c", str(self.ini), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def _sql(self, statement: str) -> None:
        subprocess.run([*self._psql(), "-c", statement], check=True, capture_output=True)

    def _psql(self) -> list[str]:
        port = os.environ.get("PEER_PGPORT", "5455")
        return ["psql", "-q", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-v", "ON_ERROR_STOP=1"]
