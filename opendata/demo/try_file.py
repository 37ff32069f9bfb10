"""`opendata try FILE`: one's own file on this machine's portal, by the same HTTP calls that an agency would make."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from opendata.core.errors import Conflict, Unavailable
from opendata.core.ids import new_id
from opendata.demo import catalogue
from opendata.settings import Settings

AGENCY = "nantong"
PATIENCE_SECONDS = 600
Say = Callable[[str], object]


class Api:
    """The portal's REST API, as one person."""

    def __init__(self, site_url: str) -> None:
        self.site = urlsplit(site_url)
        self.token = ""

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The answer's JSON. `Conflict("api_refused")` with the portal's own sentence for anything but 2xx."""
        data = json.dumps(body).encode() if body is not None else None
        return self._send(method, path, data, {"Content-Type": "application/json"} if data else {})

    def upload(self, path: str, file: Path) -> dict[str, Any]:
        """Posts a file as multipart, streamed."""
        boundary = new_id()
        name = file.name.replace('"', "'")
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        tail = f"\r\n--{boundary}--\r\n".encode()

        def body() -> Iterator[bytes]:
            yield head
            with file.open("rb") as source:
                while chunk := source.read(1 << 20):
                    yield chunk
            yield tail

        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + file.stat().st_size + len(tail)),
        }
        return self._send("POST", path, body(), headers)

    def ready(self) -> bool:
        try:
            self._send("GET", "/readyz", None, {})
        except (OSError, http.client.HTTPException, Conflict):
            return False
        return True

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> dict[str, Any]:
        secure = self.site.scheme == "https"
        make = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = make(self.site.hostname or "127.0.0.1", self.site.port, timeout=300)
        if self.token:
            headers = {**headers, "Authorization": f"Bearer {self.token}"}
        try:
            connection.request(method, self.site.path + path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        found: dict[str, Any] = json.loads(content) if content[:1] == b"{" else {}
        if answer.status >= 300:
            details = "; ".join(f"{e['field']}: {e['detail']}" for e in found.get("errors", []))
            told = found.get("detail", "")
            if details:
                raise Conflict("api_refused_fields", status=answer.status, detail=told, details=details)
            raise Conflict("api_refused", status=answer.status, detail=told)
        return found


def run(settings: Settings, file: Path, title: str | None, say: Say) -> None:
    """Publishes the file and says where its page is. Starts the portal if it does not run, and then serves until Ctrl-C."""
    api = Api(settings.site_url)
    server = None if api.ready() else _start(settings, api, say)
    try:
        page = publish(settings, api, file, title or file.stem, say)
        say(f"Your file is public on this machine's portal: {page}")
        if server is not None:
            say("The portal runs until you press Ctrl-C.")
            server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        if server is not None and server.poll() is None:
            server.terminate()
            server.wait(timeout=30)


def publish(settings: Settings, api: Api, file: Path, title: str, say: Say) -> str:
    """The whole road: draft, upload, submit, two decisions. Returns the address of the page that shows the rows."""
    people = catalogue.credentials(settings)
    api.token = people["sample-author"]["token"]
    dataset = api.call("POST", "/api/v1/datasets", {"agency": AGENCY, "title": title})
    say(f"Draft {dataset['name']} was made.")
    resource = api.upload(f"/api/v1/datasets/{dataset['id']}/resources", file)
    release = api.call("POST", f"/api/v1/datasets/{dataset['id']}/releases")
    state = _follow(api, release["id"], {"in_review", "published"}, say)
    for person, kind in (("sample-content-reviewer", "content"), ("sample-secrecy-reviewer", "secrecy")):
        if state["state"] != "in_review":
            break
        api.token = people[person]["token"]
        decision = {
            "kind": kind,
            "outcome": "approve",
            "content_hash": release["content_hash"],
            "reason": "tried",
        }
        api.call("POST", f"/api/v1/releases/{release['id']}/decisions", decision)
        say(f"Approved by {person}.")
    _follow(api, release["id"], {"published"}, say)
    _wait_rows(api, resource["id"], say)
    return f"{settings.site_url}/zh/dataset/{quote(dataset['name'])}/resource/{resource['id']}"


def _start(settings: Settings, api: Api, say: Say) -> subprocess.Popen[bytes]:
    say("The portal does not run yet: starting it …")
    port = str(api.site.port or 8000)
    command = [sys.executable, "-m", "opendata.start", "serve", "--port", port]
    ours = {"OPENDATA_LOG_LEVEL": "WARNING", **os.environ, "OPENDATA_SAMPLE": "1"}
    server = subprocess.Popen(command, env=ours)  # noqa: S603 - our own command
    end = time.monotonic() + PATIENCE_SECONDS
    while not api.ready():
        if server.poll() is not None or time.monotonic() > end:
            raise Unavailable("portal_did_not_start", address=settings.site_url)
        time.sleep(0.2)
    return server


def _follow(api: Api, release_id: str, goals: set[str], say: Say) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE_SECONDS
    said = ""
    while time.monotonic() < end:
        state = api.call("GET", f"/api/v1/releases/{release_id}")
        if state["sentence"] != said:
            said = state["sentence"]
            say(f"  {said}")
        if state["state"] in goals:
            return state
        if state["state"] in {"returned", "failed"}:
            for reason in _reasons(state):
                say(f"  {reason}")
            raise Conflict("try_returned", sentence=said)
        time.sleep(0.1)
    raise Unavailable("try_timed_out", state=said)


def _reasons(state: dict[str, Any]) -> Iterator[str]:
    """What the checks of a returned release found, a line each: the first of each file."""
    for verdict in state["validation"]:
        if verdict["problem"]:
            yield verdict["problem"]["detail"]
        elif verdict["error_count"]:
            yield f"{verdict['error_count']} errors; GET /api/v1/resources/{verdict['resource']}/report?draft=true lists them."
    for finding in state["screening"]:
        yield f"{finding['place']}: {finding['rule']}, {finding['count']} times"


def _wait_rows(api: Api, resource_id: str, say: Say) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            page = api.call("GET", f"/api/v1/resources/{resource_id}/rows?limit=1")
        except Conflict as refused:
            if refused.params["status"] != 503:
                say(f"  {refused.params['detail']}")
                return
            time.sleep(0.1)
            continue
        say(f"  {page['total_count']} rows can be queried.")
        return
