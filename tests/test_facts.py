"""Facts about losses, metrics, planes and noise that hold whatever is trained."""

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from models import codes, noise, runs, training
from models.analysis import metrics
from models.losses.contraction import contraction
from models.losses.kl import kl
from models.losses.rate import bits, rounded
from models.losses.sparsity import sparsity
from models.losses.total_correlation import total_correlation
from models.runs import NOISES
from models.training import measuring
from models.training.reconstruction import bernoulli, squared_error

SOURCE = np.random.default_rng(0)


def images(count: int = 20, shape: tuple[int, ...] = (7, 13, 2)) -> np.ndarray:
    return np.random.default_rng(1).random((count, *shape), np.float32)


# Losses


def test_the_kl_of_a_standard_normal_is_zero() -> None:
    assert kl(torch.zeros(4, 3), torch.zeros(4, 3)).tolist() == [0, 0, 0]


def test_the_kl_is_that_of_torch_distributions() -> None:
    mean, log_variance = torch.randn(50, 3), torch.randn(50, 3)
    expected = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).mean(0)
    torch.testing.assert_close(kl(mean, log_variance), expected)


def test_the_bernoulli_loss_is_the_log_likelihood_summed_over_values_and_averaged_over_samples() -> None:
    chance, sample = torch.rand(6, 4, 5, 1), torch.rand(6, 4, 5, 1).round()
    expected = -Bernoulli(chance).log_prob(sample).sum((1, 2, 3)).mean()
    torch.testing.assert_close(bernoulli(chance, sample), expected)


def test_the_bernoulli_loss_hands_on_what_is_no_number() -> None:
    """The loop tells of it in a sentence; torch's own function would raise first."""
    assert bernoulli(torch.full((2, 3), torch.nan), torch.zeros(2, 3)).isnan()


def test_the_squared_error_is_summed_over_values_and_averaged_over_samples() -> None:
    assert squared_error(torch.full((5, 2, 3), 2.0), torch.zeros(5, 2, 3)).item() == 4 * 6
    assert sparsity(torch.tensor([[1.0, -3.0]])).item() == 2


def test_the_contraction_is_the_squared_norm_of_the_jacobian() -> None:
    """Against the Jacobian that torch computes whole, over many probes; for a linear code it is the same for all."""
    torch.manual_seed(0)
    layer, given = (
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3)),
        torch.randn(5, 3, 4, requires_grad=True),
    )
    exact = layer[1].weight.square().sum().item()
    estimates = [contraction(layer(given), given, torch.randn(5, 3)).item() for _ in range(3000)]
    assert np.mean(estimates) == pytest.approx(exact, rel=0.03)
    bent = torch.nn.Sequential(layer, torch.nn.Tanh())
    jacobian = torch.autograd.functional.jacobian(bent, given)  # (5, 3, 5, 3, 4)
    exact = jacobian.square().sum().item() / 5
    estimates = [contraction(bent(given), given, torch.randn(5, 3)).item() for _ in range(3000)]
    assert np.mean(estimates) == pytest.approx(exact, rel=0.03)


def test_beta_rises_over_its_share_of_the_training() -> None:
    assert [training.annealed(step, 100, 0.5) for step in (0, 24, 49, 50, 99)] == [0.02, 0.5, 1.0, 1.0, 1.0]
    assert training.annealed(0, 100, 0.0) == 1.0


def test_a_shift_moves_the_whole_batch_and_lets_zeros_in() -> None:
    stored = torch.arange(1, 2 * 5 * 6 + 1, dtype=torch.uint8).reshape(2, 5, 6, 1)
    seen = set()
    for seed in range(200):
        moved = training.shifted(stored, 1, seed)
        assert moved.shape == stored.shape and moved.dtype == stored.dtype
        fits = [
            (down, right)
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
            if torch.equal(moved[:, 1:-1, 1:-1], torch.roll(stored, (down, right), (1, 2))[:, 1:-1, 1:-1])
        ]
        assert len(fits) == 1
        seen.add(fits[0])
        if fits[0][0] == 1:
            assert not moved[:, 0].any()
    assert len(seen) == 9


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    shares = [training.schedule(step, 200) for step in range(201)]
    top = int(np.argmax(shares))
    assert shares[top] == 1 and 5 <= top <= 20
    assert all(np.diff(shares[: top + 1]) > 0) and all(np.diff(shares[top + 1 :]) < 0)
    assert shares[-1] == pytest.approx(0) and shares[-2] < 0.001
    assert training.schedule(0, 1) > 0  # a training of one step trains


# Metrics


def test_the_psnr_of_a_tenth_is_twenty_decibel() -> None:
    assert metrics.psnr(0.01) == pytest.approx(20)
    assert metrics.psnr(0.0) > 100  # and is finite


@pytest.mark.parametrize("shape", [(7, 13, 2), (28, 28, 1), (4, 5, 3), (3, 3, 1)])
def test_the_ssim_of_equal_images_is_one(shape: tuple[int, ...]) -> None:
    same = images(3, shape)
    assert metrics.ssim(same, same) == pytest.approx(1)
    assert metrics.ssim(same, images(6, shape)[3:]) < 0.7


def test_squared_errors_are_means_over_a_sample() -> None:
    apart = np.zeros((3, 7, 13, 2), np.float32)
    apart[1] = 0.5
    np.testing.assert_allclose(metrics.squared_errors(apart, np.zeros_like(apart)), [0, 0.25, 0])


def test_pca_at_full_rank_gives_everything_back() -> None:
    stored = (images(60, (3, 5, 1)) * 255).astype(np.uint8)
    seen = codes.to_float(stored)
    full = metrics.fit_pca(stored, 200)
    assert full.components.shape == (15, 15)
    np.testing.assert_allclose(metrics.through_pca(full, seen), seen, atol=1e-5)
    less = metrics.fit_pca(stored, 3)
    assert metrics.squared_errors(metrics.through_pca(less, seen), seen).mean() > 0.01


def test_pca_loses_the_least_that_a_plane_can_lose() -> None:
    """Against the singular values: the error at D is what the others hold (Eckart and Young 1936)."""
    flat = SOURCE.standard_normal((200, 12)).astype(np.float32) * np.arange(1, 13, dtype=np.float32)
    lost = metrics.squared_errors(metrics.through_pca(metrics.fit_pca(flat, 4), flat), flat).mean()
    values = np.linalg.svd(flat - flat.mean(0), compute_uv=False)
    assert lost == pytest.approx(np.square(values[4:]).sum() / flat.size, rel=1e-3)


def test_codes_that_tell_the_classes_apart_are_judged_so() -> None:
    labels = np.repeat(np.arange(3, dtype=np.int32), 30)
    apart = np.eye(3, dtype=np.float32)[labels] * 9 + SOURCE.standard_normal((90, 3)).astype(np.float32)
    assert metrics.knn_accuracy(apart, labels, apart, labels) == 1
    assert metrics.knn_accuracy(apart, labels, apart, (labels + 1) % 3) == 0


def test_a_faithful_map_is_trustworthy_and_continuous() -> None:
    flat = SOURCE.standard_normal((80, 4)).astype(np.float32)
    assert metrics.neighbourhoods(flat, flat * 3) == pytest.approx((1, 1))
    folded = np.abs(flat)  # puts strangers side by side, but tears no neighbours apart
    trustworthiness, continuity = metrics.neighbourhoods(flat, folded)
    assert trustworthiness < 0.97 and continuity > trustworthiness


def test_every_metric_has_a_name_a_unit_and_its_split() -> None:
    plain = metrics.Metric("psnr", "test", 20.0, 179).plain()
    assert plain["unit"] == "dB" and plain["split"] == "test" and plain["title"]


# Codes


def test_the_nearest_codes_are_scikit_learns() -> None:
    from sklearn.neighbors import NearestNeighbors

    all_ = SOURCE.standard_normal((20_000, 6)).astype(np.float32)
    one = SOURCE.standard_normal(6).astype(np.float32)
    places, apart = codes.nearest(all_, one, 300)  # so many that a partition alone leaves them unsorted
    expected_apart, expected = NearestNeighbors(n_neighbors=300).fit(all_).kneighbors(one[None])
    np.testing.assert_array_equal(places, expected[0])
    np.testing.assert_allclose(apart, expected_apart[0], rtol=1e-5)
    assert len(codes.nearest(all_[:3], one, 7)[0]) == 3


def test_a_move_on_the_pca_plane_lands_where_it_was_sent_and_can_be_taken_back() -> None:
    all_ = (SOURCE.standard_normal((300, 5)) * [5, 1, 3, 0.2, 0.1]).astype(np.float32)
    plane, share = codes.pca_plane(all_)
    np.testing.assert_allclose(plane.components @ plane.components.T, np.eye(2), atol=1e-5)
    assert np.abs(plane.components).argmax(1).tolist() == [0, 2]
    assert share[0] > share[1] and share.sum() == pytest.approx(0.97, abs=0.02)
    code = all_[7]
    moved = plane.move(code, np.array([3.0, -1.0]))
    np.testing.assert_allclose(plane.project(moved[None])[0], [3, -1], atol=1e-4)
    np.testing.assert_allclose(plane.move(moved, plane.project(code[None])[0]), code, atol=1e-4)
    off = np.eye(5) - plane.components.T @ plane.components
    np.testing.assert_allclose(off @ moved, off @ code, atol=1e-4)  # what lies off the plane stays


def test_the_plane_of_two_dimensions_shows_them_as_they_are() -> None:
    all_ = SOURCE.standard_normal((9, 5)).astype(np.float32)
    plane = codes.Plane(np.zeros(5, np.float32), np.eye(5, dtype=np.float32)[[3, 1]])
    np.testing.assert_array_equal(plane.project(all_), all_[:, [3, 1]])
    np.testing.assert_allclose(plane.move(all_[0], np.array([8, 9]))[[3, 1]], [8, 9], rtol=1e-6)


def test_inside_a_lasso_is_inside_and_a_bay_is_not() -> None:
    """A U: the bay between its arms is outside, and so is everything left, right, above and below."""
    shape = np.array([[0, 0], [6, 0], [6, 5], [4, 5], [4, 2], [2, 2], [2, 5], [0, 5]], float)
    points = np.array([[1, 4], [5, 4], [3, 1], [3, 4], [-1, 1], [7, 1], [1, 6], [3, -1]], float)
    assert codes.inside(points, shape).tolist() == [True, True, True, False, False, False, False, False]
    assert codes.inside(points, shape[::-1]).tolist() == codes.inside(points, shape).tolist()


def test_codes_are_described_as_they_are() -> None:
    all_ = SOURCE.standard_normal((1000, 3)).astype(np.float32) * np.array([1, 5, 1e-4], np.float32)
    told = codes.describe(all_, None)
    assert (told["count"], told["size"], told["dead"]) == (1000, 3, [False, False, True])
    np.testing.assert_allclose(told["variance"], all_.var(0), rtol=1e-5)
    inside = (all_ >= told["low"]) & (all_ <= told["high"])
    np.testing.assert_allclose(inside.mean(0), 0.99, atol=0.002)
    assert 0 < told["nearest_p99"] < 10
    assert codes.describe(all_, np.array([0.5, 0.001, 0.02], np.float32))["dead"] == [False, True, False]
    assert codes.describe(all_[:1], None)["nearest_p99"] == 0


def test_codes_that_all_fell_together_are_still_described_and_laid_out(tmp_path) -> None:
    fallen = np.ones((50, 3), np.float32)
    assert codes.describe(fallen, None)["dead"] == [True] * 3
    almost = np.random.default_rng(0).normal(1, 1e-5, (1000, 2)).astype(np.float32)  # a sigmoid that has saturated
    assert codes.describe(almost, None)["dead"] == [True] * 2
    told = measuring.project(tmp_path, fallen, 20)
    assert np.isfinite(told["pca"]["components"]).all() and told["pca"]["explained"] == [0, 0]
    assert told["tsne"] is None and not (tmp_path / "projections" / "tsne.f32").exists()


@pytest.mark.parametrize(("asked", "laid_out"), [(0, None), (1, None), (20, 20), (100, 60)])
def test_as_many_codes_are_laid_out_as_asked_for(tmp_path, asked: int, laid_out: int | None) -> None:
    all_ = SOURCE.standard_normal((60, 3)).astype(np.float32)
    told = measuring.project(tmp_path, all_, asked)["tsne"]
    assert (told and told["count"]) == laid_out
    if laid_out:
        flat = np.fromfile(tmp_path / "projections" / "tsne.f32", np.float32)
        assert flat.shape == (2 * laid_out,) and np.isfinite(flat).all()
        index = np.fromfile(tmp_path / "projections" / "tsne-index.i32", np.int32)
        assert len(set(index)) == laid_out and index.max() < 60


# Noise


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (kind, shape)
        for kind in NOISES
        for shape in [(7, 13, 2), (8, 8, 1), (11,), (20, 3)]
        if kind != "watermark" or len(shape) == 3  # watermarks go on images
    ],
)
def test_noise_keeps_what_a_sample_is(kind: str, shape: tuple[int, ...]) -> None:
    clean = images(20, shape)
    before = clean.copy()
    spoilt = noise.corrupt(clean, kind, 0.4, seed=5)
    assert spoilt.shape == clean.shape and spoilt.dtype == np.float32
    np.testing.assert_array_equal(clean, before)  # not written over
    np.testing.assert_array_equal(spoilt, noise.corrupt(clean, kind, 0.4, seed=5))
    np.testing.assert_array_equal(noise.corrupt(clean, kind, 0.0, seed=5), clean)
    if len(shape) == 3:
        assert spoilt.min() >= 0 and spoilt.max() <= 1
    if kind == "none":
        np.testing.assert_array_equal(spoilt, clean)
    else:
        assert not np.array_equal(spoilt, clean)
        assert not np.array_equal(spoilt, noise.corrupt(clean, kind, 0.4, seed=6))


def test_noise_is_as_much_as_asked_for() -> None:
    grey = np.full((200, 9, 10, 3), 0.5, np.float32)
    spread = noise.corrupt(grey, "gaussian", 0.1, 0) - grey
    assert spread.std() == pytest.approx(0.1, rel=0.02) and spread.mean() == pytest.approx(0, abs=0.002)
    masked = noise.corrupt(grey, "masking", 0.3, 0)
    assert (masked == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert ((masked == 0).all(-1) == (masked == 0).any(-1)).all()  # whole pixels
    hit = noise.corrupt(grey, "salt-and-pepper", 0.3, 0)
    assert (hit == 0).mean() == pytest.approx(0.15, abs=0.01) and (hit == 1).mean() == pytest.approx(0.15, abs=0.01)
    marked = noise.corrupt(np.full((50, 28, 40, 1), 0.5, np.float32), "watermark", 1.0, 0)
    assert marked.max() > 0.8 and 0.02 < (marked > 0.6).mean() < 0.5


def test_a_row_meets_the_same_noise_whoever_looks_at_it() -> None:
    clean, rows = images(10), np.arange(40, 50)
    for kind in NOISES[1:]:
        together = noise.corrupt_rows(clean, kind, 0.4, rows)
        assert together.shape == clean.shape
        np.testing.assert_array_equal(together[[7, 2]], noise.corrupt_rows(clean[[7, 2]], kind, 0.4, rows[[7, 2]]))
        assert not np.array_equal(together[0], noise.corrupt_rows(clean[:1], kind, 0.4, rows[1:2])[0])
    assert noise.corrupt_rows(clean[:0], "gaussian", 0.4, rows[:0]).shape == (0, 7, 13, 2)


def test_a_choice_that_came_later_leaves_older_ids_as_they_were() -> None:
    choices = {"dataset": "digits", "architecture": "modern", "mixing": 0}
    plain = runs.configure(choices)
    assert all(f'"{name}"' not in plain.canonical() for name in runs.YOUNG)
    for name, value in {"contraction": 0.1, "shift": 1, "mixing": 0.2, "seconds": 10.0}.items():
        other = runs.configure(choices | {name: value})
        assert other.id != plain.id and f'"{name}":{value}' in other.canonical()
    assert plain.id_of(1) != plain.id == plain.id_of(runs.RECIPE)


def test_a_choice_without_effect_makes_no_other_run() -> None:
    plain = runs.configure({"dataset": "digits", "architecture": "modern"})
    same = runs.configure({"dataset": "digits", "architecture": "modern", "noise_level": 0.4, "beta": 3})
    assert same.id == plain.id
    variational = {"dataset": "digits", "architecture": "variational"}
    assert runs.configure(variational).id != runs.configure(variational | {"beta": 3}).id
    noisy = {"dataset": "digits", "architecture": "modern", "noise": "gaussian"}
    assert runs.configure(noisy | {"noise_level": 0.1}).id != runs.configure(noisy | {"noise_level": 0.4}).id
    assert runs.configure(noisy | {"noise_level": 0}) == plain
    assert runs.configure(noisy).noise_level == runs.NOISE_LEVEL > 0


def test_a_dimension_of_its_own_for_each_factor_and_the_gap_that_it_makes() -> None:
    factors = np.random.default_rng(0).uniform(size=(4000, 3)).astype(np.float32)
    idle = np.random.default_rng(1).normal(size=(4000, 1)).astype(np.float32)
    codes = np.concatenate([idle, np.exp(-3 * factors[:, [2, 0, 1]])], 1)  # monotone, falling, in another order
    told = metrics.factor_scores(codes, factors)
    assert told.shape == (4, 3)
    assert metrics.own_dimensions(told) == [(2, 0), (3, 1), (1, 2)]
    np.testing.assert_allclose([told[d, k] for d, k in metrics.own_dimensions(told)], 1)
    assert told[0].max() < 0.1
    assert metrics.mutual_information_gap(factors * 5 - 2, factors) == pytest.approx(1, abs=0.1)
    # Turned by 45 degrees, two dimensions tell the same of both factors.
    turned = factors[:, :2] @ np.array([[1, 1], [1, -1]], np.float32)
    assert metrics.mutual_information_gap(turned, factors[:, :2]) < 0.05
    assert metrics.mutual_information_gap(idle, factors) < 0.05
    assert metrics.factor_scores(np.zeros((5, 1), np.float32), factors[:5]).max() == 0


def test_a_tsne_is_judged_without_the_sample_itself() -> None:
    apart = np.repeat(np.eye(3, 5, dtype=np.float32) * 50, 30, 0)
    apart += np.random.default_rng(0).normal(size=apart.shape).astype(np.float32)
    labels = np.repeat(np.arange(3, dtype=np.int32), 30)
    assert metrics.tsne_knn_accuracy(apart, labels) == 1
    # A label that only the sample itself has is never voted for.
    alone = labels.copy()
    alone[0] = 3
    assert metrics.tsne_knn_accuracy(apart, alone) == pytest.approx(1 - 1 / 90)


def test_the_total_correlation_of_independent_dimensions_is_nothing() -> None:
    """Against the closed form for normals: -½ log det of the correlation matrix."""
    torch.manual_seed(0)
    spread = torch.full((2000, 2), -2.0)  # log-variance of each sample's own cloud
    mean = torch.randn(2000, 2)
    draw = mean + torch.randn(2000, 2) * (0.5 * spread).exp()
    assert total_correlation(draw, mean, spread).item() == pytest.approx(0, abs=0.03)
    mean[:, 1] = 0.9 * mean[:, 0] + (1 - 0.9**2) ** 0.5 * mean[:, 1]
    draw = mean + torch.randn(2000, 2) * (0.5 * spread).exp()
    correlation = 0.9 / (1 + np.exp(-2))
    expected = -0.5 * np.log(1 - correlation**2)
    assert total_correlation(draw, mean, spread).item() == pytest.approx(expected, abs=0.05)


def test_the_bits_of_rounded_codes_are_their_entropy_but_for_a_quarter_each() -> None:
    """Of normal numbers in steps of 1 the entropy is ½ log2(2 π e variance) (Cover and Thomas 2006, section 8.3), and what dimensions
    tell of each other in a line is not counted twice; noise of rounding is as large as that of rounding."""
    torch.manual_seed(0)
    code = torch.randn(20_000, 3) * torch.tensor([5.0, 20.0, 1e-3])
    entropy = 0.5 * np.log2(2 * np.pi * np.e * np.array([25.0, 400.0])).sum()
    told = bits(code).item()
    assert told == pytest.approx(entropy - np.log2(2 * np.pi * np.e / 12), abs=0.03)
    assert bits(torch.cat([code, code[:, :1]], 1)).item() == pytest.approx(told + 0.5, abs=0.03)
    assert bits(code @ torch.linalg.qr(torch.randn(3, 3))[0]).item() == pytest.approx(told, abs=0.02)
    noise = rounded(code) - code
    assert noise.abs().max() <= 0.5 and noise.var().item() == pytest.approx(1 / 12, rel=0.02)
    assert torch.equal(rounded(code, 3), rounded(code, 3)) and not torch.equal(rounded(code, 3), rounded(code, 4))


def test_distortion_leaves_the_middle_in_place_and_a_third_untouched() -> None:
    images = torch.zeros(300, 9, 9, 1, dtype=torch.uint8)
    images[:, 4, 4] = 200  # a linear map leaves the centre where it is
    images[:, 4, 8] = 100
    out = training.distorted(images, 0.1, seed=3)
    assert (out.shape, out.dtype) == (images.shape, images.dtype)
    same = (out == images).flatten(1).all(1)
    assert 60 < int(same.sum()) < 140
    assert (out[:, 4, 4, 0] > 150).float().mean() > 0.95
    assert not torch.equal(out, training.distorted(images, 0.1, seed=4))
    assert torch.equal(out, training.distorted(images, 0.1, seed=3))
