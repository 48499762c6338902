"""A run is a folder: what is whole opens, what is not is told in three parts and never loaded in part."""

import dataclasses
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import trained
from safetensors.numpy import save_file

from models import Problem, datasets, engine, export, losses, runs
from models.codes import Coder
from models.engine import queue
from models.runs import configuration, finding, format
from models.runs import run as run_module

Copied = Callable[[runs.Run], Path]


def told(folder: Path) -> Problem:
    """The problem that opening a folder ends in."""
    with pytest.raises(Problem) as caught:
        runs.open_run(folder)
    problem = caught.value
    assert problem.came and problem.do
    assert str(problem).count(". ") >= 1 and str(problem)[0].isupper()
    return problem


def test_a_whole_run_opens_and_says_what_it_is(digits_run: runs.Run) -> None:
    run = runs.open_run(digits_run.folder)
    assert run.id == run.configuration.id == run.folder.name
    assert (run.shape, run.code_size, run.count, run.variational) == ((8, 8, 1), 2, 1797, False)
    assert run.title == "Digits 8x8 · Single-layer · D = 2"
    assert run.url == f"run/{run.id}/{run.digest}" and len(run.digest) == 16
    assert run.codes.shape == (1797, 2) and run.codes.dtype == np.float32
    assert run.rows.dtype == run.labels.dtype == np.int32
    assert run.factors.shape == (1797, 0) and run.pca is None and run.tsne is None
    assert run.metric("mse") > 0 and run.metric("kl") is None and run.metric("mse", "train") is None
    np.testing.assert_array_equal(run.splits, datasets.get("digits").splits())
    assert not run.pretrained
    with pytest.raises(ValueError):
        run.codes[0] = 1  # the mapped file is read only


def test_the_digest_changes_with_any_byte_of_run_json(digits_run: runs.Run, copied: Copied) -> None:
    folder = copied(digits_run)
    text = (folder / "run.json").read_text()
    (folder / "run.json").write_text(text + "\n")
    assert runs.open_run(folder).digest != digits_run.digest


def names() -> list[str]:
    return sorted({*runs.REQUIRED, "projections/pca.f32", "projections/tsne.f32", "projections/tsne-index.i32"})


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("damage", ["deleted", "emptied", "cut", "longer", "flipped", "a folder"])
def test_a_damaged_file_is_found(variational_run: runs.Run, copied: Copied, name: str, damage: str) -> None:
    path = copied(variational_run) / name
    content = path.read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    path.unlink()
    if damage == "a folder":
        path.mkdir()
    elif damage != "deleted":
        path.write_bytes({"emptied": b"", "cut": content[:-1], "longer": content + b"x", "flipped": flipped}[damage])
    problem = told(path.parents[name.count("/")])
    assert name in problem.came and "damaged" in problem.came and "train it again" in problem.do


@pytest.mark.parametrize("name", names())
def test_no_file_can_go_unnamed(variational_run: runs.Run, copied: Copied, name: str) -> None:
    folder = copied(variational_run)
    about = variational_run.stored_card()
    del about["files"][name]
    (folder / "run.json").write_text(json.dumps(about))
    assert "damaged" in told(folder).came


def resealed(folder: Path, about: dict[str, Any]) -> Path:
    """run.json with the right sums of whatever lies beside it, but without the check."""
    about = {**about, "files": {}}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "run.json":
            facts = {"bytes": path.stat().st_size, "sha256": runs.sha256(path)}
            about["files"][str(path.relative_to(folder))] = facts
    (folder / "run.json").write_text(json.dumps(about))
    return folder


def replace_numbers(name: str, change: Callable[[np.ndarray], Any]) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        kind = np.float32 if name.endswith("f32") else np.int32
        numbers = np.fromfile(folder / name, kind)
        change(numbers)
        numbers.tofile(folder / name)

    return do


def baseline(folder: Path, size: int = 64, count: int = 6) -> None:
    content = {"mean": np.zeros(size, np.float32), "components": np.zeros((count, size), np.float32)}
    save_file(content, folder / "baseline.safetensors")


BROKEN: dict[str, Callable[[Path], Any]] = {
    "codes are no number": replace_numbers("codes.f32", lambda x: x.__setitem__(5, np.nan)),
    "errors are infinite": replace_numbers("errors.f32", lambda x: x.__setitem__(5, np.inf)),
    "a row that is not there": replace_numbers("rows.i32", lambda x: x.__setitem__(5, 1797)),
    "a row below zero": replace_numbers("rows.i32", lambda x: x.__setitem__(5, -1)),
    "a class that is not there": replace_numbers("labels.i32", lambda x: x.__setitem__(5, 10)),
    "a place that is not there": replace_numbers("projections/tsne-index.i32", lambda x: x.__setitem__(5, 1797)),
    "a replay of other codes": replace_numbers("replay/index.i32", lambda x: x.__setitem__(5, 1797)),
    "one code too few": lambda folder: (folder / "codes.f32").write_bytes((folder / "codes.f32").read_bytes()[:-24]),
    "a frame too many": lambda folder: (folder / "replay/codes.f32").write_bytes(b"\0" * 4 * 6),
    "PCA of other samples": lambda folder: baseline(folder, size=63),
    "PCA without components": lambda folder: save_file({"mean": np.zeros(64)}, folder / "baseline.safetensors"),
    "PCA that is no safetensors": lambda folder: (folder / "baseline.safetensors").write_bytes(b"\x80\x04."),
    "history that is no JSON": lambda folder: (folder / "history.jsonl").write_text("epoch one\n"),
    "history that is no list of epochs": lambda folder: (folder / "history.jsonl").write_text("5\n"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_files_that_do_not_fit_together_are_found(variational_run: runs.Run, copied: Copied, what: str) -> None:
    """The sums are right, as in a zip made by somebody else; the content is not."""
    folder = copied(variational_run)
    assert runs.open_run(resealed(folder, variational_run.stored_card())).id == variational_run.id
    BROKEN[what](folder)
    assert "damaged" in told(resealed(folder, variational_run.stored_card())).came


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read"),
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b"\xff\xfe{}", "cannot be read"),
        (b"[]", "not an object"),
        (b"null", "not an object"),
        (b"[" * 100_000, "cannot be read"),
        (b"{}", "format None"),
        (b'{"format": 2}', "format 2"),
        (b'{"format": 1}', "has no id"),
        (b'{"format": 1, "id": NaN}', "no finite number"),
        (b'{"format": 1, "id": 1e999}', "no finite number"),
    ],
)
def test_a_broken_run_json_is_told(digits_run: runs.Run, copied: Copied, text: bytes | None, says: str) -> None:
    folder = copied(digits_run)
    if text is None:
        (folder / "run.json").unlink()
    else:
        (folder / "run.json").write_bytes(text)
    assert says in told(folder).came


def test_numbers_that_count_are_not_below_zero(digits_run: runs.Run, copied: Copied) -> None:
    folder = copied(digits_run)
    about = digits_run.stored_card()
    about["training"]["epochs"] = -1
    (folder / "run.json").write_text(json.dumps(about))
    assert "training: epochs is below zero" in told(folder).came


def test_a_later_format_asks_for_a_later_hourglass(digits_run: runs.Run, copied: Copied) -> None:
    folder = copied(digits_run)
    (folder / "run.json").write_text(json.dumps({**digits_run.stored_card(), "format": 2}))
    problem = told(folder)
    assert "format 2" in problem.came and "format 1" in problem.expected and "newer" in problem.do


@pytest.mark.parametrize(
    "text",
    [b'{"format": 2}', b'{"format": "2.0", "id": NaN}', b'{"format": 1.5}', b'{"format": null}', b" " * (20 << 20)],
)
def test_a_run_of_a_later_format_is_left_alone(digits_run: runs.Run, home: Path, tmp_path: Path, text: bytes) -> None:
    """An older version meets it: somebody went back a version, or two share a folder."""
    place = shutil.copytree(digits_run.folder, home / "runs" / digits_run.id)
    (place / "run.json").write_bytes(text)
    before = sorted((path, path.stat().st_mtime_ns) for path in home.rglob("*"))
    another = shutil.copytree(digits_run.folder, tmp_path / "another")
    for do in (
        lambda: engine.kept(digits_run.id),
        lambda: engine.submit(digits_run.configuration, "me"),
        lambda: runs.publish(another, digits_run.id),
    ):
        with pytest.raises(Problem, match="left as it is") as caught:
            do()
        assert "is of format" in caught.value.came and "newer" in caught.value.do
        assert sorted((path, path.stat().st_mtime_ns) for path in place.rglob("*") if path != place) == [
            one for one in before if place in one[0].parents
        ]
    assert [path.name for path in (home / "runs").iterdir()] == [digits_run.id] and (another / "run.json").is_file()
    assert runs.unpack(export.pack(digits_run)).id != digits_run.id and (place / "run.json").read_bytes() == text


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every field, and of the first element of every list."""
    if at:
        yield at
    if isinstance(value, dict):
        for name in value:
            yield from places(value[name], (*at, name))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*at, 0))


def read_all(run: runs.Run) -> None:
    """Everything that a page may ask of a run."""
    assert run.title and run.id and run.url and run.classes and run.shape and run.configuration
    for name in ("codes", "rows", "labels", "errors", "factors", "splits", "baseline", "tsne", "pca"):
        getattr(run, name)
    assert run.history()[0]["epoch"] == 1
    run.metric("mse")
    about = run.card.codes
    assert [f"{number:.2f}" for part in (about.low, about.high, about.variance) for number in part]
    assert export.part(run, "codes")


def test_whatever_is_altered_in_run_json_is_told_or_harms_nothing(variational_run: runs.Run, copied: Copied) -> None:
    """Every field gone or replaced by something else: a `Problem`, or a run of which everything can be read."""
    folder = copied(variational_run)
    text = (folder / "run.json").read_text()
    damaged = 0
    skipped = {"versions", "sha256"}
    fields = [at for at in places(json.loads(text)) if not skipped & set(at) and at[:2] != ("files", "card.md")]
    assert len(fields) > 90
    for at in fields:
        for value in (..., None, -1, 10**30, "x", [], {}, [[1]], True):
            about = json.loads(text)
            inner = about
            for step in at[:-1]:
                inner = inner[step]
            if value is ...:
                del inner[at[-1]]
            else:
                inner[at[-1]] = value
            (folder / "run.json").write_text(json.dumps(about))
            try:
                read_all(runs.open_run(folder))
            except Problem:
                damaged += 1
                continue
            except Exception as error:
                raise AssertionError(f"{at} = {value!r} is not told: {error!r}") from error
    assert damaged > 5 * len(fields)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../x.json",
        "a/../../x.json",
        "a/b/c.f32",
        "A.f32",
        "x",
        ".x.json",
        "a\\b.f32",
        "x.json\n",
        "x/.y.f32",
    ],
)
def test_names_outside_the_folder_are_refused(digits_run: runs.Run, copied: Copied, name: str) -> None:
    assert format.outside(name)
    folder = copied(digits_run)
    about = digits_run.stored_card()
    about["files"][name] = {"bytes": 0, "sha256": ""}
    (folder / "run.json").write_text(json.dumps(about))
    assert "outside its folder" in told(folder).came


@pytest.mark.parametrize("name", [*runs.REQUIRED, *runs.OPTIONAL])
def test_the_formats_own_names_are_inside(name: str) -> None:
    assert not format.outside(name)


def test_saving_and_opening_changes_nothing(digits_run: runs.Run, copied: Copied) -> None:
    folder = copied(digits_run)
    about = {name: value for name, value in digits_run.stored_card().items() if name != "files"}
    assert runs.seal(folder, about).digest == digits_run.digest


def test_graphs_that_onnxruntime_cannot_read_are_told(digits_run: runs.Run, copied: Copied) -> None:
    folder = copied(digits_run)
    (folder / "decoder.onnx").write_bytes(b"nothing")
    with pytest.raises(Problem, match="cannot be loaded"):
        Coder(folder).decode(np.zeros((1, 2), np.float32))


def test_samples_and_codes_of_another_shape_are_told(digits_run: runs.Run) -> None:
    with pytest.raises(Problem, match=r"encoder takes values of shape \(8, 8, 1\); \(28, 28, 1\) was given"):
        digits_run.coder.encode(np.zeros((1, 28, 28, 1), np.uint8))
    with pytest.raises(Problem, match=r"takes values of shape \(2,\)"):
        digits_run.coder.decode(np.zeros((1, 3), np.float32))


# Finding


def test_finished_runs_are_found_and_damaged_ones_named(
    digits_run: runs.Run, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert runs.find()[0] == [run for run in runs.find()[0] if run.pretrained]  # an empty home is no problem
    (home / "runs").mkdir(parents=True)
    shutil.copytree(digits_run.folder, home / "runs" / digits_run.id)
    shutil.copytree(digits_run.folder, home / "runs" / ("f" * 16))
    (home / "runs" / ("f" * 16) / "run.json").write_text("{")
    (home / "runs" / ".opened-x").mkdir()
    (home / "runs" / "a file").write_text("")
    shutil.copytree(digits_run.folder, tmp_path / "pretrained" / "shipped")
    for module in (finding, run_module):
        monkeypatch.setattr(module, "PRETRAINED", tmp_path / "pretrained")
    found, problems = runs.find()
    assert [(run.folder.name, run.pretrained) for run in found] == [("shipped", True), (digits_run.id, False)]
    assert len(problems) == 1 and "f" * 16 in problems[0].came
    assert runs.folder_of("shipped") == tmp_path / "pretrained" / "shipped"
    assert runs.folder_of(digits_run.id) == home / "runs" / digits_run.id


def test_what_was_found_is_read_again_only_when_it_has_changed(
    digits_run: runs.Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages ask at every touch of every visitor."""
    for id_ in ("a" * 16, "b" * 16, "c" * 16):
        shutil.copytree(digits_run.folder, home / "runs" / id_)
    (home / "runs" / ("c" * 16) / "run.json").write_text("{")
    (home / "runs" / ("d" * 16)).mkdir()
    first = runs.find()
    read: list[str] = []
    real = finding.read_run
    monkeypatch.setattr(finding, "read_run", lambda folder: read.append(folder.name) or real(folder))

    def problems(found: tuple[list[runs.Run], list[Problem]]) -> list[str]:
        return [str(problem) for problem in found[1]]

    again = runs.find()
    assert read == [] and [one.folder for one in again[0]] == [one.folder for one in first[0]]
    assert problems(again) == problems(first) and len(again[1]) == 2
    runs.write_whole(home / "runs" / ("c" * 16) / "run.json", (digits_run.folder / "run.json").read_bytes())
    assert len(runs.find()[0]) == len(first[0]) + 1 and read == ["c" * 16]
    shutil.rmtree(home / "runs" / ("a" * 16))
    assert "a" * 16 not in [one.folder.name for one in runs.find()[0]] and read == ["c" * 16]
    # What does not fit into the memory set aside for it is found all the same, and read each time.
    monkeypatch.setattr(finding, "REMEMBERED", 0)
    finding._FOUND.clear()
    assert len(runs.find()[0]) == len(runs.find()[0]) == len(first[0]) and len(read) > 4


def test_a_run_json_of_megabytes_is_not_read(digits_run: runs.Run, home: Path) -> None:
    place = shutil.copytree(digits_run.folder, home / "runs" / digits_run.id)
    about = json.loads((place / "run.json").read_text())
    metric = about["metrics"][0]
    for name, value in (("metrics", [*about["metrics"], *[metric] * 8000]), ("more", "x" * (1 << 20))):
        (place / "run.json").write_text(json.dumps({**about, name: value}))
        assert f"run.json cannot be read (it has {(place / 'run.json').stat().st_size:,} bytes" in told(place).came
    found, problems = runs.find()
    assert digits_run.id not in [run.id for run in found] and "at most 1,048,576 are allowed" in problems[0].came


@pytest.mark.parametrize("name", ["", "x", "0" * 16, "../runs", "0" * 15, "x" * 5000])
def test_unknown_runs_are_told(name: str) -> None:
    with pytest.raises(Problem, match="no finished run") as caught:
        runs.folder_of(name)
    assert len(str(caught.value)) < 300


# Configurations


def test_equal_choices_are_the_same_run() -> None:
    # Variational and noisy, so that every choice has an effect.
    base = {"dataset": "digits", "architecture": "variational", "noise": "gaussian", "noise_level": 0.2}
    one = runs.configure(base)
    assert runs.ID.fullmatch(one.id)
    typed = base | {"beta": 1, "epochs": str(one.epochs), "learning_rate": f"{one.learning_rate:e}"}
    assert runs.configure(typed).id == one.id
    ids = {one.id}
    changes = {"code_size": 3, "noise": "masking", "noise_level": 0.1, "epochs": 31, "batch_size": 32, "seed": 1}
    changes |= {"learning_rate": 0.1, "loss": "squared-error", "beta": 2, "sparsity": 0.1, "recipe": "article"}
    changes |= {
        "architecture": "deep",
        "stopped_after": 3,
        "contraction": 0.1,
        "free_bits": 0.1,
        "annealing": 0.5,
        "total_correlation": 2.0,
    }
    changes |= {"shift": 1, "distortion": 0.1, "cooled": 12, "mixing": 0.7, "seconds": 10.0}
    for term in losses.available().values():  # whatever terms are added
        changes |= {one.field: sum(one.range) / 2 for one in term.choices if one.field not in changes}
    together = {"steps": 40, "steady": 20}  # neither without the other
    assert {*changes, *together, "dataset"} == {field.name for field in dataclasses.fields(runs.Configuration)}
    plain = {one.field for term in losses.available().values() if term.plain for one in term.choices}
    for name, value in changes.items():
        ids.add(runs.configure(base | {name: value} | ({"architecture": "modern"} if name in plain else {})).id)
    ids |= {runs.configure(base | together | other).id for other in ({}, {"steps": 41}, {"steady": 21})}
    assert len(ids) == 1 + len(changes) + 3


def test_an_id_stands_for_the_data_and_the_recipe_too(monkeypatch: pytest.MonkeyPatch) -> None:
    one = runs.configure({"dataset": "digits", "architecture": "modern"})
    ids = {one.id}
    with monkeypatch.context() as patch:
        patch.setattr(configuration, "RECIPE", runs.RECIPE + 1)
        ids.add(one.id)
    monkeypatch.setitem(datasets.available(), "digits", dataclasses.replace(datasets.get("digits"), version=99))
    ids.add(one.id)
    assert len(ids) == 3


def test_what_is_not_chosen_is_the_architectures_own() -> None:
    assert runs.configure({"dataset": "digits", "architecture": "variational"}).loss == "calibrated"
    chosen = runs.configure({"dataset": "digits", "architecture": "variational", "loss": "squared-error"})
    assert chosen.loss == "squared-error"


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"dataset": "digitz"}, "digits"),
        ({"dataset": ["digits"]}, "unknown"),
        ({"dataset": ""}, "o dataset was chosen"),
        ({"architecture": "perceptron"}, "single-layer"),
        ({"architecture": {"a": 1}}, "unknown"),
        ({"architecture": None}, "o architecture was chosen"),
        ({"colour": "red"}, "colour"),
        ({"code_size": 0}, "1 to 64"),
        ({"code_size": 65}, "1 to 64"),
        ({"code_size": 257}, "1 to 64"),
        ({"code_size": -2}, "1 to 64"),
        ({"code_size": 2.5}, "not a whole number"),
        ({"code_size": "two"}, "not of its type"),
        ({"code_size": None}, "not of its type"),
        ({"code_size": 10**400}, "not of its type"),
        ({"code_size": float("inf")}, "not of its type"),
        ({"noise": "snow"}, "gaussian"),
        ({"loss": "hinge"}, "bernoulli"),
        ({"recipe": "soup"}, "article"),
        ({"noise_level": 1.1}, "0 to 1"),
        ({"noise_level": float("nan")}, "0 to 1"),
        ({"epochs": 0}, "1 to 10000"),
        ({"batch_size": 0}, "1 to 8192"),
        ({"learning_rate": 0}, "1e-06 to 1"),
        ({"learning_rate": 10**400}, "not of its type"),
        ({"beta": -1}, "0 to 1000"),
        ({"sparsity": float("inf")}, "0 to 1000"),
        ({"seed": -1}, "0 to"),
        ({"seed": [1]}, "not of its type"),
        ({"stopped_after": "x"}, "not of its type"),
    ],
)
def test_choices_that_cannot_be_are_told(choices: dict[str, Any], says: str) -> None:
    with pytest.raises(Problem) as caught:
        runs.configure({"dataset": "digits", "architecture": "single-layer", **choices})
    assert says in str(caught.value)


# Writing


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    runs.write_whole(path, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Problem, match="No space left on device") as caught:
        runs.write_whole(path, b"new")
    assert "HOURGLASS_HOME" in caught.value.do
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_reader_never_meets_half_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    runs.write_whole(path, b"old")
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append(path.read_bytes()))
    runs.write_whole(path, b"new")
    assert seen == [b"old"] and path.read_bytes() == b"new"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "x", tmp_path / "absent" / "x", Path("/proc/x")):
        with pytest.raises(Problem, match="cannot be written"):
            runs.write_whole(path, b"new")


def test_a_home_that_is_a_file_is_told_and_what_ships_still_opens(
    digits_run: runs.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = export.pack(digits_run)
    (tmp_path / "home").write_text("not a folder")
    monkeypatch.setenv("HOURGLASS_HOME", str(tmp_path / "home"))
    with pytest.raises(Problem, match="cannot be written"):
        trained()
    with pytest.raises(Problem, match="cannot be written"):
        runs.unpack(packed)
    assert runs.find()[1] == []
    assert runs.open_run(digits_run.folder).coder.decode(np.zeros((1, 2), np.float32)).shape == (1, 8, 8, 1)
    assert (tmp_path / "home").read_text() == "not a folder"


def test_thumbnails_fit_into_what_is_sent() -> None:
    assert runs.thumbnail_shape((28, 28, 1), 70_000) == (28, 28, 1)
    assert runs.thumbnail_shape((64, 48, 3), 20_000) == (32, 24, 3)
    assert runs.thumbnail_shape((7, 13, 2), 10**12) == (1, 1, 2)  # and ends


def test_codes_as_csv_are_the_codes(variational_run: runs.Run) -> None:
    lines = export.part(variational_run, "codes").decode().splitlines()
    assert lines[0] == "row,split,digit,error,z1,z2,z3,z4,z5,z6" and len(lines) == 1798
    first = lines[1].split(",")
    assert first[0] == "1" and first[1] in datasets.SPLITS and first[2] == str(variational_run.labels[0])
    np.testing.assert_allclose([float(x) for x in first[4:]], variational_run.codes[0], rtol=1e-5)
    assert export.codes_csv({"label": ["=1+1", "@x", "plain"]}).splitlines() == ["label", "'=1+1", "'@x", "plain"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"architecture": "modern"}, ("No dataset was chosen.", "Add --dataset, or choose one.")),
        ({"dataset": "digits"}, ("No architecture was chosen.", "Add --architecture, or choose one.")),
        (
            {},
            ("No dataset and no architecture was chosen.", "Add --dataset and --architecture, or choose one of each."),
        ),
    ],
)
def test_what_a_training_lacks_is_told_by_name(given: dict[str, str], told: tuple[str, str]) -> None:
    with pytest.raises(Problem) as met:
        runs.configure(given)
    assert str(met.value).startswith(told[0]) and str(met.value).endswith(told[1])


WRITTEN = {
    "an unknown choice": {"temperature": 0.5},
    "an unknown noise": {"noise": "snow"},
    "an unknown loss": {"loss": "perceptual"},
    "a later recipe": {"recipe": "hourglass-2"},
    "another type": {"epochs": "many"},
}


@pytest.mark.parametrize("change", WRITTEN.values(), ids=WRITTEN)
def test_what_a_later_version_wrote_down_is_not_guessed(
    digits_run: runs.Run, home: Path, change: dict[str, Any]
) -> None:
    """The same in the queue, in a run's folder and in a zip: left alone, and said why."""
    later = dataclasses.asdict(digits_run.configuration) | change
    with pytest.raises(Problem, match="version of Hourglass that wrote these choices") as caught:
        runs.read_configuration(later)
    name = next(iter(change))
    assert name in caught.value.came and "left as they are" in caught.value.do

    waiting = engine.submit(runs.configure({"dataset": "digits", "architecture": "deep"}), "me")
    with queue.opened(write=True) as connection:
        connection.execute("UPDATE runs SET configuration = ? WHERE id = ?", [json.dumps(later), waiting])
    assert engine.runs("me") == [] and engine.foreign_runs("me") == 1 and engine.status(waiting).phase == "unknown"
    assert engine.configuration(waiting) is None

    place = shutil.copytree(digits_run.folder, home / "runs" / digits_run.id)
    about = json.loads((place / "run.json").read_text())
    (place / "run.json").write_text(json.dumps(about | {"configuration": later}))
    written = (place / "run.json").read_bytes()
    (problem,) = runs.find()[1]
    assert name in problem.came and "left as it is" in problem.do
    with pytest.raises(Problem, match="left as it is"):
        engine.kept(digits_run.id)
    assert (place / "run.json").read_bytes() == written

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for file in ("run.json", *about["files"]):
            archive.write(place / file, f"run/{file}")
    with pytest.raises(Problem, match=name):
        runs.unpack(out.getvalue())


@pytest.mark.parametrize("missing", ["dataset", "architecture"])
def test_a_stored_configuration_names_its_dataset_and_architecture(digits_run: runs.Run, missing: str) -> None:
    values = dataclasses.asdict(digits_run.configuration)
    del values[missing]
    with pytest.raises(Problem, match=f"o {missing} is named"):
        runs.read_configuration(values)
    for strange in (None, [], "digits"):
        with pytest.raises(Problem, match="no table"):
            runs.read_configuration(strange)


def test_choices_that_came_later_take_their_defaults(digits_run: runs.Run) -> None:
    values = dataclasses.asdict(digits_run.configuration)
    earlier = {name: value for name, value in values.items() if name not in runs.YOUNG}
    assert runs.read_configuration(earlier) == digits_run.configuration == runs.read_configuration(values)


def test_a_stored_configuration_is_read_where_its_dataset_is_gone() -> None:
    chosen = runs.read_configuration({"dataset": "own-0123456789abcdef", "architecture": "of somebody else's"})
    with pytest.raises(Problem, match="unknown"):
        chosen.check()


def test_a_run_of_a_later_recipe_is_opened_and_keeps_its_id(digits_run: runs.Run, home: Path) -> None:
    """Its choices are understood; only the same choices trained here would be another run."""
    later = digits_run.configuration.id_of(runs.RECIPE + 1)
    place = shutil.copytree(digits_run.folder, home / "runs" / later)
    about = json.loads((place / "run.json").read_text())
    (place / "run.json").write_text(json.dumps(about | {"id": later, "recipe": runs.RECIPE + 1}))
    run = runs.open_run(runs.folder_of(later))
    assert run.id == later != digits_run.id and run.configuration == digits_run.configuration


def test_every_fact_of_a_card_was_checked_before(variational_run: runs.Run) -> None:
    """A field that is in the dataclasses and not among the checked ones would be whatever a zip says."""
    young = {"columns", "precision", "pca_validation"}  # absent in some runs, and looked at by themselves

    def compare(card: Any, wanted: Any) -> None:
        if isinstance(wanted, tuple | list):  # what may be null, or a list of such
            wanted = wanted[0]
        if isinstance(card, tuple) and card:
            card = card[0]
        if not dataclasses.is_dataclass(card) or isinstance(card, runs.Configuration):
            return
        names = {field.name for field in dataclasses.fields(card)} - young
        assert names == set(wanted)
        for name in names:
            compare(getattr(card, name), wanted[name])

    compare(variational_run.card, format.FACTS)


def test_what_a_card_need_not_say_is_none_where_it_is_absent_or_of_another_type(
    digits_run: runs.Run, copied: Copied
) -> None:
    folder = copied(digits_run)
    about = digits_run.stored_card()
    del about["training"]["precision"]
    about["training"]["pca_validation"] = "<b>"
    about["training"]["later"] = about["later"] = 1
    (folder / "run.json").write_text(json.dumps(about))
    run = runs.open_run(folder)
    assert run.card.training.precision is None and run.card.training.pca_validation is None
    assert run.stored_card()["later"] == 1
