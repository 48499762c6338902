"""From page to page, as people walk: what they look at and what they chose goes with them, and Back leads back.

Walks are on a school laptop's screen; those that go to each page, and those that see how pages open, also on a phone, whose
pages are behind a menu.
"""

import contextlib
import http.server
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import serving
from engines import held
from playwright.sync_api import Error, FloatRect, Locator, Page, TimeoutError, WebSocketRoute, expect

from components import early
from models import runs

LAPTOP = {"viewport": {"width": 1366, "height": 768}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
ROOT = '[data-testid="latent-explorer"]'
MAP = 'canvas[data-testid="latent-map"]'
SAMPLE = 'canvas[data-testid="decoded-sample"]'
OF_A_RUN = ("Reconstructions", "Samples", "Codes")  # pages about the run that one looks at


@pytest.fixture(params=[LAPTOP, PHONE], ids=["laptop", "phone"])
def walker(request: pytest.FixtureRequest, window: Callable[..., Page]) -> Iterator[Page]:
    yield window(**request.param)


def go(page: Page, title: str) -> None:
    """To another page by its link, which a phone has in a menu; the menu does not stay over the page."""
    menu = page.get_by_test_id("stExpandSidebarButton")
    on_a_phone = (page.viewport_size or {})["width"] < 768
    if on_a_phone:
        menu.click()
    page.get_by_role("link", name=title, exact=True).click()
    if on_a_phone:
        expect(page.get_by_test_id("stSidebarCollapseButton")).to_have_count(0)
        expect(menu).to_be_visible()
    at(page, title)


def at(page: Page, title: str) -> None:
    """Wait until this page is drawn to its end, when its address has what it is about. What the page before wrote last may
    stand beside the new path until then."""
    path = "" if title == "Explore" else title.lower()
    silent = title in ("Data", "Runs")  # these begin without a choice to say
    about = "dataset" if title == "Train" else "run"

    def says(url: str) -> bool:
        parts = urlsplit(url)
        return parts.path == f"/{path}" and (silent or about in parse_qs(parts.query))

    page.wait_for_url(says)
    if title == "Explore":
        ready(page)


def ready(page: Page) -> None:
    expect(page.locator(f'{ROOT}[data-ready="true"]')).to_be_visible(timeout=180_000)


def shows(page: Page, run: runs.Run) -> None:
    """The page is about this run, and its address says so."""
    expect(page.get_by_role("combobox", name="Run", exact=True)).to_have_value(run.title)
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("run") == [run.id])


def entries(page: Page) -> int:
    """How many entries the browser's history has."""
    return int(page.evaluate("history.length"))


def shipped(name: str) -> runs.Run:
    return runs.open_run(runs.folder_of(name))


def picture(page: Page) -> str:
    return str(page.locator(SAMPLE).evaluate("canvas => canvas.toDataURL()"))


def point(page: Page, x: float, y: float) -> tuple[float, float]:
    """A place on the map, by its shares of width and height."""
    page.locator(MAP).scroll_into_view_if_needed()
    box = page.locator(MAP).bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def changed(page: Page, before: str) -> str:
    """Wait for another picture than the one before."""
    page.wait_for_function(
        "([canvas, before]) => document.querySelector(canvas).toDataURL() !== before", arg=[SAMPLE, before]
    )
    return picture(page)


def by_hand(page: Page, run: runs.Run) -> None:
    page.get_by_role("combobox", name="Run", exact=True).fill(run.title)  # the list holds only what is in view
    page.get_by_role("option", name=run.title, exact=True).first.click()


def leads_on(page: Page, run: runs.Run, *titles: str) -> None:
    """From Explore to these pages and back: each is about this run."""
    ready(page)
    for title in (*titles, "Explore"):
        go(page, title)
        if title in {*OF_A_RUN, "Explore"}:
            shows(page, run)
    expect(page.locator(ROOT)).to_have_attribute("data-run", run.id)


def test_the_run_one_looks_at_is_the_run_on_every_page(app: str, walker: Page) -> None:
    """The one that the app begins with, also after pages that are about no run."""
    walker.goto(app)
    leads_on(walker, shipped(early.OPENING), *OF_A_RUN, "Train", "Runs", "Data")


def test_a_run_that_an_address_names_or_a_hand_chooses_goes_along(app: str, window: Callable[..., Page]) -> None:
    page = window(**LAPTOP)
    page.goto(f"{app}/?run=digits-variational")
    leads_on(page, shipped("digits-variational"), "Reconstructions")
    chosen = shipped("digits-convolutional")
    by_hand(page, chosen)
    expect(page.locator(ROOT)).to_have_attribute("data-run", chosen.id)
    leads_on(page, chosen, "Samples", "Codes")


def test_back_and_forward_lead_to_each_page_once(app: str, window: Callable[..., Page]) -> None:
    page, first, second = window(**LAPTOP), shipped(early.OPENING), shipped("digits-convolutional")
    page.goto(app)
    ready(page)
    shows(page, first)
    begun = entries(page)
    go(page, "Reconstructions")
    by_hand(page, second)
    shows(page, second)
    go(page, "Codes")
    go(page, "Explore")
    assert entries(page) == begun + 3, "one entry a page"
    for title, run in (("Codes", second), ("Reconstructions", second), ("Explore", first)):
        page.go_back()
        at(page, title)
        shows(page, run)
    for title in ("Reconstructions", "Codes", "Explore"):
        page.go_forward()
        at(page, title)
        shows(page, second)
    page.reload()
    at(page, "Explore")
    shows(page, second)


class Wire:
    """What page and server say to each other. It can be held back, as by a slow one of the two, and let go again."""

    def __init__(self, page: Page) -> None:
        self.held: list[tuple[WebSocketRoute, str | bytes]] = []
        self.said: list[str | bytes] = []  # by the page
        self.server_is_slow, self.page_is_slow = threading.Event(), threading.Event()
        page.route_web_socket(re.compile("_stcore/stream"), self._between)

    def _between(self, here: WebSocketRoute) -> None:
        server = here.connect_to_server()

        def to_server(words: str | bytes) -> None:
            self.said.append(words)
            self._send(server, words, self.server_is_slow)

        here.on_message(to_server)
        server.on_message(lambda words: self._send(here, words, self.page_is_slow))

    def _send(self, to: WebSocketRoute, words: str | bytes, slow: threading.Event) -> None:
        if slow.is_set():
            self.held.append((to, words))
        else:
            to.send(words)

    def let_go(self) -> None:
        self.server_is_slow.clear()
        self.page_is_slow.clear()
        for to, words in self.held:
            to.send(words)


@pytest.mark.own_window
def test_back_in_quick_succession_leads_to_what_the_last_page_showed(app: str, window: Callable[..., Page]) -> None:
    """A server that is busy draws the last page only, and that can be the one it drew before."""
    page = window(**LAPTOP)
    wire = Wire(page)
    first, second = shipped(early.OPENING), shipped("digits-convolutional")
    page.goto(app)
    ready(page)
    shows(page, first)
    go(page, "Reconstructions")
    by_hand(page, second)
    shows(page, second)
    go(page, "Codes")
    go(page, "Explore")
    shows(page, second)
    page.wait_for_url(re.compile("tool="))  # the explorer has told how it is shown
    wire.server_is_slow.set()
    for title in ("codes", "reconstructions", ""):
        page.go_back()
        page.wait_for_url(lambda url, title=title: urlsplit(url).path == f"/{title}")  # type: ignore[misc]
    wire.let_go()
    shows(page, first)
    expect(page.locator(ROOT)).to_have_attribute("data-run", first.id)


@pytest.mark.parametrize("title", ["Reconstructions", "Train", "Runs"])
def test_a_page_that_is_opened_by_its_address_is_one_entry_too(
    app: str, window: Callable[..., Page], title: str
) -> None:
    page = window(**LAPTOP)
    page.goto(f"{app}/{title.lower()}")
    at(page, title)
    begun = entries(page)
    go(page, "Codes")
    assert entries(page) == begun + 1
    page.go_back()
    at(page, title)
    expect(page.get_by_role("link", name=title, exact=True)).to_have_attribute("aria-current", "page")


@pytest.mark.own_window
def test_what_the_map_reports_on_the_way_back_is_not_taken_for_a_choice(app: str, window: Callable[..., Page]) -> None:
    """Back leads from a page over others to itself, with another run; a slow browser still shows the one before."""
    page = window(**LAPTOP)
    wire = Wire(page)
    first, second = shipped(early.OPENING), shipped("digits-convolutional")
    page.goto(app)
    ready(page)
    shows(page, first)
    go(page, "Reconstructions")
    by_hand(page, second)
    shows(page, second)
    go(page, "Explore")
    shows(page, second)
    page.wait_for_url(re.compile("tool="))
    wire.page_is_slow.set()
    for title in ("reconstructions", ""):
        page.go_back()
        page.wait_for_url(lambda url, title=title: urlsplit(url).path == f"/{title}")  # type: ignore[misc]
    page.wait_for_timeout(1000)
    before = len(wire.said)
    page.locator(ROOT).evaluate("root => root.querySelector('[data-testid=\"zoom-in\"]').click()")
    page.wait_for_timeout(1000)  # longer than the map waits before it reports
    assert len(wire.said) == before, "it would say with it that the run is the second"
    wire.let_go()
    expect(page.locator(ROOT)).to_have_attribute("data-run", first.id)
    page.wait_for_load_state("networkidle")
    shows(page, first)
    expect(page.locator(ROOT)).to_have_attribute("data-run", first.id)


@pytest.mark.own_window
def test_a_page_that_is_left_does_not_take_one_back(app: str, window: Callable[..., Page]) -> None:
    """What the map reports while a slow server still draws the page that was chosen would choose the map again."""
    page = window(**LAPTOP)
    wire = Wire(page)
    page.goto(app)
    ready(page)
    shows(page, shipped(early.OPENING))
    wire.page_is_slow.set()
    page.get_by_role("link", name="Codes", exact=True).click()
    page.get_by_test_id("zoom-in").click()
    page.wait_for_timeout(1000)  # longer than the map waits before it reports
    wire.let_go()
    at(page, "Codes")
    expect(page.get_by_role("heading", name="What is left of a sample in a few numbers?", exact=True)).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert urlsplit(page.url).path == "/codes"


def test_a_held_place_says_so_and_is_let_go(app: str, window: Callable[..., Page]) -> None:
    page = window(**LAPTOP)
    page.goto(app)
    ready(page)
    held, hint = page.get_by_test_id("let-go"), page.get_by_test_id("hint")
    expect(held).to_be_hidden()
    expect(hint).to_contain_text("Move over the map")
    before = picture(page)
    page.mouse.move(*point(page, 0.3, 0.4), steps=3)
    before = changed(page, before)
    page.mouse.click(*point(page, 0.7, 0.3))
    before = changed(page, before)
    expect(held).to_be_visible()
    expect(hint).to_contain_text("Held: the picture stays")
    page.wait_for_url("**z=*")
    place = page.locator(ROOT).get_attribute("data-code") or ""
    page.mouse.move(*point(page, 0.2, 0.7), steps=3)
    expect(page.locator(ROOT)).to_have_attribute("data-code", place)

    go(page, "Reconstructions")
    go(page, "Explore")
    expect(page.locator(ROOT)).to_have_attribute("data-code", re.compile(re.escape(place.split(",")[0][:5])))
    expect(held).to_be_visible()  # a place that one comes back to is held, and says so
    before = picture(page)
    held.click()
    expect(held).to_be_hidden()
    page.mouse.move(*point(page, 0.5, 0.6), steps=3)
    changed(page, before)
    for key, visible in (("p", True), ("p", False)):
        page.locator(MAP).press(key)
        expect(held).to_be_visible(visible=visible)


def test_a_finger_has_words_of_its_own(app: str, window: Callable[..., Page]) -> None:
    page = window(**PHONE)
    page.goto(app)
    ready(page)
    expect(page.get_by_test_id("hint")).to_contain_text("follows your finger")
    before = picture(page)
    page.touchscreen.tap(*point(page, 0.7, 0.3))
    before = changed(page, before)
    expect(page.get_by_test_id("let-go")).to_be_in_viewport()
    expect(page.get_by_test_id("hint")).to_contain_text("swipes up and down scroll")
    page.touchscreen.tap(*point(page, 0.3, 0.5))
    changed(page, before)
    page.get_by_test_id("let-go").tap()
    expect(page.get_by_test_id("hint")).to_contain_text("follows your finger")


def box(one: Locator) -> FloatRect:
    found = one.bounding_box()
    assert found is not None
    return found


def resting(page: Page) -> FloatRect:
    """Where the ring is once the page has come to rest after a swipe: it goes on for some frames by itself."""
    page.wait_for_function(
        """() => new Promise((done) => {
            const top = () => document.querySelector(".hg-marker").getBoundingClientRect().top;
            let [last, same] = [top(), 0];
            const look = () => {
                same = top() === last ? same + 1 : 0;
                last = top();
                if (same > 12) done(true);
                else requestAnimationFrame(look);
            };
            requestAnimationFrame(look);
        })"""
    )
    return box(page.locator(".hg-marker"))


def test_a_swipe_over_a_held_place_scrolls_and_a_drag_stays_on_the_map(app: str, window: Callable[..., Page]) -> None:
    page = window(**PHONE)
    page.goto(app)
    ready(page)
    fingers = page.context.new_cdp_session(page)

    def swipe(start: tuple[float, float], end: tuple[float, float]) -> None:
        for kind, share in (
            ("touchStart", 0.0),
            *(("touchMove", step / 8) for step in range(1, 9)),
            ("touchEnd", None),
        ):
            at = [] if share is None else [{f: a + (b - a) * share for f, a, b in zip("xy", start, end, strict=True)}]
            fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    def code() -> str:
        return page.get_by_test_id("latent-explorer").get_attribute("data-code") or ""

    middle, off = point(page, 0.5, 0.5), point(page, 0.5, -0.4)
    swipe(middle, off)  # not held yet: the finger leads, to the edge of the map and no further
    page.wait_for_function(
        """(edge) => {
            const {y, height} = document.querySelector(".hg-marker").getBoundingClientRect();
            return Math.abs(y + height / 2 - edge) < 3;
        }""",
        arg=point(page, 0.5, 0)[1],
    )
    page.touchscreen.tap(*point(page, 0.5, 0.7))
    expect(page.get_by_test_id("let-go")).to_be_visible()
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    held, top = code(), box(page.locator(MAP))["y"]
    swipe(point(page, 0.25, 0.8), point(page, 0.25, 0.3))
    page.wait_for_function(
        "(top) => document.querySelector('[data-testid=latent-map]').getBoundingClientRect().y < top - 60", arg=top
    )
    assert code() == held
    for _ in range(5):  # a page drawn anew meanwhile moves the ring from under the finger, which then tries again
        # A long swipe may have hidden it.
        page.locator(".hg-marker").evaluate("ring => ring.scrollIntoView({block: 'center'})")
        ring = resting(page)
        at = ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2
        swipe(at, (at[0] + 5, at[1] - 60))  # the ring is the handle
        resting(page)
        if code() != held:
            break
    assert code() != held


def test_how_the_map_is_seen_stands_in_its_address_and_is_kept(app: str, window: Callable[..., Page]) -> None:
    page = window(**LAPTOP)
    page.goto(f"{app}/?run=shapes-convolutional-variational")
    ready(page)
    page.get_by_test_id("colour").select_option("factor:1")
    factor = shipped("shapes-convolutional-variational").card.dataset.factors[1]
    expect(page.get_by_text(f"coloured by {factor}")).to_be_visible()
    page.get_by_test_id("colour").select_option("class")
    legend = page.get_by_test_id("legend").get_by_role("button")
    legend.nth(1).click()
    page.wait_for_url("**hidden=1*")
    page.get_by_test_id("points").uncheck()
    page.wait_for_url("**points=no*")
    page.get_by_test_id("zoom-in").click()
    page.wait_for_url("**camera=*")
    address = page.url
    go(page, "Samples")
    go(page, "Explore")

    def as_left(one: Page) -> None:
        expect(one.get_by_test_id("legend").get_by_role("button").nth(1)).to_have_attribute("aria-pressed", "false")
        expect(one.get_by_test_id("points")).not_to_be_checked()
        one.wait_for_url(lambda url: parse_qs(urlsplit(url).query) == parse_qs(urlsplit(address).query))

    as_left(page)
    other = window(**LAPTOP)
    other.goto(address)
    ready(other)
    as_left(other)
    other.get_by_test_id("home").click()
    other.wait_for_url(lambda url: "camera" not in url)


def test_train_keeps_its_choices_beside_a_running_training(
    app: str, app_home: Path, window: Callable[..., Page]
) -> None:
    page, seed = window(**LAPTOP), "101"
    page.goto(f"{app}/train")
    at(page, "Train")
    choose(page, "Architecture", "Variational")
    more(page)
    number(page, "Epochs", "9000")
    number(page, "Seed", seed)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text(re.compile("epoch [0-9,]+ of 9000"))).to_be_visible(timeout=180_000)
    named = page.get_by_role("heading", name="Digits 8x8 · Variational · D = 2", exact=True)
    expect(named).to_be_visible()
    expect(
        page.get_by_text(re.compile(f"9,000 epochs · batches of [0-9]+ · learning rate [0-9.]+ · seed {seed}"))
    ).to_be_visible()
    with cancelled(page), held(app_home):
        choose(page, "Architecture", "Single-layer")
        choose(page, "Noise on the input", "gaussian (added to every value)")
        expect(page.get_by_role("slider", name="Noise level")).to_have_value("0.3")
        number(page, "Epochs", "12")
        go(page, "Explore")
        go(page, "Train")
        more(page)
        chosen(page, "Architecture", "Single-layer")
        chosen(page, "Noise on the input", "gaussian (added to every value)")
        expect(page.get_by_label("Epochs", exact=True)).to_have_value("12")
        expect(page.get_by_role("slider", name="Noise level")).to_have_value("0.3")
        expect(named).to_be_visible()
        page.reload()
        at(page, "Train")
        chosen(page, "Architecture", "Single-layer")
        expect(named).to_be_visible()
        page.get_by_role("button", name="Show its choices").click()
        more(page)
        chosen(page, "Architecture", "Variational")
        chosen(page, "Noise on the input", "none")
        expect(page.get_by_label("Epochs", exact=True)).to_have_value("9000")
        expect(page.get_by_label("Seed", exact=True)).to_have_value(seed)
        expect(page.get_by_role("button", name="Show its choices")).to_have_count(0)


def more(page: Page) -> None:
    """Open what the page Train has under More."""
    page.get_by_text("More", exact=True).click()
    expect(page.get_by_label("Epochs", exact=True)).to_be_visible()


@contextlib.contextmanager
def cancelled(page: Page) -> Iterator[None]:
    """Cancels the training that is shown in the end, also of a test that fails."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(Error):
            page.get_by_role("button", name="Cancel", exact=True).click(timeout=60_000)
        raise
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("This training was cancelled")).to_be_visible()


def choose(page: Page, label: str, option: str) -> None:
    """Choose another option and wait until the address has it. Drawing the page anew closes a list that is open."""
    name = label.split(maxsplit=1)[0].lower()
    before = parse_qs(urlsplit(page.url).query)[name]
    for _ in range(10):
        page.get_by_role("combobox", name=label, exact=True).click()
        with contextlib.suppress(TimeoutError):
            page.get_by_role("option", name=option, exact=True).first.click(timeout=20_000)
            break
    chosen(page, label, option)
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query)[name] != before)


def chosen(page: Page, label: str, option: str) -> None:
    expect(page.get_by_role("combobox", name=label, exact=True)).to_have_value(option)


def number(page: Page, label: str, value: str) -> None:
    """Type a number and wait until the address has it."""
    page.get_by_label(label, exact=True).fill(value)
    page.get_by_label(label, exact=True).press("Enter")
    name = label.lower().replace(" ", "_")
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get(name) == [value])


@pytest.mark.parametrize("title", ["Explore", "Reconstructions", "Train"])
@pytest.mark.own_window
def test_nothing_jumps_while_a_page_opens(app: str, walker: Page, title: str) -> None:
    """The sum of all shifts that nobody asked for is at most 0.1, which the browser's makers call good."""
    walker.add_init_script(
        "window.shifts = []; new PerformanceObserver((list) => list.getEntries().forEach((one) => "
        "one.hadRecentInput || shifts.push(one.value))).observe({ type: 'layout-shift', buffered: true })"
    )
    walker.goto(f"{app}/{'' if title == 'Explore' else title.lower()}")
    at(walker, title)
    last = {"Explore": "Open a run", "Reconstructions": "Error by digit", "Train": "Parameters"}[title]
    expect(walker.get_by_text(last, exact=True)).to_be_attached()
    expect(walker.get_by_test_id("stSkeleton")).to_have_count(0)
    walker.wait_for_load_state("networkidle")
    assert sum(walker.evaluate("shifts")) <= 0.1, walker.evaluate("shifts")


@pytest.fixture(scope="module")
def another_site() -> Iterator[tuple[str, dict[str, str]]]:
    """A site with one page, and what that page holds: its address and the page, to be filled in."""
    content = {"html": ""}

    class Hosting(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(content["html"].encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hosting)  # not localhost: that would be the same site
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", content
    server.shutdown()


@pytest.fixture(scope="module")
def elsewhere(another_site: tuple[str, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that is served behind a path, and that another site may show."""
    home = tmp_path_factory.mktemp("elsewhere")
    with serving(home, "--server.baseUrlPath=lab/hg", HOURGLASS_EMBEDDED_IN=another_site[0]) as address:
        yield f"{address}/lab/hg"


def test_behind_a_base_url_path_all_is_served(elsewhere: str, window: Callable[..., Page]) -> None:
    page = window(**LAPTOP)
    page.goto(f"{elsewhere}/?run=digits-variational")
    ready(page)
    for title in OF_A_RUN:
        page.get_by_role("link", name=title, exact=True).click()
        page.wait_for_url(f"**/lab/hg/{title.lower()}?**")
    begun = entries(page)
    page.get_by_role("link", name="Explore", exact=True).click()
    ready(page)
    assert entries(page) == begun + 1
    page.goto(f"{elsewhere}/explore?run=digits-variational")
    ready(page)
    assert urlsplit(page.url).path == "/lab/hg/"
    page.get_by_role("link", name="Data", exact=True).click()
    send_a_table(page)


def send_a_table(page: Page) -> None:
    """Bring a small table by the stream for large files, on the page Data."""
    page.get_by_text("A file of more than").click()
    rows = "\n".join(f"{i},{i * i % 17},{i % 5}" for i in range(60))
    file = {"name": "small.csv", "mimeType": "text/csv", "buffer": f"a,b,c\n{rows}".encode()}
    page.get_by_label("A large file").set_input_files(file)
    expect(page.get_by_role("heading", name="What was understood")).to_be_visible(timeout=180_000)


def test_a_site_that_is_named_may_show_the_app_and_files_arrive(
    elsewhere: str, window: Callable[..., Page], another_site: tuple[str, dict[str, str]]
) -> None:
    site, content = another_site
    page = window(**LAPTOP)
    content["html"] = f'<iframe name="app" src="{elsewhere}/data" style="width: 1300px; height: 700px"></iframe>'
    page.goto(site)
    frame = page.frame_locator("iframe")
    rows = "\n".join(f"{i},{i * i % 17},{i % 5}" for i in range(60))
    file = {"name": "small.csv", "mimeType": "text/csv", "buffer": f"a,b,c\n{rows}".encode()}
    frame.locator("input[type=file]").first.set_input_files(file)
    expect(frame.get_by_role("heading", name="What was understood")).to_be_visible(timeout=180_000)
