"""The benchmarks that anyone may repeat still run, and each contender does what it says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from conftest import needs_data

from models import architectures, runs

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """benchmarks/training.py, whose contenders run in this process: each of its own would load torch first."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    for name in ("HOURGLASS_HOME", "TORCHINDUCTOR_CACHE_DIR"):  # which a contender sets
        monkeypatch.setenv(name, os.environ.get(name, ""))
    import contenders
    import training

    def contend(who: str, **choices: Any) -> dict[str, float]:
        return dict(json.loads(json.dumps(getattr(contenders, who)(**choices))))

    monkeypatch.setattr(training, "contend", contend)
    return training


@needs_data("mnist")
def test_an_eighth_of_an_epoch_is_measured_alike_for_everybody(bench: ModuleType) -> None:
    """Schedules are chosen on the validation split and told on the test split: about PCA, near which networks begin."""
    same = {"dataset": "mnist", "architecture": "single-layer", "code_size": 56, "batch_size": 64}
    theirs = bench.contend("pytorch", **same, epochs=0.03)
    tuned = same | {"epochs": 0.12, "learning_rate": 0.02}
    ours, chosen = (bench.contend("hourglass", **tuned, measured=split) for split in ("test", "validation"))
    assert ours["images"] == round(0.12 * 55_000 / 64) * 64 and theirs["images"] == round(0.03 * 938) * 64
    assert min(ours["seconds"], ours["cpu"], theirs["seconds"]) > 0
    assert 0.0315 > 1.5 * ours["pca"] > ours["error"] > 0.5 * ours["pca"] > 0.004  # Keras after ten epochs: 0.0313
    assert chosen["error"] != ours["error"]


def test_contenders_take_turns_and_their_medians_are_told(bench: ModuleType) -> None:
    order: list[str] = []
    seconds = {"a": [5.0, 1.0, 3.0], "b": [2.0, 9.0, 4.0]}

    def run(name: str, i: int) -> dict[str, float]:
        order.append(name)
        return {"seconds": seconds[name][i]}

    found = bench.interleaved(3, a=lambda i: run("a", i), b=lambda i: run("b", i))
    assert order == ["a", "b"] * 3
    assert found == {"a": {"seconds": 3.0}, "b": {"seconds": 4.0}}


@needs_data("mnist")
def test_the_quick_benchmark_prints_every_row(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each number is there, and ratios are of what stands beside them. Two trainings at once have processes of their own."""
    monkeypatch.setattr(sys, "argv", ["training.py", "--quick"])
    bench.main()
    table = [re.split(r" {2,}", line) for line in capsys.readouterr().out.splitlines()[1:-1]]
    assert [cells[0] for cells in table] == [
        "images/s, MNIST, batch 256", "single-layer", "two trainings at once",
        "shipped run, test error", *(f"{run.folder.name}, D = {run.code_size}" for run in runs.find()[0] if run.pretrained),
    ]  # fmt: skip
    for name, ours, images, tensor in table[1:2]:
        speed = float(ours.split()[0].replace(",", ""))
        for theirs in (images, tensor):
            found = re.fullmatch(r"([\d,]+) \(([\d.]+)x\); [\d.]+ core-s \([\d.]+x\)", theirs)
            assert found, (name, theirs)
            assert speed / float(found[1].replace(",", "")) == pytest.approx(float(found[2]), abs=0.06)


def test_the_quick_benchmark_of_bytes_prints_what_it_says() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "labs.py", "--quick", "--only", "compress"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [re.split(r" *\| *", line.strip("| ")) for line in done.stdout.splitlines() if line.startswith("|")]
    (title,) = [row for row in rows if row[0] == "run, images"]
    (ours,) = [row for row in rows if row[0] == "digits-modern-8, 100"]
    assert len(title) == len(ours) and title[2:4] == ["this autoencoder", "PCA"] and "AVIF" in title
    assert 2 < float(ours[2]) < 12 and float(ours[title.index("JPEG")]) > float(ours[2])


def test_a_run_may_be_enlarged_beyond_its_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import generated

    shipped = runs.open_run(runs.folder_of("digits-variational"))
    count = shipped.card.dataset.count + 1
    many = generated.enlarged(tmp_path, shipped, count)
    assert runs.open_run(many.folder).count == len(many.codes) == count


@pytest.mark.filterwarnings("ignore:Using padding")
@pytest.mark.parametrize(("name", "code_size"), [("single-layer", 56), ("multi-layer", 48), ("convolutional", 48)])
def test_the_contenders_network_is_ours(name: str, code_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written as a tutorial has it, it computes the same from the same weights."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import contenders

    ours = architectures.get(name).blueprint("image", (28, 28, 1), code_size).build()
    x = torch.rand((3, 28, 28, 1), generator=torch.Generator().manual_seed(0))
    theirs = torch.nn.Sequential(*contenders.plain(name, code_size))
    for mine, other in zip([*ours.encoder.parameters(), *ours.decoder.parameters()], theirs.parameters(), strict=True):
        other.data.copy_(mine.data)
    out = ours.decoder(ours.encoder(x))
    torch.testing.assert_close(theirs(x.movedim(-1, 1)).movedim(1, -1), out, rtol=1e-4, atol=1e-5)
