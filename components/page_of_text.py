"""A page of text on the page of the lab Denoise: written, spoilt, cleaned, and read by Tesseract where it is installed."""

import hashlib
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import streamlit as st

from components import cached
from components.views import show_problems
from models import Problem, runs
from models.analysis import ocr
from models.labs import _page as page
from models.labs._page import Cleaned, Floats, Strengths

LETTERS = 3000  # of a text, at most: more do not fit on a page
READ = ("clean", "spoilt", "divided", "sauvola", "run")
INSTALL = (
    "Tesseract, a free program that reads text, is not on this computer; with it (`apt install tesseract-ocr`) you "
    "would see how many letters can be read."
)


def show(run: runs.Run) -> None:
    """Draw the part: strengths, three pages, the verdict and its numbers, and the text to change. Says why where the run
    cannot clean a page."""
    if why := page.fits(run):
        st.info(f"This run cannot clean a page of text: {why}.")
        return
    strengths, seed = _choose()
    # Below the pictures, but known before them.
    text = st.session_state.get("page text") or page.TEXT
    found = _cleaned(run, text[:LETTERS], strengths, seed)
    best = max(("divided", "sauvola"), key=lambda name: found[name].psnr or 0.0)
    for column, name in zip(st.columns(3), ("spoilt", "run", best), strict=True):
        version = found[name]
        words = f"{version.title} · {version.psnr:.1f} dB"
        column.image(version.image, words, width="stretch", clamp=True, output_format="PNG")
    _read(found)
    with st.expander("Write something else"):
        st.text_area("The text on the page", page.TEXT, key="page text", height=200, max_chars=LETTERS)
        if found.page.left:
            st.caption(f"{found.page.left:,} words did not fit on the page.")
        if found.page.replaced:
            st.caption(f"The font has no {' '.join(found.page.replaced)}: other letters stand for them.")
    with st.expander("How this is measured"):
        st.markdown(HOW)


HOW = """
The page is drawn at 600×800 pixels, then darkened by stains, folded (ink worn off along a line, a shadow beside it), blurred, and given a \
little grain. The run saw other stains on small pieces of other text; the page is cut into such pieces, which overlap by half, each goes through \
the code and back, and they are joined by a window without seams.

Two plain ways stand beside it: *dividing by the paper* (what a pixel would be without ink, then smoothed or sharpened, then stretched to black and \
white), and *Sauvola's threshold* (black or white by mean and spread of the surroundings). Their settings are chosen by the least squared error on another page \
with other words and the same strengths. In the verdict they may take the better of the two on this page; the run has one try.

Letters are counted by the fewest changes that make what Tesseract read the text that was written (character error rate). Tesseract gets every \
page twice as large.
"""


def _choose() -> tuple[Strengths, int]:
    """Strengths by sliders, and which stains."""
    usual = Strengths()
    columns = st.columns([2, 2, 2, 1.4], vertical_alignment="bottom")
    values = [
        column.slider(title, 0.0, 1.0, value, 0.1, key=f"page {title}")
        for column, title, value in zip(
            columns, ("Stains", "Folds", "Blur"), (usual.stain, usual.fold, usual.blur), strict=False
        )
    ]
    seed = st.session_state.setdefault("page seed", 1)
    if columns[3].button("Other stains", icon=":material/refresh:", width="stretch"):
        seed = st.session_state["page seed"] = seed % 10_000 + 1
    return Strengths(*values), seed


@cached.per_run(16, "Cleaning the page…")
def _cleaned(run: runs.Run, text: str, strengths: Strengths, seed: int) -> Cleaned:
    return page.cleaned(run, text, strengths, seed)


# ── reading ────────────────────────────────────────────────────────────────────────────────


@st.cache_resource(show_spinner=False)
def _readers() -> ThreadPoolExecutor:
    """Threads that wait for Tesseract: a page takes it seconds, in which the app goes on."""
    return ThreadPoolExecutor(2, "tesseract")


@st.cache_resource(max_entries=128, show_spinner=False)
def _asked(digest: str, _image: Floats) -> Future[str]:
    """What is read of a picture, once for everybody."""
    return _readers().submit(ocr.read, _image)


@st.cache_resource(show_spinner=False)
def _version() -> str:
    return ocr.version() or "Tesseract"


def _read(found: Cleaned) -> None:
    """The verdict and the table: with what was read once that is there."""
    if ocr.program() is None:
        _told(found, None)
        st.caption(INSTALL)
        return
    answers = {name: _asked(_digest(found[name].image), found[name].image) for name in READ}
    _forget(answers)
    if not all(answer.done() for answer in answers.values()):
        _waiting(answers)
        return
    try:
        read = {name: answer.result() for name, answer in answers.items()}
    except Problem as problem:
        for name in READ:
            _asked.clear(_digest(found[name].image), found[name].image)
        _told(found, None)
        st.caption(f":material/error: {problem}")
        return
    truth = "\n".join(found.page.lines)
    _told(found, {name: ocr.character_error(truth, text) for name, text in read.items()})
    st.caption(f"Read by {_version()}.")
    with st.expander("What Tesseract read"):
        for column, name in zip(st.columns(3), ("spoilt", "run", "divided"), strict=True):
            column.caption(found[name].title)
            column.code(read[name].strip() or "nothing", language=None, wrap_lines=True)


def _digest(image: Floats) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()


def _forget(answers: Mapping[str, Future[str]]) -> None:
    """Withdraw what this visitor asked before and looks at no more: dragging a slider would fill the queue."""
    for old in st.session_state.get("pages being read", ()):
        if old not in answers.values():
            old.cancel()
    st.session_state["pages being read"] = list(answers.values())


@st.fragment(run_every=0.5)
@show_problems
def _waiting(answers: Mapping[str, Future[str]]) -> None:
    """How far the reading is; ends by drawing the page anew."""
    done = sum(answer.done() for answer in answers.values())
    if done == len(answers):
        st.rerun(scope="app")
    st.progress(done / len(answers), f"Tesseract reads: {done} of {len(answers)} pages")


def _told(found: Cleaned, errors: Mapping[str, float] | None) -> None:
    """The verdict, and its numbers as a table."""
    st.markdown(f"**{page.verdict(found, errors)}**")
    rows = []
    for name in ("spoilt", "divided", "sauvola", "run", "clean"):
        version = found[name]
        row = {"page": version.title, "PSNR": "" if version.psnr is None else f"{version.psnr:.1f} dB"}
        if errors is not None:
            row["letters misread"] = f"{errors[name]:.1%}"
        rows.append(row | {"setting": version.setting})
    st.dataframe(rows, hide_index=True)
