"""Files that are found by their presence: a new one is there everywhere, a broken one is told and harms no other."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import kinds
import pytest

from components import views
from models import Problem, architectures, datasets, labs, losses, runs
from models.discovery import discover

ROOT = Path(__file__).resolve().parents[1]

ARCHITECTURE = """
from math import prod
from models.architectures import Architecture
from models.layers import Dense, Flatten, Reshape
def layers(shape, code_size):
    return (Flatten(), Dense(code_size)), (Dense(prod(shape)), Reshape(shape))
ARCHITECTURE = Architecture(name="NAME", title="Tiny", summary="One line.", paper="nobody", layers=layers)
"""
DATASET = """
import numpy as np
from models.datasets import Arrays, Dataset
def read():
    values = np.random.default_rng(0).standard_normal((100, 4), np.float32)
    return Arrays(values, np.zeros(100, np.int32), np.zeros((100, 0), np.float32))
DATASET = Dataset(name="NAME", title="Four numbers", summary="Normal ones.", kind="table", shape=(4,), count=100,
    classes=("all",), source="drawn here", licence="MIT", read=read)
"""
TERM = """
from models.losses import Choice, LossTerm
def compute(batch):
    return batch.mean.mean(0).square().mean()
TERM = LossTerm(name="NAME", weight=Choice("NAME", title="Centring", help="Weight of the squared mean code: 5 % will do",
    paper="nobody 2026", range=(0, 100)), compute=compute)
"""
PAGE = """
import streamlit as st
from components.views import Page
def show():
    st.title("Here I am")
PAGE = Page("NAME", ":material/star:", 20, show)
"""
LAB = """
from models.labs import Answer, Lab
LAB = Lab("NAME", "Newcomer", "What is it good for?", lambda run: "", lambda run, settings, report: Answer({}))
"""
GOOD = {"labs": LAB, "architectures": ARCHITECTURE, "datasets": DATASET, "losses": TERM, "views": PAGE}
PACKAGES: dict[str, ModuleType] = {
    "architectures": architectures,
    "datasets": datasets,
    "losses": losses,
    "labs": labs,
    "views": views,
}
DEFINED = {"labs": "LAB", "architectures": "ARCHITECTURE", "datasets": "DATASET", "losses": "TERM", "views": "PAGE"}


def found_with(
    which: str, content: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], list[Problem]]:
    """Titles or names of what a package finds with one file more, newcomer.py, and what it says of broken ones."""
    (folder / "newcomer.py").write_text(content.replace("NAME", "newcomer"))
    package = PACKAGES[which]
    with monkeypatch.context() as patch:
        patch.setattr(package, "__path__", [*package.__path__, str(folder)])
        try:
            if which == "views":
                pages, problems = views.discovered()
                return [page.title for page in pages], problems
            search = architectures.discovered if which == "architectures" else package._discovered
            parts, problems = search.__wrapped__()  # not the cache that other tests look into
            return list(parts), problems
        finally:
            sys.modules.pop(f"{package.__name__}.newcomer", None)


@pytest.mark.parametrize("which", GOOD)
def test_nothing_that_is_there_is_broken(which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one file more is one part more."""
    found, problems = found_with(which, GOOD[which], tmp_path, monkeypatch)
    assert problems == [] and "newcomer" in found and len(found) > 1


BROKEN = [
    (which, content, came, expected)
    for which, name in DEFINED.items()
    for content, came, expected in (
        ("import nothing_like_it", "cannot be imported (ModuleNotFoundError in line 1: No module named", f"{name} = "),
        ("def show(:", "cannot be imported (SyntaxError", f"{name} = "),
        ("\n\nraise SystemExit(3)", "cannot be imported (SystemExit in line 3: 3)", f"{name} = "),
        ("x = 1", f"does not define {name}", f"{name} = "),
        (f"{name} = 'me'", f"defines {name} as a str", f"{name} = "),
    )
]
BROKEN += [
    (
        "architectures",
        ARCHITECTURE.replace("Dense(code_size)", "Dense(3)"),
        "the encoder of Tiny gives the shape (3,)",
        "(2,)",
    ),
    (
        "architectures",
        ARCHITECTURE.replace(", Reshape(shape)", ","),
        "the decoder of Tiny gives the shape (784,)",
        "(28, 28, 1)",
    ),
    (
        "architectures",
        ARCHITECTURE.replace("Dense(code_size)", "Sum(((Dense(2),), (Dense(3),)))").replace(
            "Reshape\n", "Reshape, Sum\n"
        ),
        "a Sum give the shapes (2,), (3,)",
        "the same shape",
    ),
    (
        "architectures",
        ARCHITECTURE.replace("Dense(prod(shape))", "Dense(7)"),
        "Reshape((28, 28, 1)) gets the shape (7,)",
        "784 values",
    ),
    (
        "architectures",
        ARCHITECTURE.replace("Flatten(), ", "").replace("Dense(c", "no(c"),
        "NameError in line 6",
        "works",
    ),
    ("architectures", ARCHITECTURE.replace('"NAME"', '"modern"'), "has the name “modern”", "“newcomer”"),
    ("architectures", ARCHITECTURE.replace('"Tiny"', '""'), "has '' as its title", "some words"),
    (
        "architectures",
        ARCHITECTURE.replace("layers=layers", 'layers=layers, kinds=("film",)'),
        "kinds ('film',)",
        "image",
    ),
    ("datasets", DATASET.replace('"NAME"', '"digits"'), "has the name “digits”", "“newcomer”"),
    ("datasets", DATASET.replace("shape=(4,)", "shape=(4, 4)"), "samples of shape (4, 4)", "1 whole numbers"),
    ("datasets", DATASET.replace('"table"', '"film"'), "of kind “film”", "image, signal, table"),
    ("datasets", DATASET.replace("count=100", "count=3"), "has 3 samples", "at least 10"),
    (
        "datasets",
        DATASET.replace("read=read", "read=read, colours={'al': '#ff0000'}"),
        "colours for al",
        "one for each class",
    ),
    (
        "datasets",
        DATASET.replace("read=read", "read=read, colours={'all': 'red'}"),
        "“red” as a colour",
        "like #e69f00",
    ),
    ("losses", TERM.replace('name="NAME"', 'name="kl"'), "has the name “kl”", "“newcomer”"),
    ("losses", TERM.replace('name="NAME", ', ""), "TypeError in line 5", "TERM = "),
    ("losses", TERM.replace('Choice("NAME"', 'Choice("seed"'), "a choice called “seed”", "nothing else has"),
    ("losses", TERM.replace('Choice("NAME"', 'Choice("two words"'), "a choice called “two words”", "lower-case"),
    ("losses", TERM.replace('Choice("NAME"', 'Choice("beta"'), "uses the name “beta”", "of its own"),
    ("losses", TERM.replace("(0, 100)", "(1, 100)"), "has 0 as the default of newcomer", "1 to 100"),
    ("views", PAGE.replace("NAME", "Train"), "uses the name “train”", "of its own"),
    ("views", PAGE.replace("20, show", "20, 'show'"), "has 'show' as its show", "a function"),
]


def shipped(which: str) -> list[str]:
    """What a folder holds, without what other tests have put beside it."""
    return [name for name in PACKAGES[which].available() if name not in (kinds.WAVE.name, kinds.TABLE.name)]


@pytest.mark.parametrize(("which", "content", "came", "expected"), BROKEN)
def test_what_is_broken_is_told_and_harms_no_other(
    which: str, content: str, came: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, problems = found_with(which, content, tmp_path, monkeypatch)
    assert len(problems) == 1 and "newcomer" not in found
    assert found == ([page.title for page in views.available()] if which == "views" else shipped(which))
    told = problems[0]
    assert told.came.startswith(str(tmp_path / "newcomer.py")) and came in told.came and expected in told.expected
    assert "everything else works" in told.do and "\n" not in str(told)


def test_helpers_and_folders_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "_helper.py").write_text("raise ValueError")
    (tmp_path / "labs").mkdir()
    (tmp_path / "labs" / "__init__.py").write_text("raise ValueError")
    assert discover("models.losses", [str(tmp_path)], "TERM", int, lambda *_: None, lambda _: ()) == ([], [])


def test_a_page_that_is_not_there_is_a_sentence() -> None:
    assert views.Pages({"Train": 1})["Train"] == 1
    with pytest.raises(Problem, match="page Train is not here"):
        views.Pages()["Train"]


# Terms of the loss


def test_a_choice_of_a_term_is_one_everywhere() -> None:
    fields = {field.name: field for field in dataclasses.fields(runs.Configuration)}
    for term in losses.available().values():
        for choice in term.choices:
            assert fields[choice.field].default == choice.default and fields[choice.field].type == "float"
            assert runs.RANGES[choice.field] == choice.range
            assert choice.field in runs.YOUNG or choice.field in ("beta", "sparsity"), "it would change ids"


def test_no_term_can_take_a_name_that_means_something_else() -> None:
    of_terms = {choice.field for term in losses.available().values() for choice in term.choices}
    members = {name for name in dir(runs.Configuration) if not name.startswith("_")}
    assert members - of_terms <= losses.RESERVED
    done = subprocess.run(
        [sys.executable, "-m", "models", "train", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    options = {
        word.strip("[],").removeprefix("--").replace("-", "_") for word in done.stdout.split() if "--" in word[:3]
    }
    assert "tsne" in options and options - of_terms <= losses.RESERVED


def test_what_only_some_have_is_offered_to_them_alone() -> None:
    both = ["sparsity", "contraction"]
    assert [choice.field for choice in losses.choices("image", False)] == [*both, "rate"]
    variational = ["beta", "total_correlation", "free_bits", "annealing"]
    assert [choice.field for choice in losses.choices("table", True)] == variational + both
    term = dataclasses.replace(losses.available()["sparsity"], kinds=("image",))
    assert term.applies("image", False) and not term.applies("table", False)


def test_without_its_term_a_choice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variational training without its KL term would be a wrong run under the right id."""
    for name in ("beta", "sparsity"):
        monkeypatch.delitem(runs.RANGES, name)
    assert runs.Configuration("digits", "modern").check()
    for choices in ({"architecture": "variational"}, {"architecture": "modern", "sparsity": 0.5}):
        with pytest.raises(Problem, match="is not here"):
            runs.Configuration("digits", **choices).check()


# The real thing: a copy of the program with a newcomer and a broken file in each folder


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with newcomer.py and broken.py in each folder that is searched."""
    root = tmp_path_factory.mktemp("copy")
    for folder in ("models", "components"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "frontend"))
    for which, content in GOOD.items():
        folder = Path(*PACKAGES[which].__name__.split("."))
        (root / folder / "newcomer.py").write_text(content.replace("NAME", "newcomer"))
        (root / folder / "broken.py").write_text("import nothing_like_it")
    return root


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    facts = os.environ | {"HOURGLASS_HOME": str(copy / "home")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=facts, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def test_the_shell_works_beside_broken_files_and_tells_of_them(copy: Path) -> None:
    done = run(copy, "-m", "models", "list", "--json")
    facts = json.loads(done.stdout)
    files = [f"models/{which}/broken.py" for which in ("datasets", "architectures", "losses", "labs")]
    assert [problem.split(" ")[0] for problem in facts["problems"]] == files
    assert all(f"hourglass: {file} cannot be imported" in done.stderr for file in files)
    assert {one["name"] for one in facts["architectures"]} == {*shipped("architectures"), "newcomer"}
    assert {one["name"] for one in facts["datasets"]} == {*shipped("datasets"), "newcomer"}


def test_a_new_term_is_trained_validated_and_written_down(copy: Path) -> None:
    """With the new architecture on the new dataset; what is trained without the term keeps its id."""
    choices = ["--dataset", "newcomer", "--architecture", "newcomer", "--code-size", "2", "--epochs", "2"]
    done = run(copy, "-m", "models", "train", "--here", "--json", *choices, "--newcomer", "2.5")
    folder = Path(json.loads(done.stdout)["folder"])
    line = json.loads((folder / "history.jsonl").read_text().splitlines()[-1])
    assert set(line["loss"]) == {"reconstruction", "newcomer"}
    assert json.loads((folder / "run.json").read_text())["configuration"]["newcomer"] == 2.5
    assert "5 % will do (nobody 2026)" in " ".join(run(copy, "-m", "models", "train", "--help").stdout.split())
    code = "from models import runs; print(runs.configure({'dataset': 'digits', 'architecture': 'variational'}).id)"
    same = runs.configure({"dataset": "digits", "architecture": "variational"}).id
    assert run(copy, "-c", code).stdout.strip() == same


def test_the_app_works_beside_broken_files_and_tells_of_them(copy: Path) -> None:
    code = """
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("components/main.py", default_timeout=300).run()
assert not app.exception, app.exception
told = [warning.value for warning in app.warning]
assert [one.split(" cannot be imported")[0] for one in told] == ["components/views/broken.py", "models/labs/broken.py"], told
assert {"newcomer", "Train", "Explore"} <= set(app.session_state["pages"]), app.session_state["pages"]
app = AppTest.from_string("from components import address; from components.views import train; train.show(); address.settle()", default_timeout=300)
app.query_params["newcomer"] = "1.5"
app.run()
assert not app.exception, app.exception
told = [warning.value.split(" ")[0] for warning in app.warning]
assert told == [f"models/{which}/broken.py" for which in ("datasets", "architectures", "losses")], told
assert app.number_input(key="newcomer").value == 1.5 and app.number_input(key="newcomer").max == 100
assert "newcomer" in app.selectbox(key="architecture").options or "Tiny" in app.selectbox(key="architecture").options
"""
    run(copy, "-c", code)
