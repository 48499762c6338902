"""Sequences: what comes next, beside the plain methods; the fan; a long series; and their page."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge

from components.views.labs import sequences as shown
from models import Problem, datasets, uploads
from models.analysis import forecasting
from models.analysis.forecasting import Form, Network
from models.columns import unscaled
from models.datasets import heartbeats, moving_digits
from models.labs import _series, sequences
from models.readers import guarded


def weights_of(form: Form, units: int = 5, seed: int = 0) -> dict[str, np.ndarray]:
    """Of an untrained network."""
    dice = np.random.default_rng(seed)
    features, out = form.size * form.channels + 1, form.size * form.channels
    shapes = {"out.weight": (out, 2 * units), "out.bias": (out,)}
    for name, end in (("reader", "_l0"), ("writer", "")):
        shapes |= {f"{name}.weight_ih{end}": (3 * units, features), f"{name}.weight_hh{end}": (3 * units, units)}
        shapes |= {f"{name}.bias_ih{end}": (3 * units,), f"{name}.bias_hh{end}": (3 * units,)}
    return {name: dice.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize("form", [Form(64, 1, 31), Form(20, 3, 10), Form(140, 2, 100)])
def test_a_row_goes_through_tokens_and_comes_back(form: Form) -> None:
    rows = np.random.default_rng(0).normal(size=(4, form.steps, form.channels)).astype(np.float32)
    given, rest = form.parts(rows)
    tokens = form.given_tokens(given)
    assert tokens.shape == (4, form.read, form.size * form.channels + 1)
    np.testing.assert_array_equal(tokens[:, -1, -1 - form.channels : -1], rows[:, form.given - 1])
    np.testing.assert_array_equal(form.joined(form.rest_tokens(rest)), rest)
    assert form.rest_tokens(rest).shape == (4, form.write, form.size * form.channels)


def test_numpy_computes_what_torch_does() -> None:
    """As it goes on from its own tokens, and as it is told the true ones."""
    import torch

    from models.training.forecaster import Forecaster

    form = Form(70, 2, 40)
    weights = weights_of(form)
    net = Forecaster(form.size * form.channels + 1, 5)
    net.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    given, rest = form.parts(np.random.default_rng(1).normal(size=(3, 70, 2)).astype(np.float32))
    truth = form.rest_tokens(rest)
    tokens, places = torch.from_numpy(form.given_tokens(given)), torch.from_numpy(form.places[form.read :])
    with torch.no_grad():
        alone, told = net(tokens, places), net(tokens, places, torch.from_numpy(truth), 2.0)
    np.testing.assert_allclose(forecasting.write(weights, form, given), alone.numpy(), atol=1e-5)
    np.testing.assert_allclose(forecasting.write(weights, form, given, truth=truth), told.numpy(), atol=1e-5)
    assert not np.allclose(alone.numpy(), told.numpy(), atol=1e-3)


def network_of(form: Form, rows: np.ndarray, size: float) -> Network:
    """Untrained, with random errors of this size."""
    weights = tuple(weights_of(form, seed=seed) for seed in range(2))
    errors = np.random.default_rng(2).normal(0, size, (2, len(rows), form.write, form.size * form.channels))
    return Network(form, weights, 0.1, form.parts(rows)[0], errors.astype(np.float32))


def test_draws_go_on_from_their_errors_and_the_fan_is_as_wide_as_its_factor() -> None:
    form = Form(40, 1, 20)
    rows = np.random.default_rng(0).normal(size=(30, 40, 1)).astype(np.float32)
    given, _ = form.parts(rows[:3])
    none, some = network_of(form, rows, 0.0), network_of(form, rows, 0.3)
    np.testing.assert_allclose(
        none.draws(given), np.repeat(none.forecast(given)[None], forecasting.DRAWS, 0), atol=1e-5
    )
    wide = dataclasses.replace(some, factor=2.0)
    apart, twice = some.draws(given) - some.forecast(given), wide.draws(given) - some.forecast(given)
    np.testing.assert_allclose(twice, 2 * apart, atol=1e-5)
    # The first token misses what the most similar held-out row says, here itself; what follows it goes on from there.
    np.testing.assert_allclose(apart[0, 0, : form.size], some.errors[0, 0, 0], atol=1e-5)
    assert not np.allclose(apart[0, 0, form.size : 2 * form.size], some.errors[0, 0, 1], atol=1e-3)
    low, high = forecasting.fan(some.draws(given))
    assert (low < high).all() and forecasting.inside(np.full_like(low, 1e3), some.draws(given)) == 0
    assert forecasting.inside(((low + high) / 2).astype(np.float32), some.draws(given)) == 1


def test_plain_methods_are_those_of_scikit_learn_tuned_by_five_folds() -> None:
    dice = np.random.default_rng(0)
    given = dice.normal(size=(80, 6)).astype(np.float32)
    rest = np.stack([np.sin(given[:, 0]), given[:, 1] * given[:, 2], given[:, 3]], 1).astype(np.float32)
    found = {name: make() for name, make in forecasting.plain_methods(given, rest, 1).items()}
    np.testing.assert_allclose(found["mean"].predict(given[:2]), np.repeat(rest.mean(0)[None], 2, 0), rtol=1e-5)
    np.testing.assert_array_equal(found["last"].predict(given[:2]), np.repeat(given[:2, -1:], 3, 1))
    kernel = KernelRidge(kernel="rbf", **found["kernel"].numbers).fit(given, rest)
    np.testing.assert_allclose(found["kernel"].predict(given[:5]), kernel.predict(given[:5]), atol=1e-3)
    ridge = Ridge(**found["ridge"].numbers).fit(given, rest)
    np.testing.assert_allclose(found["ridge"].predict(given[:5]), ridge.predict(given[:5]), atol=1e-4)
    assert found["neighbours"].numbers["n_neighbors"] in forecasting.COUNTS


def test_the_page_gives_the_browser_what_scikit_learn_fits() -> None:
    """Numbers that make kernel ridge and ridge without scikit-learn."""
    dice = np.random.default_rng(0)
    given, rest = dice.normal(size=(40, 5)).astype(np.float32), dice.normal(size=(40, 3)).astype(np.float32)
    chosen = {"kernel": {"alpha": 0.1, "gamma": 0.2}, "ridge": {"alpha": 2.0}}
    made = shown.plain(given, rest, chosen)
    kernel = KernelRidge(kernel="rbf", **chosen["kernel"]).fit(given.astype(float), rest.astype(float))
    np.testing.assert_allclose(made["dual"], kernel.dual_coef_, rtol=1e-4, atol=1e-5)
    ridge = Ridge(**chosen["ridge"]).fit(given.astype(float), rest.astype(float))
    np.testing.assert_allclose(made["ridge.weight"], ridge.coef_, atol=1e-5)
    np.testing.assert_allclose(made["ridge.bias"], ridge.intercept_, atol=1e-5)


@pytest.fixture(scope="module")
def compared() -> forecasting.Outcome:
    """Sines, of which little is learnt in a second."""
    dice = np.random.default_rng(0)
    turn = dice.uniform(1, 3, (260, 1)) * np.arange(32) / 16 + dice.uniform(0, 1, (260, 1))
    rows = (np.sin(2 * np.pi * turn) + 0.05 * dice.normal(size=turn.shape))[..., None].astype(np.float32)
    return forecasting.compare(
        Form(32, 1, 16), rows[:160], rows[160:200], rows[200:], units=12, steps=120, noises=(0.05,)
    )


def test_every_method_is_judged_on_the_same_rest(compared: forecasting.Outcome) -> None:
    assert set(compared.predicted) == set(forecasting.TITLES)
    for name in compared.predicted:
        assert compared.by_row(name).mean() == pytest.approx(compared.error(name), rel=1e-4)
        assert compared.by_horizon(name).mean() == pytest.approx(compared.error(name), rel=1e-4)
    assert compared.error("ridge") < 0.7 * compared.error("mean")
    assert compared.error("network") < 0.9 * compared.error("mean")
    assert compared.best == min(compared.held_out, key=lambda name: compared.held_out[name] + 9 * (name == "network"))
    assert 0.6 < forecasting.inside(compared.truth, compared.draws) < 0.95
    kept = compared.network.weights[0]["out.weight"]
    np.testing.assert_array_equal(kept, kept.astype(np.float16))


def with_error(outcome: forecasting.Outcome, factor: float) -> forecasting.Outcome:
    """The network misses that many times what the best plain method misses."""
    missed = outcome.predicted[outcome.best] - outcome.truth
    return dataclasses.replace(outcome, predicted={**outcome.predicted, "network": outcome.truth + factor * missed})


@pytest.mark.parametrize(("factor", "won"), [(0.7, "network"), (1.3, "plain"), (1.0, "tie")])
def test_the_verdict_can_be_lost(compared: forecasting.Outcome, factor: float, won: str) -> None:
    outcome = with_error(compared, factor)
    apart = forecasting.difference(outcome, outcome.best)
    said = sequences.verdict(outcome, apart, 1.0, False)
    assert said["won"] == won and apart.tied == (won == "tie")
    figures = [f"{outcome.error(name):.3g}" for name in ("network", outcome.best)]
    assert (
        all(one in said["verdict"] for one in figures)
        and said["by"] == f"squared error {figures[0]} against {figures[1]}"
    )
    assert (apart.mean > 0) == (factor > 1) or won == "tie"


def test_where_nobody_knows_it_is_said(compared: forecasting.Outcome) -> None:
    outcome = dataclasses.replace(compared, predicted=dict.fromkeys(compared.predicted, compared.predicted["mean"]))
    said = sequences.verdict(outcome, forecasting.difference(outcome, outcome.best), 1.0, False)
    assert said["won"] == "open" and said["verdict"].startswith("Nobody knows")


# Films.


def test_a_film_is_cut_into_its_frames() -> None:
    films = moving_digits.draw(np.arange(2))
    rows = sequences.frames_of(films, moving_digits.FRAMES)
    assert rows.shape == (2, 20, 256)
    np.testing.assert_array_equal(rows[1].reshape(20, 16, 16), moving_digits.film(1))


def test_digits_move_evenly_until_they_bounce() -> None:
    """Of films with one digit: the centre of its ink moves by as much at each frame, but for those in which it turns."""
    y = np.arange(16)
    even = []
    for row in range(0, 20, 2):
        film = moving_digits.film(row).astype(float)
        centres = (film.sum(2) * y).sum(1) / film.sum((1, 2))
        even.append(np.isclose(np.diff(np.abs(np.diff(centres))), 0, atol=0.03).mean())
    assert np.mean(even) > 0.6


def test_the_last_frame_is_moved_on_as_it_moved() -> None:
    """A dot of four pixels that goes one to the right at each frame."""
    films = np.zeros((1, 8, 12, 12, 1), np.float32)
    for k in range(8):
        films[0, k, 4:6, 2 + k : 4 + k] = 1
    rows = films.reshape(1, 8, -1)
    form = Form(8, 144, 5)
    plain = sequences.moving_on(form, rows, (12, 12, 1), 0.0)
    given, rest = form.parts(rows)
    np.testing.assert_allclose(plain.predict(given), rest, atol=1e-5)


# A long series.


def test_windows_of_ones_own_are_joined_to_their_series() -> None:
    whole = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    starts = np.array([*range(0, 60, 8), 1000])
    assert _series.longest(starts, 16) == (0, 8)
    assert _series.longest(np.array([0, 16, 40, 56, 72]), 16) == (2, 5)
    parts = np.stack([whole[start : start + 16] for start in starts[:8]])
    np.testing.assert_array_equal(_series.joined(parts, starts[:8]), whole[: 56 + 16])


def test_what_goes_on_otherwise_than_predicted_is_marked() -> None:
    """A sine goes on; somebody adds a bump. What predicts knows the sine."""
    form = Form(32, 1, 16)
    turn = np.sin(2 * np.pi * np.arange(640) / 16)
    noise = 0.1 * np.random.default_rng(0).normal(size=640)
    series = (turn + noise)[:, None].astype(np.float32)
    strange = np.zeros(640, bool)
    strange[320:332] = True
    series[strange] += 1.5
    held = np.stack([series[start : start + 32] for start in range(0, 288, 16)])
    known = _series.usual(form, lambda given: given, held)  # half a window is a period: it repeats itself
    found = _series.scores(form, lambda given: given, known, series)
    assert found.shape == (640 - 16,) and np.median(found) == pytest.approx(1, abs=0.2)
    said = _series.told(form, strange, found, known.threshold)
    assert said["strange"] == said["found"] == 1 and said["roc"] > 0.99 and said["false"] <= 3


def test_a_record_says_what_does_not_belong() -> None:
    record = heartbeats.record()
    assert len(_series.stretches(record.strange)) == len(record.names) == 4
    assert record.values.shape == record.strange.shape == (3000,)
    calm = heartbeats.record(seed=1).values
    assert not np.array_equal(calm, record.values)


def test_ones_own_windows_are_the_series_they_were_cut_from(home: Path, tmp_path: Path) -> None:
    """A table with a time, with a gap: of its two stretches the longer one."""
    values = np.sin(np.arange(2000) / 5) + 0.1 * np.random.default_rng(0).normal(size=2000)
    moments = np.datetime64("2024-01-01T00:00:00") + np.arange(2000) + 500 * (np.arange(2000) >= 500)
    lines = [f"{moment},{value:.5f}" for moment, value in zip(moments.tolist(), values.tolist(), strict=True)]
    (tmp_path / "series.csv").write_text("\n".join(["time,level", *lines]))
    dataset = datasets.get(
        uploads.save(guarded.guarded_read(tmp_path / "series.csv", tmp_path / "read"), "me", "Mine").name
    )
    assert dataset.kind == "signal" and sequences.fits(dataset) == ""
    series = _series.of(dataset, 100)
    assert series is not None and series.strange is None
    steps = dataset.shape[0]
    count = 1500 // steps * steps
    assert series.values.shape == (count, 1) and series.words == f"rows 501 to {500 + count:,} of your series"
    told = unscaled(dataset.columns, series.values)[:, 0]
    np.testing.assert_allclose(told, values[500 : 500 + count], atol=1e-4)
    assert _series.of(dataset, 1900) is None and _series.of(datasets.get("waves"), 10) is None


# What it is asked of.


def test_it_says_what_it_takes() -> None:
    assert sequences.fits(datasets.get("waves")) == "" == sequences.fits(datasets.get("moving-digits"))
    assert "follow each other in time" in sequences.fits(datasets.get("digits"))
    short = dataclasses.replace(datasets.get("waves"), shape=(4, 1))
    assert "4 steps" in sequences.fits(short)
    wide = dataclasses.replace(datasets.get("waves"), shape=(64, 100))
    assert "6,400 numbers" in sequences.fits(wide)


def test_too_few_signals_are_a_problem() -> None:
    few = dataclasses.replace(datasets.get("waves"), count=12)
    with pytest.raises(Problem, match="are 10, 1, 1; at least 20, 2 and 2"):
        sequences.cut(few)
    with pytest.raises(Problem, match="cannot be given"):
        sequences.form_of(datasets.get("waves"), 1.0)
