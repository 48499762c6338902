"""What tests share: a home of their own, small trained runs, the folder of downloaded datasets."""

import contextlib
import functools
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import kinds
import numpy as np
import pytest
from browser import chromium
from filelock import FileLock
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright
from streamlit.components.v2 import manifest_scanner

# Trainings give way to pages; to other tests, on a busy machine, they would give way for minutes.
os.environ.setdefault("HOURGLASS_NICE", "0")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and numpy: two trainings at once would fight for cores

from models import datasets, engine, runs

# Each AppTest looks for components in the metadata of every installed package: a fifth of a second, and always the same.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
if "HOURGLASS_DATA" not in os.environ and DATA.is_dir():
    os.environ["HOURGLASS_DATA"] = str(DATA)


def needs_data(name: str) -> pytest.MarkDecorator:
    """Mark a test that reads a downloaded dataset. It is skipped only where the folder is absent, and never in CI."""
    absent = not (Path(os.environ.get("HOURGLASS_DATA", "")) / name).is_dir()
    return pytest.mark.skipif(absent and "CI" not in os.environ, reason=f"{name} is not under HOURGLASS_DATA")


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all processes that test at once: what takes long is made there by the first that needs it."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "common"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session", autouse=True)
def session_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HOURGLASS_HOME for the whole session; no test ever touches a person's own runs."""
    folder = tmp_path_factory.mktemp("home")
    os.environ["HOURGLASS_HOME"] = str(folder)
    return folder


DRAWN = ("cats", "text", "moving-digits", "heartbeats", "tones")


@pytest.fixture(scope="session", autouse=True)
def drawn_once(common: Path) -> Iterator[None]:
    """Each dataset that is drawn for seconds is drawn once, whatever homes it is laid down in."""
    read = datasets._read

    def once(dataset: datasets.Dataset) -> datasets.Arrays:
        if dataset.name not in DRAWN:
            return read(dataset)
        folder = common / dataset.fingerprint
        parts = [folder / f"{part}.npy" for part in datasets.Arrays._fields]
        with FileLock(f"{folder}.lock"):
            if not folder.is_dir():
                made = Path(tempfile.mkdtemp(dir=common))
                for part, array in zip(parts, read(dataset), strict=True):
                    np.save(made / part.name, array)
                made.rename(folder)
        return datasets.Arrays(*(np.load(part, mmap_mode="r") for part in parts))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "_read", once)
        yield


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HOURGLASS_HOME for one test."""
    folder = tmp_path / "home"
    monkeypatch.setenv("HOURGLASS_HOME", str(folder))
    return folder


def trained(tsne: int = 200, half: bool = False, **choices: object) -> runs.Run:
    """A run of digits (two epochs unless told otherwise), trained in this process and kept under HOURGLASS_HOME."""
    from models import training

    chosen = runs.configure({"dataset": "digits", "architecture": "single-layer", "epochs": 2} | choices)
    if engine.status(chosen.id).phase != "done":
        attempt = engine.claim(chosen.id)
        engine.finished(chosen.id, training.train(chosen, engine.active(chosen.id), attempt, half=half, tsne=tsne))
    return runs.open_run(runs.folder_of(chosen.id))


UMAP = """
import numpy as np

class UMAP:
    def __init__(self, n_neighbors, random_state, n_jobs):
        self.seed = random_state

    def fit_transform(self, codes):
        return codes[:, :2] * 3 + np.random.default_rng(self.seed).normal(0, 0.01, (len(codes), 2))
"""


@pytest.fixture
def umap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stand-in for umap-learn, which need not be installed."""
    (tmp_path / "umap.py").write_text(UMAP)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("umap", None)


def shared(home: Path, **choices: object) -> runs.Run:
    """A run that is `trained` under the session's home, also where a test with another one asks for it first.

    Of several processes that test at once the first that needs a run trains it, and the others copy that.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURGLASS_HOME", str(home))
        if "PYTEST_XDIST_WORKER" not in os.environ:
            return trained(**choices)
        folder = home.parents[1] / "common" / hashlib.sha256(json.dumps(choices, sort_keys=True).encode()).hexdigest()
        folder.mkdir(exist_ok=True)
        with FileLock(folder / "lock"):
            if not (folder / "id").is_file():
                run = trained(**choices)
                shutil.copytree(run.folder, folder / "run")
                (folder / "id").write_text(run.id)
            here = home / "runs" / (folder / "id").read_text()
            if not here.is_dir():
                shutil.copytree(folder / "run", here)
        return runs.open_run(here)


@pytest.fixture(scope="session")
def digits_run(session_home: Path) -> runs.Run:
    """Digits, D = 2. Read only: copy it before changing it."""
    return shared(session_home)


@pytest.fixture(scope="session")
def variational_run(session_home: Path) -> runs.Run:
    """Digits, variational, D = 6, so that there are stored planes. Read only."""
    return shared(session_home, architecture="variational", code_size=6, loss="bernoulli")


@pytest.fixture(scope="session")
def noisy_run(session_home: Path) -> runs.Run:
    """Digits, denoising. Read only."""
    return shared(session_home, noise="gaussian", noise_level=0.3)


@pytest.fixture(scope="session")
def wave_run(session_home: Path) -> Iterator[runs.Run]:
    """Signals of two channels, D = 2. Read only."""
    with kinds.present(kinds.WAVE):
        yield shared(session_home, dataset="tides", architecture="modern", epochs=20, batch_size=32)


@pytest.fixture(scope="session")
def fruit_run(session_home: Path) -> Iterator[runs.Run]:
    """A table with numbers and categories, D = 2. Read only."""
    with kinds.present(kinds.TABLE):
        yield shared(session_home, dataset="fruit", architecture="modern", epochs=20, batch_size=32)


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[runs.Run], Path]:
    """Copies a run's folder to where a test may damage it."""

    def copy(run: runs.Run) -> Path:
        return Path(shutil.copytree(run.folder, tmp_path / "copied" / run.id))

    return copy


@pytest.fixture(scope="session")
def digits() -> datasets.Dataset:
    return datasets.get("digits")


ARGUMENTS = [
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing",  # SwiftShader is for WebGL alone: laying out whole pages with it takes twice as long
    "--js-flags=--liftoff-only",  # each page compiles the decoder's WebAssembly: once, and not a second time to run faster
    "--disable-background-networking",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def app_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HOURGLASS_HOME of the app that the browser opens."""
    return tmp_path_factory.mktemp("browser-home")


@contextmanager
def serving(home: Path, *options: str, **environment: str) -> Iterator[str]:
    """The address of an app of its own, started as the README says, with these options of Streamlit's."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    log = (home / "log.txt").open("wb")
    env = {**os.environ, "HOURGLASS_HOME": str(home), **environment}
    server = subprocess.Popen([*command, *options], cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        listening = False
        while not listening:
            assert server.poll() is None, (home / "log.txt").read_text()
            with socket.socket() as probe:
                listening = probe.connect_ex(("localhost", port)) == 0
            time.sleep(0.1)
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait(600)  # a busy machine is slow, and slow is not wrong


@pytest.fixture(scope="session")
def app(app_home: Path) -> Iterator[str]:
    """The address of the app with an empty home."""
    with serving(app_home) as address:
        yield address


expect.set_options(timeout=120_000)  # a busy machine is slow, and slow is not wrong


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
        running = playwright.chromium.launch(executable_path=chromium(), args=[*ARGUMENTS, *sandbox])
        yield running
        running.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Let fixtures know that their test failed."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def idle(browser: Browser) -> dict[str, list[Page]]:
    """Windows that no test uses now, by their properties: one that has shown the app before shows it in half the time."""
    return {}


@pytest.fixture
def window(
    browser: Browser, idle: dict[str, list[Page]], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """Opens windows of 1280x900, or of other properties, each of a person whom the app has never seen; the test fails
    when one logs a script error.

    What the windows of a failed test showed in the end is printed. A test marked `own_window` gets new ones, which nobody
    uses after it: it measures how a page opens, or leaves more in them than `_emptied` takes away.
    """
    own = request.node.get_closest_marker("own_window") is not None
    taken: list[tuple[str, Page]] = []
    faults: list[str] = []

    def note(error: Error) -> None:
        faults.append(str(error))

    def opened(**properties: object) -> Page:
        properties = {"viewport": {"width": 1280, "height": 900}, **properties}
        key = json.dumps(properties, sort_keys=True)
        free = idle.setdefault(key, [])
        page = free.pop() if free and not own else browser.new_context(**properties).new_page()
        taken.append((key, page))
        page.set_default_timeout(180_000)
        page.on("pageerror", note)
        return page

    yield opened
    failed = FAILED in request.node.stash
    if failed and "app_home" in request.fixturenames:
        print((request.getfixturevalue("app_home") / "log.txt").read_text(errors="replace")[-4_000:])
    for key, page in taken:
        if failed:
            for one in page.context.pages:
                with contextlib.suppress(Error):
                    print(one.url, one.locator("body").aria_snapshot(timeout=5_000)[:8_000], sep="\n")
        if failed or own or page.is_closed():
            page.context.close()
        else:
            page.remove_listener("pageerror", note)
            idle[key].append(_emptied(page))
    assert not faults, faults


def _emptied(page: Page) -> Page:
    """The window as it was when it was new, but for its cache."""
    for other in page.context.pages:
        if other != page:
            other.close()
    page.unroute_all(behavior="ignoreErrors")
    page.goto("about:blank")
    page.mouse.move(0, 0)
    page.context.set_storage_state({"cookies": [], "origins": []})
    return page


@pytest.fixture
def page(window: Callable[..., Page]) -> Page:
    """One such window."""
    return window()


# Files that take minutes, the longest first: begun last they would run on alone while one core has nothing left to do.
LONG = (
    "test_engine.py",
    "test_explorer_browser.py",
    "test_training.py",
    "test_walk.py",
    "test_first_minutes.py",
    "test_pages.py",
    "test_data_page.py",
    "test_networks.py",
    "test_site.py",
    "test_readers.py",
    "test_train_page.py",
    "test_connections.py",
    "test_shell.py",
    "test_browser.py",
    "test_engine_trainings.py",
    "test_architectures.py",
    "test_labs.py",
    "test_labs_browser.py",
    "test_run_pages.py",
    "test_pretrained.py",
    "test_benchmarks.py",
    "test_zips.py",
    "test_compare_browser.py",
    "test_defaults.py",
    "test_runs.py",
    "test_discovery.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first."""
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONG)))
