"""The benchmarks that anyone may repeat still run, and each contender does what it says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import needs_data

from models import architectures, runs

ROOT = Path(__file__).resolve().parents[1]


def contend(who: str, **choices: object) -> dict[str, float]:
    """What a contender of benchmarks/training.py prints."""
    asked = {"dataset": "mnist", "architecture": "single-layer", "code_size": 56, "epochs": 0.05} | choices
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "contenders.py", who, json.dumps(asked)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))


@needs_data("mnist")
def test_a_twentieth_of_an_epoch_is_measured_alike_for_everybody() -> None:
    ours, theirs = contend("hourglass", measured=""), contend("pytorch")
    assert ours["images"] == round(0.05 * 55_000 / 256) * 256 and theirs["images"] == round(0.05 * 235) * 256
    assert min(ours["seconds"], ours["cpu"], theirs["seconds"]) > 0


@needs_data("mnist")
def test_an_eighth_of_an_epoch_on_a_tuned_schedule_ends_between_the_mean_image_and_pca() -> None:
    found = contend("hourglass", epochs=0.12, batch_size=64, learning_rate=0.02)
    assert 0.0315 > found["error"] > 2 * found["pca"] > 0.019  # the mean image: 0.067; Keras after ten epochs: 0.0313


@needs_data("mnist")
def test_the_validation_split_is_another_than_the_test_split() -> None:
    """Schedules are chosen on the one and told on the other."""
    chosen = contend("hourglass", measured="validation")
    assert chosen["error"] != contend("hourglass", measured="test")["error"]


def test_a_run_may_be_enlarged_beyond_its_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import generated

    shipped = runs.open_run(runs.folder_of("digits-variational"))
    count = shipped.about["dataset"]["count"] + 1
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
