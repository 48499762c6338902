"""A run beside PCA, t-SNE and UMAP at as many numbers: what is measured, who wins at what, and its place on Codes."""

import importlib.util
import sys
import types

import numpy as np
import pages
import pytest
from sklearn.manifold import trustworthiness
from streamlit.testing.v1 import AppTest

from components import choosing
from components.views import codes as page
from models import engine, labs, runs
from models.analysis import metrics
from models.engine import answers
from models.labs import Answer, codes
from models.runs import Run


def opened(name: str) -> Run:
    return runs.open_run(runs.folder_of(name))


def answered(name: str, samples: int = 1000) -> Answer:
    return codes.answer(opened(name), {"samples": samples}, labs.quiet)


@pytest.fixture(scope="module")
def two() -> Answer:
    """Of a run with two numbers, without UMAP."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(codes, "find_spec", lambda _name: None)
        return answered("digits-variational")


def test_each_sample_adds_its_part_to_trustworthiness_and_continuity() -> None:
    dice = np.random.default_rng(0)
    samples, places = dice.normal(size=(80, 5)).astype(np.float32), dice.normal(size=(80, 2)).astype(np.float32)
    each = metrics.neighbourhoods_of_each(samples, places)
    assert [one.shape for one in each] == [(80,), (80,)]
    assert [one.mean() for one in each] == pytest.approx(
        [trustworthiness(one, other, n_neighbors=10) for one, other in ((samples, places), (places, samples))]
    )
    kept = metrics.neighbourhoods_of_each(samples, 3 * samples)
    assert np.all(kept[0] == 1) and np.all(kept[1] == 1)


def test_identical_samples_are_neighbours_in_the_same_order_everywhere() -> None:
    """Their distances, out of a product of matrices, differ by what the processor rounds."""
    dice = np.random.default_rng(0)
    samples = np.repeat(dice.random((40, 300)).astype(np.float32), 3, 0)[dice.permutation(120)]
    assert trustworthiness(samples, samples, n_neighbors=10) < 1, "what is mended is there"
    assert metrics.neighbourhoods(samples, samples) == (1, 1)


def test_the_nearest_others_vote_without_the_sample_itself() -> None:
    points = np.array([[float(i)] for i in (*range(6), *range(100, 106))], np.float32)
    labels = np.array([0] * 6 + [1] * 6, np.int32)
    assert metrics.same_class(points, labels).all()
    labels[0] = 1
    right = metrics.same_class(points, labels)
    assert not right[0] and right[1:].all()


def test_what_is_measured_is_what_the_run_was_measured_with(two: Answer) -> None:
    run = opened("digits-variational")
    (part,) = two.facts["sizes"]
    ours, pca, tsne = part["methods"]
    assert [one["title"] for one in part["methods"]] == ["this run", "PCA", "t-SNE"] and part["size"] == 2
    for name in ("trustworthiness", "continuity"):
        assert ours[name] == pytest.approx(run.metric(name), abs=1e-5)
    assert ours["error"] == pytest.approx(run.metric("mse"), rel=1e-4)
    assert pca["error"] == pytest.approx(run.metric("pca_mse"), rel=1e-4)
    assert "error" not in tsne and tsne["again"] is None and ours["again"] > 0 and pca["again"] > 0
    assert ours["seconds"] > run.card.training.seconds
    assert labs.finding(two.facts).against == "t-SNE" and "PCA 0." in two.facts["verdict"]


def test_what_is_drawn_is_where_each_method_puts_the_stored_samples(two: Answer) -> None:
    run, arrays = opened("digits-variational"), two.arrays
    places = arrays["places"]
    assert len(places) == 179 and (run.splits[places] == 2).all()
    np.testing.assert_array_equal(arrays["labels"], run.labels[places])
    drawn, own = arrays["map run"].astype(float), run.codes[places]
    for d in range(2):
        assert np.corrcoef(drawn[:, d], own[:, d])[0, 1] > 0.9999
    assert drawn.min() == 0 and drawn.max() == codes.LEVELS
    apart = arrays["like"]
    assert apart.shape == (179, codes.LIKE) and not (apart == np.arange(179)[:, None]).any()


def test_a_larger_code_is_compared_at_its_own_size_and_flattened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "find_spec", lambda _name: None)
    found = answered("digits-modern-8", samples=60)
    whole, flat = found.facts["sizes"]
    assert [whole["size"], flat["size"]] == [8, 2]
    assert [one["name"] for one in whole["methods"]] == ["run", "pca"], "t-SNE is made for two numbers"
    assert [one["name"] for one in flat["methods"]] == ["run", "pca", "tsne"]
    assert (
        "flattened by PCA" in flat["methods"][0]["how"] and flat["methods"][0]["error"] > whole["methods"][0]["error"]
    )
    assert found.facts["verdict"].startswith("At 8 numbers, over 60 test images: ")
    assert " With its codes flattened to two numbers, as on its map: " in found.facts["verdict"]
    assert found.facts["against"] == "PCA"


def test_where_umap_is_installed_it_learns_from_training_samples_and_places_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A plane of its first two numbers stands for it."""

    class Umap:
        def __init__(self, n_components: int, **_more: object) -> None:
            self.size = n_components

        def fit(self, samples: np.ndarray) -> "Umap":
            assert samples.shape[1] == 64 and len(samples) > max(15, self.size + 1), "it begins with eigenvectors"
            return self

        def transform(self, samples: np.ndarray) -> np.ndarray:
            return samples[:, 20 : 20 + self.size]

    fake = types.ModuleType("umap")
    fake.UMAP = Umap  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "umap", fake)
    real = importlib.util.find_spec
    monkeypatch.setattr(codes, "find_spec", lambda name: True if name == "umap" else real(name))
    monkeypatch.setattr(codes, "version", lambda name: "1.0")
    found = answered("digits-multi-layer", samples=60)
    umap = found.facts["sizes"][0]["methods"][-1]
    assert umap["title"] == "UMAP" and umap["how"] == "learnt from 1,439 training samples" and umap["again"] >= 0
    assert codes.by_umap(np.zeros((400, 64), np.float32), np.zeros((9, 64), np.float32), 144).codes.shape == (9, 44)
    assert "error" not in umap and "umap-learn 1.0" in found.facts["libraries"] and "map umap" in found.arrays


def values(**means: float) -> codes.Values:
    """Of two hundred samples about these means."""
    return {name: mean + np.tile([-0.1, 0.1], 100) for name, mean in means.items()}


def test_who_wins_at_what_is_said_with_figures() -> None:
    ours = values(trustworthiness=0.9, continuity=0.9, classes=0.8, error=0.03)
    others = {
        "PCA": values(trustworthiness=0.7, continuity=0.91, classes=0.5, error=0.05),
        "t-SNE": values(trustworthiness=0.95, continuity=0.8, classes=0.9),
    }
    # The same two noises: every difference is certain, but for one that is made uncertain.
    others["PCA"] = {**others["PCA"], "continuity": others["PCA"]["continuity"] + np.repeat([-0.2, 0.2], 100)}
    found = codes.compared(ours, others)
    assert [(one["name"], one["won"], one["best"]) for one in found] == [
        ("trustworthiness", "plain", "t-SNE"),
        ("continuity", "tie", "PCA"),
        ("classes", "plain", "t-SNE"),
        ("error", "network", "PCA"),
    ]
    assert codes.sentence(found) == (
        "t-SNE wins at trustworthiness (0.950, this run 0.900) and neighbours of the same class (90.0 %, this run 80.0 %); "
        "a tie at continuity (this run 0.900, PCA 0.910); this run wins at the way back (error 0.0300, PCA 0.0500)."
    )
    told = codes.finding(found)
    assert (told.won, told.against) == ("plain", "t-SNE")
    assert told.by == "ahead in 1 of 4 measures, behind in 2: trustworthiness 0.900 against 0.950"
    assert labs.finding(told.facts) == told
    assert codes.finding(found[2:]).won == "tie" and codes.finding(found[3:]).won == "network"


def test_points_keep_their_form_on_the_grid() -> None:
    drawn = codes.on_grid(np.array([[0, 0], [4, 1], [2, 1]], np.float32))
    assert drawn[:, 0].tolist() == [0, codes.LEVELS, 512] and np.ptp(drawn[:, 1].astype(int)) in (255, 256, 257)
    assert codes.on_grid(np.ones((3, 1), np.float32)).tolist() == [[512, 512]] * 3
    assert codes.on_grid(np.zeros((0, 2), np.float32)).shape == (0, 2)


def test_few_test_samples_are_said() -> None:
    run = opened("digits-variational")
    few = [type(one)(**{**vars(one), "count": 12}) for one in run.card.metrics]
    card = type(run.card)(**{**vars(run.card), "metrics": tuple(few)})
    assert (
        codes.fits(type(run)(run.folder, card, run.digest))
        == "its test split has 12 samples, and this lab takes 21 at least"
    )
    assert codes.fits(run) == ""


def shown(**query: str) -> AppTest:
    return pages.shown("components.views", "codes", **query)


def test_codes_opens_with_the_comparison_that_ships() -> None:
    run = opened("digits-modern-8")
    found = answers.shipped(answers.question(codes.LAB, run, {}))
    assert found is not None
    app = shown(run="digits-modern-8")
    whole, flat = found.facts["sizes"]
    assert app.subheader[0].value == codes.LAB.question
    said = [one.value for one in app.markdown]
    assert f"**{choosing.escaped(whole['verdict'])}**" in said and choosing.escaped(flat["verdict"]) in said
    first, second = (one.value for one in app.dataframe[:2])
    assert list(first["method"])[:2] == ["this run", "PCA"] and list(second["method"])[:3] == [
        "this run",
        "PCA",
        "t-SNE",
    ]
    assert second["the way back"][2] == "none" and second["a new sample"][2] == "all is made anew"
    assert "What each dimension carries" in [one.value for one in app.subheader]


def test_what_the_browser_gets_are_the_maps_of_two_numbers() -> None:
    run = opened("digits-modern-8")
    found = answers.shipped(answers.question(codes.LAB, run, {}))
    assert found is not None
    sent = page.payload(found.digest, found, ["#000000"])
    count = len(sent["labels"])
    assert len(sent["places"]) == len(sent["like"]) == count > 100
    assert [one["title"] for one in sent["maps"]][:3] == ["this run", "PCA", "t-SNE"]
    for one in sent["maps"]:
        assert len(one["points"]) == count and np.min(one["points"]) >= 0 and np.max(one["points"]) <= 1
        assert one["about"]


def test_a_run_without_an_answer_is_compared_when_somebody_asks(digits_run: Run) -> None:
    app = shown(run=digits_run.id)
    assert [one.label for one in app.button].count("Compute") == 1
    assert engine.standing(engine.question(codes.LAB, digits_run, {})).phase == "unasked"
    assert app.subheader[0].value == "How well the codes keep classes apart"
