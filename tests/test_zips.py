"""A run leaves as a zip and comes back; what somebody else made of such a zip does no harm."""

import io
import json
import re
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import trained
from safetensors.numpy import load_file, save, save_file
from test_runs import resealed

from models import Problem, engine, runs

Copied = Callable[[runs.Run], Path]
Content = dict[str, bytes]


def taken(run: runs.Run) -> Content:
    """A packed run's files by their name in the zip."""
    with zipfile.ZipFile(io.BytesIO(runs.pack(run))) as archive:
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
    assert problem.expected and problem.do and ".opened-" not in str(problem)
    return problem


@pytest.mark.parametrize("which", ["digits_run", "variational_run", "noisy_run"])
def test_a_zip_brings_back_the_same_run(which: str, request: pytest.FixtureRequest, home: Path) -> None:
    run = request.getfixturevalue(which)
    packed = runs.pack(run)
    assert packed == runs.pack(run)
    back = runs.unpack(packed)
    assert back.folder == home / "runs" / run.id and back.digest == run.digest
    np.testing.assert_array_equal(back.codes, run.codes)
    np.testing.assert_array_equal(back.coder.decode(back.codes[:5]), run.coder.decode(run.codes[:5]))
    assert runs.unpack(packed).digest == run.digest  # a second time changes nothing
    assert [path.name for path in (home / "runs").iterdir()] == [run.id]
    assert engine.status(run.id).phase == "done"


def test_a_float16_run_comes_back_too(home: Path) -> None:
    run = trained(half=True, seed=5)
    packed = runs.pack(run)
    shutil.rmtree(run.folder)
    assert runs.unpack(packed).digest == run.digest


def test_what_unzip_makes_of_it_can_be_read(digits_run: runs.Run, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(runs.pack(digits_run))) as archive:
        assert {stat.S_IMODE(entry.external_attr >> 16) for entry in archive.infolist()} == {0o644}
        archive.extractall(tmp_path)
    assert runs.open_run(tmp_path / digits_run.id).digest == digits_run.digest


def test_a_zip_mends_a_damaged_run_and_keeps_what_was_there(digits_run: runs.Run, home: Path) -> None:
    packed = runs.pack(digits_run)
    damaged = runs.unpack(packed).folder / "codes.f32"
    damaged.write_bytes(b"mine")
    assert runs.unpack(packed).digest == digits_run.digest
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
    packed = runs.pack(digits_run)
    for share in (0.1, 0.5, 0.99):
        refused(packed[: int(share * len(packed))], home, "cannot be opened as a run")
    refused(packed[len(packed) // 2 :], home, "cannot be opened|broken|damaged")


def test_a_byte_flipped_anywhere_never_makes_another_run(digits_run: runs.Run, home: Path) -> None:
    packed = runs.pack(digits_run)
    for place in range(10, len(packed), len(packed) // 150):
        flipped = bytearray(packed)
        flipped[place] ^= 0x55
        try:
            run = runs.unpack(bytes(flipped))
        except Problem:
            continue
        assert run.digest == digits_run.digest  # a date or a comment


# Zips that mean harm


@pytest.mark.parametrize("name", ["../evil.json", "../../evil.f32", "/tmp/evil.f32", "a/../../evil.f32", "evil.py"])
def test_nothing_is_written_outside_or_beside(digits_run: runs.Run, home: Path, name: str) -> None:
    content = {**taken(digits_run), f"{digits_run.id}/{name}": b"evil"}
    run = runs.unpack(zipped(content))
    assert run.digest == digits_run.digest
    assert not [path for path in home.parent.rglob("*") if "evil" in path.name]
    assert not Path("/tmp/evil.f32").exists()
    assert sorted(run.about["files"]) == sorted(
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
    refused(out.getvalue(), home, "weights.safetensors has")


def test_a_bomb_is_refused_before_it_is_unpacked(digits_run: runs.Run, home: Path) -> None:
    name = f"{digits_run.id}/codes.f32"
    many = {**taken(digits_run), name: bytes(runs.MOST_UNPACKED // 64)}
    packed = zipped(many, compression=zipfile.ZIP_DEFLATED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "MOST_UNPACKED", 2**20)
        refused(packed, home, "The zip holds .* bytes")


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
    run = runs.unpack(zip_of(resealed(folder, digits_run.about)))
    assert (run.folder / "decoder.onnx").read_bytes() == (digits_run.folder / "decoder.onnx").read_bytes()
    assert run.digest == digits_run.digest


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
    "an empty safetensors file": lambda folder: (folder / "weights.safetensors").write_bytes(save({})),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_weights_that_are_not_the_architectures_are_refused(
    digits_run: runs.Run, copied: Copied, home: Path, what: str
) -> None:
    folder = copied(digits_run)
    FOREIGN[what](folder)
    refused(zip_of(resealed(folder, digits_run.about)), home, "weights")


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
    ],
)
def test_a_run_json_that_says_something_else_is_refused(
    digits_run: runs.Run, copied: Copied, home: Path, change: Callable[[dict[str, Any]], Any], says: str
) -> None:
    folder = copied(digits_run)
    about = json.loads((folder / "run.json").read_text())
    change(about)
    refused(zip_of(resealed(folder, about)), home, says)


def test_a_full_disk_while_opening_is_told(digits_run: runs.Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = runs.pack(digits_run)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for module, name in ((Path, "write_bytes"), ("os", "fsync")):
        with monkeypatch.context() as patch:
            patch.setattr(f"os.{name}", full) if module == "os" else patch.setattr(module, name, full)
            refused(packed, home, "No space left on device")
