"""What one process bears: as many open files as the system lets it have, connections that say nothing, sessions of
people who left, and files that Streamlit's own uploader holds in memory.

uvicorn closes a connection on which nothing comes after an answer, and waits for ever for the head of a request; and
Streamlit drops a session that was left only when another one is. Neither has a setting for it, so both are watched here.
"""

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import Iterator
from typing import Any

import psutil
from streamlit import net_util
from streamlit.runtime import Runtime
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.session_manager import SessionInfo

from models import Problem

HEAD = 10.0  # seconds in which the head of a request has to be there
SILENCE = 60.0  # seconds without a byte of a body that was announced
PER_ADDRESS = (
    256  # connections of one address whose requests have not begun: a school is one, and its browsers are quick
)
FILES = 4096  # open files that a process is expected to be allowed: four for each visitor
LEFT = 128  # sessions that are kept for people who may come back, as Streamlit keeps them

log = logging.getLogger("hourglass.connections")


def raise_limit() -> None:
    """Let this process open as many files as it is allowed to; says so in the log where that is few."""
    try:
        import resource
    except ImportError:  # there is no such limit on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):  # macOS calls it unlimited and allows so many
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 10_240), hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < FILES:
        log.warning(
            "This process may open %s files at once, enough for about %s visitors. Raise the hard limit to %s or more "
            "(ulimit -Hn, or LimitNOFILE= for systemd).",
            f"{soft:,}",
            f"{max(0, soft - 100) // 4:,}",
            f"{FILES:,}",
        )


class Sessions(MemorySessionStorage):
    """Sessions without a tab, kept for a while for those who come back, and then let go with all that they hold."""

    def __init__(self, seconds: float) -> None:
        super().__init__(maxsize=2 * LEFT, ttl_seconds=seconds)  # type: ignore[arg-type]

    def save(self, session_info: SessionInfo) -> None:
        """Keep one more. The oldest gives way."""
        super().save(session_info)
        kept = self.list()
        for oldest in kept[: max(0, len(kept) - LEFT)]:
            self.delete(oldest.session.id)
            oldest.session.shutdown()

    def drop_expired(self) -> None:
        """Those whose time is over: each holds three files and the memory of a page."""
        for _, left in self._cache.expire():  # type: ignore[attr-defined]
            left.session.shutdown()


# Connections whose next request has not begun, and those whose body has not ended: their address, and since when
# something is awaited of them. Only the event loop's thread touches these.
_HEADS: dict[Any, tuple[str, float]] = {}
_BODIES: dict[Any, float] = {}


def _address(transport: asyncio.BaseTransport) -> str:
    """Whose connection that is. Of IPv6 a household has a whole network of 64 bits."""
    peer = transport.get_extra_info("peername")
    host = str(peer[0]) if peer else ""
    with contextlib.suppress(ValueError):
        parsed = ipaddress.ip_address(host.partition("%")[0])
        if parsed.version == 6 and parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((parsed, 64), strict=False))
    return host


def _came(protocol: Any) -> None:
    """Note a new connection. Where one address has too many that say nothing, its oldest ends."""
    address = _address(protocol.transport)
    _HEADS[protocol] = (address, asyncio.get_running_loop().time())
    theirs = [one for one, (other, _) in _HEADS.items() if other == address]
    for one in theirs[: max(0, len(theirs) - PER_ADDRESS)]:
        _end(one)


def _said(protocol: Any) -> None:
    """Note what a connection waits for after something came on it."""
    cycle, now = protocol.cycle, asyncio.get_running_loop().time()
    if protocol.transport.is_closing() or protocol.transport.get_protocol() is not protocol:  # became a websocket
        _forget(protocol)
    elif cycle is None or cycle.response_complete:
        _BODIES.pop(protocol, None)
        _HEADS.setdefault(protocol, (_address(protocol.transport), now))
    else:
        _HEADS.pop(protocol, None)
        _BODIES.pop(protocol, None)
        if cycle.more_body:
            _BODIES[protocol] = now


def _forget(protocol: Any) -> None:
    _HEADS.pop(protocol, None)
    _BODIES.pop(protocol, None)


def _end(protocol: Any) -> None:
    _forget(protocol)
    protocol.transport.abort()


def _end_the_slow(now: float) -> None:
    for protocol in [one for one, (_, since) in _HEADS.items() if now - since > HEAD]:
        _end(protocol)
    for protocol in [one for one, since in _BODIES.items() if now - since > SILENCE]:
        # Where we are the slow ones, nothing can come.
        if protocol.cycle.response_complete or not protocol.cycle.more_body:
            _forget(protocol)
        elif not protocol.flow.read_paused:
            _end(protocol)


def watch() -> None:
    """Have uvicorn's connections noted as they come, speak and go."""
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

    protocol: Any = AutoHTTPProtocol
    if getattr(protocol, "watched", False):
        return
    made, received, lost = protocol.connection_made, protocol.data_received, protocol.connection_lost

    def connection_made(self: Any, transport: asyncio.Transport) -> None:
        made(self, transport)
        _came(self)

    def data_received(self: Any, data: bytes) -> None:
        received(self, data)
        _said(self)

    def connection_lost(self: Any, exc: Exception | None) -> None:
        _forget(self)
        lost(self, exc)

    protocol.connection_made, protocol.data_received, protocol.connection_lost = (
        connection_made,
        data_received,
        connection_lost,
    )
    protocol.watched = True


class UploadMemory:
    """Files on their way into this process's memory, where Streamlit's own uploader holds them: so many bytes in all,
    since one visitor may send any number, and visitors are free."""

    def __init__(self) -> None:
        self.claimed = 0

    @contextlib.contextmanager
    def file(self, size: int) -> Iterator[None]:
        """While one of that size arrives. A `Problem` when it would be too much."""
        most, taken = self.most(), self.held() + self.claimed
        if taken + size > most:
            raise Problem(
                f"this file takes {size:,} bytes of memory and other uploads take {taken:,}",
                f"at most {most:,} are allowed at once",
                "try again in some minutes, or ask whoever runs this computer to raise HOURGLASS_MEMORY_BYTES",
            )
        self.claimed += size
        try:
            yield
        finally:
            self.claimed -= size

    def most(self) -> int:
        """HOURGLASS_MEMORY_BYTES, by default a quarter of the memory there is."""
        from models import uploads  # with all that reads files; sent ones come after the first page

        return uploads.setting("HOURGLASS_MEMORY_BYTES", int(psutil.virtual_memory().total) // 4)

    def held(self) -> int:
        """The bytes that sessions hold."""
        if not Runtime.exists():
            return 0
        storage: Any = Runtime.instance().uploaded_file_mgr
        return sum(len(one.data) for theirs in list(storage.file_storage.values()) for one in list(theirs.values()))


ARRIVING = UploadMemory()


@contextlib.asynccontextmanager
async def watched() -> Any:
    """While this lasts, slow connections end and sessions that were left are let go."""
    raise_limit()
    watch()
    net_util._external_ip = ""  # else Streamlit asks another computer for it, and everybody waits for the answer
    manager: Any = Runtime.instance()._session_mgr  # no public way leads there
    sessions = manager._session_storage = Sessions(manager._session_storage._cache.ttl)

    async def look() -> None:
        while True:
            await asyncio.sleep(1)
            try:
                _end_the_slow(asyncio.get_running_loop().time())
                sessions.drop_expired()
            except Exception:
                log.exception("connections and sessions could not be looked after")

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()
