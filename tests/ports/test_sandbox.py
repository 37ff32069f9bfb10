"""What both sandboxes promise, and what the real one withstands."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from opendata.ports.sandbox.inline import InlineSandbox
from opendata.ports.sandbox.port import LimitExceeded, Limits, Sandbox, TaskFailed
from opendata.ports.sandbox.process import ProcessSandbox

MB = 1 << 20
Make = Callable[..., ProcessSandbox]


@pytest.fixture(autouse=True)
def _tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[ProcessSandbox] = []

    def build(**options: Any) -> ProcessSandbox:
        made.append(ProcessSandbox(tmp_path / "scratch", **{"workers": 1, **options}))
        return made[-1]

    yield build
    for sandbox in made:
        sandbox.close()


@pytest.fixture(params=["inline", "process"])
def sandbox(request: pytest.FixtureRequest, make: Make) -> Sandbox:
    return InlineSandbox() if request.param == "inline" else make()


def run(sandbox: Sandbox, name: str, limits: Limits | None = None, **args: Any) -> Any:
    return sandbox.run(f"sandbox_tasks:{name}", args=args, limits=limits or Limits())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def limit_of(sandbox: Sandbox, name: str, limits: Limits | None = None, **args: Any) -> str:
    with pytest.raises(LimitExceeded) as caught:
        run(sandbox, name, limits, **args)
    return caught.value.limit


class TestBoth:
    def test_json_goes_in_and_out(self, sandbox: Sandbox) -> None:
        value = {"text": "南通 \ud83c \U0001f3ef", "list": [1, 2.5, None, True], "deep": {"a": {}}}
        assert run(sandbox, "echo", value=value) == {"value": value}

    def test_files_go_in_and_out_by_path(self, sandbox: Sandbox, tmp_path: Path) -> None:
        source, output = tmp_path / "in", tmp_path / "out"
        source.write_bytes(b"bytes")
        output.mkdir()
        got = sandbox.run("sandbox_tasks:copy", args={}, inputs={"source": source}, output=output)
        assert (got, (output / "copy").read_bytes()) == (5, b"bytes")

    def test_a_relative_path_is_the_callers(
        self, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("in").write_bytes(b"bytes")
        got = sandbox.run("sandbox_tasks:copy", args={}, inputs={"source": Path("in")}, output=Path("."))
        assert (got, (tmp_path / "copy").read_bytes()) == (5, b"bytes")

    def test_the_tasks_own_error_keeps_code_and_params(self, sandbox: Sandbox) -> None:
        with pytest.raises(TaskFailed) as caught:
            run(sandbox, "refuse", line=7)
        assert (caught.value.code, caught.value.params) == ("bad_line", {"line": 7})

    def test_another_error_is_a_crash_that_tells_no_content(self, sandbox: Sandbox) -> None:
        with pytest.raises(TaskFailed) as caught:
            run(sandbox, "explode")
        assert caught.value.code == "task_crashed"
        assert caught.value.params["type"] == "ValueError"
        assert "stranger" not in str(caught.value.params)
        assert run(sandbox, "echo", still=1) == {"still": 1}

    @pytest.mark.parametrize("name", ["not_json", "not_a_number", "no_such_task"])
    def test_what_is_not_json_or_not_there_is_a_crash(self, sandbox: Sandbox, name: str) -> None:
        with pytest.raises(TaskFailed) as caught:
            run(sandbox, name)
        assert caught.value.code == "task_crashed"

    def test_arguments_must_be_json(self, sandbox: Sandbox) -> None:
        with pytest.raises(TypeError):
            run(sandbox, "echo", value=object())

    def test_an_answer_over_its_limit_is_refused(self, sandbox: Sandbox) -> None:
        limits = Limits(output_bytes=1000)
        assert limit_of(sandbox, "long_answer", limits, size=1000) == "output"
        assert len(run(sandbox, "long_answer", limits, size=900)) == 900

    def test_a_long_answer_arrives_whole(self, sandbox: Sandbox) -> None:
        assert len(run(sandbox, "long_answer", size=5 * MB)) == 5 * MB


class TestKillers:
    """After each of them the sandbox serves the next task."""

    @pytest.fixture
    def real(self, make: Make) -> Iterator[ProcessSandbox]:
        sandbox = make()
        yield sandbox
        assert run(sandbox, "echo", still=1) == {"still": 1}

    def test_memory_hog(self, real: ProcessSandbox) -> None:
        assert limit_of(real, "hog", Limits(memory=150 * MB), size=400 * MB) == "memory"

    def test_memory_hog_in_a_fork(self, real: ProcessSandbox) -> None:
        assert limit_of(real, "hog_in_fork", Limits(memory=150 * MB), size=400 * MB) == "memory"

    def test_more_addresses_than_a_worker_may_have(self, real: ProcessSandbox) -> None:
        assert limit_of(real, "reserve_addresses") == "memory"

    def test_infinite_loop_meets_the_cpu_limit(self, real: ProcessSandbox) -> None:
        assert limit_of(real, "spin", Limits(cpu_seconds=0.2, wall_seconds=30)) == "cpu"

    def test_sleeper_meets_the_wall_clock(self, real: ProcessSandbox) -> None:
        assert limit_of(real, "sleep", Limits(wall_seconds=0.2), seconds=60) == "wall"

    @pytest.mark.parametrize("name", ["segfault", "leave"])
    def test_dead_process(self, real: ProcessSandbox, name: str) -> None:
        assert limit_of(real, name) == "crash"

    def test_file_writer(self, real: ProcessSandbox, tmp_path: Path) -> None:
        with pytest.raises(LimitExceeded) as caught:
            real.run(
                "sandbox_tasks:write_file",
                args={"size": 8 * MB},
                output=tmp_path,
                limits=Limits(file_bytes=2 * MB),
            )
        assert caught.value.limit == "output"
        assert (tmp_path / "big").stat().st_size <= 2 * MB

    def test_liar_about_the_size_of_its_answer(self, real: ProcessSandbox) -> None:
        assert limit_of(real, "lie_about_size", Limits(wall_seconds=30)) == "output"

    def test_too_many_open_files(self, real: ProcessSandbox) -> None:
        with pytest.raises(TaskFailed) as caught:
            run(real, "open_files", count=100)
        assert caught.value.params["type"] == "OSError"

    def test_orphan_that_left_the_session_is_killed(self, real: ProcessSandbox) -> None:
        orphan = run(real, "leave_orphan")
        end = time.monotonic() + 60
        while alive(orphan):  # it was killed, but the system may take a moment
            assert time.monotonic() < end
            time.sleep(0.01)


class TestProcess:
    def test_no_secrets_reach_the_task(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENDATA_SECRET", "hush")
        seen = run(make(), "surroundings")
        assert set(seen["environment"]) <= {
            "PATH", "PYTHONPATH", "PYTHONUTF8", "HOME", "TMPDIR", "POLARS_MAX_THREADS", "MALLOC_ARENA_MAX", "LC_CTYPE",
        }  # fmt: skip
        assert seen["session"]
        assert seen["entries"] == []
        assert seen["folder"] not in seen["path"]

    def test_nothing_is_left_for_the_next_task(self, make: Make) -> None:
        sandbox = make()
        first = run(sandbox, "pid")
        run(sandbox, "leave_file")
        assert run(sandbox, "surroundings")["entries"] == []
        assert run(sandbox, "pid") == first

    def test_no_network(self, make: Make) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port)):
                pass
            if not _may_leave_network():
                pytest.skip("neither privilege nor user namespaces: the worker keeps the network here")
            assert run(make(), "connect", port=port) == "refused"

    def test_workers_start_when_needed_and_stay_warm(self, make: Make, tmp_path: Path) -> None:
        sandbox = make()
        assert not (tmp_path / "scratch").exists()
        assert run(sandbox, "pid") == run(sandbox, "pid")

    def test_a_worker_is_replaced_after_its_tasks(self, make: Make) -> None:
        sandbox = make(tasks_per_worker=2)
        assert len({run(sandbox, "pid") for _ in range(5)}) == 3

    def test_an_idle_worker_ends_and_another_serves(self, make: Make) -> None:
        sandbox = make(idle_seconds=0.1)
        first = run(sandbox, "pid")
        until = time.monotonic() + 30
        while alive(first) and time.monotonic() < until:
            time.sleep(0.02)
        assert not alive(first)
        assert run(sandbox, "pid") != first

    def test_a_worker_for_one_task_ends_with_it_but_a_warm_one_stays(self, make: Make) -> None:
        sandbox = make()
        once = sandbox.run("sandbox_tasks:pid", args={}, keep=False)
        assert not alive(once)
        warm = run(sandbox, "pid")
        assert sandbox.run("sandbox_tasks:pid", args={}, keep=False) == warm == run(sandbox, "pid")

    def test_preloaded_modules_are_there(self, make: Make) -> None:
        assert run(make(preload=["sandbox_tasks"]), "echo", a=1) == {"a": 1}

    def test_callers_share_the_workers(self, make: Make) -> None:
        sandbox = make(workers=2)
        pids: list[int] = []
        threads = [threading.Thread(target=lambda: pids.append(run(sandbox, "pid"))) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(pids) == 12
        assert len(set(pids)) <= 2

    def test_close_ends_workers_and_removes_their_folders(self, make: Make, tmp_path: Path) -> None:
        sandbox = make()
        worker = run(sandbox, "pid")
        sandbox.close()
        assert not alive(worker)
        assert list((tmp_path / "scratch").iterdir()) == []
        with pytest.raises(RuntimeError):
            run(sandbox, "pid")

    def test_close_fails_a_running_task(self, make: Make) -> None:
        sandbox = make()
        run(sandbox, "pid")
        timer = threading.Timer(0.3, sandbox.close)
        timer.start()
        with pytest.raises(LimitExceeded):
            run(sandbox, "sleep", seconds=60)
        timer.join()


def _may_leave_network() -> bool:
    kind = ["--net"] if os.getuid() == 0 else ["--user", "--map-root-user", "--net"]
    return subprocess.run(["unshare", *kind, "true"], capture_output=True).returncode == 0
