"""A call of an action, and the ways to send it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

PATH = "/api/3/action/"
_SAVED = re.compile(r"\$\{([\w.]+)\}")


class Reply(Protocol):
    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def text(self) -> str: ...


Send = Callable[..., Reply]
"""`send(method, path, content=bytes, headers={})` of either site."""


@dataclass(frozen=True)
class Call:
    """`args` may hold `${name.key}`: what an earlier call with `keep="name"` gave. `how`: json, get, form, sole (the JSON
    as the only key of a form), multipart (`upload` is then (file name, text)), or raw (`body` as it stands).
    `as_type`: paths of the answer of which the type alone counts (texts that are CKAN's own prose). `headers`: names of
    headers of the answer that count. `unordered`: paths of lists whose order means nothing."""

    action: str
    by: str = "public"
    args: Mapping[str, Any] = field(default_factory=dict)
    keep: str = ""
    how: str = "json"
    body: str = ""
    content_type: str = "application/json"
    as_type: tuple[str, ...] = ()
    unordered: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    path: str = ""
    """Instead of the action's own address."""

    @property
    def label(self) -> str:
        sent = self.body or json.dumps(dict(self.args), ensure_ascii=False, sort_keys=True)
        shown = sent if len(sent) < 160 else f"{sent[:150]}…"
        return f"{self.by} {self.how} {self.path or self.action} {shown}"


def call(action: str, by: str = "public", *, keep: str = "", **args: Any) -> Call:
    """By POST with JSON. Arguments named like a field of `Call` go through `sent`."""
    return Call(action, by, args, keep)


def get(action: str, by: str = "public", **args: Any) -> Call:
    return Call(action, by, args, how="get")


def sent(action: str, by: str, args: Mapping[str, Any], **options: Any) -> Call:
    """With everything said in full."""
    return Call(action, by, args, **options)


def perform(one: Call, send: Send, tokens: Mapping[str, str], saved: Mapping[str, Any]) -> Reply:
    """Sends it. `tokens` by the names of people; the public has none."""
    args = filled(dict(one.args), saved)
    headers = {"Authorization": tokens[one.by]} if one.by != "public" else {}
    path = _text(one.path, saved) if one.path else PATH + one.action
    match one.how:
        case "get":
            query = urlencode({k: v if isinstance(v, str) else json.dumps(v) for k, v in args.items()})
            return send("GET", f"{path}?{query}" if query else path, content=None, headers=headers)
        case "form":
            return _post(send, path, urlencode(args), "application/x-www-form-urlencoded", headers)
        case "sole":
            return _post(
                send, path, urlencode({json.dumps(args): "1"}), "application/x-www-form-urlencoded", headers
            )
        case "multipart":
            body, kind = _multipart(args)
            return _post(send, path, body, kind, headers)
        case "raw":
            return _post(send, path, _text(one.body, saved), one.content_type, headers)
    return _post(send, path, json.dumps(args), "application/json", headers)


def _post(send: Send, path: str, body: str, kind: str, headers: Mapping[str, str]) -> Reply:
    return send("POST", path, content=body.encode(), headers={**headers, "Content-Type": kind})


def _multipart(args: Mapping[str, Any]) -> tuple[str, str]:
    parts = []
    for name, value in args.items():
        more, text = ("", value) if isinstance(value, str) else (f'; filename="{value[0]}"', value[1])
        parts.append(f'--limit\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{text}\r\n')
    return "".join([*parts, "--limit--\r\n"]), "multipart/form-data; boundary=limit"


def filled(value: Any, saved: Mapping[str, Any]) -> Any:
    """With what earlier calls gave in the places of `${…}`; a text that is nothing else becomes that value itself."""
    if isinstance(value, dict):
        return {key: filled(part, saved) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [filled(part, saved) for part in value]
    if not isinstance(value, str):
        return value
    whole = _SAVED.fullmatch(value)
    return _look(whole[1], saved) if whole else _text(value, saved)


def _text(text: str, saved: Mapping[str, Any]) -> str:
    return _SAVED.sub(lambda found: str(_look(found[1], saved)), text)


def _look(path: str, saved: Mapping[str, Any]) -> Any:
    """A part of what a call gave; if it gave nothing, a text that no site knows."""
    name, *keys = path.split(".")
    try:
        value = saved[name]
        for key in keys:
            value = value[int(key)] if isinstance(value, list) else value[key]
    except (LookupError, TypeError):
        return f"nothing-{name}"
    return value
