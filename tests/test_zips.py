"""A run leaves as a zip and comes back; what somebody else made of such a zip does no harm."""

import dataclasses
import io
import json
import re
import shutil
import stat
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import trained
from safetensors.numpy import load_file, save, save_file
from test_pages import drawn
from test_runs import resealed
from test_uploads import images
from test_uploads import trained as learned

from models import Problem, architectures, datasets, engine, export, pages, runs, uploads
from models.columns import Column, scaling
from models.readers import ReadResult
from models.readers.limits import LIMITS, RUN, Limits
from models.runs import networks, unpacking

Copied = Callable[[runs.Run], Path]
Content = dict[str, bytes]


def taken(run: runs.Run) -> Content:
    """A packed run's files by their name in the zip."""
    with zipfile.ZipFile(io.BytesIO(export.pack(run))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(content: Content, **habits: Any) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **habits) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return out.getvalue()


def zip_of(folder: Path) -> bytes:
    """A zip of a folder as it is, under the id that its run.json has."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return zipped({f"run/{name}": data for name, data in files.items()})


def refused(content: bytes, home: Path, says: str) -> Problem:
    """The problem of opening a zip, after making sure that nothing of it stayed and nothing lies elsewhere."""
    before = sorted(home.parent.rglob("*"))
    with pytest.raises(Problem, match=says) as caught:
        runs.unpack(content)
    after = [path for path in sorted(home.parent.rglob("*")) if path not in before]
    assert [path for path in after if path not in (home, home / "runs")] == []
    problem = caught.value
    assert problem.do and ".opened-" not in str(problem)
    return problem


def opened_here(content: bytes, folder: Path, limits: Limits = RUN) -> runs.Run:
    """What the process that opens zips does, in this one."""
    folder.mkdir(parents=True)
    (folder / "the zip").write_bytes(content)
    return unpacking.opened(folder / "the zip", folder / "run", limits)


@pytest.mark.parametrize("which", ["digits_run", "variational_run", "noisy_run"])
def test_a_zip_brings_back_the_same_run(which: str, request: pytest.FixtureRequest, home: Path) -> None:
    run = request.getfixturevalue(which)
    packed = export.pack(run)
    assert packed == export.pack(run)
    back = runs.unpack(packed)
    assert back.folder == home / "runs" / back.id and back.configuration == run.configuration
    np.testing.assert_array_equal(back.codes, run.codes)
    np.testing.assert_array_equal(back.coder.decode(back.codes[:5]), run.coder.decode(run.codes[:5]))
    assert runs.unpack(packed).digest == back.digest  # a second time changes nothing
    assert [path.name for path in (home / "runs").iterdir()] == [back.id]
    assert engine.status(back.id).phase == "done"
    if run.folder.parent != home / "runs":
        shutil.copytree(run.folder, home / "runs" / run.id)  # where it was trained, it is itself
    assert runs.unpack(packed).digest == run.digest


def test_a_float16_run_comes_back_too(home: Path) -> None:
    run = trained(half=True, seed=5)
    packed = export.pack(run)
    shutil.rmtree(run.folder)
    back = runs.unpack(packed)
    for name in ("weights.safetensors", "codes.f32", "decoder.onnx"):
        assert back.card.files[name] == run.card.files[name]


def test_an_opened_run_never_stands_in_for_a_training(digits_run: runs.Run, home: Path) -> None:
    """Nobody knows what made the numbers of a zip: whoever asks for the same choices is to get a training."""
    packed = export.pack(digits_run)
    shutil.rmtree(home, ignore_errors=True)
    back = runs.unpack(packed)
    assert back.id != digits_run.id and back.configuration == digits_run.configuration
    assert not engine.kept(digits_run.id)
    assert engine.submit(digits_run.configuration, "another") == digits_run.id
    assert engine.status(digits_run.id).phase == "queued"
    assert runs.unpack(packed).id == runs.unpack(export.pack(back)).id == back.id  # the same zip is the same run


def test_a_zip_of_a_deleted_dataset_is_the_run_that_is_here_or_says_where_it_opens(home: Path) -> None:
    kept = uploads.save(images(), "me", "Noise")
    run = learned(kept.name)
    packed = export.pack(run)
    datasets.delete(kept.name, "me")
    assert runs.unpack(packed).folder == run.folder
    shutil.rmtree(run.folder)
    refused(packed, home, "where that dataset is kept")


def test_a_zip_of_other_numbers_is_not_taken_for_the_run_that_is_here(home: Path) -> None:
    kept = uploads.save(images(), "me", "Noise")
    run, other = learned(kept.name), learned(kept.name, seed=1)
    packed = export.pack(other)
    shutil.rmtree(other.folder)
    opened = runs.unpack(packed)  # its id is another than that of its choices
    datasets.delete(kept.name, "me")
    assert runs.unpack(packed).id == opened.id != run.id
    assert runs.unpack(export.pack(opened)).id == opened.id


def test_what_unzip_makes_of_it_can_be_read(digits_run: runs.Run, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(export.pack(digits_run))) as archive:
        assert {stat.S_IMODE(entry.external_attr >> 16) for entry in archive.infolist()} == {0o644}
        archive.extractall(tmp_path)
    assert runs.open_run(tmp_path / digits_run.id).digest == digits_run.digest


def test_a_zip_mends_a_damaged_run_and_keeps_what_was_there(digits_run: runs.Run, home: Path) -> None:
    packed = export.pack(digits_run)
    first = runs.unpack(packed)
    damaged = first.folder / "codes.f32"
    damaged.write_bytes(b"mine")
    assert runs.unpack(packed).digest == first.digest
    aside = [path for path in (home / "runs").iterdir() if path.name.startswith(".damaged-")]
    assert len(aside) == 1 and (aside[0] / "codes.f32").read_bytes() == b"mine"
    assert len(runs.find()[0]) == 1 + sum(run.pretrained for run in runs.find()[0]) and runs.find()[1] == []


# Zips that are none


@pytest.mark.parametrize(
    "content", [b"", b"nothing", b"PK\x05\x06" + b"\0" * 18, b"PK\x03\x04" + b"\0" * 40, b"\x80\x04."]
)
def test_what_is_no_zip_is_told(home: Path, content: bytes) -> None:
    refused(content, home, "cannot be opened as a run")


def test_a_zip_of_something_else_is_told(digits_run: runs.Run, home: Path) -> None:
    refused(zipped({"a/b.txt": b"x"}), home, "holds no run.json")
    other = {name.replace(digits_run.id, "other"): data for name, data in taken(digits_run).items()}
    refused(zipped(taken(digits_run) | other), home, "does not hold one run")


def test_half_a_zip_is_told(digits_run: runs.Run, home: Path) -> None:
    packed = export.pack(digits_run)
    for share in (0.1, 0.5, 0.99):
        refused(packed[: int(share * len(packed))], home, "cannot be opened as a run")
    refused(packed[len(packed) // 2 :], home, "cannot be opened|broken|damaged|beginning")


def test_a_byte_flipped_anywhere_never_makes_another_run(digits_run: runs.Run, home: Path, tmp_path: Path) -> None:
    packed = export.pack(digits_run)
    whole = runs.unpack(packed)
    for place in range(10, len(packed), len(packed) // 150):
        flipped = bytearray(packed)
        flipped[place] ^= 0x55
        try:
            run = opened_here(bytes(flipped), tmp_path / str(place))
        except Problem:
            continue
        assert run.digest == whole.digest  # a date or a comment


# Zips that mean harm


@pytest.mark.parametrize("name", ["../evil.json", "../../evil.f32", "/tmp/evil.f32", "a/../../evil.f32", "evil.py"])
def test_nothing_is_written_outside_or_beside(digits_run: runs.Run, home: Path, name: str) -> None:
    content = {**taken(digits_run), f"{digits_run.id}/{name}": b"evil"}
    run, plain = runs.unpack(zipped(content)), runs.unpack(export.pack(digits_run))
    assert run.digest == plain.digest
    assert not [path for path in home.parent.rglob("*") if "evil" in path.name]
    assert not Path("/tmp/evil.f32").exists()
    assert sorted([*run.card.files, *runs.DERIVED]) == sorted(
        str(path.relative_to(run.folder))
        for path in run.folder.rglob("*")
        if path.is_file() and path.name != "run.json"
    )


def test_names_that_leave_the_one_folder_are_told(digits_run: runs.Run, home: Path) -> None:
    for name in ("../evil.json", "/etc/evil.json", "evil.json"):
        refused(zipped({**taken(digits_run), name: b"evil"}), home, "does not hold one run")


def test_a_link_is_no_way_out(digits_run: runs.Run, home: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    content = taken(digits_run)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in content.items():
            entry = zipfile.ZipInfo(name)
            if name.endswith("weights.safetensors"):
                entry.external_attr, data = (stat.S_IFLNK | 0o777) << 16, str(tmp_path / "secret").encode()  # noqa: PLW2901
            archive.writestr(entry, data)
    refused(out.getvalue(), home, "weights.safetensors: a link is not followed")


def bomb(run: runs.Run, size: int) -> bytes:
    """A run whose codes are so many zeros."""
    return zipped({**taken(run), f"{run.id}/codes.f32": bytes(size)}, compression=zipfile.ZIP_DEFLATED)


def test_a_bomb_is_refused_before_it_is_unpacked(
    digits_run: runs.Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(bomb(digits_run, 2**26), home, "The zip has .* bytes and would unpack to")
    monkeypatch.setattr("shutil.copyfileobj", lambda *_: pytest.fail("something was unpacked"))
    with pytest.raises(Problem, match="The zip has .* bytes and would unpack to"):
        opened_here(bomb(digits_run, 2**26), tmp_path / "here")
    with pytest.raises(Problem, match="The zip holds .* bytes"):
        runs.unpack(bomb(digits_run, 2**21), dataclasses.replace(RUN, unpacked=2**20))
    with pytest.raises(Problem, match="The zip has .* bytes"):
        runs.unpack(export.pack(digits_run), dataclasses.replace(RUN, upload=1000))


@pytest.mark.parametrize(
    ("name", "limit"), [("run.json", "about"), ("history.jsonl", "history"), ("columns.json", "table")]
)
def test_what_is_read_into_memory_is_small(digits_run: runs.Run, home: Path, name: str, limit: str) -> None:
    """A history of 16 million empty epochs would be gigabytes of Python objects."""
    size = getattr(RUN, limit) + 1
    content = {**taken(digits_run), f"{digits_run.id}/{name}": np.random.default_rng(0).bytes(size)}
    refused(zipped(content), home, f"{name} in the zip has {size:,} bytes")


def test_a_table_of_contents_that_never_ends_is_not_read(
    digits_run: runs.Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = zipped({f"{digits_run.id}/{i}": b"" for i in range(RUN.entries + 1)})
    refused(many, home, "here are .* files|table of contents")
    monkeypatch.setattr(zipfile.ZipFile, "infolist", lambda _self: pytest.fail("it was read"))
    with pytest.raises(Problem, match="here are .* files|table of contents"):
        opened_here(many, tmp_path / "here")


def test_encrypted_overlapping_and_doubled_members_are_told(digits_run: runs.Run, home: Path) -> None:
    packed = export.pack(digits_run)
    encrypted, at = bytearray(packed), -1
    while (at := packed.find(b"PK\x01\x02", at + 1)) >= 0:
        encrypted[at + 8] |= 1
    refused(bytes(encrypted), home, "encrypted")
    overlapping, first = bytearray(packed), packed.find(b"PK\x01\x02")
    second = packed.find(b"PK\x01\x02", first + 1)
    overlapping[second + 42 : second + 46] = packed[first + 42 : first + 46]
    refused(bytes(overlapping), home, "overlap")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in taken(digits_run).items():
            archive.writestr(name, data)
        archive.writestr(f"{digits_run.id}/run.json", b"{}")
    refused(out.getvalue(), home, "run.json: a file of that name came before it")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_rare_ways_of_packing_are_told(digits_run: runs.Run, home: Path, method: int) -> None:
    refused(zipped(taken(digits_run), compression=method), home, "compressed by method")


def test_a_zip_in_a_zip_stays_closed(digits_run: runs.Run, home: Path) -> None:
    refused(zipped({f"{digits_run.id}/inner.zip": export.pack(digits_run)}), home, "holds no run.json")


def test_sizes_that_zip64_makes_up_are_told(digits_run: runs.Run, home: Path) -> None:
    """A member that claims four exabytes in its 64-bit field."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in taken(digits_run).items():
            archive.writestr(name, data)
        entry = archive.getinfo(f"{digits_run.id}/codes.f32")
        entry.file_size = 2**62
    refused(out.getvalue(), home, "bytes and would unpack to|holds .* bytes")


def test_a_bomb_that_claims_to_be_small_is_cut_off(digits_run: runs.Run, home: Path) -> None:
    name = f"{digits_run.id}/codes.f32".encode()
    size = len(taken(digits_run)[name.decode()])
    packed = bytearray(zipped({**taken(digits_run), name.decode(): bytes(2**24)}, compression=zipfile.ZIP_DEFLATED))
    for signature, skip in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        for match in re.finditer(re.escape(signature), bytes(packed)):
            head = match.start() + (30 if skip == 22 else 46)
            if packed[head : head + len(name)] == name:
                packed[match.start() + skip : match.start() + skip + 4] = size.to_bytes(4, "little")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.getinfo(name.decode()).file_size == size
    refused(bytes(packed), home, "broken")


def test_an_altered_graph_is_written_again_from_the_weights(digits_run: runs.Run, copied: Copied, home: Path) -> None:
    folder = copied(digits_run)
    (folder / "decoder.onnx").write_bytes(b"any program whatever")
    run = runs.unpack(zip_of(resealed(folder, digits_run.stored_card())))
    assert (run.folder / "decoder.onnx").read_bytes() == (digits_run.folder / "decoder.onnx").read_bytes()
    assert run.digest == runs.unpack(export.pack(digits_run)).digest


def altered_weights(change: Callable[[dict[str, np.ndarray]], Any]) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        weights = load_file(folder / "weights.safetensors")
        change(weights)
        save_file(weights, folder / "weights.safetensors")

    return do


def altered_header(old: bytes, new: bytes) -> Callable[[Path], None]:
    """Weights whose table says something else; both texts are equally long, so the sizes stay right."""

    def do(folder: Path) -> None:
        content = (folder / "weights.safetensors").read_bytes()
        assert len(old) == len(new) and content.count(old) >= 1
        (folder / "weights.safetensors").write_bytes(content.replace(old, new, 1))

    return do


def padded(name: str) -> Callable[[Path], Any]:
    """A file that is a gigabyte of nothing behind its true content; sparse, so that the test needs no disk."""

    def do(folder: Path) -> None:
        with (folder / name).open("r+b") as stream:
            stream.truncate(2**25)

    return do


FOREIGN: dict[str, Callable[[Path], Any]] = {
    "another shape": altered_weights(lambda w: w.update({"encoder.1.weight": np.zeros((3, 64), np.float32)})),
    "a weight too many": altered_weights(lambda w: w.update({"encoder.9.weight": np.zeros(3, np.float32)})),
    "a weight too few": altered_weights(lambda w: w.pop("encoder.1.bias")),
    "no number": altered_weights(lambda w: w["encoder.1.bias"].__setitem__(0, np.nan)),
    "whole numbers": altered_weights(lambda w: w.update({"encoder.1.bias": np.zeros(2, np.int32)})),
    "a pickle": lambda folder: (folder / "weights.safetensors").write_bytes(b"\x80\x04\x95" + bytes(40)),
    "nothing": lambda folder: (folder / "weights.safetensors").write_bytes(b""),
    "a table that is too long": lambda folder: (folder / "weights.safetensors").write_bytes(b"\xff" * 8 + b"{}"),
    "places outside the file": altered_header(b'"data_offsets":[0,', b'"data_offsets":[9,'),
    "another type": altered_header(b'"F32"', b'"I32"'),
    "a table that is no JSON": altered_header(b'{"', b'[["'[:2]),
    "a float16 table over float32 data": altered_header(b'"F32"', b'"F16"'),
    "less data than the table says": lambda folder: (folder / "weights.safetensors").write_bytes(
        (folder / "weights.safetensors").read_bytes()[:-4]
    ),
    "far more than its weights": padded("weights.safetensors"),
    "a table as deep as it is long": lambda folder: (folder / "weights.safetensors").write_bytes(
        (40_000).to_bytes(8, "little") + b"[" * 40_000
    ),
    "an empty safetensors file": lambda folder: (folder / "weights.safetensors").write_bytes(save({})),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_weights_that_are_not_the_architectures_are_refused(
    digits_run: runs.Run, copied: Copied, home: Path, what: str
) -> None:
    folder = copied(digits_run)
    FOREIGN[what](folder)
    refused(zip_of(resealed(folder, digits_run.stored_card())), home, "weights")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda about: about["configuration"].update(code_size=3), "disagree"),
        (lambda about: about["configuration"].update(seed=1), "disagree"),
        (lambda about: about["configuration"].update(architecture="deep"), "disagree"),
        (lambda about: about["configuration"].update(architecture="perceptron"), "unknown"),
        (lambda about: about["configuration"].update(dataset="digitz"), "unknown"),
        (lambda about: about["configuration"].update(epochs=[]), "not of its type"),
        (lambda about: about["configuration"].update(epochs=10**400), "not of its type"),
        (lambda about: about["configuration"].pop("epochs"), "disagree"),
        (lambda about: about.update(id="f" * 16), "disagree"),
        (lambda about: about["dataset"].update(title="<script>alert(1)</script>"), "disagree"),
        (lambda about: about["dataset"].update(classes=[*"abcdefghij"]), "disagree"),
        (lambda about: about["architecture"].update(variational=True), "disagree"),
        (lambda about: about["thumbnails"].update(shape=[3, 3, 1]), "thumbnails"),
        (lambda about: about.update(format=2), "format 2"),
        (lambda about: about["codes"].update(count=10**30), "too large"),
        (lambda about: about["codes"].update(nearest_p99=10**400), "too large"),
        (lambda about: about["metrics"][0].update(value=-(10**400)), "too large"),
        (lambda about: about["replay"].update(count=10**6), "more codes than there are"),
        (lambda about: about["dataset"].update(count=5), "more codes than the dataset"),
        (lambda about: about["metrics"][0].update(unit="![x](http://x)"), "did not write"),
        (lambda about: about["training"].update(machine="<img src=x>"), "did not write"),
        (lambda about: about["training"].update(extra="[x](y)"), "did not write"),
    ],
)
def test_a_run_json_that_says_something_else_is_refused(
    digits_run: runs.Run, copied: Copied, home: Path, change: Callable[[dict[str, Any]], Any], says: str
) -> None:
    folder = copied(digits_run)
    about = json.loads((folder / "run.json").read_text())
    change(about)
    refused(zip_of(resealed(folder, about)), home, says)


def changed_text(run: runs.Run, change: Callable[[str], str]) -> bytes:
    """The run's zip with another text for run.json."""
    content = taken(run)
    name = f"{run.id}/run.json"
    return zipped({**content, name: change(content[name].decode()).encode()})


@pytest.mark.parametrize("depth", [300, 900, 100_000])
@pytest.mark.parametrize("where", ['"format": 1,', '"configuration": {', '"training": {'])
def test_depth_in_run_json_is_told_or_dropped(digits_run: runs.Run, home: Path, depth: int, where: str) -> None:
    packed = changed_text(
        digits_run, lambda text: text.replace(where, f'{where} "deep": {"[" * depth}{"]" * depth},', 1)
    )
    try:
        run = runs.unpack(packed)
    except Problem as problem:
        assert problem.do
    else:
        assert "deep" not in run.stored_card()
        json.dumps(run.stored_card())


def test_numbers_of_many_digits_are_told(digits_run: runs.Run, home: Path) -> None:
    refused(
        changed_text(digits_run, lambda text: text.replace('"size": 2', f'"size": {"9" * 5000}', 1)), home, "run.json"
    )
    refused(changed_text(digits_run, lambda text: text.replace('"size": 2', '"size": 2e999', 1)), home, "finite")


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"[]",
        b"[" * 5000 + b"]" * 5000,
        b'{"epoch": 1, "loss": 3, "validation": 1, "learning_rate": 1, "samples_per_second": 1, "seconds": 1}',
        b'{"epoch": 1, "loss": {"<a href=x>": 1}, "validation": 1, "learning_rate": 1, "samples_per_second": 1, "seconds": 1}',
        b'{"epoch": 1, "loss": {"kl": "x"}, "validation": 1, "learning_rate": 1, "samples_per_second": 1, "seconds": 1}',
    ],
)
def test_a_history_that_no_page_could_draw_is_refused(
    digits_run: runs.Run, copied: Copied, home: Path, line: bytes
) -> None:
    folder = copied(digits_run)
    (folder / "history.jsonl").write_bytes(line + b"\n")
    refused(zip_of(resealed(folder, digits_run.stored_card())), home, "damaged")


def test_a_baseline_that_is_larger_than_it_can_be_is_not_read(digits_run: runs.Run, copied: Copied, home: Path) -> None:
    folder = copied(digits_run)
    padded("baseline.safetensors")(folder)
    refused(zip_of(resealed(folder, digits_run.stored_card())), home, "baseline.safetensors is larger than it can be")


def test_words_of_somebody_else_do_not_come_in(digits_run: runs.Run, copied: Copied, home: Path) -> None:
    """The title of the architecture, unknown fields and the card: what pages would show as text, or the browser is sent."""
    folder = copied(digits_run)
    (folder / "card.md").write_text("![x](http://x)")
    about = json.loads((folder / "run.json").read_text())
    about["architecture"]["title"] = "![x](http://x)"
    about["versions"] = {"torch": ["<b>"]}
    about["more"] = "x" * 1000
    run = runs.unpack(zip_of(resealed(folder, about)))
    assert run.card.architecture == digits_run.card.architecture and "http" not in run.title
    assert run.stored_card()["versions"] == {} and "more" not in run.stored_card()
    assert not (run.folder / "card.md").exists()


def test_what_a_zip_says_is_not_formatted_where_it_is_refused(digits_run: runs.Run, home: Path) -> None:
    app = drawn("explore")
    packed = changed_text(
        digits_run, lambda text: text.replace('"dataset": "digits"', '"dataset": "![x](http://x)"', 1)
    )
    app.file_uploader[0].set_value(("run.zip", packed, "application/zip")).run()
    assert not app.exception
    (error,) = app.error
    assert "\\!\\[x\\]\\(http" in error.value and "![x]" not in error.value


def test_no_zip_is_opened_beyond_what_one_may_keep(
    digits_run: runs.Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOURGLASS_BYTES", "1000")
    app = drawn("explore")
    app.file_uploader[0].set_value(("run.zip", export.pack(digits_run), "application/zip")).run()
    (error,) = app.error
    assert "1,000 are allowed" in error.value.replace("\\", "")
    assert not (home / "runs").exists()


def test_a_run_that_ships_can_leave_and_come_back(home: Path) -> None:
    shipped = runs.open_run(runs.folder_of("digits-variational"))
    back = runs.unpack(export.pack(shipped))
    np.testing.assert_array_equal(back.codes, shipped.codes)
    np.testing.assert_allclose(back.coder.decode(back.codes[:5]), shipped.coder.decode(back.codes[:5]), atol=1e-6)


def test_a_full_disk_while_opening_is_told(
    digits_run: runs.Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = export.pack(digits_run)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        refused(packed, home, "No space left on device")
    for name in ("os.fsync", "shutil.copyfileobj"):
        with monkeypatch.context() as patch:
            patch.setattr(name, full)
            with pytest.raises(Problem, match="No space left on device") as caught:
                opened_here(packed, tmp_path / name)
            assert str(home / "runs") in caught.value.came and str(tmp_path / name) not in str(caught.value)


# What a zip claims


def test_nothing_of_a_zip_is_read_in_the_process_that_asks(
    digits_run: runs.Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = export.pack(digits_run)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was opened here"))
    assert runs.unpack(packed).configuration == digits_run.configuration
    for limits, says in (({"memory": 1}, "MiB of memory"), ({"seconds": -60.0}, "took more than")):
        with pytest.raises(Problem, match=says) as caught:
            runs.unpack(packed, dataclasses.replace(RUN, **limits))
        assert "zip downloaded from Hourglass" in caught.value.do


CLAIMS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "codes of many dimensions": lambda about: (
        about["codes"].update(size=30_000_000) or about["projections"].update(pca=None)
    ),
    "codes of more dimensions than there is memory": lambda about: (
        about["codes"].update(size=2**53) or about["projections"].update(pca=None)
    ),
    "more codes than rows can be": lambda about: (
        about["codes"].update(count=2**40) or about["dataset"].update(count=2**40)
    ),
    "a large code size that was chosen": lambda about: about["configuration"].update(code_size=2**40),
    "samples of many features": lambda about: about["dataset"].update(kind="table", shape=[30_000_000]),
    "signals of many channels": lambda about: about["dataset"].update(kind="signal", shape=[1, 30_000_000]),
    "large samples": lambda about: about["dataset"].update(shape=[2**26, 2**26, 2**26]),
    "samples of many axes": lambda about: about["dataset"].update(shape=[1] * 100_000),
    "samples without a value": lambda about: about["dataset"].update(shape=[8, 0, 1]),
    "many metrics": lambda about: about["metrics"].extend(about["metrics"][:1] * 3000),
    "many frames": lambda about: about["replay"].update(epochs=[1] * 3000, count=0),
    "a replay of many samples": lambda about: about["replay"].update(count=1500),
    "many classes": lambda about: about["dataset"].update(classes=["x"] * 5000),
    "a plane whose axes explain nothing": lambda about: about["projections"]["pca"].update(explained=[]),
    "a column as wide as the memory": lambda about: (
        about["dataset"].update(
            kind="table",
            shape=[64],
            columns=[
                {"name": "x", "kind": "number", "start": 0, "width": 2**50, "mean": 0, "deviation": 1, "values": []}
            ],
        )
        or about.update(thumbnails=None)
    ),
}


@pytest.mark.parametrize("what", CLAIMS)
def test_what_run_json_claims_is_held_against_a_limit_before_anything_is_made_of_it(
    variational_run: runs.Run, copied: Copied, home: Path, what: str
) -> None:
    folder = copied(variational_run)
    runs.open_run(folder)
    about = json.loads((folder / "run.json").read_text())
    CLAIMS[what](about)
    resealed(folder, about)
    tracemalloc.start()
    try:
        with pytest.raises(Problem) as caught:
            run = runs.open_run(folder)
            scaling(run.columns)  # what a page makes of them
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()
    assert "is damaged" in caught.value.came and len(caught.value.came) < 400
    refused(zip_of(folder), home, "The run in the zip is damaged")


@pytest.mark.parametrize("name", runs.MEASURED)
def test_a_zip_that_lacks_what_pages_show_is_refused(
    digits_run: runs.Run, copied: Copied, home: Path, name: str
) -> None:
    folder = copied(digits_run)
    about = json.loads((folder / "run.json").read_text())
    for metric in about["metrics"]:
        if metric["name"] == name:
            metric["split"] = "validation"
    refused(zip_of(resealed(folder, about)), home, f"what was measured: {name} on the test split")


def test_a_date_that_no_calendar_has_is_refused(digits_run: runs.Run, copied: Copied, home: Path) -> None:
    folder = copied(digits_run)
    about = json.loads((folder / "run.json").read_text())
    about["training"]["finished"] = "yesterday"
    refused(zip_of(resealed(folder, about)), home, "did not write")


def test_many_versions_are_not_kept(digits_run: runs.Run, copied: Copied, home: Path) -> None:
    folder = copied(digits_run)
    about = json.loads((folder / "run.json").read_text())
    about["versions"] = {f"package{i}": "1" for i in range(1000)}
    assert runs.unpack(zip_of(resealed(folder, about))).stored_card()["versions"] == {}


# Columns have a file of their own


def wide(columns: int = 7000) -> ReadResult:
    """A table whose columns take more of a run.json than it may have."""
    samples = np.random.default_rng(0).normal(size=(40, columns)).astype(np.float32)
    named = tuple(Column(f"{'wide ' * 15}{i}", "number", i, 1) for i in range(columns))
    return ReadResult("table", samples, np.full(40, -1, np.int32), (), ("",) * 40, None, named)


def as_before(folder: Path) -> Path:
    """A run of a table as the first ones were: its columns in run.json."""
    about = json.loads((folder / "run.json").read_text())
    about["dataset"]["columns"] = json.loads((folder / "columns.json").read_text())
    (folder / "columns.json").unlink()
    (folder / "run.json").write_text(json.dumps({**about, "files": {}}, indent=1))
    return resealed(folder, about)


def test_the_columns_of_a_wide_table_are_not_read_for_a_list_of_runs(home: Path, copied: Copied) -> None:
    kept = uploads.save(wide(1000), "me", "Wide")
    run = learned(kept.name, code_size=2)
    assert (run.folder / "run.json").stat().st_size < 32_000 and "columns" not in run.stored_card()["dataset"]
    assert run.columns == kept.columns and len(run.columns) == 1000
    assert run.deleted_dataset.columns == kept.columns
    back = runs.unpack(export.pack(run))
    assert back.digest == run.digest


def test_a_run_that_has_its_columns_in_run_json_still_opens(home: Path, copied: Copied) -> None:
    kept = uploads.save(wide(), "me", "Wide")
    run = learned(kept.name, code_size=2)
    old = as_before(copied(run))
    assert (old / "run.json").stat().st_size > LIMITS.about
    assert runs.open_run(old).columns == run.columns
    packed = zip_of(old)
    shutil.rmtree(run.folder)
    back = runs.unpack(packed)
    assert back.columns == run.columns and (back.folder / "run.json").stat().st_size < 32_000


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda columns: columns[1].update(width=2**40), "columns: width is too large"),
        (lambda columns: columns[1].update(width=2), "another width than its values"),
        (lambda columns: columns[1].update(start=5), "one after the other"),
        (lambda columns: columns.pop(), "another sample's shape"),
        (lambda columns: columns.extend(columns[:1] * 40_000), "columns lists 40,"),
        (lambda columns: columns[0].update(mean="x"), "mean is no float"),
        (lambda columns: columns[0].update(name="another"), "disagree"),
    ],
)
def test_columns_that_are_not_those_of_the_samples_are_refused(
    home: Path, copied: Copied, change: Callable[[list[Any]], Any], says: str
) -> None:
    run = learned(uploads.save(wide(12), "me", "Narrow").name, code_size=2)
    folder = copied(run)
    columns = json.loads((folder / "columns.json").read_text())
    change(columns)
    (folder / "columns.json").write_text(json.dumps(columns))
    refused(zip_of(resealed(folder, run.stored_card())), home, says)


@pytest.mark.parametrize(("name", "code_size"), [("gru", 2), ("lstm", 2), ("convolutional", 16)])
def test_a_run_from_before_its_architecture_changed_still_leaves_and_comes_back(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, code_size: int
) -> None:
    today = architectures.get(name)
    with monkeypatch.context() as then:
        then.setitem(architectures.available(), name, dataclasses.replace(today, layers=today.earlier[4]))
        then.setattr(runs.configuration, "RECIPE", 4)
        then.setattr(runs, "RECIPE", 4)
        old = trained(architecture=name, code_size=code_size, epochs=1)
    now, before = (today.blueprint("image", (8, 8, 1), code_size, recipe).weights for recipe in (None, 4))
    assert now != before and old.card.recipe == 4
    assert networks.blueprint(old) is not None
    assert pages.page(old, bits=8).lost < 1
    packed, decoded = export.part(old, "run"), old.coder.decode(old.codes[:5])
    shutil.rmtree(old.folder)
    again = runs.unpack(packed)
    np.testing.assert_allclose(again.coder.decode(again.codes[:5]), decoded, atol=1e-6)
