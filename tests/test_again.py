"""Train again: what the browser's own trainer computes, beside torch; and the page that is taken along learns, and its weights
open in the app."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect
from safetensors.numpy import load
from test_explorer_browser import empty, numbers
from test_run_pages import EXPLORER, SAMPLE, opened  # noqa: F401 - a fixture

from components.explorer import assets
from models import Problem, architectures, datasets, pages, runs
from models.kinds import KINDS
from models.losses.kl import kl
from models.training import opening, schedule
from models.training.network import Network
from models.training.reconstruction import calibrated

ROWS = 37  # no multiple of four
LEARN = """async ([module, spec, bytes, count, weights, dice, steps]) => {
    const {Trainer} = await import(module);
    const raw = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    const floats = (text) => new Float32Array(raw(text).buffer);
    const trainer = await Trainer.of(spec, {values: spec.pixels ? raw(bytes) : floats(bytes), count});
    trainer.load(new Map(Object.entries(weights).map(([name, text]) => [name, floats(text)])));
    const order = Int32Array.from({length: count}, (_, i) => i), chance = floats(dice);
    let at = 0;
    const {loss, gradient} = trainer.slope(order, () => chance[at++]);
    for (let i = 0; i < steps; i++) trainer.step();
    const told = (map) => Object.fromEntries([...map].map(([name, values]) => [name, [...values]]));
    return {loss, gradient: told(gradient), after: told(trainer.weights()), names: trainer.parameters.map((one) => one.name)};
}"""
SPEC = {"rate": 0.004, "epochs": 40, "batch": 128, "seed": 3, "noise": "none", "level": 0}
NETWORKS = [
    ("relu", [24, 16], False, (9, 7, 1)),
    ("gelu", [40], True, (8, 8, 3)),
    ("norm", [32, 8], True, (11,)),
    ("sigmoid", [16], False, (5, 3)),
    ("norm", [], False, (8, 8, 1)),
]


def text(values: Any) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def loss_of(network: Network, samples: torch.Tensor, dice: torch.Tensor) -> torch.Tensor:
    """The loss that such networks lower in the app."""
    mean, log_variance = network.encode(samples)
    if log_variance is None:
        return (network.decode(mean) - samples).square().mean()
    out = network.decode(mean + dice * (0.5 * log_variance).exp())
    return calibrated(out, samples) + kl(mean, log_variance).sum()


def test_gradients_and_steps_are_those_of_torch(app: str, page: Page) -> None:
    empty(page, app)
    for activation, widths, variational, shape in NETWORKS:
        name = "-".join(["dense", *(["variational"] if variational else []), activation, *map(str, widths)])
        kind = {3: "image", 2: "signal", 1: "table"}[len(shape)]
        architecture = architectures.get(name)
        torch.manual_seed(5)
        built = architecture.blueprint(kind, shape, 3).build()
        network = Network(built.encoder, built.decoder, variational, torch.device("cpu"))
        stored = torch.randint(0, 256, (ROWS, *shape)).byte() if kind == "image" else torch.randn(ROWS, *shape)
        samples = stored.float() / 255 if kind == "image" else stored
        dice = torch.randn(ROWS, 3)
        before = {one: value.clone().numpy() for one, value in network.weights().items()}
        spec = {**SPEC, "shape": shape, "pixels": KINDS[kind].pixels, "size": 3, "widths": widths}
        spec |= {"activation": activation, "variational": variational}
        steps = 0 if variational else 6  # those draw by their own dice
        module = f"/explorer/{assets.digest()}/learning.js"
        given = {one: text(value) for one, value in before.items()}
        seen = page.evaluate(LEARN, [module, spec, text(stored.numpy()), ROWS, given, text(dice.numpy()), steps])

        assert seen["names"] == list(before), name
        loss = loss_of(network, samples, dice)
        assert seen["loss"] == pytest.approx(float(loss.detach()), rel=1e-5)
        parameters = dict(zip(network.weights(), network.parameters(), strict=True))
        gradients = torch.autograd.grad(loss, list(parameters.values()))
        for (one, parameter), expected in zip(parameters.items(), gradients, strict=True):
            found = np.array(seen["gradient"][one], np.float32).reshape(parameter.shape)
            np.testing.assert_allclose(
                found, expected, rtol=0, atol=1e-4 * max(1.0, float(expected.abs().max())), err_msg=one
            )
            assert np.abs(found).max() > 0, f"{name}: nothing came back to {one}"
        if not steps:
            continue
        adam = torch.optim.Adam(list(parameters.values()), betas=(0.9, 0.95), eps=1e-8)
        for at in range(steps):
            adam.param_groups[0]["lr"] = SPEC["rate"] * schedule(at, SPEC["epochs"])
            adam.zero_grad()
            loss_of(network, samples, dice).backward()
            adam.step()
        for one, value in network.weights().items():
            found = np.array(seen["after"][one], np.float32).reshape(value.shape)
            np.testing.assert_allclose(found, value.numpy(), rtol=0, atol=1e-4, err_msg=f"{name}: {one}")
            assert np.abs(found - before[one]).max() > 1e-3


@pytest.mark.own_window
def test_the_page_of_digits_learns_and_its_weights_open_in_the_app(
    opened: Callable[..., Page],  # noqa: F811
    app: str,
    window: Callable[..., Page],
    tmp_path: Path,
) -> None:
    shipped = runs.open_run(runs.folder_of("digits-variational"))
    made = pages.page(shipped)
    assert made.samples == shipped.card.dataset.count, "all of the digits travel"
    page = opened(made.html)
    page.get_by_test_id("tool-again").click()
    page.get_by_test_id("again-widths").fill("128")
    page.get_by_text("More", exact=True).click()
    page.get_by_test_id("again-epochs").fill("30")
    page.get_by_test_id("again-train").click()
    panel = page.locator('section[data-state="done"]')
    expect(panel).to_be_visible()
    error, pca = (float(panel.get_attribute(f"data-{name}") or "nan") for name in ("error", "pca"))
    assert error < 0.8 * pca, "it does better than PCA"
    fitted = shipped.metric("pca_mse")
    assert fitted is not None and pca == pytest.approx(fitted, rel=0.1), "PCA is the app's, on another tenth"

    explorer = page.locator(EXPLORER)
    code = np.array((explorer.get_attribute("data-code") or "").split(","), np.float32)
    drawn = numbers(page.locator(SAMPLE), "canvas => canvas.sample")
    page.get_by_text("Save weights").scroll_into_view_if_needed()
    with page.expect_download() as download:
        page.get_by_test_id("again-save").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert set(load(file.read_bytes())) == set(
        architectures.get("dense-norm-128").blueprint("image", (8, 8, 1), 2).weights
    )

    mine = window()
    mine.goto(app)
    expect(mine.locator(f'{EXPLORER}[data-ready="true"]')).to_be_visible()
    before = mine.locator(EXPLORER).get_attribute("data-run")
    mine.get_by_text("Open a run").click()
    mine.locator('input[type="file"][accept*=".safetensors"]').set_input_files(file)
    there = mine.locator(f'{EXPLORER}[data-ready="true"]:not([data-run="{before}"])')
    expect(there).to_be_visible()
    address = mine.url.split("?")[0]
    run = there.get_attribute("data-run")
    mine.goto(f"{address}?run={run}&z={','.join(map(str, code))}")
    expect(mine.locator(f'{EXPLORER}[data-ready="true"][data-run="{run}"]')).to_be_visible()
    shown = np.array((mine.locator(EXPLORER).get_attribute("data-code") or "").split(","), np.float32)
    np.testing.assert_allclose(shown, code, atol=1e-4)
    np.testing.assert_allclose(numbers(mine.locator(SAMPLE), "canvas => canvas.sample"), drawn, atol=1e-3)


def draw(page: Page, slope: float) -> None:
    """A line on the pad of Draw, and kept for learning."""
    page.get_by_test_id("draw-clear").click()
    box = page.get_by_test_id("draw-pad").bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + (0.3 + slope) * box["width"], box["y"] + 0.8 * box["height"], steps=5)
    page.mouse.up()
    page.get_by_test_id("draw-learn").click()


def test_a_network_learns_from_what_one_draws(opened: Callable[..., Page]) -> None:  # noqa: F811
    page = opened(pages.page(runs.open_run(runs.folder_of("digits-variational"))).html)
    page.get_by_test_id("tool-draw").click()
    expect(page.get_by_test_id("draw-message")).to_have_text("Draw here, or drop an image on the pad.")
    page.get_by_test_id("draw-learn").click()
    expect(page.get_by_test_id("draw-message")).to_have_text("Draw something first.")
    for k in range(4):
        draw(page, 0.1 * k)
        expect(page.get_by_test_id("draw-message")).to_contain_text(f"{k + 1} drawing")
    kept = page.get_by_test_id("draw-pad").evaluate("canvas => Array.from(canvas.sample)")
    page.get_by_test_id("tool-again").click()
    assert page.get_by_test_id("again-from").input_value() == "both", "what was drawn is meant to be learnt"
    page.get_by_text("More", exact=True).click()
    page.get_by_test_id("again-epochs").fill("3")
    page.get_by_test_id("again-train").click()
    expect(page.locator('section[data-state="done"]')).to_be_visible()
    expect(page.get_by_test_id("again-message")).to_contain_text("from 1,797 samples and your 4 drawings")
    expect(page.get_by_role("button", name="drawn by you")).to_be_visible()  # a colour of their own

    # The four alone: all that is left on the map, each with its own picture.
    page.get_by_text("Other choices").click()
    page.get_by_test_id("again-from").select_option("drawings")
    page.get_by_test_id("again-train").click()
    expect(page.get_by_test_id("again-message")).to_contain_text("from your 4 drawings alone")
    expect(page.locator('section[data-state="done"]')).to_be_visible()
    near = page.get_by_test_id("neighbours").locator("button:visible")
    expect(near).to_have_count(4)
    originals = near.locator("canvas").evaluate_all(
        "all => all.map((one) => { const p = one.getContext('2d').getImageData(0, 0, one.width, one.height).data;"
        " return Array.from({length: p.length / 4}, (_, i) => p[4 * i] / 255); })"
    )
    assert min(np.abs(np.subtract(one, kept)).max() for one in originals) < 0.01, "the last drawing is among them"


def test_a_network_is_still_there_after_another_page(app: str, page: Page) -> None:
    page.goto(f"{app}?run=digits-modern-8")
    expect(page.locator(f'{EXPLORER}[data-ready="true"]')).to_be_visible()
    page.get_by_test_id("tool-again").click()
    page.get_by_test_id("again-train").click()
    done = page.locator('section[data-state="done"]')
    expect(done).to_be_visible()
    error, code = done.get_attribute("data-error"), page.locator(EXPLORER).get_attribute("data-code")
    page.get_by_role("link", name="Codes", exact=True).first.click()
    expect(page.get_by_role("heading", name="What each dimension carries")).to_be_visible()
    page.get_by_role("link", name="Explore", exact=True).first.click()
    expect(done).to_have_attribute("data-error", str(error))
    assert len((page.locator(EXPLORER).get_attribute("data-code") or "").split(",")) == len(str(code).split(","))
    page.get_by_test_id("again-back").click()
    expect(page.locator(f'{EXPLORER}[data-ready="true"]')).to_be_visible()
    assert len((page.locator(EXPLORER).get_attribute("data-code") or "").split(",")) == 8, "the run itself again"


def file_of(about: dict[str, Any], tensors: dict[str, Any] | None = None) -> bytes:
    from safetensors.numpy import save

    return save(tensors or {"a": np.zeros(1, np.float32)}, {"hourglass": json.dumps(about)})


def test_weights_of_something_else_are_refused_in_a_sentence(tmp_path: Path) -> None:
    digits = datasets.get("digits")
    known = {"format": 1, "dataset": "digits", "fingerprint": digits.fingerprint, "architecture": "dense-relu-16"}
    known |= {"code_size": 2, "losses": [1.0], "kls": [0.0], "errors": [1.0]}
    blueprint = architectures.get("dense-relu-16").blueprint("image", (8, 8, 1), 2)
    fitting = {name: np.zeros(shape, np.float32) for name, shape in blueprint.weights.items()}
    for content, words in (
        (b"PK", "holds no table"),
        (b"\xff" * 40, "holds no table"),
        (file_of({"format": 2}), "another format"),
        (file_of({**known, "dataset": None}), "what it is for"),
        (file_of(known), "not those of the layers"),
        (file_of({**known, "architecture": "dense-relu-9999"}), "is unknown"),
        (file_of({**known, "losses": []}, fitting), "do not say how they were trained"),
        (file_of({**known, "losses": [1.0, 2.0]}, fitting), "do not say how they were trained"),
        (file_of({**known, "fingerprint": "0" * 16}, fitting), "of other samples"),
        (
            file_of(known, {**fitting, next(iter(fitting)): np.full((16, 64), np.nan, np.float32)}),
            "not those of the layers",
        ),
    ):
        with pytest.raises(Problem, match=words):
            opening.made(content, tmp_path / "run")
