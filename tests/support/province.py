"""A province's platform on this machine, as a recorded foreign shape has it (省数直达): its own fields, its own codes, its own
identifiers, its own way to refuse. It makes a second record for whoever creates one twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from remote_site import serving

BASE = "/api/sszd-service/v1/catalog"
TOKEN = "province-token"
TEXTS = ("cata_id", "title", "abstract", "dept_name", "org_code", "org_path")
ITEM = {"column_code", "column_name_cn", "column_name_en"}


@dataclass
class Call:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


Answer = tuple[int, Any, dict[str, str]]


@dataclass
class Province:
    place: str = ""
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By its own identifier; `status` 1 is in force, 0 revoked."""
    calls: list[Call] = field(default_factory=list)
    before: Callable[[Call], Answer | None] = lambda _call: None
    """What it answers in place of doing anything."""
    mute: int = 0
    """So many calls it carries out and does not answer."""

    @property
    def url(self) -> str:
        return f"http://{self.place}"

    def answer(self, call: Call) -> Answer | None:
        self.calls.append(call)
        if (said := self.before(call)) is not None:
            return said
        if call.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"description": "token 无效"}, {}
        found = self._do(call)
        if self.mute and call.method != "GET":
            self.mute -= 1
            return None
        return found

    def _do(self, call: Call) -> Answer:
        if call.method == "GET":
            mine = [
                {"id": key} for key, one in self.records.items() if one["cata_id"] == call.query["cata_id"]
            ]
            return 200, {"entries": mine, "total_count": len(mine)}, {}
        if call.path == f"{BASE}/revocation":
            return self._revoke(call.body)
        known = call.path.removeprefix(f"{BASE}/")
        if call.method == "PUT" and known not in self.records:
            return 404, {"description": "目录不存在"}, {}
        wrong = faults(call.body)
        if wrong:
            return 400, {"code": "InvalidParameter", "description": "参数值校验不通过", "detail": wrong}, {}
        key = known if call.method == "PUT" else f"320000{len(self.records):06d}"
        self.records[key] = {**call.body, "status": "1"}
        return 200, {"id": key}, {}

    def _revoke(self, body: Any) -> Answer:
        if set(body) != {"catalog_id"} or body["catalog_id"] not in self.records:
            return 404, {"description": "目录不存在"}, {}
        self.records[body["catalog_id"]]["status"] = "0"
        return 200, {"id": body["catalog_id"]}, {}

    def in_force(self) -> dict[str, dict[str, Any]]:
        """By title."""
        return {one["title"]: one for one in self.records.values() if one["status"] == "1"}

    def sent(self, *methods: str) -> list[Call]:
        return [call for call in self.calls if call.method in (methods or ("POST", "PUT"))]


def faults(body: dict[str, Any]) -> list[str]:
    """What the platform has against a record: it knows its own fields alone."""
    wrong = [f"{name} 不能为空" for name in TEXTS if not isinstance(body.get(name), str) or not body[name]]
    if len(str(body.get("org_code", ""))) != 18:
        wrong.append("org_code 应为 18 位统一社会信用代码")
    if body.get("share_type") not in ("1", "2", "3"):
        wrong.append("share_type 取值应为 1、2、3")
    if type(body.get("updated_at")) is not int:
        wrong.append("updated_at 应为毫秒时间戳")
    if len(body.get("title", "")) > 20:
        wrong.append("title 不超过 20 字")
    if any(set(item) != ITEM for item in body.get("info_items", [])):
        wrong.append("info_items 字段不符")
    known = {*TEXTS, "share_type", "updated_at", "info_items", "resource_groups"}
    return wrong + [f"{name} 未定义" for name in sorted(body.keys() - known)]


@contextmanager
def province() -> Iterator[Province]:
    made = Province()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            sent = self.rfile.read(int(headers.get("content-length", 0)))
            call = Call(
                self.command,
                unquote(parts.path),
                dict(parse_qsl(parts.query)),
                headers,
                json.loads(sent or b"null"),
            )
            answer = made.answer(call)
            if answer is None:
                return  # the connection ends without a word
            status, body, more = answer
            said = json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(said)),
                **more,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_PUT = do_DELETE = do_POST

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with serving(Handler) as port:
        made.place = f"127.0.0.1:{port}"
        yield made
