"""The real thing in a real Chromium: open the app, see points, move, see another image; train and explore the result."""

from playwright.sync_api import Page, expect

from models import runs


def test_train_on_digits_to_the_end_and_explore_it(app: str, page: Page) -> None:
    page.goto(f"{app}/train?dataset=digits&architecture=modern&code_size=2&epochs=5")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("is ready: 5 epochs")).to_be_visible(timeout=90_000)
    page.get_by_role("button", name="Explore this run").click()
    expect(page.get_by_text("Each of 1,797 points is one sample")).to_be_visible()
    assert "run=" in page.url


def test_reconstructions_stand_beside_originals(app: str, page: Page) -> None:
    page.goto(f"{app}/reconstructions?run=digits-variational")
    expect(page.get_by_text("Originals", exact=True)).to_be_visible()
    expect(page.get_by_alt_text("Originals")).to_be_visible()
    before = page.get_by_alt_text("Originals").get_attribute("src")
    page.get_by_role("button", name="Others").click()
    expect(page.get_by_alt_text("Originals")).not_to_have_attribute("src", before or "")


def test_run_files_are_served_by_content_and_nothing_else_is(app: str, page: Page) -> None:
    run = runs.open_run(runs.folder_of("digits-variational"))
    good = page.request.get(f"{app}/{run.url}/codes.f32")
    assert good.ok and good.body() == (run.folder / "codes.f32").read_bytes()
    assert "immutable" in good.headers["cache-control"]
    blocks = page.request.get(f"{app}/{run.url}/thumbnails.u8.gz")
    assert blocks.ok and len(blocks.body()) > 1000
    bad = [
        f"run/{run.id}/{run.digest}/../../README.md",
        f"run/{run.id}/{run.digest}/%2e%2e/%2e%2e/README.md",
        f"run/{run.id}/{run.digest}/secret.txt",
        f"run/{run.id}/{'0' * 16}/codes.f32",
        f"run/..%2f..%2fetc/{run.digest}/passwd",
        "run/nothing/at/all",
    ]
    for path in bad:
        answer = page.request.get(f"{app}/{path}")
        page_of_streamlit = "<title>Streamlit</title>" in answer.text()  # its answer to every address it does not know
        assert answer.status in (400, 404) or page_of_streamlit, path
