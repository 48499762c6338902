"""The Data page: from a dropped file to an explored map; what is one person's is nobody else's, by no address."""

import io
import json
import re
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest
from test_pages import drawn, page, pressed, words
from test_uploads import images, table, trained

from components import choosing, examples, understood, visitor
from models import datasets, engine, export, labs, runs, uploads
from models import home as our_home
from models.readers import ReadResult

# ── in Streamlit's own harness ───────────────────────────────────────────────


@pytest.fixture
def me(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(visitor, "owner", lambda: "me")
    return "me"


def dropped(name: str, content: bytes) -> AppTest:
    """The page after a file was dropped on it."""
    app = drawn("data")
    app.file_uploader[0].set_value((name, content, "")).run()
    assert not app.exception, [error.value for error in app.exception]
    return app


def chosen(app: AppTest, label: str, option: str) -> AppTest:
    box = next(box for box in app.selectbox if box.label == label)
    box.select_index(box.options.index(option)).run()
    assert not app.exception, [error.value for error in app.exception]
    return app


@pytest.mark.parametrize("form", ["long", "wide", "other scales"])
def test_ratings_are_called_so_and_lead_to_the_lab_of_ratings(
    me: str, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    dice = np.random.default_rng(0)
    stars = np.clip(np.rint(3 + dice.normal(size=(120, 2)) @ dice.normal(size=(2, 12))), 1, 5).astype(int)
    if form == "other scales":
        stars = stars * 10 ** (np.arange(12) % 4)
    gone = dice.random(stars.shape) < 0.4
    if form == "long":
        rows = ["user,item,rating", *(f"u{i},Dish {j},{stars[i, j]}" for i, j in np.argwhere(~gone))]
    else:
        rows = [
            ",".join(f"Dish {chr(65 + j)}" for j in range(12)),
            *(",".join("" if gone[i, j] else str(stars[i, j]) for j in range(12)) for i in range(120)),
        ]
    app = dropped("mine.csv", "\n".join(rows).encode())
    said: list[str] = []
    monkeypatch.setattr(st, "switch_page", lambda page, query_params: said.append(f"{page.title} {query_params}"))
    rated = form != "other scales"
    assert any("These are ratings" in one.value for one in app.caption) == rated
    onward = "Recommend" if rated else "Train"
    app.session_state["pages"] = {name: SimpleNamespace(title=name) for name in ("Recommend", "Train")}
    pressed(app, f"Keep it, go on to {onward}")
    [kept] = uploads.of("me")
    asked = {"data" if rated else "dataset": kept.name}
    assert said == [f"{onward} {asked}"]


def test_an_empty_page_says_what_can_be_brought_and_what_is_done_with_it(me: str) -> None:
    app = drawn("data")
    assert "Images" in words(app) and "30 days without use" in words(app) and "ever run" in words(app)
    assert "Your datasets" not in words(app)


@pytest.mark.parametrize("name", examples.EXAMPLES)
def test_each_example_opens_by_one_click_and_is_understood(me: str, name: str) -> None:
    app = drawn("data")
    pressed(app, name)
    assert "What was understood" in words(app) and not app.error and not app.warning
    pressed(app, "Keep it")
    (kept,) = uploads.of("me")
    assert kept.title == name.partition(".")[0] and kept.title in words(app)
    assert "Your datasets" in words(app) and list((Path(our_home()) / "uploads").iterdir()) == []
    assert uploads.of("somebody else") == []


def test_decisions_can_be_changed_and_are_read_again(me: str) -> None:
    app = dropped("sensor.csv", examples.sensor())
    assert next(metric.value for metric in app.metric if metric.label == "Signals") == "200"
    chosen(app, "What a sample is", "a row of a table")
    assert next(metric.value for metric in app.metric if metric.label == "Rows") == "12,800"
    columns = ["activity", "x", "y", "time (not learnt)"]
    assert any(list(frame.value.columns) == columns for frame in app.dataframe)  # time is no feature …
    chosen(app, "Change a column", "time")
    chosen(app, "It is used as", "a number")  # … unless somebody says so
    rows = next(frame.value for frame in app.dataframe if list(frame.value.columns) == ["activity", "time", "x", "y"])
    assert rows["time"].iloc[[0, -1]].tolist() == [0, 12_799]
    chosen(app, "Change a column", "time")
    chosen(app, "It is used as", "a time")
    chosen(app, "What a sample is", "a signal over time")
    chosen(app, "Class", "none")
    chosen(app, "Class", "activity")
    window = next(number for number in app.number_input if number.label == "Window (rows)")
    window.set_value(128).run()
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Steps × channels"] == "128 × 2" and shown["Classes"] == "3"
    classes = next(frame.value for frame in app.dataframe if list(frame.value.columns) == ["class", "samples"])
    assert set(classes["class"]) == {"rest", "walk", "run"}
    pressed(app, "Keep it")
    (kept,) = uploads.of("me")
    assert (kept.kind, kept.shape) == ("signal", (128, 2))


def test_what_each_column_holds_is_counted_and_shown_at_once(me: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids, a date, numbers with two missing ones, categories; nine columns of which none is out of sight."""
    rows = [
        f"K-{i};{i % 28 + 1:02}.03.2024;{i % 50},5;{'' if i in (3, 9) else i / 4};{('Süd', 'Nord', 'Ost')[i % 3]};{i % 7};"
        f"{i % 5};{i % 4 + i % 3}"
        for i in range(90)
    ]
    head = "Kunde;Beginn;Alter;GB;Region;a;b;c"
    heights, drawn_by_streamlit = [], understood.st.dataframe

    def noted(*given: object, **options: object) -> object:
        heights.append(options.get("height"))
        return drawn_by_streamlit(*given, **options)

    monkeypatch.setattr(understood.st, "dataframe", noted)
    app = dropped("kunden.csv", ("\n".join([head, *rows]) + "\n").encode("cp1252"))
    assert not app.warning and "“Süd”" in words(app).replace("\\", "")  # nothing looks wrong, and how to see that
    frame = next(frame for frame in app.dataframe if "different values" in frame.value.columns)
    table = frame.value.set_index("name")
    assert table["missing"].to_dict() == dict.fromkeys(table.index, "0") | {"GB": "2"}
    assert table.loc[["Kunde", "GB", "Region", "Alter"], "different values"].tolist() == ["90", "88", "3", "50"]
    said = words(app).replace("\\", "")
    assert "6 columns become 8 numbers (features): each value of “Region” becomes a number of its own" in said
    assert heights and set(heights) == {"content"}, "no row is out of sight"
    preview = next(frame.value for frame in app.dataframe if "Alter" in frame.value.columns)
    assert {"Kunde (not learnt)", "Beginn (not learnt)", "GB", "Region"} <= set(preview.columns)
    assert preview["Kunde (not learnt)"].iloc[0] == "K-0"


def test_columns_can_be_left_out_and_taken_back(me: str) -> None:
    app = dropped("flowers.csv", examples.flowers())
    app.text_input[0].set_value("My meadow").run()
    features = lambda: next(metric.value for metric in app.metric if metric.label == "Features")  # noqa: E731
    assert features() == "8"
    app.multiselect[0].select("colour").run()
    assert features() == "5"
    app.multiselect[0].unselect("colour").run()
    assert features() == "8" and not app.exception
    assert app.text_input[0].value == "My meadow"
    (staging,) = (Path(our_home()) / "uploads").iterdir()
    assert len(list(staging.rglob("samples.npy"))) == 1  # what was read before is gone


def test_a_size_of_ones_own_is_read_and_one_that_cannot_be_leaves_all_as_it_was(me: str) -> None:
    app = dropped("shapes.zip", examples.photos())

    def typed(size: str) -> None:
        box = next(box for box in app.selectbox if box.label == "Size")
        box.options.append(size)  # the harness knows no option that somebody types
        box.set_value(size).run()
        assert not app.exception, [error.value for error in app.exception]

    typed("20 x 24")
    assert next(metric.value for metric in app.metric if metric.label.startswith("Height")) == "20 × 24 × 3"
    typed("9000 x 9000")
    assert "from 1 to 256" in words(app).replace("\\", "") and "as it was before" in words(app)
    assert next(metric.value for metric in app.metric if metric.label.startswith("Height")) == "20 × 24 × 3"
    typed("22")  # one number is a square
    assert next(metric.value for metric in app.metric if metric.label.startswith("Height")) == "22 × 22 × 3"
    assert not app.error


def test_why_something_was_left_out_has_the_room_of_the_page(me: str) -> None:
    with zipfile.ZipFile(io.BytesIO(examples.photos())) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in (files | {"notes.csv": b"a,b\n1,2\n"}).items():
            archive.writestr(name, content)
    app = dropped("shapes.zip", packed.getvalue())
    why = next(frame for frame in app.dataframe if list(frame.value.columns) == ["what", "why"])
    assert "bring it alone to read it as a table" in why.value["why"][0]
    assert json.loads(why.proto.columns)["why"]["width"] == "large"
    assert not any(frame.value.equals(why.value) for column in app.columns for frame in column.dataframe)


def test_what_cannot_be_read_is_told_and_the_page_is_ready_for_another_file(me: str) -> None:
    app = dropped("hello.txt", b"\x7fELF" + bytes(100))
    assert "a program" in words(app) and not uploads.of("me")
    assert len(app.file_uploader) == 1 and list((Path(our_home()) / "uploads").iterdir()) == []
    app.file_uploader[0].set_value(("flowers.csv", examples.flowers(), "")).run()
    assert "What was understood" in words(app) and "program" not in words(app)


def test_starting_over_leaves_nothing_behind(me: str) -> None:
    app = dropped("flowers.csv", examples.flowers())
    assert len(list((Path(our_home()) / "uploads").iterdir())) == 1
    pressed(app, "Start over")
    assert len(app.file_uploader) == 1 and list((Path(our_home()) / "uploads").iterdir()) == []


@pytest.mark.parametrize("name", ["../../x.csv", "a\\..\\b.csv", ".hidden", "x" * 300, "<b>.csv", "", "a\x00b"])
def test_names_on_disk_are_ours(name: str) -> None:
    from components.views.data import safe_name

    safe = safe_name(name)
    assert safe and "/" not in safe and "\\" not in safe and safe[0] != "." and len(safe) <= 80 and safe.isprintable()


def test_what_others_wrote_formats_and_loads_nothing() -> None:
    text = "![x](http://evil/a.png) <img src=x> **b** :red[x] $y$ `z`\nwww.evil.com"
    safe = choosing.escaped(text)
    assert not re.search(r"(?<!\\)[!\[\]()<>*:$`._]", safe) and safe.replace("\\", "") == " ".join(text.split())


def test_hostile_names_of_columns_and_classes_are_shown_as_they_are(me: str) -> None:
    hostile = "![x](http://evil/a.png)"
    rows = "\n".join(f"{i},{i * 7 % 11}.5,{hostile if i % 2 else 'b'}" for i in range(60))
    app = dropped("x.csv", f"a,b,{hostile}\n{rows}\n".encode())
    chosen(app, "Class", hostile)
    assert "is the class" in words(app) and hostile not in words(app)
    pressed(app, "Keep it")
    run = trained(uploads.of("me")[0].name)
    assert hostile in run.classes
    for name in ("explore", "reconstructions", "codes", "samples"):
        assert hostile not in words(drawn(name, run=run.id))


def test_train_offers_ones_own_and_nobody_elses(me: str) -> None:
    mine, theirs = uploads.save(table(), "me", "Flowers"), uploads.save(images(), "you", "Secret")
    app = drawn("train", dataset=mine.name)
    box = app.selectbox(key="dataset")
    assert box.value == mine.name and box.options[0] == "Yours: Flowers" and "Yours: Secret" not in box.options
    assert "Convolutional" not in app.selectbox(key="architecture").options  # a table has no pixels
    other = drawn("train", dataset=theirs.name)
    assert other.selectbox(key="dataset").value == "digits" and "not available here" in words(other)
    absent = drawn("train", dataset="own-0000000000000000")
    assert words(absent).replace("own-0000000000000000", theirs.name) == words(other)


def test_labs_that_take_a_dataset_are_offered_beside_it(me: str) -> None:
    with_classes, without = uploads.save(table(), "me", "Flowers"), uploads.save(images(), "me", "Noise")
    keys = {button.key for button in drawn("data").button}
    for lab in labs.available().values():
        for kept in (with_classes, without):
            fits = lab.of == "dataset" and not lab.fits(kept)
            assert (f"{lab.name} {kept.name}" in keys) == fits, (lab.name, kept.title)
    assert f"anomalies {with_classes.name}" in keys


def test_pages_go_on_without_a_deleted_dataset(me: str) -> None:
    kept = uploads.save(images(), "me", "Noise")
    run = trained(kept.name)
    engine.adopt(run, "me")
    assert "Originals" in words(drawn("reconstructions", run=run.id))
    datasets.delete(kept.name, "me")
    for name in ("explore", "reconstructions"):
        app = drawn(name, run=run.id)
        assert "were deleted" in words(app) and not app.error
        assert not any(button.label.startswith("Download Noise") for button in app.button)
    assert "Originals" not in words(drawn("reconstructions", run=run.id))
    listed = drawn("runs")
    assert [title.split(" · ")[0] for title in listed.dataframe[0].value["run"]] == ["Noise"]


def test_a_run_whose_dataset_is_deleted_is_opened_again_from_its_own_zip(me: str) -> None:
    kept = uploads.save(images(), "me", "Noise")
    run = trained(kept.name)
    engine.adopt(run, "me")
    packed = export.pack(run)
    datasets.delete(kept.name, "me")
    app = drawn("explore")
    given = next(one for one in app.file_uploader if one.label.startswith("A run zip"))
    given.set_value(("run.zip", packed, "application/zip")).run()
    assert not app.error and not app.exception
    assert app.selectbox(key="run").value == run.id


def test_what_stays_with_its_owner_is_not_said_of_what_was_deleted(me: str) -> None:
    kept = uploads.save(images(), "me", "Noise")
    run = trained(kept.name)
    assert "stay with you" in words(drawn("explore", run=run.id))
    datasets.delete(kept.name, "me")
    after = words(drawn("explore", run=run.id))
    assert "were deleted" in after and "Made from deleted data" in after
    assert "stay with" not in after


def test_a_run_without_classes_is_not_said_to_be_coloured_by_them(me: str) -> None:
    found = images()
    bare = ReadResult(found.kind, found.samples, np.full(40, -1, np.int32), (), found.names)
    run = trained(uploads.save(bare, "me", "Bare").name)
    assert "coloured by" not in words(drawn("explore", run=run.id))


def test_originals_are_shown_only_to_whom_they_belong(me: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = uploads.save(images(), "me", "Noise")
    run = trained(kept.name)
    shown = drawn("explore", run=run.id)
    assert "Made from your data" in words(shown) and "only to the one" not in words(shown)
    monkeypatch.setattr(visitor, "owner", lambda: "you")
    for name in ("explore", "reconstructions"):
        app = drawn(name, run=run.id)  # by its link
        assert "only to the one who brought them" in words(app) and "Originals" not in words(app)
    from components import cached

    assert cached.originals(kept.name, (0, 1)) is None
    assert run.id not in page("explore").run().selectbox(key="run").options


def test_a_growing_run_shows_its_samples_to_their_owner_alone(me: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = uploads.save(images(), "me", "Noise")
    chosen = runs.configure({"dataset": kept.name, "architecture": "single-layer", "epochs": 3})
    engine.submit(chosen, "me")
    from models import training

    def told(what: str, *_: object) -> None:
        if what == "training":
            raise KeyboardInterrupt

    attempt = engine.claim(chosen.id)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(training.Training, "_checkpoint", lambda *_: told("training"))
        training.train(chosen, engine.active(chosen.id), attempt)
    from models.engine import queue

    with queue.opened(write=True) as connection:
        connection.execute("UPDATE runs SET state = 'running'")

    def pictures() -> str:
        return "\n".join(caption.value for caption in drawn("train", training=chosen.id).caption)

    assert "originals" in pictures()
    monkeypatch.setattr(visitor, "owner", lambda: "you")
    assert "originals" not in pictures()


def test_two_datasets_of_one_name_can_be_told_apart() -> None:
    one = ReadResult("table", np.zeros((30, 2), np.float32), np.full(30, -1, np.int32), (), ("",) * 30)
    two = ReadResult("table", np.ones((30, 2), np.float32), np.full(30, -1, np.int32), (), ("",) * 30)
    known = {kept.name: kept for kept in (uploads.save(found, "twice", "Same") for found in (one, two))}
    names = choosing.titles(known | datasets.available())
    assert len(set(names.values())) == len(names)


# ── in a real Chromium ───────────────────────────────────────────────────────


def bring(app: str, page: Page, name: str) -> None:
    """Open one of the examples, by one click."""
    page.goto(f"{app}/data")
    expect(page.get_by_text("Bring your own data")).to_be_visible()
    page.get_by_role("button", name=name).click()
    expect(page.get_by_text("What was understood")).to_be_visible(timeout=180_000)


def pick(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def train_for(page: Page, epochs: int) -> None:
    """From the form on Train to the map of what was trained."""
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Epochs", exact=True).fill(str(epochs))
    page.get_by_label("Epochs", exact=True).press("Enter")
    expect(page).to_have_url(re.compile(f"epochs={epochs}"))
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text(f"is ready: {epochs} epochs")).to_be_visible(timeout=180_000)
    page.locator(".st-key-leave-for-Explore button").click()


@pytest.mark.parametrize("name", ["shapes.zip", "flowers.csv", "sensor.csv"])
def test_from_drop_to_explored_map(app: str, page: Page, name: str) -> None:
    """Photos in class folders, a table with numbers and categories, readings of a sensor."""
    bring(app, page, name)
    count = {"shapes.zip": "360", "flowers.csv": "600", "sensor.csv": "200"}[name]
    if name == "sensor.csv":
        expect(page.get_by_text("Steps × channels")).to_be_visible()
        expect(page.get_by_text("“time” tells the time")).to_be_visible()
        expect(page.get_by_text("“activity” is the class")).to_be_visible()
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(count)
    page.get_by_role("button", name="Keep it, go on to Train").first.click()
    expect(page).to_have_url(re.compile(r"/train\?.*dataset=own-"), timeout=180_000)
    train_for(page, 3)
    expect(page.get_by_text(f"Each of {count} points is one")).to_be_visible()
    expect(page.get_by_text("Made from your data")).to_be_visible()
    ready = page.locator('[data-testid="latent-explorer"][data-ready="true"]')
    expect(ready).to_be_visible(timeout=180_000)
    before = ready.get_attribute("data-code")
    page.get_by_test_id("latent-map").hover(position={"x": 200, "y": 150})
    expect(ready).not_to_have_attribute("data-code", before or "")
    if name == "flowers.csv":  # ids, times and categories of the file are at hand
        expect(page.get_by_test_id("behind")).to_contain_text(re.compile(r"F-\d{3}"))
        for colour, legend in (("habitat", "meadow"), ("found", "2024-0"), ("petal_mm", "petal_mm")):
            page.get_by_test_id("colour").select_option(label=colour)
            expect(page.get_by_test_id("legend")).to_contain_text(legend)
            expect(page.get_by_text(f"coloured by {colour}")).to_be_visible()


def test_two_browsers_and_nothing_of_the_one_for_the_other(
    app: str, app_home: Path, window: Callable[..., Page]
) -> None:
    page, other = window(), window()
    bring(app, page, "shapes.zip")
    page.get_by_label("Name", exact=True).fill("My secret shapes")
    page.get_by_role("button", name="Keep it, go on to Train").first.click()
    expect(page).to_have_url(re.compile(r"/train\?.*dataset=own-"), timeout=180_000)
    name = re.search(r"own-[0-9a-f]{16}", page.url)[0]
    page.goto(f"{app}/train?dataset={name}&architecture=single-layer&epochs=2")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("is ready: 2 epochs")).to_be_visible(timeout=180_000)
    id_ = re.search("training=([0-9a-f]{16})", page.url)[1]
    run = runs.open_run(app_home / "runs" / id_)
    pictures = f"{app}/{run.url}/thumbnails.u8.gz"

    # Its owner sees all of it.
    answer = page.request.get(pictures)
    assert answer.ok and "no-store" in answer.headers["cache-control"]
    page.goto(f"{app}/reconstructions?run={id_}")
    expect(page.get_by_alt_text("Originals")).to_be_visible()

    # Nobody else: not in a list, not by an address.
    other.goto(f"{app}/data")
    expect(other.get_by_text("Bring your own data")).to_be_visible()
    expect(other.get_by_text("My secret shapes")).to_have_count(0)
    expect(other.get_by_text("Your datasets")).to_have_count(0)
    assert other.request.get(pictures).status == 404
    for path in (
        f"{run.url}/samples.npy",
        f"data/{name[4:]}/samples.npy",
        f"app/static/../data/{name[4:]}/samples.npy",
    ):
        answer = other.request.get(f"{app}/{path}")
        assert answer.status in (400, 404) or "<title>Streamlit</title>" in answer.text()
    other.goto(f"{app}/train?dataset={name}")
    expect(other.get_by_text("which is not available here")).to_be_visible()
    expect(other.get_by_text("My secret shapes")).to_have_count(0)
    other.goto(f"{app}/runs")
    expect(other.get_by_text("You have not trained anything yet")).to_be_visible()
    other.goto(f"{app}/reconstructions?run={id_}")  # a link passed on shows the run, and no sample
    expect(other.get_by_text("only to the one who brought them")).to_be_visible()
    expect(other.get_by_alt_text("Originals")).to_have_count(0)

    # And it goes when its owner says so.
    page.goto(f"{app}/data")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Your datasets")).to_have_count(0)
    assert not (app_home / "data" / name[4:]).exists()
    assert page.request.get(pictures).status == 404
    page.goto(f"{app}/reconstructions?run={id_}")
    expect(page.get_by_text("were deleted")).to_be_visible()


def test_a_large_file_is_streamed_and_read_as_a_dropped_one(app: str, window: Callable[..., Page]) -> None:
    page, other = window(), window()
    other.goto(f"{app}/data")
    expect(other.get_by_text("Bring your own data")).to_be_visible()
    page.goto(f"{app}/data")
    page.get_by_text("A file of more than 200 MB").click()
    control = page.get_by_label("A large file")
    expect(control).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/upload/" in request.url else None)
    control.set_input_files({"name": "../<b>shapes.zip", "mimeType": "", "buffer": examples.photos()})
    expect(page.get_by_text("What was understood")).to_be_visible(timeout=180_000)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text("360")
    expect(page.get_by_label("Name", exact=True)).to_have_value("b shapes")
    (address,) = asked
    assert other.request.put(address, data=b"x").status == 404  # another's cookie, and it has arrived besides


def test_a_stream_can_be_cancelled_and_begun_again(app: str, app_home: Path, page: Page) -> None:
    page.goto(f"{app}/data")
    page.get_by_text("A file of more than 200 MB").click()
    control = page.get_by_label("A large file")
    expect(control).to_be_visible()
    page.route("**/upload/*", lambda _route: None)  # a connection that does not get on
    control.set_input_files({"name": "x.csv", "mimeType": "", "buffer": b"a,b\n" * 1000})
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("Cancelled.")).to_be_visible()
    page.unroute("**/upload/*")
    control.set_input_files({"name": "flowers.csv", "mimeType": "", "buffer": examples.flowers()})
    expect(page.get_by_text("What was understood")).to_be_visible(timeout=180_000)


def test_a_folder_of_the_server_is_read_where_it_is_allowed(
    me: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(24):
        place = tmp_path / "named" / "ab"[i % 2] / f"{i}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images().samples[i, ..., 0]).save(place)
    assert not [box for box in drawn("data").selectbox if box.label == "Folder"]
    monkeypatch.setenv("HOURGLASS_FOLDERS", str(tmp_path / "named"))
    app = drawn("data")
    pressed(app, "Read it")
    assert next(metric.value for metric in app.metric if metric.label == "Classes") == "2"
    pressed(app, "Keep it")
    assert uploads.of("me")[0].classes == ("a", "b") and len(list((tmp_path / "named").rglob("*.png"))) == 24
    app = drawn("data")
    box = next(box for box in app.selectbox if box.label == "Folder")
    box.options.append(str(tmp_path))
    box.set_value(str(tmp_path))
    next(button for button in app.button if button.label == "Read it").click().run()
    assert "cannot be read from here" in words(app).replace("\\", "")


def test_readings_stand_in_line(me: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from components.views import data

    line = threading.BoundedSemaphore(1)
    monkeypatch.setattr(data, "READERS", line)
    line.acquire()
    waited: list[str] = []
    told = data.show_progress

    def watched(bar: object, what: str, share: float) -> None:
        told(bar, what, share)
        if what.startswith("waiting"):
            waited.append(what)
            if len(waited) == 2:
                line.release()

    monkeypatch.setattr(data, "show_progress", watched)
    app = dropped("flowers.csv", examples.flowers())
    assert "What was understood" in words(app) and len(waited) == 2
    assert line.acquire(blocking=False)  # it was given back


def test_a_date_that_can_be_read_in_two_ways_is_asked_before_anything_is_kept(me: str) -> None:
    rows = "".join(f"04/05/2024,{i / 7},{i % 3}\n" for i in range(60))
    app = dropped("dates.csv", f"date,v,class\n{rows}".encode())
    assert next(button for button in app.button if button.label == "Keep it").disabled
    assert "could be read the other way" in words(app) and "First say above" in words(app)
    chosen(app, "Dates", "month first")
    assert not next(button for button in app.button if button.label == "Keep it").disabled
    pressed(app, "Keep it")
    assert uploads.of("me")[0].count == 60


def test_what_each_column_is_used_as_is_shown_and_can_be_changed(me: str) -> None:
    rows = "".join(f"{700 + 3 * i},{i},5 €,{'n/a' if i % 4 == 0 else i / 2},{i % 3}\n" for i in range(60))
    app = dropped(
        "prices.csv", f"Kunden-Nr;Preis;Menge;class\n{rows.replace(',', ';').replace(';5 €', ',5 €')}".encode()
    )

    def columns() -> dict[str, str]:
        table = next(frame.value for frame in app.dataframe if "used as" in frame.value.columns)
        return dict(zip(table["name"], table["used as"], strict=True))

    assert columns() == {
        "Kunden-Nr": "the row's id", "Preis (€)": "a number", "Menge": "a number", "class": "the class",
    }  # fmt: skip
    assert "15 of 60 cells of “Menge” were no numbers: `n/a`." in words(app).replace("\\", "")
    chosen(app, "Change a column", "Kunden-Nr")
    chosen(app, "It is used as", "a number")
    assert columns()["Kunden-Nr"] == "a number"
    chosen(app, "Change a column", "class")
    chosen(app, "It is used as", "a category")
    assert columns()["class"] == "a category" and not app.exception
