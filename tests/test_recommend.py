"""The lab Recommend: the plain methods and the measures are right, the networks do not look at what they should not see, ratings
are read in every form in which people have them, and the verdict can be lost."""

import dataclasses
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import ndcg_score

from models import Problem, datasets, labs, readers, uploads
from models.analysis import recommending as r
from models.datasets import tastes
from models.labs import recommend
from models.readers import guarded

LAB = recommend.LAB


def ratings(people: int = 120, things: int = 30, seed: int = 0) -> np.ndarray:
    """Of people with two tastes, 1 to 5, half of it gaps (N, I)."""
    dice = np.random.default_rng(seed)
    felt = 3 + dice.normal(size=(people, 2)) @ dice.normal(size=(2, things)) + dice.normal(0, 0.3, (people, things))
    stars = np.clip(np.rint(felt), 1, 5)
    stars[dice.random(stars.shape) < 0.5] = np.nan
    return stars


# Plain methods and measures.


def test_ease_is_ridge_regression_on_all_other_things() -> None:
    likes = (np.random.default_rng(0).random((60, 7)) < 0.4).astype(np.float64)
    known = np.maximum(likes, np.random.default_rng(1).random((60, 7)) < 0.3).astype(np.float64)
    both = np.concatenate([likes, known], 1)
    one, two = r.ease(likes, 3.0), r.ease_2(likes, known, 3.0)
    for i in range(7):
        for matrix, rows in ((one, likes), (two, both)):
            others = [j for j in range(rows.shape[1]) if j % 7 != i]
            exact = Ridge(alpha=3.0, fit_intercept=False).fit(rows[:, others], likes[:, i]).coef_
            np.testing.assert_allclose(matrix[others, i], exact, atol=1e-8)
            assert (matrix[[j for j in range(rows.shape[1]) if j % 7 == i], i] == 0).all()


def test_a_ranking_is_measured_as_scikit_learn_does_and_what_was_rated_is_not_suggested() -> None:
    dice = np.random.default_rng(0)
    scores, relevant = dice.random((20, 12)), (dice.random((20, 12)) < 0.3).astype(np.float64)
    relevant[0] = 0
    free = np.full((20, 12), np.nan)
    hits = r.ranked(scores, free, relevant, 100)
    some = relevant.sum(1) > 0
    assert np.nanmean(r.ndcg(hits, relevant, 5)) == pytest.approx(ndcg_score(relevant[some], scores[some], k=5))
    assert np.isnan(r.ndcg(hits, relevant, 5)[0]) and np.isnan(r.recall(hits, relevant, 5)[0])
    given = free[:1].copy()
    given[0, 2] = 4
    first = np.array([[0.1, 0.5, 0.9, 0.4, *[0] * 8]])
    wanted = np.array([[0, 1.0, 1, 1, *[0] * 8]])
    assert r.ranked(first, given, wanted, 2).tolist() == [[1, 1]]
    assert r.recall(np.array([[1.0, 0, 1]]), np.array([[1.0, 0, 1, 1]]), 2).tolist() == [0.5]


def test_what_tests_is_not_learnt_from() -> None:
    every = ratings()
    seen = np.zeros(every.shape)
    for fold in range(5):
        split = r.split_stars(every, fold)
        parts = [~np.isnan(one) for one in (split.train, split.held, split.test_held)]
        assert (np.sum(parts, 0) == ~np.isnan(every)).all()
        seen += parts[2]
    assert seen.max() == 1, "five splits test other ratings"
    tested = []
    for fold in range(5):
        split = r.split_people(every, fold, 5)
        tested += split.people.tolist()
        whole = np.where(np.isnan(split.test_given), split.test_held, split.test_given)
        np.testing.assert_array_equal(whole, every[split.people])
        assert not np.any(~np.isnan(split.test_given) & ~np.isnan(split.test_held))
        learnt = {row.tobytes() for row in np.nan_to_num(split.train)}
        assert not learnt & {row.tobytes() for row in np.nan_to_num(every[split.people])}
        share = np.isnan(split.test_given).sum() - np.isnan(whole).sum()
        assert share / (~np.isnan(whole)).sum() == pytest.approx(0.2, abs=0.02)
    assert len(tested) == len(set(tested)) == 120


# Networks.


def test_what_a_gap_holds_is_never_looked_at() -> None:
    from models.training import recommender

    every = ratings(60, 12)
    known = (~np.isnan(every)).astype(np.float32)
    residuals = np.nan_to_num(every - 3).astype(np.float32)
    junk = np.where(known > 0, residuals, 1e6).astype(np.float32)
    same = {
        "width": 8,
        "dropout": 0.2,
        "hidden": (0.1, 0.5),
        "damping": 3.0,
        "steps": 5,
        "seed": 0,
        "tell": lambda _: None,
    }
    for code_size in (None, 2):
        one, two = (recommender.denoiser(rows, known, code_size=code_size, **same) for rows in (residuals, junk))
        for name in one:
            np.testing.assert_array_equal(one[name], two[name])
    liked = (residuals > 0).astype(np.float32)
    with_likes = [recommender.denoiser(rows, known, liked, **same) for rows in (residuals, junk)]
    np.testing.assert_array_equal(with_likes[0]["net.0.weight"], with_likes[1]["net.0.weight"])


def test_networks_learn_what_people_have_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(r, "WIDTH", 32)
    monkeypatch.setattr(r, "DROPOUTS", (0.1,))
    every = ratings(300, 20)
    outcome = r.outcome_stars(r.split_stars(every, 0), steps=150, tell=lambda _what, _share: None)
    found = {name: r.rmse([outcome], name) for name in outcome.values}
    assert found["denoiser"] < 0.85 * found["bias"] and found["ease"] < 0.85 * found["bias"]
    other = r.outcome_likes(r.split_people(every, 0, 5), steps=150, tell=lambda _what, _share: None)
    assert r.mean([other], "denoiser", "ndcg@10") > r.mean([other], "popularity", "ndcg@10") + 0.05
    assert set(r.OURS) <= set(outcome.values) | set(other.values) and "ease" in outcome.values


def outcomes(ours: float, theirs: float) -> tuple[list[r.Outcome], list[r.Outcome]]:
    """Of 200 people, with these root mean squared errors; NDCG is 1 less a fifth of these."""
    noise = np.abs(np.random.default_rng(0).normal(1, 0.05, 200))
    stars, likes = r.Outcome(np.arange(200)), r.Outcome(np.arange(200))
    for name, error in (("denoiser", ours), ("ease", theirs), ("bias", 9.0)):
        stars.values[name] = {"squared": error**2 * noise, "absolute": error * noise / 5, "count": np.ones(200)}
        likes.values[name] = {f"ndcg@{k}": 1 - error / 10 * noise for k in r.NDCG_AT}
        for one in (stars, likes):
            one.settings[name], one.seconds[name] = "", 1.0
    return [stars], [likes]


def test_the_verdict_can_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(r, "DRAWS", 200)
    found = {both: recommend.measured(*outcomes(*both)) for both in ((1.0, 1.2), (1.2, 1.0), (1.0, 1.0))}
    won, lost, tied = (found[both] for both in found)
    assert won["won"] == "network" and won["verdict"].startswith("Stars: the denoising autoencoder wins, RMSE 1.")
    assert (
        lost["won"] == "plain"
        and "EASE, a plain method, wins: the denoising autoencoder has RMSE 1.2" in lost["verdict"]
    )
    assert tied["won"] == "tie" and tied["verdict"].count("a tie of the denoising autoencoder and EASE") == 2
    assert won["against"] == "EASE" and len(won["by"]) <= 90 and won["by"][-1] != "."


# The data, and what fits.


def test_tastes_are_as_their_story_says() -> None:
    stars, moods, liking = tastes.drawn()
    known = ~np.isnan(stars)
    assert set(np.unique(stars[known])) == {1, 2, 3, 4, 5} and known.sum(1).min() >= tastes.FEWEST
    popularity = [one.popularity for one in tastes.THINGS]
    assert np.corrcoef(known.sum(0), popularity)[0, 1] > 0.8
    dark = tastes.MOODS.index("dark")
    thing = next(i for i, one in enumerate(tastes.THINGS) if one.name == "The House That Waited")
    mean = [np.nanmean(stars[moods == mood, thing]) for mood in range(6)]
    assert np.argmax(mean) == dark and (liking.argmax(1) == moods).all()
    kept = recommend.ratings_of(datasets.get("tastes"))
    np.testing.assert_allclose(kept, stars, atol=1e-3)


@pytest.fixture
def movielens(tmp_path: Path) -> dict[str, Path]:
    """The same 5,000 ratings in several forms."""
    dice = np.random.default_rng(0)
    rows = [(u, i, int(dice.integers(1, 6))) for u in range(1, 201) for i in dice.permutation(60)[:25].tolist()]
    out = {}

    def put(name: str, content: str | bytes) -> None:
        out[name] = tmp_path / name
        out[name].write_bytes(content.encode() if isinstance(content, str) else content)

    lines = "".join(f"{u}\t{i}\t{s}\t{881250949 + u}\n" for u, i, s in rows)
    items = "".join(f"{i}|Thé {i} (1995)|01-Jan-1995||http://imdb|0|1\n" for i in range(60)).encode("latin-1")
    big = io.BytesIO()
    with zipfile.ZipFile(big, "w") as archive:
        for name, text in (
            ("u.data", lines),
            ("u.item", items),
            ("README", "read me"),
            ("u1.base", lines),
            ("mku.sh", "#!/bin/sh"),
        ):
            archive.writestr(f"ml-100k/{name}", text)
    put("ml-100k.zip", big.getvalue())
    small = io.BytesIO()
    with zipfile.ZipFile(small, "w") as archive:
        archive.writestr(
            "ml/ratings.csv", "userId,movieId,rating,timestamp\n" + "".join(f"{u},{i},{s}.0,{u}\n" for u, i, s in rows)
        )
        archive.writestr(
            "ml/movies.csv", "movieId,title,genres\n" + "".join(f'{i},"Film, {i}",Comedy\n' for i in range(60))
        )
        archive.writestr("ml/links.csv", "movieId,imdbId\n1,2\n")
    put("ml-latest-small.zip", small.getvalue())
    put("german.csv", "Bewertung;Nutzer;Artikel\n" + "".join(f"{s},0;n{u};a{i}\n" for u, i, s in rows))
    put("bare.csv", "".join(f"{u},{i},{s}\n" for u, i, s in rows))
    put("twice.csv", "user,item,rating\n1,1,9\n" + "".join(f"{u},{i},{s}\n" for u, i, s in rows) + "1,1,4\n3,,5\n")
    wide = np.full((200, 60), "", object)
    for u, i, s in rows:
        wide[u - 1, i] = str(s)
    put(
        "wide.csv",
        "user,"
        + ",".join(f"m{i}" for i in range(60))
        + "\n"
        + "".join(f"u{u}," + ",".join(row) + "\n" for u, row in enumerate(wide)),
    )
    return out


def matrix(found: readers.ReadResult) -> np.ndarray:
    """Ratings with gaps (N, I), things in the order of the numbers in their names."""
    gone = np.unpackbits(found.missing, axis=1, count=len(found.columns)).astype(bool)
    order = np.argsort([int("".join(c for c in one.name.split("(")[0] if c.isdigit())) for one in found.columns])
    rows = np.argsort([int("".join(c for c in name if c.isdigit())) for name in found.names])
    return np.where(gone, np.nan, found.samples)[rows][:, order]


def test_ratings_are_read_in_every_form(movielens: dict[str, Path]) -> None:
    found = {name: readers.read(path) for name, path in movielens.items()}
    first = matrix(found["ml-100k.zip"])
    assert first.shape == (200, 60) and np.isfinite(first).sum() == 5000
    for name, one in found.items():
        if name != "twice.csv":
            np.testing.assert_array_equal(matrix(one), first, err_msg=name)
        asks = [decision.what for decision in one.decisions if decision.asks]
        assert asks == (["pivot"] if name == "bare.csv" else []), name
    assert (
        found["ml-100k.zip"].columns[3].name == "Thé 3 (1995)"
        and found["ml-latest-small.zip"].columns[3].name == "Film, 3"
    )
    assert found["bare.csv"].columns[3].name == "thing 3" and found["twice.csv"].columns[3].name == "item 3"
    again = found["twice.csv"]
    assert matrix(again)[0, 1] == 4 and matrix(again).shape == (200, 60)
    assert any("lack a person" in words for words in again.warnings) and any(
        "the last one counts" in words for words in again.warnings
    )
    rows = readers.read(movielens["german.csv"], pivot="")
    assert rows.samples.shape[0] == 5000 and rows.missing is None, "whoever wants rows gets them"


def test_other_tables_stay_what_they_are(tmp_path: Path) -> None:
    dice = np.random.default_rng(0)
    grid = "".join(f"{x},{y},{dice.integers(0, 9)}\n" for x in range(40) for y in range(40))
    (tmp_path / "grid.csv").write_text(grid)  # full: pixels, or times and sensors
    (tmp_path / "few.csv").write_text("user,item,rating\n" + "".join(f"{u},{u},3\n" for u in range(100)))
    shop = "".join(f"{i % 7},{i},{dice.normal():.3f},{i % 3}\n" for i in range(300))
    (tmp_path / "shop.csv").write_text("store,order,amount,kind\n" + shop)
    for name, rows in (("grid.csv", 1600), ("few.csv", 100), ("shop.csv", 300)):
        assert readers.read(tmp_path / name, kind="table").samples.shape[0] == rows, name


def test_of_very_many_things_those_with_most_ratings_are_kept_and_names_do_no_harm(tmp_path: Path) -> None:
    lines = [f'{u},"<b>=cmd|{i}</b>\u202e",{1 + (u + i) % 5}\n' for u in range(40) for i in range(u, u + 2100, 7)]
    (tmp_path / "many.csv").write_text("user,title,stars\n" + "".join(lines))
    found = guarded.guarded_read([tmp_path / "many.csv"], tmp_path / "out", {}, lambda _what, _share: None)
    assert found.samples.shape == (40, 2000) and any("2,000 with most ratings" in words for words in found.warnings)
    assert not any("\u202e" in one.name for one in found.columns)


def test_ones_own_ratings_get_to_the_lab_and_other_tables_with_gaps_do_not(
    home: Path, movielens: dict[str, Path], tmp_path: Path
) -> None:
    for name in ("ml-100k.zip", "wide.csv"):
        kept = uploads.save(readers.read(movielens[name]), "me", name)
        assert LAB.fits(kept) == "", name
        own = recommend.ratings_of(kept)
        assert own.shape == (200, 60) and set(np.unique(own[~np.isnan(own)])) == {1, 2, 3, 4, 5}
    people, things = recommend.chosen(own)
    assert len(people) == 200 and len(things) == 60
    with pytest.raises(Problem, match="50 people and 60 things"):
        recommend.chosen(own[:50])
    dice = np.random.default_rng(0)
    body = dice.normal(size=(200, 9)) * 10.0 ** np.arange(9) + 5 * 10.0 ** np.arange(9)
    body[dice.random(body.shape) < 0.3] = np.nan
    cells = "\n".join(",".join("" if np.isnan(one) else f"{one:.4g}" for one in row) for row in body)
    (tmp_path / "body.csv").write_text(",".join("abcdefghi") + "\n" + cells + "\n")
    other = uploads.save(readers.read(tmp_path / "body.csv"), "me", "body")
    assert "different scales" in LAB.fits(other)
    assert "table of ratings" in LAB.fits(datasets.get("digits")) and "cells are filled" in LAB.fits(
        datasets.get("breast-cancer")
    )


def test_the_answer_is_about_the_things_that_have_ratings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a small dataset, with short trainings: the page has what it needs, and its map is the code of its network."""
    monkeypatch.setattr(recommend, "SHOWN_STEPS", 40)
    monkeypatch.setattr(r, "WIDTH", 16)
    monkeypatch.setattr(r, "DRAWS", 50)
    short = r.compare
    monkeypatch.setattr(r, "compare", lambda rows, folds, report: short(rows, folds, steps=30, report=report))
    every = ratings(130, 14)
    every[:, 5] = np.nan
    every[:3, 5] = 4  # too few ratings to be learnt from
    dataset = dataclasses.replace(datasets.get("tastes"), name="some", count=len(every), shape=(14,))
    monkeypatch.setattr(recommend, "ratings_of", lambda _dataset: every)
    monkeypatch.setattr(
        datasets,
        "arrays",
        lambda _dataset: datasets.Arrays(every, np.zeros(130, np.int32), np.zeros((130, 0), np.float32)),
    )
    said: list[float] = []
    found = LAB.answer(dataset, {"splits": 1}, lambda _what, share, *_more: said.append(share))
    assert said == sorted(said) and said[-1] <= 1
    names = [one["name"] for one in found.facts["things"]]
    assert len(names) == 13 and tastes.THINGS[5].name not in names
    assert found.arrays["places"].shape == (13, 2) and np.isfinite(found.arrays["places"]).all()
    weights = {name: array.astype(np.float32) for name, array in found.arrays.items() if "." in name}
    people, things = recommend.chosen(every)
    part = every[np.ix_(people, things)]
    codes = r.encoded(weights, r.told(part, r.Centre.of(part))[0])
    np.testing.assert_allclose(codes, found.arrays["codes"], atol=0.02)
    np.testing.assert_allclose(codes.std(0), 1, atol=0.01)
    assert {"page", "map", "ease"} <= {one["name"] for one in found.facts["stars"]} and labs.get("recommend") is LAB
