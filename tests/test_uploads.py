"""What people bring is kept as any dataset, for its owner alone, and goes when it should."""

import asyncio
import dataclasses
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message

from components import served, stream, visitor
from models import Problem, datasets, engine, export, runs, training, uploads
from models.analysis import reconstruct
from models.columns import Column, plain, unscaled
from models.datasets import TEST, TRAIN, VALIDATION
from models.readers import ReadResult, server_folders
from models.readers.guarded import guarded_read
from models.uploads import SHELL, quotas


def table(rows: int = 60, split: np.ndarray | None = None, shift: float = 0) -> ReadResult:
    """Three columns of numbers, the last constant but for rounding, and one of two categories."""
    random = np.random.default_rng(1)
    numbers = random.normal([5, -300, 0.1], [2, 40, 0], (rows, 3))
    numbers[::2, 2] = np.nextafter(np.float32(0.1), np.float32(1))
    kind = random.integers(0, 2, rows)
    samples = np.column_stack([numbers + shift, np.eye(2)[kind]]).astype(np.float32)
    columns = tuple(Column(name, "number", i, 1) for i, name in enumerate("abc"))
    columns += (Column("d", "category", 3, 2, values=("x", "y")),)
    labels = kind.astype(np.int32)
    return ReadResult("table", samples, labels, ("p", "q"), tuple(f"row {i}" for i in range(rows)), split, columns)


def images(count: int = 40, seed: int = 0) -> ReadResult:
    samples = np.random.default_rng(seed).integers(0, 256, (count, 8, 6, 1), np.uint8)
    labels = (np.arange(count) % 2).astype(np.int32)
    return ReadResult("image", samples, labels, ("even", "odd"), tuple(f"{i}.png" for i in range(count)))


def trained(name: str, **choices: object) -> runs.Run:
    chosen = runs.configure({"dataset": name, "architecture": "single-layer", "epochs": 1} | choices)
    attempt = engine.claim(chosen.id)
    engine.finished(chosen.id, training.train(chosen, engine.active(chosen.id), attempt))
    return runs.open_run(runs.folder_of(chosen.id))


def test_a_table_is_standardised_by_its_training_rows_and_comes_back_in_its_own_units(home: Path) -> None:
    found = table()
    kept = uploads.save(found, "me", "Flowers")
    content, train = datasets.arrays(kept), kept.splits() == TRAIN
    assert content.samples.dtype == np.float32 and content.factors.shape == (60, 0)
    assert np.abs(content.samples[train][:, :2].mean(0)).max() < 1e-5
    assert np.abs(content.samples[train][:, :2].std(0) - 1).max() < 1e-5
    assert np.abs(content.samples[:, :2].mean(0)).max() > 1e-3  # not by all rows
    assert np.abs(content.samples[:, 2]).max() < 1e-3  # what does not vary is not blown up
    np.testing.assert_array_equal(content.samples[:, 3:], found.samples[:, 3:])
    np.testing.assert_allclose(unscaled(kept.columns, content.samples), found.samples, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(content.labels, found.labels)
    assert datasets.names(datasets.get(kept.name)) == found.names and kept.classes == ("p", "q")
    assert datasets.get(kept.name).fingerprint == kept.fingerprint == kept.name.removeprefix("own-")
    assert kept.name not in datasets.available()


def test_a_signal_is_standardised_by_channel(home: Path) -> None:
    samples = np.random.default_rng(2).normal([3, -50], [1, 9], (30, 16, 2)).astype(np.float32)
    columns = (Column("x", "number", 0, 1), Column("y", "number", 1, 1))
    found = ReadResult("signal", samples, np.full(30, -1, np.int32), (), ("",) * 30, None, columns)
    kept = uploads.save(found, "me", "Sensor")
    stored = datasets.arrays(kept).samples[kept.splits() == TRAIN]
    assert np.abs(stored.mean((0, 1))).max() < 1e-5 and np.abs(stored.std((0, 1)) - 1).max() < 1e-5
    np.testing.assert_allclose(unscaled(kept.columns, datasets.arrays(kept).samples), samples, rtol=1e-4, atol=1e-4)


def test_images_that_were_read_are_moved_and_not_copied(home: Path) -> None:
    staging = uploads.staging_directory("me")
    came = staging / "came.npy"
    np.save(came, images().samples)
    found = guarded_read(came, staging / "read")
    number = (staging / "read" / "samples.npy").stat().st_ino
    kept = uploads.save(found, "me", "Noise")
    assert (home / "data" / kept.fingerprint / "samples.npy").stat().st_ino == number
    np.testing.assert_array_equal(datasets.arrays(kept).samples, images().samples)
    uploads.remove_staging(staging)
    assert not staging.exists() and datasets.arrays(kept).samples.shape == (40, 8, 6, 1)


def test_the_split_that_data_come_with_stays_and_what_it_lacks_is_drawn_from_training(home: Path) -> None:
    split = np.where(np.arange(60) < 45, TRAIN, TEST).astype(np.uint8)
    kept = uploads.save(table(split=split), "me", "Flowers")
    out = kept.splits()
    np.testing.assert_array_equal(out == TEST, split == TEST)
    assert (out == VALIDATION).sum() == 4 and (out[split == TEST] == TEST).all()
    assert "do not say which samples validate" in " ".join(uploads.of("me")[0].warnings)
    run = trained(kept.name)
    np.testing.assert_array_equal(run.splits, out[run.rows])
    datasets.delete(kept.name, "me")
    again = runs.open_run(run.folder)
    np.testing.assert_array_equal(again.splits, out[run.rows])  # the run knows by itself


def test_a_fingerprint_is_of_content_and_owner(home: Path) -> None:
    mine, theirs = uploads.save(table(), "me", "A"), uploads.save(table(), "you", "A")
    assert mine.fingerprint != theirs.fingerprint
    choose = {"architecture": "single-layer", "epochs": 1}
    ids = {runs.configure({"dataset": one.name, **choose}).id for one in (mine, theirs)}
    assert len(ids) == 2
    again = uploads.save(table(), "me", "B")
    assert again.name == mine.name and again.title == "B" and len(uploads.of("me")) == 1
    other = table()
    renamed = ReadResult(other.kind, other.samples, other.labels, ("q", "p"), other.names, None, other.columns)
    assert uploads.save(renamed, "me", "C").name != mine.name


def test_nobody_but_its_owner_lists_reads_trains_on_or_deletes_it(home: Path) -> None:
    mine = uploads.save(images(), "me", "Secret")
    assert [one.title for one in uploads.of("me")] == ["Secret"] and uploads.of("you") == []
    assert uploads.readable(mine.name, "me") and not uploads.readable(mine.name, "you")
    chosen = runs.configure({"dataset": mine.name, "architecture": "single-layer", "epochs": 1})
    absent = datasets.unknown(mine.name)
    for refused in (
        lambda: datasets.check(mine.name, "you"),
        lambda: datasets.delete(mine.name, "you"),
        lambda: engine.submit(chosen, "you"),
        lambda: engine.submit(chosen, SHELL),
    ):
        with pytest.raises(Problem) as told:
            refused()
        assert str(told.value) == str(absent)  # as if there were none
    assert engine.status(chosen.id).phase == "unknown" and uploads.readable(mine.name, "me")
    assert engine.submit(chosen, "me") == chosen.id
    assert uploads.readable("digits", "you")
    for name in ("own-0000000000000000", "own-../../etc", "own-", f"{mine.name}/../{mine.fingerprint}", "OWN-x"):
        assert uploads.dataset(name) is None
    datasets.delete(mine.name, "me")
    assert uploads.of("me") == [] and not (home / "data" / mine.fingerprint).exists()
    with pytest.raises(Problem, match="unknown"):
        runs.configure({"dataset": mine.name, "architecture": "single-layer"})


def test_a_finished_run_of_own_data_is_on_no_other_list_even_when_the_queue_is_lost(home: Path) -> None:
    mine = uploads.save(images(), "me", "Secret")
    run = trained(mine.name)

    def shown(owner: str) -> bool:
        return run.id in [one.id for one in engine.visible(owner, runs.find()[0])]

    assert shown("me") and not shown("you")  # there is no queue at all
    engine.adopt(run, "me")
    assert shown("me") and not shown("you")
    datasets.delete(mine.name, "me")
    assert shown("me") and not shown("you")


def test_a_run_outlives_its_dataset(home: Path) -> None:
    kept = uploads.save(images(), "me", "Noise")
    run = trained(kept.name)
    assert reconstruct.rows(run, np.array([0, 1])).clean.shape == (2, 8, 6, 1)
    before = run.splits
    datasets.delete(kept.name, "me")
    run = runs.open_run(run.folder)
    assert run.title.startswith("Noise") and run.dataset.count == 40 and run.dataset.kind == "image"
    np.testing.assert_array_equal(run.splits, before)
    assert np.isfinite(run.coder.decode(run.codes[:2])).all()
    with pytest.raises(Problem, match="were deleted"):
        reconstruct.rows(run, np.array([0]))
    with pytest.raises(Problem, match="were deleted"):
        reconstruct.test_error(run)


@dataclass
class Answer:
    """What the app answers outside its pages."""

    status_code: int
    headers: dict[str, str]
    content: bytes


def ask(
    app: ASGIApp,
    path: str,
    headers: dict[str, str],
    method: str = "GET",
    body: Iterable[bytes] = (),
    whole: bool = True,
) -> Answer:
    """One request, without a network; one that is not whole breaks off."""
    lines = [(name.lower().encode(), value.encode()) for name, value in {"host": "hourglass.test", **headers}.items()]
    path, _, query = path.partition("?")
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode()}
    scope |= {
        "query_string": query.encode(),
        "headers": lines,
        "scheme": "http",
        "root_path": "",
        "server": ("hourglass.test", 80),
    }
    parts = itertools.chain(
        ({"type": "http.request", "body": part, "more_body": True} for part in body),
        [{"type": "http.request", "body": b"", "more_body": False}] if whole else [],
    )
    said: list[Message] = []

    async def receive() -> Message:
        return next(parts, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        said.append(message)

    with ThreadPoolExecutor() as threads:  # the main one may hold the loop of a browser
        threads.submit(asyncio.run, app(scope, receive, send)).result()
    told = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return Answer(said[0]["status"], told, b"".join(message.get("body", b"") for message in said[1:]))


APP = Starlette(routes=served.routes(""))


def cookie(token: str) -> dict[str, str]:
    return {"Cookie": f"{visitor.COOKIE}={token}"}


def test_thumbnails_of_own_data_go_to_their_owner_and_into_no_cache(home: Path) -> None:
    me, you = "m" * 43, "y" * 43
    owner = visitor.owner_of(cookie(me)["Cookie"])
    assert owner.startswith("visitor:") and me not in owner and visitor.owner_of("") == ""
    kept = uploads.save(images(), owner, "Secret")
    run = trained(kept.name)
    place = f"/{run.url}/thumbnails.u8.gz"
    good = ask(APP, place, cookie(me))
    assert good.status_code == 200 and good.headers["cache-control"] == "private, no-store"
    for headers in (cookie(you), {}, cookie("../x"), {"Cookie": "nonsense"}):
        bad = ask(APP, place, headers)
        assert bad.status_code == 404 and bad.headers["cache-control"] == "no-store"
    codes = ask(APP, f"/{run.url}/codes.f32", cookie(me))
    assert codes.status_code == 200 and "public" not in codes.headers["cache-control"]
    assert not (home / "thumbnails").exists()  # they lie with the samples, and go with them
    datasets.delete(kept.name, owner)
    assert ask(APP, place, cookie(me)).status_code == 404
    assert not list(home.rglob("*.u8.gz"))


def test_what_is_not_used_goes_and_use_prolongs_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, used = uploads.save(images(seed=1), "me", "Old"), uploads.save(images(seed=2), "me", "Used")
    long_ago = time.time() - 31 * uploads.DAY
    for one in (old, used):
        os.utime(home / "data" / one.fingerprint / "used", (long_ago, long_ago))
    assert uploads.readable(used.name, "me")
    staging, young = uploads.staging_directory("me"), uploads.staging_directory("me")
    os.utime(staging, (long_ago, long_ago))
    assert [one.title for one in uploads.of("me")] == ["Used"]
    assert not staging.exists() and young.exists()
    expires = uploads.of("me")[0].expires
    assert abs(expires - time.time() - 30 * uploads.DAY) < 60
    monkeypatch.setenv("HOURGLASS_UPLOAD_DAYS", "2")
    assert abs(uploads.of("me")[0].expires - time.time() - 2 * uploads.DAY) < 60
    monkeypatch.setenv("HOURGLASS_UPLOAD_DAYS", "soon")
    with pytest.raises(Problem, match="soon"):
        uploads.days()


class Clock:
    """The system's clock, as somebody set it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead, real = 0.0, time.time
        monkeypatch.setattr(time, "time", lambda: real() + self.ahead)

    def run(self, days: float) -> None:
        """Hour after hour, as the app sweeps."""
        for _ in range(round(24 * days)):
            self.ahead += uploads.HOUR
            uploads.sweep()


def titles(owner: str) -> list[str]:
    return sorted(one.title for one in uploads.of(owner))


def test_a_clock_that_jumps_takes_nobody_s_data(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    uploads.save(images(seed=1), "me", "Mine")
    staging = uploads.staging_directory("me")
    for jump in (40, 400, -500, 4000):
        clock.ahead += jump * uploads.DAY
        for _ in range(3):
            assert titles("me") == ["Mine"] and staging.exists()
    clock.ahead = 0
    clock.run(3)
    assert titles("me") == ["Mine"] and not staging.exists()  # that was left for more than a day of even time


def test_a_clock_that_stays_wrong_only_sets_aside_and_setting_it_right_brings_back(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    kept = uploads.save(images(seed=1), "me", "Mine")
    clock.ahead = 400 * uploads.DAY
    clock.run(0.9)
    assert titles("me") == ["Mine"]
    clock.run(0.2)
    assert titles("me") == [] and uploads.dataset(kept.name) is None
    clock.ahead = 0
    assert titles("me") == ["Mine"]
    np.testing.assert_array_equal(datasets.arrays(kept).samples, images(seed=1).samples)


def test_what_was_not_used_lies_aside_for_a_week_and_can_be_put_back(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    kept = uploads.save(images(seed=1), "me", "Mine")
    place = home / "data" / kept.fingerprint
    clock.run(30.5)
    (aside,) = (home / "data").glob(".swept-*")
    assert not place.exists() and titles("me") == []
    aside.rename(place)
    (place / "used").touch()
    os.utime(place / "used", (time.time(), time.time()))
    assert titles("me") == ["Mine"]
    clock.run(30.5)
    clock.run(6)
    assert len(list((home / "data").glob(".swept-*"))) == 1
    clock.run(1.5)
    assert list((home / "data").glob(".swept-*")) == []
    clock.ahead = 0.0  # files have the time of the real one
    again = uploads.save(images(seed=2), "me", "Deleted by me")
    datasets.delete(again.name, "me")  # at once
    assert [path.name for path in (home / "data").iterdir()] == []


def test_use_after_a_clock_was_ahead_counts(home: Path) -> None:
    kept = uploads.save(images(), "me", "Mine")
    used = home / "data" / kept.fingerprint / "used"
    os.utime(used, (time.time() + 400 * uploads.DAY,) * 2)
    assert uploads.readable(kept.name, "me") and abs(used.stat().st_mtime - time.time()) < 60


@pytest.mark.parametrize("text", ["{", "[]", "5", "null", "{}", '{"owner": "me"}', '{"format": 2}', "[" * 100_000])
def test_a_dataset_that_is_not_understood_is_left_alone_and_the_others_are_listed(
    home: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    kept, other = uploads.save(images(seed=1), "me", "Mine"), uploads.save(images(seed=2), "me", "Other")
    folder = home / "data" / other.fingerprint
    (folder / "about.json").write_text(text)
    (folder / "used").unlink()
    assert titles("me") == ["Mine"] and titles("you") == []
    os.utime(folder / "about.json", (0, 0))
    uploads.sweep()
    assert titles("me") == ["Mine"] and (folder / "about.json").read_text() == text
    assert uploads.dataset(other.name) is None and not uploads.readable(other.name, "me")
    assert "is not understood" in caplog.text and str(folder) in caplog.text
    assert uploads.dataset(kept.name) is not None


def test_the_columns_of_a_table_are_not_read_for_everybody_s_list(home: Path) -> None:
    """A wide table's are megabytes; the list of each visitor looks at each about.json."""
    samples = np.random.default_rng(0).normal(size=(40, 4000)).astype(np.float32)
    columns = tuple(Column(f"{'wide ' * 15}{i}", "number", i, 1) for i in range(4000))
    wide = ReadResult("table", samples, np.full(40, -1, np.int32), (), ("",) * 40, None, columns)
    kept = uploads.save(wide, "me", "Wide")
    folder = home / "data" / kept.fingerprint
    assert (folder / "about.json").stat().st_size < 4096
    assert [column.name for column in kept.columns] == [column.name for column in columns]
    (one,) = uploads.of("me")
    assert one.columns == kept.columns and uploads.of("you") == []
    # As the first datasets have them.
    about = json.loads((folder / "about.json").read_text()) | {"columns": plain(kept.columns)}
    (folder / "about.json").write_text(json.dumps(about))
    (folder / "columns.json").unlink()
    assert uploads.of("me")[0].columns == uploads.dataset(kept.name).columns == kept.columns


def test_built_in_datasets_are_never_swept(home: Path, digits: datasets.Dataset) -> None:
    datasets.arrays(digits)
    folder = home / "data" / digits.fingerprint
    os.utime(folder, (0, 0))
    uploads.sweep()
    assert folder.is_dir()


def test_one_owner_keeps_so_much_and_another_is_not_held_by_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOURGLASS_UPLOAD_BYTES", "5000")
    uploads.save(images(seed=1), "me", "First")
    with pytest.raises(Problem, match="5,000 in all"):
        uploads.save(images(count=60, seed=2), "me", "Second")
    assert [path for path in (home / "data").iterdir() if path.name[0] == "."] == []
    uploads.save(images(seed=2), "you", "Second")


def test_all_together_keep_so_much_however_many_cookies_they_have(
    home: Path, digits_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOURGLASS_TOTAL_BYTES", "50000")
    monkeypatch.setattr(quotas, "TURN", 0.0)
    packed = export.pack(digits_run)
    for i in range(40):
        try:
            uploads.save(images(count=60, seed=i), f"visitor:{i}", "One of many")
        except Problem as problem:
            assert "50,000 in all" in problem.expected and "all visitors" in problem.came
            break
    held = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    assert 25_000 < held < 60_000 and i < 20
    for refused in (lambda: uploads.staging_directory("visitor:fresh", 50_000), lambda: runs.unpack(packed)):
        with pytest.raises(Problem, match="50,000 in all"):
            refused()
    uploads.save(images(count=60, seed=99), SHELL, "From the shell")


def test_what_is_on_its_way_counts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that begin to arrive at once, each of another visitor."""
    monkeypatch.setenv("HOURGLASS_TOTAL_BYTES", "10000")
    monkeypatch.setattr(quotas, "TURN", 0.0)
    answers: list[int] = []

    def sent(i: int) -> None:
        me = cookie(f"{i}" * 43) | OWN_SITE | {"Content-Length": "3000"}
        arrival = stream.expect(visitor.owner_of(me["Cookie"]))

        def body() -> Iterator[bytes]:
            yield b"x" * 1000
            if i < 5:
                sent(i + 1)
            yield b"x" * 2000

        answers.append(ask(APP, f"/upload/{arrival.token}", me, "PUT", body()).status_code)

    sent(1)
    assert sorted(answers) == [204, 204, 204, 400]
    assert [path.stat().st_size for path in (home / "uploads").rglob("arriving")] == [3000] * 3


def test_staging_directories_of_one_owner_are_few(home: Path) -> None:
    directories = []
    for i in range(uploads.MAX_STAGING + 2):
        directories.append(uploads.staging_directory("me"))
        os.utime(directories[-1], (time.time() - 100 + i, time.time() - 100 + i))
    assert [staging.exists() for staging in directories] == [False] * 2 + [True] * uploads.MAX_STAGING
    other = uploads.staging_directory("you")
    uploads.remove_staging(home)  # not a staging directory: nothing happens
    assert other.exists() and directories[-1].exists()


def test_too_few_samples_are_told(home: Path) -> None:
    with pytest.raises(Problem, match="at least 20"):
        uploads.save(images(count=19), "me", "Few")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("My photos, 2024 (small)", "My photos, 2024 (small)"),
        ("Überraschung 日本", "Überraschung 日本"),
        ("[a](http://x) <b>c</b> `d` $e$ :f: *g*", "a (http x) b c b d e f g"),
        ("  ", "Untitled"),
        ("x" * 99, "x" * 60),
    ],
)
def test_a_title_means_nothing_to_a_page(given: str, kept: str) -> None:
    assert uploads.fit_title(given) == kept


LARGE = """
import numpy as np, psutil
from models import uploads
from models.readers import ReadResult

staging = uploads.staging_directory("me")
samples = np.lib.format.open_memmap(staging / "samples.npy", "w+", np.float32, (50_000, 1000))
samples[::1000] = 1
samples.flush()
del samples
mapped = np.load(staging / "samples.npy", mmap_mode="r")
found = ReadResult("table", mapped, np.full(50_000, -1, np.int32), (), ("",) * 50_000)
process, most = psutil.Process(), [0]
before = process.memory_info().rss
uploads.save(found, "me", "Wide", progress=lambda *_: most.append(process.memory_info().rss - before))
print(len(most), max(most))
"""


def test_keeping_a_large_table_takes_little_memory(home: Path) -> None:
    """200 MB of rows in a file pass through; the process that keeps them, which does nothing else, grows by a fraction of that."""
    done = subprocess.run([sys.executable, "-c", LARGE], cwd=ROOT, capture_output=True, text=True, check=True)
    reports, most = map(int, done.stdout.split())
    assert reports > 20 and most < 100 << 20


def test_the_shell_keeps_lists_trains_on_and_deletes(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from models.shell import main

    def say(*words: str) -> tuple[int, object]:
        code = main([*words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    path = tmp_path / "flowers.csv"
    rows = "\n".join(f"{i % 7},{i % 5 + 0.5},{'ab'[i % 2]}" for i in range(50))
    path.write_text(f"length,width,class\n{rows}\n")
    code, kept = say("data", "add", str(path), "--title", "Flowers", "--choices", '{"leave_out": ["width"]}')
    assert code == 0 and (kept["title"], kept["shape"], kept["classes"]) == ("Flowers", [1], ["a", "b"])
    assert [one["name"] for one in say("data", "list")[1]] == [kept["name"]]
    assert not list((home / "uploads").iterdir())
    small = ("--architecture", "single-layer", "--epochs", "1", "--code-size", "1", "--here")
    code, told = say("train", "--dataset", kept["name"], *small)
    assert code == 0 and (home / "runs" / told["id"]).is_dir()
    assert uploads.of("visitor") == []
    assert say("data", "add", str(path), "--share")[1]["name"]
    assert len(uploads.of("visitor")) == 1
    assert say("data", "delete", kept["name"])[0] == 0
    code, told = say("data", "delete", kept["name"])
    assert code == 1 and "unknown" in told["error"]["came"]
    mine = uploads.save(images(), "visitor", "Private")
    assert say("train", "--dataset", mine.name, *small)[0] == 1
    assert say("data", "delete", mine.name)[0] == 1


def test_the_shell_asks_what_can_be_read_in_two_ways_and_takes_the_answer(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from models.shell import main

    path = tmp_path / "days.csv"
    path.write_text("date,v,class\n" + "".join(f"04/05/2024,{i / 7},{i % 3}\n" for i in range(60)))
    assert main(["data", "add", str(path)]) == 1
    said = capsys.readouterr().err
    assert "could be read the other way" in said and """--choices '{"dates": "month first"}'""" in said
    assert not list((home / "uploads").iterdir()) and not uploads.of("shell")
    choices = '{"dates": "month first", "columns": {"v": "category"}, "missing_values": []}'
    assert main(["data", "add", str(path), "--choices", choices, "--json"]) == 0
    kept = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["role"]) for one in kept["columns"]] == [
        ("date", "time"), ("v", "category"), ("class", "class"),
    ]  # fmt: skip


# ── a stream of our own, and folders of the server's ─────────────────────────

OWN_SITE = {"Origin": "http://hourglass.test", "Sec-Fetch-Site": "same-origin"}


def test_a_file_is_streamed_to_the_disk_for_its_owner(home: Path) -> None:
    me = cookie("m" * 43)
    arrival = stream.expect(visitor.owner_of(me["Cookie"]))
    parts = [bytes([i]) * 400_000 for i in range(8)]
    answer = ask(APP, f"/upload/{arrival.token}", me | OWN_SITE, "PUT", parts)
    assert answer.status_code == 204 and answer.headers["cache-control"] == "no-store"
    assert arrival.path is not None and arrival.path.read_bytes() == b"".join(parts)
    assert arrival.path.is_relative_to(home / "uploads")
    assert ask(APP, f"/upload/{arrival.token}", me | OWN_SITE).status_code == 405
    # Another choice takes the place of the first, of which nothing stays.
    again = ask(APP, f"/upload/{arrival.token}", me | OWN_SITE, "PUT", [b"other"])
    assert again.status_code == 204 and arrival.path.read_bytes() == b"other"
    assert len(list((home / "uploads").iterdir())) == 1


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        ("mine", cookie("y" * 43) | OWN_SITE),
        ("mine", OWN_SITE),
        ("mine", cookie("m" * 43) | {"Origin": "http://evil.test"}),
        ("mine", cookie("m" * 43) | {"Origin": "null"}),
        ("mine", cookie("m" * 43) | {"Sec-Fetch-Site": "cross-site"}),
        ("mine", cookie("m" * 43) | {"Sec-Fetch-Site": "same-site"}),
        ("guessed", cookie("m" * 43) | OWN_SITE),
        ("../mine", cookie("m" * 43) | OWN_SITE),
    ],
)
def test_nothing_is_taken_from_anybody_else_nor_from_another_site(
    home: Path, token: str, headers: dict[str, str]
) -> None:
    arrival = stream.expect(visitor.owner_of(cookie("m" * 43)["Cookie"]))
    place = token.replace("mine", arrival.token)
    assert ask(APP, f"/upload/{place}", headers, "PUT", [b"x" * 100]).status_code == 404
    assert arrival.path is None and not (home / "uploads").exists()


def test_a_stream_has_a_limit_whatever_it_claims(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LARGE", dataclasses.replace(stream.LARGE, upload=1000))
    me = cookie("m" * 43) | OWN_SITE
    for claim, status in (("2000", 413), ("10", 413), ("many", 400), (None, 413)):
        arrival = stream.expect(visitor.owner_of(me["Cookie"]))
        headers = me if claim is None else me | {"Content-Length": claim}
        answer = ask(APP, f"/upload/{arrival.token}", headers, "PUT", [b"x" * 600] * 3)
        assert answer.status_code == status and arrival.path is None, claim
        assert status != 413 or b"at most 1,000 are allowed" in answer.content.lower()
    assert not (home / "uploads").exists() or not list((home / "uploads").iterdir())


def test_a_stream_that_breaks_off_leaves_nothing_and_can_be_sent_again(home: Path) -> None:
    me = cookie("m" * 43) | OWN_SITE
    arrival = stream.expect(visitor.owner_of(me["Cookie"]))
    broken = ask(APP, f"/upload/{arrival.token}", me, "PUT", [b"x" * 600], whole=False)
    assert broken.status_code == 400 and arrival.path is None and not list((home / "uploads").iterdir())
    assert ask(APP, f"/upload/{arrival.token}", me, "PUT", [b"x" * 600]).status_code == 204


def test_a_newer_file_takes_the_place_of_one_on_its_way(home: Path) -> None:
    """A browser that cancelled and sends another file need not wait until its server has heard of the first one's end."""
    me = cookie("m" * 43) | OWN_SITE
    arrival = stream.expect(visitor.owner_of(me["Cookie"]))

    def first() -> Iterator[bytes]:
        yield b"first"
        assert ask(APP, f"/upload/{arrival.token}", me, "PUT", [b"second"]).status_code == 204
        yield b"too late"

    answer = ask(APP, f"/upload/{arrival.token}", me, "PUT", first())
    assert answer.status_code == 400 and b"replaced this one" in answer.content
    assert arrival.path is not None and arrival.path.read_bytes() == b"second"
    assert len(list((home / "uploads").iterdir())) == 1


def test_few_are_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "WAITING", 3)
    arrivals = [stream.expect("me") for _ in range(5)]
    assert [stream.expected(arrival.token, "me") is not None for arrival in arrivals] == [
        False,
        False,
        True,
        True,
        True,
    ]
    stream.forget(arrivals[4].token)
    assert stream.expected(arrivals[4].token, "me") is None and stream.expected(arrivals[3].token, "you") is None


def test_only_folders_that_are_named_can_be_read(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOURGLASS_FOLDERS", raising=False)
    assert server_folders.allowed() == [] and server_folders.offered() == []
    named, other = tmp_path / "named", tmp_path / "other"
    for folder in (named / "a" / "deep", named / ".hidden", other / "secret"):
        folder.mkdir(parents=True)
    (named / "link").symlink_to(other / "secret")
    (named / "near").symlink_to(named / "a")
    (named / "file").touch()
    monkeypatch.setenv("HOURGLASS_FOLDERS", os.pathsep.join([str(named), str(tmp_path / "absent"), ""]))
    assert server_folders.allowed() == [named] and server_folders.offered() == [str(named), str(named / "a")]
    for good in (named, named / "a" / "deep", named / "a" / ".." / "a", named / "near"):
        assert server_folders.inside(str(good)) == good.resolve()
    refused = set()
    for bad in (
        other,
        named / "link",
        named / "..",
        named / "file",
        named / "absent",
        "/",
        "",
        "a",
        "\0",
        str(named) + "x",
    ):
        with pytest.raises(Problem) as told:
            server_folders.inside(str(bad))
        refused.add(told.value.args[1:])
        assert told.value.came == f"“{bad}” cannot be read from here"
    assert len(refused) == 1
    monkeypatch.setenv("HOURGLASS_FOLDERS", str(tmp_path))
    uploads.staging_directory("somebody")
    for ours in (tmp_path, home, home / "uploads"):  # what others bring lies there
        with pytest.raises(Problem, match="cannot be read"):
            server_folders.inside(str(ours))
