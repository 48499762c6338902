"""The page Compare: what it opens on, what its address says, its numbers, and the ways to it."""

import csv
import dataclasses
import html
import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import trained
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest
from test_pages import drawn, words

from components import comparing, fields, visitor, watched
from components.views import compare
from models import engine, export, in_numbers, pages, runs


def shipped(*names: str) -> list[runs.Run]:
    return [runs.open_run(runs.folder_of(name)) for name in names]


def ids(chosen: list[runs.Run]) -> str:
    return ",".join(run.id for run in chosen)


def htmls(app: AppTest) -> list[str]:
    return [one.value for one in app.html]


def table(app: AppTest) -> str:
    return next(text for text in htmls(app) if "Test error" in text)


def test_it_opens_on_the_articles_three_networks_and_says_so() -> None:
    app = drawn("compare")
    assert app.query_params["runs"] == ids(shipped(*compare.STORY))
    assert "three networks that squeeze the same 1,797 images of digits into two numbers" in words(app)
    assert [re.sub("<[^>]*>", "", head) for head in re.findall(r'<th scope="col">.*?</th>', table(app))] == [
        "Single-layer",
        "Multi-layer",
        "Convolutional",
    ]


def test_without_these_it_opens_on_runs_of_one_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "STORY", ("gone",))
    app = drawn("compare")
    chosen = [runs.open_run(runs.folder_of(one)) for one in app.query_params["runs"].split(",")]
    assert len(chosen) == 3 and in_numbers.same_data(chosen) and "runs that ship with Hourglass" in words(app)


def test_an_address_names_runs_by_id_or_by_name_in_its_order(digits_run: runs.Run) -> None:
    (second,) = shipped("digits-variational")
    app = drawn("compare", runs=f"{digits_run.id},digits-variational,{digits_run.id}")
    assert app.multiselect(key="runs").value == [digits_run.id, second.id]
    assert not app.warning and "To begin with" not in words(app)
    again = drawn("compare", runs=app.query_params["runs"])  # as somebody else opens the link
    assert again.multiselect(key="runs").value == [digits_run.id, second.id]


def test_a_run_of_somebody_else_is_compared_where_its_id_is_given(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = trained(seed=71, code_size=3)
    engine.adopt(theirs, "visitor:theirs")
    monkeypatch.setattr(visitor, "owner", lambda: "visitor:mine")
    assert theirs.title not in drawn("compare").multiselect(key="runs").options
    app = drawn("compare", runs=f"{theirs.id},digits-variational")
    assert app.multiselect(key="runs").value[0] == theirs.id and not app.warning


def test_what_is_not_there_is_one_sentence_and_the_rest_is_shown() -> None:
    app = drawn("compare", runs="digits-single-layer,0123456789abcdef,digits-variational,nonsense")
    (told,) = app.warning
    assert told.value == "The address names “0123456789abcdef” and “nonsense”, which are not here."
    assert ids(shipped("digits-single-layer", "digits-variational")) == app.query_params["runs"]
    (told,) = drawn("compare", runs="nonsense").warning
    assert "“nonsense”, which is not available here" in told.value and "Single-layer" in told.value


def test_more_than_four_are_cut_with_a_sentence() -> None:
    names = [*compare.STORY, "digits-variational", "digits-modern-8"]
    app = drawn("compare", runs=",".join(names))
    assert [one.value for one in app.warning] == ["The address names 5 runs: the first 4 of them are compared."]
    assert app.query_params["runs"] == ids(shipped(*names[:4]))


def test_one_alone_asks_for_another_and_none_for_two() -> None:
    app = drawn("compare", runs="digits-variational")
    assert [one.value for one in app.info] == ["Choose one more to compare it with."] and not app.html
    app.multiselect(key="runs").set_value([]).run()
    assert [one.value for one in app.info] == ["Choose two runs at least."] and "runs" not in app.query_params


def test_a_run_that_is_gone_is_left_out(home: Path) -> None:
    mine = trained(seed=72)
    app = drawn("compare", runs=f"digits-variational,{mine.id}")
    assert len(app.multiselect(key="runs").value) == 2
    shutil.rmtree(mine.folder)
    app.run()
    assert not app.exception and app.multiselect(key="runs").value == [ids(shipped("digits-variational"))]


def test_a_damaged_run_is_a_sentence(home: Path) -> None:
    mine = trained(seed=73)
    (mine.folder / "codes.f32").write_bytes(b"")
    app = drawn("compare", runs=f"{mine.id},digits-variational,digits-modern-8")
    assert len(app.error) == 1 and mine.id in app.error[0].value and "Variational" in table(app)


def test_runs_of_different_data_are_compared_in_numbers_only() -> None:
    app = drawn("compare", runs="digits-single-layer,mnist-wide")
    assert "Runs of different data share no samples, so their maps are not joined" in words(app)
    marked = re.findall(r'<tr><th scope="row"><details><summary>([^<]*)</summary>.*?</tr>', table(app))
    best = [row for row in re.findall(r"<tr>.*?</tr>", table(app)) if "(best)" in row]
    assert "Test error" in marked and "k-NN accuracy" in marked
    assert not any("<summary>Test error" in row or "k-NN" in row for row in best)
    assert any("<summary>Parameters" in row for row in best) and any("share of PCA" in row for row in best)
    assert in_numbers.verdicts(shipped("digits-single-layer", "mnist-wide"), ["a", "b"]) == []


def test_a_dataset_that_has_changed_is_other_data() -> None:
    (run,) = shipped("digits-variational")
    facts = dataclasses.replace(run.card.dataset, fingerprint="another")
    assert not in_numbers.same_data([run, dataclasses.replace(run, card=dataclasses.replace(run.card, dataset=facts))])


def test_the_numbers_are_those_of_the_runs_and_the_interval_is_of_the_test_split() -> None:
    single, multi, convolutional = shipped(*compare.STORY)
    values = in_numbers.measured(multi).values
    assert values["error"] == pytest.approx(multi.metric("mse"), abs=1e-5)
    assert values["parameters"] == 26_330 and values["dead"] == 0 and values["epochs"] == 300
    assert in_numbers.measured(single).values["products"] == 64 * 2 + 2 * 64  # biases are added, not multiplied
    interval = in_numbers.measured(multi).error
    assert interval is not None and interval.count == 179
    found = {number.name: best for number, _, best in in_numbers.rows_of([single, multi, convolutional])}
    assert found["error"] == {1} and found["parameters"] == {0}
    assert found["seconds"] == found["epochs"] == found["pca_mse"] == found["dead"] == frozenset()
    assert "negative_elbo" not in found  # which none of them has


def test_a_run_of_a_dataset_that_is_not_known_here_has_no_interval() -> None:
    (run,) = shipped("digits-variational")
    chosen = dataclasses.replace(run.configuration, dataset="unheard-of")
    foreign = dataclasses.replace(run, card=dataclasses.replace(run.card, configuration=chosen))
    assert [len(part) for part in in_numbers.of_test(foreign)] == [0, 0]
    assert [len(part) for part in in_numbers.of_test(run)] == [179, 179]


def test_paired_differences_say_in_words_what_is_more_than_chance() -> None:
    chosen = shipped(*compare.STORY)
    single, convolutional = in_numbers.verdicts(chosen, ["one", "two", "three"])
    assert single.startswith("one errs by 0.0108 more than two on the same 179 test images (95 % interval 0.0")
    assert single.endswith(": more than chance.")
    assert convolutional.startswith("three errs by 0.0021 more than two")
    assert [in_numbers.small(value) for value in (0.04286, -0.0000421, 0.00095, 0)] == [
        "0.0429",
        "−0.000042",
        "0.00095",
        "0",
    ]
    (same,) = in_numbers.verdicts([chosen[0], chosen[0]], ["it", "itself"])
    assert same == "itself and it err alike on the same 179 test images: no more than chance."


def test_csv_and_markdown_hold_the_table_and_no_formula() -> None:
    chosen, names = shipped(*compare.STORY[:2]), ["=1+1", "a|b *c*"]
    lines = list(csv.reader(io.StringIO(in_numbers.csv(chosen, names))))
    assert lines[0] == ["number", export.escape_cell("=1+1"), "a|b *c*"] and lines[0][1].startswith("'")
    rows = {line[0]: line[1:] for line in lines[1:]}
    error = [float(value) for value in rows["Test error"]]
    low, high = ([float(v) for v in rows[f"Test error, 95 % interval {end}"]] for end in ("from", "to"))
    assert all(a < b < c for a, b, c in zip(low, error, high, strict=True))
    text = in_numbers.markdown(chosen, names)
    head, rule, first, *_ = text.splitlines()
    assert head == r"|  | =1+1 | a\|b \*c\* |" and rule == "| --- | ---: | ---: |"
    assert re.fullmatch(r"\| Test error \| 0\.\d{4} \(.*\) \| \*\*0\.\d{4}\*\* \(.*\) \|", first)


def test_a_page_without_a_server_has_the_same_table_and_says_what_is_more_than_chance() -> None:
    chosen, names = shipped(*compare.STORY), ["one", "two", "<three>"]
    below = pages.compared(chosen, names).below
    assert in_numbers.table(chosen, names) in below and "k-NN accuracy" in below and "SSIM" in below
    interval = in_numbers.measured(chosen[0]).error
    assert interval is not None
    assert f"{in_numbers.small(interval.low)} to {in_numbers.small(interval.high)}" in below
    assert all(html.escape(told) in below for told in in_numbers.verdicts(chosen, names))
    assert "more than chance" in below and "<three>" not in below


def test_names_that_somebody_gave_are_data_in_the_table() -> None:
    text = in_numbers.table(shipped(*compare.STORY[:2]), ["<img src=x>", "b"])
    assert "<img" not in text and "&lt;img" in text


def test_runs_are_called_by_what_tells_them_apart(home: Path) -> None:
    single, variational = shipped("digits-single-layer", "digits-variational")
    assert pages.titles([single, variational], {}) == ["Single-layer", "Variational"]
    assert pages.titles([single, variational], {single.id: "Mine"}) == ["Mine", "Variational"]
    seeds = [trained(seed=seed, epochs=1) for seed in (1, 2)]
    assert pages.titles(seeds, {}) == ["Single-layer, seed 1", "Single-layer, seed 2"]
    longer = [*seeds, trained(seed=1, epochs=2)]
    assert pages.titles(longer, {})[1] == "Single-layer, seed 2"
    assert len(set(pages.titles(longer, {}))) == 3


def test_learning_curves_stand_on_one_axis_only_where_they_count_the_same() -> None:
    app = drawn("compare", runs="digits-single-layer,digits-multi-layer")
    assert "a panel of its own" not in words(app)
    app = drawn("compare", runs="digits-single-layer,digits-variational", by="second")
    assert "a panel of its own" in words(app) and app.query_params["by"] == "second"
    (one,) = shipped("digits-single-layer")
    curve = comparing.curve(one)
    assert len(curve["training"]) == len(curve["second"]) == 300 and curve["epoch"][-1] == 300
    assert curve["sample"][-1] == pytest.approx(300 * 1439) and curve["second"] == sorted(curve["second"])


def test_only_choices_that_differ_have_a_row() -> None:
    differ, shared = fields.compared(shipped("digits-single-layer", "digits-variational"))
    assert differ["Architecture"] == ["Single-layer", "Variational"]
    assert differ["Epochs"] == ["300", "200"] and differ["Loss"] == ["squared-error", "bernoulli"]
    assert not {"Noise level", "Free bits"} & set(differ) and differ["Beta"] == [fields.NOT_ITS, "1"]
    assert shared["Dataset"] == "Digits 8x8" and shared["Code size D"] == "2" and "Sparsity" not in shared
    assert fields.compared(shipped("digits-variational") * 2)[0] == {}


def test_the_last_one_of_the_same_data_is_offered_when_a_training_has_ended(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "owner", lambda: "visitor:mine")
    monkeypatch.setattr(engine, "wake", lambda: None)
    first, second, other = trained(seed=74), trained(seed=75), trained(seed=76)
    engine.adopt(first, "visitor:mine")
    assert watched.last_one(first) is None
    engine.adopt(second, "visitor:mine")
    engine.adopt(other, "visitor:theirs")
    (shapes,) = shipped("shapes-modern-convolutional-2")
    engine.adopt(shapes, "visitor:mine")
    assert watched.last_one(second) == first and watched.last_one(first) == second
    assert watched.last_one(shapes) is None
    assert any(button.label == "Compare with the last one" for button in drawn("train", training=second.id).button)
    assert not any(button.label == "Compare with the last one" for button in drawn("train", training=shapes.id).button)


@pytest.mark.parametrize("width", [390, 1366])
def test_in_a_browser_words_explain_themselves_and_a_link_shows_the_same(
    app: str, window: Callable[..., Page], width: int
) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    properties: dict[str, object] = phone if width == 390 else {"viewport": {"width": width, "height": 768}}
    page, names = window(**properties), [*compare.STORY, "digits-variational"]
    page.goto(f"{app}/compare?runs={','.join(names)}")
    word, about = page.get_by_text("PSNR (dB)", exact=True), page.get_by_text("10 dB more is a tenth", exact=False)
    expect(about).to_be_hidden()
    word.tap() if width == 390 else word.click()
    expect(about).to_be_visible()
    expect(page.locator(".st-key-curves .js-plotly-plot")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    within = page.locator(".hg-compared").first
    assert within.evaluate("one => one.scrollWidth <= one.clientWidth"), "four runs fit"
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("runs") == [ids(shipped(*names))])
    other = window(**properties)
    other.goto(page.url)
    expect(other.locator(".hg-compared").first).to_contain_text("Variational")
    word.click()  # closes it again
    assert other.locator(".hg-compared").first.inner_text() == within.inner_text()
