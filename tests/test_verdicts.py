"""What all labs found, in one table: made of the answers that ship, with a way to each."""

import dataclasses
import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pages
import pytest
from streamlit.testing.v1 import AppTest

from components.views.labs import verdicts as page
from models import PRETRAINED, Problem, labs, runs
from models.analysis.anomalies import Difference
from models.engine import answers, verdicts
from models.labs import Answer, anomalies, compress, denoise
from models.shell import main


def test_the_table_is_what_the_answers_say() -> None:
    """Where this fails: `python -m models lab --table`."""
    made = verdicts.made()
    assert verdicts.read() == made
    every = [(lab.name, name) for lab in labs.available().values() for name in verdicts.subjects(lab)]
    assert [(one.lab, one.name) for one in made] == every
    of_runs = {name for lab, name in every if labs.get(lab).of == "run"}
    assert of_runs == {path.name for path in PRETRAINED.iterdir() if path.is_dir()}


def test_a_line_whose_answer_does_not_ship_is_what_the_lab_computes(home: Path) -> None:
    [line] = [one for one in verdicts.read() if (one.lab, one.name) == ("compress", "digits-single-layer")]
    subject = runs.open_run(runs.folder_of(line.name))
    asked = answers.question(labs.get(line.lab), subject, {})
    found = answers.compute(asked, labs.quiet)
    assert (line.asked, line.verdict) == (asked.id, found.facts["verdict"])
    assert labs.finding(found.facts) == labs.Finding(line.won, line.against, line.by)


def test_what_is_another_question_now_goes_and_is_computed_when_the_table_is_made(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = verdicts.read()
    place = next(i for i, one in enumerate(lines) if one.name not in labs.get(one.lab).shipped)
    lines[place] = dataclasses.replace(lines[place], asked="of an earlier run")
    monkeypatch.setattr(verdicts, "TABLE", tmp_path / "table.json")
    verdicts.TABLE.write_text(json.dumps([dataclasses.asdict(one) for one in lines]))
    assert verdicts.made() == lines[:place] + lines[place + 1 :]
    told = {"verdict": "A tie.", "won": "tie", "against": "PCA", "by": "1 against 1"}
    asked: list[str] = []

    def compute(question: answers.Question) -> Answer:
        asked.append(question.id)
        return Answer(told)

    found = verdicts.made(compute)[place]
    assert (found.name, found.by, [found.asked]) == (lines[place].name, "1 against 1", asked)


def test_an_answer_that_does_not_fit_or_tells_no_finding_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "shipped", lambda _asked: Answer({"verdict": "yes"}))
    with pytest.raises(Problem, match=r"tells no finding .*--ship"):
        verdicts.made()
    monkeypatch.setattr(answers, "shipped", lambda _asked: None)
    with pytest.raises(Problem, match=r"no answer about .*--ship"):
        verdicts.made()


@pytest.mark.parametrize("wrong", [{"won": "us"}, {"against": ""}, {"by": ""}, {"by": "x" * 91}])
def test_a_finding_says_who_against_what_and_by_how_much(wrong: dict[str, str]) -> None:
    good = {"won": "tie", "against": "PCA", "by": "3 % against 3 %"}
    assert labs.finding(good).facts == good
    with pytest.raises(ValueError, match="who won"):
        labs.finding({**good, **wrong})


def test_the_shell_makes_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, known = verdicts.TABLE.read_bytes(), {one.asked: dataclasses.asdict(one) for one in verdicts.read()}
    monkeypatch.setattr(verdicts, "TABLE", tmp_path / "table.json")
    verdicts.TABLE.write_bytes(
        kept[: kept.index(b"\n", 2)].rstrip(b",") + b"\n]\n"
    )  # a line is left: the others are made
    monkeypatch.setattr(answers, "kept", lambda asked: Answer(known[asked.id]) if asked.id in known else None)
    assert main(["lab", "--table", "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told == [dataclasses.asdict(one) for one in verdicts.read()] and verdicts.TABLE.read_bytes() == kept
    assert main(["lab"]) == 1 and "No lab was named" in capsys.readouterr().err
    assert main(["lab", "compress", "--table"]) == 1


def test_who_won_follows_from_what_was_found() -> None:
    point = {"psnr": 20.0, "rate": 4.0}
    facts = {"shares": [0.25], "methods": [{"title": "run", "points": [point]}]}
    for rate, won in ((6.0, "network"), (2.0, "plain")):
        other = {"title": "PCA", "points": [{"psnr": 20.0, "rate": rate}]}
        told = compress.finding({**facts, "methods": [*facts["methods"], other]})
        assert (told.won, told.against) == (won, "PCA") and f"4.0 bytes an image against {rate}" in told.by

    def found(mean: float, tied: bool = False, roc: float = 0.9) -> dict[str, object]:
        methods = [{"name": name, "ap": [ap], "roc": [roc]} for name, ap in (("combined", 0.5 + mean), ("k-NN", 0.5))]
        return {"methods": methods, "best": "k-NN", "difference": vars(Difference(mean, 0, 0)) | {"tied": tied}}

    cases = [(found(0.1), "network"), (found(-0.1), "plain"), (found(0.1, True), "tie"), (found(0.1, roc=0.55), "open")]
    for given, won in cases:
        assert anomalies.finding(given, 50).won == won
    assert anomalies.finding(found(0.1), 3).won == "open"
    assert anomalies.finding(found(-0.1), 50).by == "average precision 40.0 % against 50.0 %"

    def one(name: str, errors: float, right: float | None) -> denoise.Measured:
        read = None if right is None else np.arange(100) < right
        values = np.full(100, errors, np.float32) + np.tile([0, 1e-4], 50).astype(np.float32)
        return denoise.Measured(name, name.title(), "", "", values, None, read, np.zeros(1))

    for ours, theirs, won in ((90, 50, "network"), (50, 90, "plain"), (90, 89, "tie")):
        told = denoise.finding([one("noisy", 1, 10), one("median", 1, theirs), one("run", 1, ours)])
        assert (told.won, told.against, told.by) == (
            won,
            "Median",
            f"{ours}.0 % read correctly against {theirs}.0 %",
        )
    told = denoise.finding([one("noisy", 1, None), one("run", 0.1, None)])
    assert told.won == "network" and told.by.startswith("10.0 dB against ")


def shown(**query: str) -> AppTest:
    return pages.shown("components.views.labs", "verdicts", **query)


def test_the_page_lists_all_with_a_link_to_each_answer() -> None:
    app = shown()
    lines = verdicts.read()
    found = app.dataframe[0].value
    assert list(found["in a sentence"]) == [one.verdict for one in lines]
    for link, line in zip(found[""], lines, strict=True):
        lab = labs.get(line.lab)
        address = urlsplit(link)
        assert address.path == f"./{lab.title.lower()}"
        assert parse_qsl(address.query) == [("run" if lab.of == "run" else "data", line.name)]
    assert all(f"**{lab.title}**: {lab.question}" in app.markdown[0].value for lab in labs.available().values())
    of = shown(only="compress")
    assert set(of.dataframe[0].value["lab"]) == {"Compress"} and of.query_params["only"] == "compress"


def test_how_often_who_wins_is_counted() -> None:
    line = verdicts.Verdict("compress", "a", "A", "network", "PCA", "1 against 2", "A sentence.", "id")
    table = [line, line, dataclasses.replace(line, won="plain"), dataclasses.replace(line, lab="denoise")]
    assert page.line(compress.LAB, table).endswith("an image need? 3 answers: network 2, plain method 1.")
