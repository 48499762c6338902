"""README and the pages under docs/: what they link to exists, and commands that stand in two places are the same."""

import re

import pytest
from conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "benchmarks/README.md", *sorted((ROOT / "docs").glob("*.md"))]


def anchors(text: str) -> set[str]:
    """The fragments that GitHub gives to the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if "://" in target:
            continue
        path, _, fragment = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), target
        assert not fragment or fragment in anchors(place.read_text()), target


@pytest.mark.parametrize("title", ["For a class", "On several machines"])
def test_the_commands_in_readme_are_those_of_the_deployment_page(title):
    def commands(page):
        section = page.read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]
        return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)

    short, long = commands(ROOT / "README.md"), commands(ROOT / "docs/deployment.md")
    assert short and long[: len(short)] == short


def test_readme_can_be_read_in_five_minutes():
    prose = re.sub(r"```.*?```", "", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert len(prose.split()) <= 1000
