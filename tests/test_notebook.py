"""The package for notebooks: runs as numbers, models of one's own, the page that a widget saves, what is installed."""

import json
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import hourglass
import numpy as np
import pandas as pd
import pytest
import torch
import traitlets
from conftest import ROOT
from hourglass.own import Own
from playwright.sync_api import Page
from test_run_pages import block
from torch import nn

from models import PRETRAINED, export, runs
from models.columns import standardised

EXPLORER = "[data-testid=latent-explorer]"


def codes_of(count: int = 200, size: int = 2) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, size)).astype(np.float32)


def rings(codes: np.ndarray) -> np.ndarray:
    """Images (B, 12, 12) of rings whose place and width are the first two numbers."""
    y, x = np.mgrid[0:12, 0:12] / 6 - 1
    a, b = (codes[:, d, None, None] / 3 for d in range(2))
    return np.exp(-4 * np.abs(np.hypot(x - a, y - b) - 0.5))


def dense(size: int = 2, out: int = 64) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(size, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, out), nn.Sigmoid())


# Runs


def test_a_run_gives_the_same_numbers_as_in_the_app() -> None:
    ours, theirs = hourglass.open("digits-modern-8"), runs.open_run(PRETRAINED / "digits-modern-8")
    assert ours.codes.index.name == "row"
    np.testing.assert_array_equal(ours.codes.index, theirs.rows)
    np.testing.assert_array_equal(ours.codes[[f"z{i + 1}" for i in range(8)]], theirs.codes)
    assert ours.labels.tolist() == theirs.class_names(theirs.labels)
    np.testing.assert_array_equal(ours.decode(ours.codes[:20]), theirs.coder.decode(theirs.codes[:20]))
    images = (ours.decode(ours.codes[:20]) * 255).astype(np.uint8)
    for given in (images, images[..., 0], images / 255, images.reshape(20, -1)):
        np.testing.assert_allclose(ours.encode(given), theirs.coder.encode(images), atol=1e-6)
    assert ours.metrics.loc["mse", "value"] == theirs.metric("mse")


@pytest.mark.parametrize("name", ["wave_run", "fruit_run"])
def test_signals_and_rows_go_in_and_come_out_in_their_own_units(name: str, request: pytest.FixtureRequest) -> None:
    theirs = request.getfixturevalue(name)
    ours = hourglass.open(theirs.folder)
    seen = theirs.coder.decode(theirs.codes[:30])
    home = ours.decode(theirs.codes[:30])
    if theirs.kind == "signal":
        np.testing.assert_allclose(standardised(theirs.columns, home), seen, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(ours.encode(home), theirs.coder.encode(seen), rtol=1e-3, atol=1e-3)
        return
    assert list(home.columns) == [column.name for column in theirs.columns]
    for column in theirs.columns:
        if column.kind == "number":
            expected = seen[:, column.start] * column.deviation + column.mean
            np.testing.assert_allclose(home[column.name], expected, rtol=1e-4, atol=1e-4)
    again = ours.scaling.seen(home)
    assert all(again[:, c.start : c.start + c.width].sum() == 30 for c in theirs.columns if c.kind == "category")
    assert ours.encode(home).shape == (30, theirs.code_size)
    with pytest.raises(ValueError, match=re.escape(theirs.columns[0].name)):
        ours.encode(home.drop(columns=[theirs.columns[0].name]))


def test_a_zip_of_the_app_opens_and_a_damaged_one_is_told(digits_run: runs.Run, tmp_path: Path) -> None:
    path = tmp_path / "a run.zip"
    path.write_bytes(export.pack(digits_run))
    ours = hourglass.open(path)
    np.testing.assert_array_equal(ours.codes[["z1", "z2"]], digits_run.codes)
    np.testing.assert_array_equal(ours.decode(ours.codes[:3]), digits_run.coder.decode(digits_run.codes[:3]))

    with zipfile.ZipFile(path) as whole:
        parts = {info.filename: whole.read(info) for info in whole.infolist()}
    card = next(name for name in parts if name.endswith("run.json"))
    codes = card.replace("run.json", "codes.f32")

    def zipped(**changed: bytes) -> Path:
        with zipfile.ZipFile(path, "w") as out:
            for name, content in parts.items():
                out.writestr(name, changed.get(name.rpartition("/")[2].partition(".")[0], content))
        return path

    with pytest.raises(ValueError, match="codes"):
        hourglass.open(zipped(codes=bytes(len(parts[codes]))))
    leads_out = json.loads(parts[card])
    leads_out["files"]["../evil"] = {"bytes": 1, "sha256": ""}
    with pytest.raises(ValueError, match="evil"):
        hourglass.open(zipped(run=json.dumps(leads_out).encode()))
    with pytest.raises(ValueError, match="format 7"):
        hourglass.open(zipped(run=json.dumps(leads_out | {"format": 7}).encode()))
    path.write_bytes(b"no zip")
    with pytest.raises(ValueError, match="no zip of a run"):
        hourglass.open(path)
    with pytest.raises(FileNotFoundError, match="digits-modern-8"):  # among the names that are known
        hourglass.open("no-such-run")


def test_a_run_of_this_machine_is_found_by_its_id(digits_run: runs.Run, session_home: Path) -> None:
    assert hourglass.open(digits_run.id).folder == digits_run.folder


def test_the_estimator_comes_with_the_repository() -> None:
    from models.estimator import Autoencoder

    assert hourglass.Autoencoder is Autoencoder
    with pytest.raises(AttributeError):
        _ = hourglass.nothing


# Models of one's own


@pytest.mark.parametrize(
    ("out", "shape", "first"),
    [
        ((5, 8, 6), (8, 6, 1), False),
        ((5, 8, 6, 3), (8, 6, 3), False),
        ((5, 3, 8, 6), (8, 6, 3), True),
        ((5, 64), (8, 8, 1), False),
        ((5, 7), (7,), False),
    ],
)
def test_what_a_decoder_gives_becomes_images_or_rows(out: tuple[int, ...], shape: tuple[int, ...], first: bool) -> None:
    values = np.random.default_rng(1).uniform(0, 1, out)
    own = Own(codes_of(5), None, lambda codes: values[: len(codes)])
    assert own.shape == shape
    expected = np.moveaxis(values, 1, -1) if first else values.reshape(5, *shape)
    np.testing.assert_allclose(own.decode(codes_of(5)), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("low", "high", "kind", "black", "white"),
    [(0, 1, float, 0, 1), (-1, 1, float, -1, 1), (0, 255, np.uint8, 0, 255), (0, 16, float, 0, 16)],
)
def test_black_and_white_are_where_the_decoder_has_them(
    low: float, high: float, kind: type, black: float, white: float
) -> None:
    values = np.linspace(low, high, 5 * 36).reshape(5, 6, 6).astype(kind)
    own = Own(codes_of(5), None, lambda codes: values[: len(codes)])
    np.testing.assert_allclose(
        own.decode(codes_of(5))[..., 0], (values.astype(float) - black) / (white - black), atol=1e-6
    )


def test_a_torch_module_is_called_as_in_use_and_left_as_it_was() -> None:
    module = dense()
    module.train()
    own = Own(codes_of(), None, module)
    twice = [own.decode(codes_of(50)) for _ in range(2)]
    np.testing.assert_array_equal(*twice)  # dropout would differ
    assert all(one.training for one in module.modules())
    with torch.no_grad():
        module[3].bias.add_(5)  # it has learnt meanwhile
    assert (own.decode(codes_of(50)) > twice[0]).mean() > 0.9
    with torch.no_grad():
        module[3].bias.sub_(5)
    module.eval()
    expected = module(torch.from_numpy(codes_of(50))).detach().numpy().reshape(50, 8, 8, 1)
    np.testing.assert_allclose(twice[0], expected, atol=1e-6)
    # A function of tensors is handed them; its own complaint is what its owner reads.
    Own(codes_of(), None, lambda tensor: torch.sigmoid(tensor @ torch.ones(2, 64)))
    with pytest.raises(ZeroDivisionError):
        Own(codes_of(), None, lambda codes: 1 / 0)


def test_a_method_of_a_module_is_called_as_the_module_is() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(2, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 64))

        def decode(self, codes: torch.Tensor) -> torch.Tensor:
            return self.inner(codes)

    model = Model().train()
    before = model.inner[1].running_mean.clone()
    own = Own(codes_of(), None, model.decode)
    np.testing.assert_array_equal(*(own.decode(codes_of(50)) for _ in range(2)))
    assert torch.equal(model.inner[1].running_mean, before)
    assert model.inner.training


class Inside(nn.Module):
    """A module around one, which does more than that says where `more` is set."""

    def __init__(self, inner: nn.Module, more: bool) -> None:
        super().__init__()
        self.inner, self.more = inner, more

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        out = self.inner(codes)
        return 1 - out if self.more else out


CONVOLUTIONAL = nn.Sequential(
    nn.Linear(3, 8 * 4 * 4), nn.GELU(), nn.Unflatten(1, (8, 4, 4)), nn.Upsample(scale_factor=2),
    nn.Conv2d(8, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 5, padding="same", bias=False), nn.Sigmoid(),
)  # fmt: skip


def test_only_what_is_made_of_known_layers_is_offered_to_the_browser() -> None:
    assert hourglass.explore(codes_of(), decoder=dense())._decodes == "either"
    assert hourglass.explore(codes_of(size=3), decoder=CONVOLUTIONAL)._decodes == "either"
    for unknown in (
        nn.Sequential(nn.Linear(2, 64), nn.Tanh()),
        nn.Sequential(nn.Linear(2, 64), nn.GELU(approximate="tanh")),
        nn.Sequential(
            nn.Linear(2, 64),
            nn.Unflatten(1, (1, 8, 8)),
            nn.Conv2d(1, 1, 3, stride=1, padding=1, padding_mode="circular"),
        ),
    ):
        assert hourglass.explore(codes_of(), decoder=unknown)._decodes == "kernel"
    assert hourglass.explore(codes_of(), decoder=rings)._decodes == "kernel"


def test_what_does_not_fit_together_is_told() -> None:
    codes = codes_of()
    for wrong, words in (
        (lambda: hourglass.explore(codes), "decoder="),
        (lambda: hourglass.explore("digits-modern-8", labels=[1]), "codes of your own"),
        (lambda: hourglass.explore(codes, decoder=rings, labels=[1, 2]), "200 labels"),
        (lambda: hourglass.explore(codes, decoder=rings, images=np.zeros((3, 12, 12))), "200 images"),
        (lambda: hourglass.explore(codes[:, 0], decoder=rings), "N rows of D numbers"),
        (lambda: hourglass.explore(np.full((3, 2), np.nan), decoder=rings), "finite"),
        (lambda: hourglass.explore(codes, decoder=lambda z: z[:1]), "1 samples for"),
        (lambda: hourglass.explore(codes, decoder=rings, shape=(5, 5)), "shape=(5, 5)"),
        (lambda: hourglass.explore(codes, decoder=lambda z: (rings(z), z)), "a tuple of 2"),
        (lambda: hourglass.explore(codes, decoder=rings, labels=codes[:, 0]), "200 different numbers"),
        (lambda: hourglass.link(hourglass.explore(codes, decoder=rings)), "two explorers or more"),
        (lambda: hourglass.link(hourglass.explore("digits-modern-8"), hourglass.explore("mnist-wide")), "same dataset"),
    ):
        with pytest.raises((ValueError, TypeError), match=re.escape(words)):
            wrong()


def test_labels_may_be_anything_that_names_a_class() -> None:
    for labels, classes, places in (
        ([3, 1, 3, 2], ["1", "2", "3"], [2, 0, 2, 1]),
        (["b", None, "a", float("nan")], ["a", "b"], [1, -1, 0, -1]),
        (pd.Categorical(["x", "y", "x", "x"]), ["x", "y"], [0, 1, 0, 0]),
        (torch.tensor([1, 0, 0, 1]), ["0", "1"], [1, 0, 0, 1]),
        (pd.Series([True, False, True, True]), ["False", "True"], [1, 0, 1, 1]),
    ):
        own = Own(codes_of(4), labels, rings)
        assert (own.classes, own.labels.tolist()) == (classes, places)


def test_a_code_that_is_set_is_decoded_and_one_of_another_size_is_refused() -> None:
    widget = hourglass.explore(codes_of(), decoder=rings)
    widget.code = [0.5, -0.25]
    np.testing.assert_allclose(widget.image[..., 0], rings(np.array([[0.5, -0.25]]))[0], atol=1e-6)
    widget.code = torch.tensor([0.25, 1.0])
    assert widget.code == [0.25, 1.0]
    for wrong in ([1, 2, 3], [float("nan"), 0], ["a", "b"]):
        with pytest.raises(traitlets.TraitError):
            widget.code = wrong
    widget.selection = codes_of()[:, 0] > 0
    assert widget.selection == np.flatnonzero(codes_of()[:, 0] > 0).tolist()
    for wrong in ([200], [-1], [0.5]):
        with pytest.raises(traitlets.TraitError):
            widget.selection = wrong


# Pages


@pytest.fixture
def opened(window: Callable[..., Page], tmp_path: Path) -> Callable[[bytes], Page]:
    """Opens a page from the disk and waits until it decodes; nothing else may be asked for."""

    def opened(html: bytes) -> Page:
        file = tmp_path / "page.html"
        file.write_bytes(html)
        page = window()
        page.route(
            "**/*",
            lambda route: route.continue_() if route.request.url.startswith(("file:", "blob:")) else route.abort(),
        )
        page.goto(file.as_uri())
        page.locator(f"{EXPLORER}[data-ready=true]").wait_for()
        return page

    return opened


def seen(page: Page) -> tuple[np.ndarray, np.ndarray]:
    """The code that is shown, and the decoded sample of it."""
    page.wait_for_function("document.querySelector('canvas[data-testid=decoded-sample]').sample")
    code = page.locator(EXPLORER).get_attribute("data-code")
    values = page.evaluate("Array.from(document.querySelector('canvas[data-testid=decoded-sample]').sample)")
    return np.array(code.split(","), np.float32), np.array(values, np.float32)


def hold(page: Page, x: float, y: float) -> None:
    """Holds a place of the map."""
    before = page.locator(EXPLORER).get_attribute("data-code")
    box = page.locator("[data-testid=latent-map]").bounding_box()
    assert box
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.wait_for_function(
        "([of, before]) => document.querySelector(of).dataset.code !== before", arg=[EXPLORER, before]
    )
    page.wait_for_timeout(300)  # what answers later has then


def test_the_page_of_a_run_decodes_as_the_run_does(opened: Callable[[bytes], Page], tmp_path: Path) -> None:
    widget = hourglass.explore("digits-modern-8")
    page = opened(widget.save(tmp_path / "saved.html").read_bytes())
    hold(page, 0.4, 0.4)
    code, values = seen(page)
    expected = hourglass.open("digits-modern-8").decode(code)[0]
    np.testing.assert_allclose(values.reshape(expected.shape), expected, atol=2e-3)  # weights in float16


def test_the_page_of_known_layers_has_them(opened: Callable[[bytes], Page]) -> None:
    codes = codes_of(size=3)
    page = opened(hourglass.explore(codes, decoder=CONVOLUTIONAL, labels=codes[:, 0] > 0)._page())
    hold(page, 0.4, 0.6)
    code, values = seen(page)
    expected = Own(codes, None, CONVOLUTIONAL).decode(code)[0]
    np.testing.assert_allclose(values.reshape(expected.shape), expected, atol=2e-3)


@pytest.mark.parametrize("size", [2, 5])
def test_the_page_of_a_decoder_that_stays_at_home_blends_what_it_drew(
    size: int, opened: Callable[[bytes], Page]
) -> None:
    codes = codes_of(size=size)
    html = hourglass.explore(codes, decoder=rings)._page()
    assert b"blended from samples that it drew ahead" in html
    page = opened(html)
    hold(page, 0.5, 0.55)
    code, values = seen(page)
    drawn = json.loads(block(html, "page.json"))["drawn"]
    places = np.frombuffer(block(html, "drawn.f32"), "<f4").reshape(drawn["count"], size)
    stored = drawn["low"] + np.frombuffer(block(html, "drawn.u8"), np.uint8).reshape(drawn["count"], -1) / 255.0 * (
        drawn["high"] - drawn["low"]
    )
    away = np.linalg.norm(places - code, axis=1)
    near = np.argsort(away)[:9]
    weights = ((away[near[8]] - away[near]) / (away[near[8]] * away[near])) ** 2  # Franke and Nielson 1980
    np.testing.assert_allclose(values, weights @ stored[near] / weights.sum(), atol=2e-3)  # data-code has five digits
    if size == 2:  # between so many places of a plane it is near the truth as well
        assert np.abs(values - rings(code[None]).ravel()).mean() < 0.02


def test_a_page_that_goes_with_a_notebook_is_not_large() -> None:
    images = np.random.default_rng(0).integers(0, 255, (400, 64, 64, 3), np.uint8)  # noise does not get smaller
    own = hourglass.explore(codes_of(400), decoder=lambda codes: images[: len(codes)] / 255.0, images=images)
    assert len(own._page()) > 2_500_000
    assert len(own._page(1_000_000)) <= 1_000_000


def test_a_slow_decoder_does_not_hold_a_cell() -> None:
    slept = []

    def slow(codes: np.ndarray) -> np.ndarray:
        slept.append(len(codes))
        time.sleep(0.02 * len(codes))
        return rings(codes)

    images = np.zeros((200, 12, 12), np.uint8)
    widget = hourglass.explore(codes_of(), decoder=slow, images=images)
    assert not widget._shown.card["errors"]  # 4 s would be needed
    before = sum(slept)
    widget._repr_mimebundle_()
    assert 16 <= sum(slept) - before < 200  # a second's worth, of a thousand
    before = sum(slept)
    widget._repr_mimebundle_()
    assert sum(slept) - before < 200  # and goes on from there
    assert hourglass.explore(codes_of(), decoder=rings, images=images)._shown.card["errors"]


# What is installed


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    made = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--disable-pip-version-check",
    ]
    subprocess.run([*made, "-w", folder, ROOT / "components" / "notebook"], check=True, cwd=folder)
    return next(folder.glob("*.whl"))


ALONE = """
import sys
sys.path.insert(0, {folder!r})
import hourglass, numpy as np
assert hourglass.__file__.startswith({folder!r})
run = hourglass.open({run!r})
widget = hourglass.explore(run)
assert run.decode(run.codes[:2]).shape == (2, 8, 8, 1)
print(len(widget._page()))
print(sorted({{"torch", "streamlit", "models", "sklearn", "plotly"}} & set(sys.modules)))
try:
    hourglass.Autoencoder
except ImportError as error:
    print(error)
"""


def test_the_wheel_is_small_and_works_without_the_repository_torch_and_streamlit(wheel: Path, tmp_path: Path) -> None:
    assert wheel.stat().st_size < 1_000_000
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "site")
        needs = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert {name.partition("/")[0] for name in names} == {
        "hourglass",
        next(n for n in names if "dist-info" in n).partition("/")[0],
    }
    assert not re.search("Requires-Dist: (torch|streamlit|scikit-learn)", needs)
    program = ALONE.format(folder=str(tmp_path / "site"), run=str(PRETRAINED / "digits-single-layer"))
    said = subprocess.run(
        [sys.executable, "-c", program], check=True, cwd=tmp_path, capture_output=True, text=True
    ).stdout.splitlines()
    assert int(said[0]) > 100_000
    assert said[1] == "[]"
    assert "not at hand" in said[2]


def test_what_nbconvert_shows_is_alive(
    tmp_path: Path, window: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    import nbformat
    from nbconvert import HTMLExporter
    from nbconvert.preprocessors import ExecutePreprocessor

    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "components" / "notebook"))
    cell = f"import hourglass\nhourglass.explore({str(PRETRAINED / 'digits-single-layer')!r})"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    ExecutePreprocessor(timeout=600, store_widget_state=False).preprocess(notebook)
    html, _ = HTMLExporter().from_notebook_node(notebook)
    assert "srcdoc=" in html
    file = tmp_path / "converted.html"
    file.write_text(html)
    page = window()
    page.route(
        "**/*", lambda route: route.continue_() if route.request.url.startswith(("file:", "blob:")) else route.abort()
    )
    page.goto(file.as_uri())
    inside = page.frame_locator("iframe[title=Hourglass]")
    explorer = inside.locator(f"{EXPLORER}[data-ready=true]")
    explorer.wait_for()
    before = explorer.get_attribute("data-code")
    inside.locator("[data-testid=code-slider]").first.press("End")
    inside.locator(f"{EXPLORER}:not([data-code='{before}'])").wait_for()
