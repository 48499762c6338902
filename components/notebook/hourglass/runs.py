"""A run, read: its codes as a table, its two networks as functions, its measured numbers. Nothing here needs torch."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import tempfile
import zipfile
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hourglass import repository
from hourglass.scaling import Scaling

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
LARGEST_CARD = 64 << 20  # bytes of a run.json that is read
BATCH = 512
SPLITS = ("train", "validation", "test")
MADE = ("thumbnails.u8.gz", "samples.f32.gz", "colours.json", "names.json")  # from the dataset, where that is at hand


def open(run: str | os.PathLike[str] | Run) -> Run:
    """A run by its folder, by the zip that the app gives, or by its name.

    A name is that of a shipped run, where the repository is at hand, or the id of one that the app trained on this machine.
    FileNotFoundError where there is no such run, ValueError where it is damaged or of another format.
    """
    if isinstance(run, Run):
        return run
    path = Path(run).expanduser()
    if path.is_dir():
        return Run(path)
    if path.is_file():
        return _unzipped(path)
    found = [place / str(run) for place in _shelves() if (place / str(run) / "run.json").is_file()]
    if not found or path.name != str(run):
        raise FileNotFoundError(f"{run} is no folder of a run, no zip of one and no name of one. {_known()}")
    return Run(found[0])


def _shelves() -> list[Path]:
    """The folders in which runs lie under their names."""
    import platformdirs

    home = Path(os.environ.get("HOURGLASS_HOME") or platformdirs.user_data_path("hourglass"))
    top = repository.folder()
    return [home / "runs", *([top / "pretrained"] if top else [])]


def _known() -> str:
    names = sorted(one.parent.name for shelf in _shelves() for one in shelf.glob("*/run.json"))
    if names:
        return f"Names that are known here: {', '.join(names[:40])}."
    return "No names are known here: shipped runs have theirs where the notebook is started inside the repository of Hourglass."


def _unzipped(path: Path) -> Run:
    """The run in a zip: the files that its run.json names, and no others, in a folder that goes with the object."""
    kept = tempfile.TemporaryDirectory(prefix="hourglass-")
    try:
        with zipfile.ZipFile(path) as archive:
            cards = [name for name in archive.namelist() if PurePosixPath(name).name == "run.json"]
            if len(cards) != 1:
                raise ValueError(f"{path.name} holds {len(cards)} files run.json; the zip of a run holds one")
            content = _member(archive, cards[0], LARGEST_CARD)
            (Path(kept.name) / "run.json").write_bytes(content)
            start = str(PurePosixPath(cards[0]).parent)
            for name, file in _card(content)["files"].items():
                to = Path(kept.name) / _inside(name)
                to.parent.mkdir(parents=True, exist_ok=True)
                member = name if start == "." else f"{start}/{name}"
                read = _member(archive, member, int(file["bytes"]))
                if sha256(read).hexdigest() != file["sha256"]:
                    raise ValueError(f"{name} in {path.name} is not the file that its run.json describes")
                to.write_bytes(read)
    except (zipfile.BadZipFile, KeyError, TypeError) as error:
        kept.cleanup()
        raise ValueError(f"{path.name} is no zip of a run ({error})") from error
    except BaseException:
        kept.cleanup()
        raise
    return Run(Path(kept.name), kept)


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{name} has more than the {most:,} bytes that it should have")
    return content


def _inside(name: str) -> PurePosixPath:
    """The name of a file of a run as a path; ValueError for one that leads out of its folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise ValueError(f"run.json names the file {name!r}, which does not lie in the run's folder")
    return path


def _card(content: bytes) -> dict[str, Any]:
    card = json.loads(content)
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        found = card.get("format") if isinstance(card, dict) else None
        raise ValueError(f"this run is of format {found}; this version of hourglass reads format {FORMAT}")
    return card


class Run:
    """A finished run. `open` makes one."""

    def __init__(self, folder: Path, keeps: object = None) -> None:
        """keeps: what has to live as long as the run does."""
        self.folder = folder
        self._keeps = keeps
        path = folder / "run.json"
        if not path.is_file():
            raise FileNotFoundError(f"{folder} is no folder of a run: it has no run.json")
        self.card = _card(path.read_bytes())

    def __repr__(self) -> str:
        return f"<hourglass.Run {self.title}: {self.card['codes']['count']:,} codes>"

    @property
    def title(self) -> str:
        """A few words that tell this run from others."""
        return f"{self.card['dataset']['title']} · {self.card['architecture']['title']} · D = {self.code_size}"

    @property
    def code_size(self) -> int:
        """D, how many numbers a code has."""
        return int(self.card["codes"]["size"])

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a sample: (H, W, C) of an image, (T, C) of a signal, (F,) of a row."""
        return tuple(self.card["dataset"]["shape"])

    @property
    def kind(self) -> str:
        """image, signal or table."""
        return str(self.card["dataset"].get("kind", "image"))

    @property
    def metrics(self) -> pd.DataFrame:
        """What was measured: a row for each number, by its name, with columns split, value, count (samples), unit and title."""
        import pandas as pd

        columns = ["name", "split", "value", "count", "unit", "title"]
        return pd.DataFrame(self.card["metrics"], columns=columns).set_index("name")

    @cached_property
    def rows(self) -> NDArray[np.int32]:
        """Which row of the dataset each code is of (N,), counted from 0."""
        return self._array("rows.i32", "<i4")

    @cached_property
    def codes(self) -> pd.DataFrame:
        """The stored codes: columns z1, z2, … and split; the row of the dataset is the index, counted from 0. Where the
        samples came with names of their own, and these are at hand, they stand in the column name."""
        import pandas as pd

        values = self._array("codes.f32", "<f4").reshape(-1, self.code_size)
        frame = pd.DataFrame(values, pd.Index(self.rows, name="row"), [f"z{i + 1}" for i in range(self.code_size)])
        if self._has("splits.u8"):
            frame["split"] = np.array(SPLITS)[self._array("splits.u8", "u1")]
        with contextlib.suppress(KeyError, ValueError):
            frame.insert(0, "name", json.loads(_plain(self.read("names.json"))))
        return frame

    @cached_property
    def labels(self) -> pd.Series[Any]:
        """The class of each stored code, by its name; the index is as of `codes`. Missing where a sample has none."""
        import pandas as pd

        classes = list(self.card["dataset"].get("classes", []))
        found = self._array("labels.i32", "<i4")
        places = np.where((found >= 0) & (found < len(classes)), found, -1)
        values = pd.Categorical.from_codes(places, classes)
        return pd.Series(values, pd.Index(self.rows, name="row"), name=self.card["dataset"].get("label") or "class")

    @cached_property
    def scaling(self) -> Scaling:
        """From samples as they are at home to what the networks take, and back."""
        stored = json.loads(self.read("columns.json")) if self._has("columns.json") else None
        return Scaling(self.kind, self.shape, stored or self.card["dataset"].get("columns") or [])

    def encode(self, samples: ArrayLike | pd.DataFrame) -> NDArray[np.float32]:
        """Codes (N, D) of samples; a variational run gives the means.

        samples: images (N, H, W, C), (N, H, W) or flat, as uint8 or from 0 to 1; signals (N, T, C) or rows in the units
        of the data, rows as a DataFrame where there are categories. ValueError for samples of another shape.
        """
        return self._networks("encoder", self.scaling.seen(samples))

    def decode(self, codes: ArrayLike | pd.DataFrame) -> Any:
        """Samples of codes (N, D): images (N, H, W, C) from 0 to 1, signals (N, T, C) in the units of the data, rows as a
        DataFrame."""
        return self.scaling.at_home(self.drawn(codes))

    def drawn(self, codes: ArrayLike | pd.DataFrame) -> NDArray[np.float32]:
        """What the decoder gives (N, *shape), as the networks see samples."""
        import pandas as pd

        given = codes[[f"z{i + 1}" for i in range(self.code_size)]] if isinstance(codes, pd.DataFrame) else codes
        values = np.atleast_2d(np.asarray(given, np.float32))
        if values.ndim != 2 or values.shape[1] != self.code_size:
            raise ValueError(f"codes of shape (N, {self.code_size}) are decoded; {values.shape} was given")
        return self._networks("decoder", values)

    def read(self, name: str) -> bytes:
        """One of its files, or a part of its networks, as the explorer asks for it. KeyError where there is none."""
        part = name.removesuffix(".safetensors")
        if name.endswith(".safetensors") and part in ("encoder", "decoder"):
            return self._weights(part)
        if name == "run.json" or self._has(name) or (name == "density.safetensors" and (self.folder / name).is_file()):
            return (self.folder / _inside(name)).read_bytes()
        return _made(self.folder, name)

    def _has(self, name: str) -> bool:
        return name in self.card["files"]

    def _array(self, name: str, kind: str) -> NDArray[Any]:
        values = np.fromfile(self.folder / name, kind)
        each = self.code_size if name == "codes.f32" else 1
        if len(values) != each * self.card["codes"]["count"]:
            raise ValueError(
                f"{name} of this run has {len(values):,} numbers; {each * self.card['codes']['count']:,} belong there"
            )
        return values

    def _weights(self, part: str) -> bytes:
        from safetensors.numpy import load_file, save

        return save(
            {k: v for k, v in load_file(self.folder / "weights.safetensors").items() if k.startswith(f"{part}.")}
        )

    @cached_property
    def _sessions(self) -> dict[str, Any]:
        return {}

    def _networks(self, part: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
        import onnxruntime

        if part not in self._sessions:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            self._sessions[part] = onnxruntime.InferenceSession(
                self.folder / f"{part}.onnx", options, providers=["CPUExecutionProvider"]
            )
        session = self._sessions[part]
        entry, out = session.get_inputs()[0], session.get_outputs()[0]
        if not len(values):
            return np.zeros((0, *out.shape[1:]), np.float32)
        parts = [session.run([out.name], {entry.name: values[i : i + BATCH]})[0] for i in range(0, len(values), BATCH)]
        return np.concatenate(parts)


def _made(folder: Path, name: str) -> bytes:
    """What a run's dataset has beside it, by the repository where that is at hand. KeyError where it cannot be had."""
    if name not in MADE and not name.startswith("colours/"):
        raise KeyError(name)
    try:
        runs, run_files = repository.module("models.runs"), repository.module("models.runs.thumbnails")
        colours = repository.module("models.runs.colours")
        run = runs.open_run(folder)
        made = {"thumbnails.u8.gz": run_files.block, "samples.f32.gz": run_files.values, "names.json": colours.names}
        if name.startswith("colours/"):
            return bytes(colours.block(run, name=name))
        return bytes((made | {"colours.json": colours.listed})[name](run))
    except Exception as error:  # not at hand, not downloaded, deleted, of another version: the rest goes on without
        raise KeyError(name) from error


def _plain(content: bytes) -> bytes:
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
