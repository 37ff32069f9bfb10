"""How a task is found, called and answered: the part that both sandboxes share, so that tests meet the real rules."""

from __future__ import annotations

import errno
import importlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from opendata.core.errors import NoSpace
from opendata.ports.sandbox.port import LimitExceeded, TaskError, TaskFailed


def request(
    args: Mapping[str, Any],
    inputs: Mapping[str, Path] | None,
    output: Path | None,
    *,
    cwd: Path | None = None,
) -> dict[str, Any]:
    """The keyword arguments of a task as plain JSON values; paths are made absolute because a worker stands elsewhere."""
    base = cwd or Path.cwd()
    kwargs = dict(args)
    kwargs.update({name: str((base / path).absolute()) for name, path in (inputs or {}).items()})
    if output is not None:
        kwargs["output"] = str((base / output).absolute())
    return kwargs


def resolve(task: str) -> Callable[..., Any]:
    module, _, function = task.partition(":")
    found = getattr(importlib.import_module(module), function)
    if not callable(found):
        raise TypeError(task)
    return found  # type: ignore[no-any-return]  # checked one line above


def answer(task: str, kwargs: Mapping[str, Any], output_bytes: int) -> dict[str, Any]:
    """Runs a task. One of `{"result"}`, `{"failed": code, "params"}`, `{"limit"}`; never raises for what the task did."""
    try:
        result = resolve(task)(**kwargs)
        # Dates, NaN and objects are refused here: what is not JSON in one sandbox must not pass in the other.
        body = json.dumps(result, allow_nan=False)
    except TaskError as error:
        return _failed(error.code, error.params)
    except MemoryError:
        return {"limit": "memory"}
    except RecursionError:
        return _failed("task_crashed", {"type": "RecursionError"})
    except Exception as error:
        if _file_too_large(error):
            return {"limit": "output"}
        if _disk_full(error):
            return {"no_space": True}
        return _failed("task_crashed", {"type": type(error).__name__, "at": _place(error)})
    return {"result": result} if len(body) <= output_bytes else {"limit": "output"}


def unpack(message: Mapping[str, Any]) -> Any:
    """The result in an answer, or the exception that the port promises."""
    if "no_space" in message:
        raise NoSpace(retry_after=60)
    if "limit" in message:
        raise LimitExceeded(str(message["limit"]))
    if "failed" in message:
        raise TaskFailed(str(message["failed"]), message.get("params") or {})
    return message["result"]


def _failed(code: str, params: Mapping[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(params, allow_nan=False)
    except (TypeError, ValueError):
        params = {name: str(value)[:200] for name, value in params.items()}
    return {"failed": code, "params": dict(params)}


def _file_too_large(error: BaseException) -> bool:
    """RLIMIT_FSIZE was met: EFBIG from Python, or the same told by a native library in words."""
    return getattr(error, "errno", None) == errno.EFBIG or "os error 27" in str(error)


def _disk_full(error: BaseException) -> bool:
    """It says nothing about the file: the same task may pass when there is room again."""
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "os error 28" in str(error)


def _place(error: BaseException) -> str:
    """Where it broke, without the message: messages of parsers hold strangers' text."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}"
        trace = trace.tb_next
    return place
