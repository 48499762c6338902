"""The web process under more connections and sessions than a classroom makes, and under those that mean harm."""

import asyncio
import contextlib
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar
from urllib.request import urlopen

import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from components import connections

WAIT = 600.0  # seconds for a state, on the slowest machine
Result = TypeVar("Result")
ROOT = Path(__file__).resolve().parents[1]
STREAMLIT = ["streamlit", "run", "app.py", "--server.headless=true", "--server.port={port}"]
UVICORN = ["uvicorn", "app:app", "--host=localhost", "--port={port}"]


@dataclass
class Served:
    """A web process of its own."""

    port: int
    process: psutil.Process
    log: Path

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def answers(self) -> bool:
        """Whether a page comes, within a time that a person waits."""
        with urlopen(self.address, timeout=120) as answer:
            return bool(answer.status == 200)

    def files(self) -> int:
        return self.process.num_fds()


@contextlib.contextmanager
def served(folder: Path, command: list[str], files: tuple[int, int] = (1024, 8192), *more: str) -> Iterator[Served]:
    """The app started by this command, allowed to open so many files: by itself, and at most."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    log = folder / "log.txt"
    with log.open("wb") as words:
        process = subprocess.Popen(
            [sys.executable, "-m", *(part.format(port=port) for part in command), *more],
            cwd=ROOT,
            env={**os.environ, "HOURGLASS_HOME": str(folder / "home"), "HOURGLASS_ENGINE": "elsewhere"},
            stdout=words,
            stderr=words,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, files),  # noqa: PLW1509 - it sets a number
        )
    try:
        until(lambda: socket.socket().connect_ex(("localhost", port)) == 0, log)
        yield Served(port, psutil.Process(process.pid), log)
    finally:
        process.terminate()
        process.wait(180)


def until(true: Callable[[], bool], log: Path | None = None) -> None:
    """Wait for a state."""
    end = time.monotonic() + WAIT
    while not true():
        assert time.monotonic() < end, log.read_text()[-3000:] if log else "it did not come"
        time.sleep(0.1)


def run(what: Coroutine[Any, Any, Result]) -> Result:
    """Like `asyncio.run`, which this thread may not: the browser of other tests has a loop of its own in it."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, what).result()


@pytest.fixture
def many_files() -> Iterator[None]:
    """This process may open as many files as these tests need."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < 4096:
        pytest.skip("this system allows a process fewer than 4,096 files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def slow(port: int, said: bytes = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ") -> socket.socket:
    """A connection that begins a request and leaves it at that."""
    line = socket.create_connection(("localhost", port), timeout=120)
    line.sendall(said)
    return line


def ended(line: socket.socket) -> bool:
    """Whether the other side has closed."""
    line.setblocking(False)
    try:
        return line.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.fixture(scope="module")
def by_streamlit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app as the README starts it, which forgets who has left after five seconds."""
    with served(
        tmp_path_factory.mktemp("streamlit"), STREAMLIT, (1024, 8192), "--server.disconnectedSessionTTL=5"
    ) as app:
        yield app


@pytest.fixture(scope="module")
def by_uvicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("uvicorn"), UVICORN) as app:
        yield app


@pytest.mark.parametrize("by", ["streamlit", "uvicorn"])
def test_two_thousand_connections_that_say_nothing_are_survived(
    by: str, many_files: None, request: pytest.FixtureRequest
) -> None:
    app: Served = request.getfixturevalue(f"by_{by}")
    with contextlib.ExitStack() as lines:
        assert app.answers()
        quiet = app.files()
        all_ = [lines.enter_context(slow(app.port)) for _ in range(2000)]
        assert app.answers()
        until(lambda: app.files() < quiet + connections.PER_ADDRESS + 50)  # of one address so many are kept
        until(lambda: all(map(ended, all_)))
        assert app.answers()
        # One that says a letter now and then is no better.
        line = lines.enter_context(slow(app.port))

        def says_more() -> bool:
            with contextlib.suppress(OSError):
                line.setblocking(True)
                line.sendall(b"x")
            return ended(line)

        until(says_more)
        assert app.process.is_running()


def test_quick_browsers_behind_one_address_are_served_beside_slow_ones(by_streamlit: Served, many_files: None) -> None:
    app = by_streamlit
    with contextlib.ExitStack() as lines:
        for _ in range(connections.PER_ADDRESS):
            lines.enter_context(slow(app.port))
        for _ in range(40):
            assert app.answers()
        # A connection that is kept and used again has time between its requests, and for each of them.
        line = lines.enter_context(socket.create_connection(("localhost", app.port), timeout=120))
        for _ in range(3):
            line.sendall(b"GET /_stcore/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b""
            while not answer.endswith(b"ok"):
                answer += line.recv(9999)
            assert answer.startswith(b"HTTP/1.1 200")


class Tab:
    """A browser's tab, without the browser."""

    async def open(self, app: Served) -> None:
        """Connect and wait until the page is drawn."""
        address = f"ws://localhost:{app.port}/_stcore/stream"
        self.line: ClientConnection = await connect(
            address, subprotocols=["streamlit", "x"], origin=app.address, max_size=None, open_timeout=120
        )
        message = BackMsg()
        message.rerun_script.page_name = "runs"
        await self.line.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(await self.line.recv())
            if answer.WhichOneof("type") == "script_finished":
                return


def test_two_hundred_sessions_are_survived_and_let_go_when_people_leave(by_streamlit: Served, many_files: None) -> None:
    app = by_streamlit
    assert app.answers()
    quiet = app.files()

    async def visited() -> None:
        tabs = [Tab() for _ in range(200)]
        for begin in range(0, 200, 20):
            await asyncio.gather(*(tab.open(app) for tab in tabs[begin : begin + 20]))
        assert app.files() > quiet + 600  # so many are needed
        assert await asyncio.to_thread(app.answers)
        await asyncio.gather(*(tab.line.close() for tab in tabs))

    run(visited())
    until(lambda: app.files() < quiet + 100)
    assert app.answers() and "Too many open files" not in app.log.read_text()


def test_a_low_limit_is_told_and_a_high_one_is_used(tmp_path: Path, by_streamlit: Served) -> None:
    told = "may open 2,000 files at once, enough for about 475 visitors"
    with served(tmp_path, STREAMLIT, (256, 2000)) as app:
        assert app.answers() and app.process.rlimit(psutil.RLIMIT_NOFILE) == (2000, 2000)
        assert told in app.log.read_text()
    assert by_streamlit.process.rlimit(psutil.RLIMIT_NOFILE) == (8192, 8192)
    assert "files at once" not in by_streamlit.log.read_text()


def protocol(host: str, **cycle: object) -> SimpleNamespace:
    """A connection as uvicorn has it."""
    gone: list[str] = []
    transport = SimpleNamespace(
        get_extra_info=lambda _name: (host, 1), abort=lambda: gone.append(host), is_closing=lambda: bool(gone)
    )
    made = Hashable(transport=transport, gone=gone, flow=SimpleNamespace(read_paused=False))
    made.cycle = SimpleNamespace(**cycle) if cycle else None
    transport.get_protocol = lambda: made
    return made


class Hashable(SimpleNamespace):
    __hash__ = object.__hash__
    __eq__ = object.__eq__


def test_one_address_has_so_many_and_another_its_own() -> None:
    async def come() -> list[list[bool]]:
        many = {host: [protocol(host) for _ in range(300)] for host in ("10.0.0.1", "10.0.0.2")}
        network = [protocol(f"2001:db8::{i:x}") for i in range(300)]  # one household has all of these
        households = [protocol(f"2001:db8:{i:x}::1") for i in range(1, 301)]
        for one in (*many["10.0.0.1"], *many["10.0.0.2"], *network, *households):
            connections._came(one)
        return [[bool(one.gone) for one in group] for group in (*many.values(), network, households)]

    try:
        first, second, network, households = run(come())
    finally:
        connections._HEADS.clear()
    some = [True] * (300 - connections.PER_ADDRESS) + [False] * connections.PER_ADDRESS
    assert first == second == network == some and not any(households)


def test_a_body_that_stops_coming_ends_and_one_that_we_do_not_read_waits() -> None:
    async def said() -> list[bool]:
        stopped, paused, answered = (protocol("x", response_complete=False, more_body=True) for _ in range(3))
        paused.flow.read_paused = True
        for one in (stopped, paused, answered):
            connections._said(one)
        answered.cycle.response_complete = True
        now = asyncio.get_running_loop().time()
        connections._end_the_slow(now + connections.SILENCE - 1)
        assert not stopped.gone
        connections._end_the_slow(now + connections.SILENCE + 1)
        return [bool(one.gone) for one in (stopped, paused, answered)]

    try:
        assert run(said()) == [True, False, False]
    finally:
        connections._BODIES.clear()
