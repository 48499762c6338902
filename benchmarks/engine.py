"""What the engine promises: answers at once, nothing lost whatever is killed, fair turns, quick pages beside it.

    python benchmarks/engine.py [--quick] [--only NAME ...]

`chaos_here` and `chaos_cluster` kill workers, one and two at once, the engine, the web process and (on the cluster, over
TLS) the scheduler while thirty runs of ten owners train on two slots, and compare every disturbed run's weights with an
undisturbed training of the same choices. Only processes that this program started are ever killed. Dask's workers, a Streamlit server and raw
websockets are real; everything lies in a temporary folder.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
from explorer import row, share  # beside this file
from serving import ROOT, free_port, served
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

from models import engine, runs
from models.engine import queue

CHOICES = {"dataset": "digits", "architecture": "variational", "epochs": 90, "learning_rate": 0.002}


def choose(**choices: Any) -> runs.Configuration:
    """A configuration of a few seconds."""
    return runs.configure({**CHOICES, **choices})


@contextlib.contextmanager
def home() -> Iterator[Path]:
    """An empty HOURGLASS_HOME."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["HOURGLASS_HOME"] = folder
        yield Path(folder)


def until(condition: Callable[[], Any], seconds: float) -> float:
    """Seconds until the condition holds."""
    begun = time.perf_counter()
    while not condition():
        if time.perf_counter() - begun > seconds:
            raise TimeoutError(f"it did not come to that in {seconds:.0f} s")
        time.sleep(0.005)
    return time.perf_counter() - begun


def epochs_of(id_: str) -> int:
    """Finished epochs of a growing run."""
    return len(engine.progress(id_))


# Answers


def answers(quick: bool) -> None:
    """Submitting, the first epoch warm and cold, cancelling, and an engine that is killed."""
    colds = []
    for i in range(1 if quick else 3):
        with home(), engine.EngineSupervisor():
            id_ = engine.submit(choose(seed=i), "a")
            colds.append(until(lambda id_=id_: epochs_of(id_) > 0, 60))
    with home(), engine.EngineSupervisor() as keeper:
        engine.submit(choose(epochs=1), "a")
        until(lambda: engine.status(choose(epochs=1).id).phase == "done", 60)
        until(lambda: _slots() == (os.cpu_count() or 1), 30)
        asked = []
        for i in range(100):
            begun = time.perf_counter()
            engine.submit(choose(seed=1000 + i), f"o{i}")
            asked.append(time.perf_counter() - begun)
            engine.cancel(choose(seed=1000 + i).id, f"o{i}")
        until(lambda: not _running(), 30)
        warms, cancels = [], []
        for i in range(5 if quick else 10):
            long = choose(seed=2000 + i, epochs=5000)
            begun = time.perf_counter()
            id_ = engine.submit(long, "a")
            until(lambda id_=id_: epochs_of(id_) > 0, 60)
            warms.append(time.perf_counter() - begun)
            time.sleep(0.5)
            begun = time.perf_counter()
            engine.cancel(id_, "a")
            # Stopped and shown: the state says so, and the process has come to rest.
            last = [0.0]
            until(lambda id_=id_, last=last: _rests(id_, last), 10)
            cancels.append(last[0] - begun)
        id_ = engine.submit(choose(seed=9, epochs=5000), "a")
        until(lambda: epochs_of(id_) > 20, 60)
        backs = []
        for _ in range(1 if quick else 3):
            assert keeper.process is not None
            keeper.process.kill()
            keeper.process.wait()
            reached = epochs_of(id_)
            backs.append(until(lambda reached=reached: epochs_of(id_) > reached, 60))
            time.sleep(2)
    row("click to answer", f"median {1000 * share(asked, 0.5):.1f}, p95 {1000 * share(asked, 0.95):.1f} ms", "100 ms")
    row("first epoch, warm", f"median {share(warms, 0.5):.2f} s, slowest {max(warms):.2f}", "0.5 s")
    row("first epoch, cold (engine and workers start)", f"median {share(colds, 0.5):.1f} s", "8 s")
    row("cancel: stopped and shown", f"median {share(cancels, 0.5):.2f} s, slowest {max(cancels):.2f}", "0.5 s")
    row("engine killed: the next epoch", f"median {share(backs, 0.5):.1f} s, slowest {max(backs):.1f}", "15 s")


def _slots() -> int:
    with queue.opened() as connection:
        found = connection.execute("SELECT slots FROM engine").fetchone()
    return int(found["slots"]) if found else 0


def _running() -> bool:
    with queue.opened() as connection:
        return bool(queue.tickets(connection, "running", "queued"))


def _rests(id_: str, last: list[float]) -> bool:
    """Whether nothing was written for a fifth of a second; `last` keeps when the last line came."""
    history = engine.active(id_) / "history.jsonl"
    before, begun = history.stat().st_size, time.perf_counter()
    time.sleep(0.2)
    if engine.status(id_).phase == "cancelled" and history.stat().st_size == before:
        last[0] = max(last[0], begun)
        return True
    last[0] = time.perf_counter()
    return False


# Chaos


def chaos_here(quick: bool) -> None:
    """Workers of this machine, the engine and the app are killed; the app starts the engine again, and we the app."""
    with home() as folder, Web(folder, HOURGLASS_WORKERS="2") as web:
        chaos("chaos, one machine", quick, folder, web.roots, web.kills)


def chaos_cluster(quick: bool) -> None:
    """The same against a scheduler and two workers over TLS; the scheduler is killed, too."""
    with home() as folder, Cluster(folder) as cluster:
        named = {"HOURGLASS_SCHEDULER": cluster.address, "HOURGLASS_TLS": str(cluster.tls)}
        with Web(folder, **named) as web:
            kills = {**web.kills, "scheduler": cluster.kill_scheduler}
            chaos("chaos, cluster over TLS", quick, folder, cluster.roots, kills)


def chaos(
    what: str, quick: bool, folder: Path, roots: Callable[[], list[int]], kills: dict[str, Callable[[], bool]]
) -> None:
    """Thirty runs of ten owners; seven workers, five times two of them within two seconds, the engine and the web
    process twice each, and whatever else there is, are killed meanwhile."""
    count, often = (10, (3, 1, 1)) if quick else (30, (7, 5, 2))
    wanted = dict(zip(("worker", "pair of workers"), often, strict=False))
    wanted |= {name: 1 if name == "scheduler" else often[2] for name in kills}
    chosen = [choose(seed=i, code_size=2 + i % 3) for i in range(count)]
    ids = [engine.submit(one, f"owner {i % 10}") for i, one in enumerate(chosen)]
    dice, done = random.Random(0), dict.fromkeys(wanted, 0)
    hit: dict[str, int] = {}  # how many epochs a run had when it was disturbed last
    begun = next_kill = time.monotonic()
    while any(engine.status(id_).alive for id_ in ids):
        if time.monotonic() - begun > 1500:
            raise TimeoutError(str({id_: engine.status(id_) for id_ in ids if engine.status(id_).alive}))
        time.sleep(0.05)
        left = [name for name in wanted if done[name] < wanted[name]]
        if not left or time.monotonic() < next_kill:
            continue
        # Those that have got somewhere since: a run that is lost three times without an epoch is given up, as it should.
        training = [id_ for id_ in ids if epochs_of(id_) > hit.get(id_, 0) + 5]
        pids = {id_: pid for id_ in training if (pid := _worker_of(id_, roots()))}
        name = dice.choice(left)
        if len(pids) < (2 if name.startswith("pair") else 1):
            continue
        if name in kills:
            if not kills[name]():
                continue
            hit |= {id_: epochs_of(id_) for id_ in pids}
        else:
            for id_ in dice.sample(sorted(pids), 2 if name.startswith("pair") else 1):
                with contextlib.suppress(psutil.NoSuchProcess):
                    psutil.Process(pids[id_]).kill()
                hit[id_] = epochs_of(id_)
                time.sleep(dice.uniform(0, 2) if name.startswith("pair") else 0)
        done[name] += 1
        next_kill = time.monotonic() + dice.uniform(1, 5)
    seconds = time.monotonic() - begun
    phases = [engine.status(id_).phase for id_ in ids]
    missing = different = 0
    for id_ in ids:
        if not (folder / "runs" / id_ / "run.json").is_file():
            continue
        run = runs.open_run(folder / "runs" / id_)
        missing += run.configuration.epochs - len({line["epoch"] for line in run.history()})
        missing += len(run.history()) != run.configuration.epochs
        if id_ in hit:
            different += (run.folder / "weights.safetensors").read_bytes() != undisturbed(run.configuration)
    finished = phases.count("done")
    row(
        what,
        f"{finished} of {count} finished in {seconds:.0f} s, {count - finished} lost, {missing} epochs missing",
        f"{count} finished, 0 lost, 0 missing",
        f"killed: {', '.join(f'{many} of {wanted[name]} {name}' for name, many in done.items())}",
    )
    row("weights of disturbed runs", f"{different} of {len(hit)} differ", "bit for bit the same")


class Web:
    """The app as people start it, started again when it is gone, as systemd would; it keeps the engine."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.env, self.port, self.ending = {**os.environ, **env}, free_port(), threading.Event()
        self.log = (folder / "web.log").open("wb")
        self.process: subprocess.Popen[bytes] | None = None
        self.kills = {"engine": self.kill_engine, "web": self.kill_web}

    def engine(self) -> psutil.Process | None:
        with contextlib.suppress(psutil.Error):
            if self.process is not None:
                for child in psutil.Process(self.process.pid).children():
                    if "models.engine" in child.cmdline():
                        return child
        return None

    def roots(self) -> list[int]:
        return [one.pid] if (one := self.engine()) is not None else []

    def kill_engine(self) -> bool:
        if (one := self.engine()) is None:
            return False
        one.kill()
        return True

    def kill_web(self) -> bool:
        """The engine has to notice by itself."""
        assert self.process is not None
        self.process.kill()
        return True

    def _watch(self) -> None:
        command = ["run", "app.py", "--server.headless=true", f"--server.port={self.port}"]
        while not self.ending.wait(0.5):
            if self.process is None and not _running():
                continue  # it starts an engine when it finds something to do; else it waits for somebody to open Train
            if self.process is None or self.process.poll() is not None:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "streamlit", *command],
                    cwd=ROOT,
                    env=self.env,
                    stdout=self.log,
                    stderr=self.log,
                )

    def __enter__(self) -> "Web":
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self.thread.join()
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


def _worker_of(id_: str, roots: list[int]) -> int | None:
    """The process that trains this run now, if it descends from one of `roots`."""
    with contextlib.suppress(OSError, ValueError, psutil.Error):
        pid = int(json.loads((engine.active(id_) / "status.json").read_text())["pid"])
        if set(roots) & {parent.pid for parent in psutil.Process(pid).parents()}:
            return pid
    return None


def undisturbed(configuration: runs.Configuration) -> bytes:
    """The weights of the same choices, trained in one go in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-c", _ALONE, folder, json.dumps(vars(configuration))],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=True,
        )
        return (Path(folder) / "weights.safetensors").read_bytes()


_ALONE = (
    "import json, sys; from pathlib import Path; from models import runs, training\n"
    "chosen = runs.Configuration(**json.loads(sys.argv[2]))\n"
    "training.train(chosen, Path(sys.argv[1]), device='cpu', tsne=0)"
)


class Cluster:
    """A Dask scheduler and two workers on this machine, over TLS, started as the README says; the scheduler is started again."""

    def __init__(self, folder: Path) -> None:
        self.tls, self.port = folder / "tls", free_port()
        self.address = f"tls://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.ending = threading.Event()
        self.log = (folder / "cluster.log").open("wb")
        _certificates(self.tls)

    def start(self, name: str) -> None:
        port = ["--host", "127.0.0.1", "--port", str(self.port)]
        command = (
            ["models.cluster", *port] if name == "scheduler" else ["models.worker", self.address, "--workers", "1"]
        )
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, "HOURGLASS_TLS": str(self.tls)},
            stdout=self.log,
            stderr=self.log,
        )

    def roots(self) -> list[int]:
        """Processes under which trainings run."""
        return [process.pid for name, process in self.processes.items() if name != "scheduler"]

    def kill_scheduler(self) -> bool:
        self.processes["scheduler"].kill()
        return True

    def _watch(self) -> None:
        while not self.ending.wait(0.5):
            for name, process in list(self.processes.items()):
                if process.poll() is not None and not self.ending.is_set():
                    self.start(name)  # as systemd would

    def __enter__(self) -> "Cluster":
        for name in ("scheduler", "worker 1", "worker 2"):
            self.start(name)
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self.thread.join()
        for process in self.processes.values():
            with contextlib.suppress(psutil.Error):
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
            process.kill()
            process.wait()
        self.log.close()


def _certificates(folder: Path) -> None:
    folder.mkdir()
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for command in (
        ["req", "-x509", *key, "-days", "2", "-subj", "/CN=ca", "-keyout", "ca-key.pem", "-out", "ca.pem"],
        ["req", *key, "-subj", "/CN=hourglass", "-keyout", "key.pem", "-out", "cert.csr"],
        [
            "x509",
            "-req",
            "-in",
            "cert.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca-key.pem",
            "-CAcreateserial",
            "-days",
            "2",
            "-out",
            "cert.pem",
        ],
    ):
        subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)


# Fairness


def fairness(quick: bool) -> None:
    """Many who ask at once."""
    with home() as folder:
        same = choose(epochs=2)
        threads = [threading.Thread(target=engine.submit, args=(same, f"o{i}")) for i in range(200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with queue.opened() as connection:
            asked = queue.tickets(connection, *queue.STATES)
        row("200 identical submits at once", f"{len(asked)} run, {len(asked[0].owners)} owners", "1 run")
        os.environ["HOURGLASS_WAITING"] = "20"
        for i in range(20):
            engine.submit(choose(epochs=1, seed=i, architecture="single-layer"), "greedy")
        others = 20 if quick else 199
        for i in range(others):
            engine.submit(choose(epochs=1, seed=100 + i, architecture="single-layer"), f"p{i}")
        del os.environ["HOURGLASS_WAITING"]
        with engine.EngineSupervisor():
            until(lambda: not _running(), 500)
        with queue.opened() as connection:
            order = [
                owner
                for (owner,) in connection.execute(
                    "SELECT owner FROM owners JOIN runs USING (id) WHERE id <> ? ORDER BY started", [same.id]
                )
            ]
        first_of_all = {owner: order.index(owner) for owner in set(order)}
        second = [i for i, owner in enumerate(order) if order.index(owner) < i]
        behind = sum(place > min(second) for place in first_of_all.values())
        finished = len(list((folder / "runs").iterdir()))
    row(
        f"{20 + others} different from {1 + others} owners",
        f"{finished - 1} finished, {behind} waited behind another's second",
        "nobody",
    )


# Sessions beside it


class Session:
    """One browser tab, without the browser: it draws the Train page and then its live panel once a second."""

    def __init__(self, address: str, query: str, cookie: str) -> None:
        self.address, self.query, self.cookie = address, query, cookie
        self.fragment = ""
        self.waits: list[float] = []

    async def open(self) -> None:
        """Connect as the browser does and wait for the page."""
        self.line = await connect(
            f"{self.address.replace('http', 'ws')}/_stcore/stream",
            subprotocols=["streamlit", "x"],
            additional_headers={"Cookie": self.cookie},
            origin=self.address,
            max_size=None,
            ping_interval=None,
        )
        await self.rerun("")

    async def rerun(self, fragment: str) -> None:
        """Ask for the page, or for one fragment of it, and read until it is done."""
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.page_name = "train"
        if fragment:
            message.rerun_script.fragment_id, message.rerun_script.is_auto_rerun = fragment, True
        await self.line.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(await self.line.recv())
            kind = answer.WhichOneof("type")
            if kind == "auto_rerun":
                self.fragment = answer.auto_rerun.fragment_id
            elif kind == "script_finished":
                return

    async def live(self, seconds: float, offset: float) -> None:
        """The panel's own rerun, once a second."""
        await asyncio.sleep(offset)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            begun = time.perf_counter()
            await self.rerun(self.fragment)
            self.waits.append(time.perf_counter() - begun)
            await asyncio.sleep(max(0.0, 1 - (time.perf_counter() - begun)))


def sessions(quick: bool) -> None:
    """Fifty people watch trainings in one web process."""
    with home() as folder:
        chosen = [choose(seed=i, epochs=10_000, batch_size=16) for i in range(2)]
        with served(ROOT / "app.py", str(folder)) as (address, _):
            web = psutil.Process(
                next(
                    c.pid
                    for c in psutil.net_connections("tcp")
                    if c.laddr and c.laddr.port == int(address.rsplit(":", 1)[1]) and c.status == "LISTEN"
                )
            )
            asyncio.run(_visited(address, [engine.submit(one, "somebody") for one in chosen], web, quick))


async def _visited(address: str, ids: list[str], web: psutil.Process, quick: bool) -> None:
    with urlopen(address) as answer:
        cookie = answer.headers["Set-Cookie"].split(";")[0]

    def query(id_: str) -> str:
        return f"dataset=digits&architecture=variational&training={id_}"

    first = Session(address, query(ids[0]), cookie)
    await first.open()  # looking at Train starts the engine
    for id_ in ids:
        while epochs_of(id_) < 3:
            await asyncio.sleep(0.2)

    async def opened(count: int) -> list[Session]:
        made = [Session(address, query(ids[i % len(ids)]), cookie) for i in range(count)]
        for one in made:
            await one.open()
        return made

    warm = await opened(10)
    await asyncio.gather(*(one.live(3, i / 10) for i, one in enumerate(warm)))
    for one in warm:
        await one.line.close()
    await asyncio.sleep(2)
    before = web.memory_full_info().uss
    watching = await opened(50)
    await asyncio.gather(*(one.live(8 if quick else 20, i / 50) for i, one in enumerate(watching)))
    with_all = web.memory_full_info().uss
    waits = [wait for one in watching for wait in one.waits]
    for one in watching:
        await one.line.close()
    row(
        "50 sessions with a live panel, a rerun",
        f"median {1000 * share(waits, 0.5):.0f}, p95 {1000 * share(waits, 0.95):.0f} ms  (n {len(waits)})",
        "p95 150 ms",
        f"two trainings beside it on {os.cpu_count()} cores",
    )
    row("memory a session", f"{(with_all - before) / 50 / 1e6:.2f} MB", "under 1 MB")
    rounds = []
    for _ in range(3 if quick else 10):
        made = await opened(50)
        await asyncio.gather(*(one.live(1.5, i / 50) for i, one in enumerate(made)))
        for one in made:
            await one.line.close()
        await asyncio.sleep(1)
        rounds.append(web.memory_full_info().uss / 1e6)
    row(
        f"memory of the web process over {50 * len(rounds)} sessions",
        f"{rounds[1]:.0f} -> {rounds[-1]:.0f} MB ({rounds[-1] / rounds[1] - 1:+.0%})",
        "no growth",
        f"after each 50: {', '.join(f'{one:.0f}' for one in rounds)}",
    )


def idle(quick: bool) -> None:
    """What an engine costs that has nothing to do."""
    with home(), engine.EngineSupervisor(workers=2) as keeper:
        engine.wake()
        until(lambda: _slots() == 2, 60)
        time.sleep(5)
        assert keeper.process is not None
        family = [psutil.Process(keeper.process.pid), *psutil.Process(keeper.process.pid).children(recursive=True)]
        memory = [one.memory_full_info().pss / 1e6 for one in family]
        before = sum(sum(one.cpu_times()[:2]) for one in family)
        time.sleep(10 if quick else 30)
        busy = (sum(sum(one.cpu_times()[:2]) for one in family) - before) / (10 if quick else 30)
    row(
        "engine and two idle workers",
        f"{sum(memory):.0f} MB, {100 * busy:.1f} % of a core",
        "",
        f"of {len(family)} processes",
    )


PARTS: dict[str, Callable[[bool], None]] = {
    part.__name__: part for part in (answers, fairness, chaos_here, chaos_cluster, sessions, idle)
}


def main() -> None:
    """Run everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="some of the parts")
    chosen = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    row("what", "engine", "reach", "beside it")
    failed = 0
    for name in chosen.only:
        try:
            PARTS[name](chosen.quick)
        except Exception as error:  # the other rows are still worth having
            failed += 1
            row(name, "failed", "", f"{type(error).__name__}: {str(error)[:300]}")
    print(f"load average {os.getloadavg()[0]:.1f}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
