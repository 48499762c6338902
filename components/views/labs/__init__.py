"""Pages of labs: one file in this folder is the page of the lab of the same name in `models/labs/`, found by its presence.

Such a file defines `PAGE`, a `Page`, as other pages do. Its frame is in `components/labs.py`. `verdicts.py` is the page of no
lab: it lists what all found.
"""

from components.views import Page, check
from models import Problem, labs
from models.discovery import Unusable, discover


def discovered() -> tuple[list[Page], list[Problem]]:
    """Every page in this folder, in order, and what is wrong with the files that give none."""
    pages, problems = discover(__name__, __path__, "PAGE", Page, _check, names=lambda page: (page.path,))
    return sorted(pages, key=lambda page: page.order), [*problems, *labs.broken()]


OVERVIEW = "verdicts"


def _check(page: Page, file: str) -> None:
    check(page, file)
    if page.path != file:
        raise Unusable(f"has the title “{page.title}”", "the name of the file, as a title, was expected")
    if file not in (OVERVIEW, *labs.available()):
        raise Unusable("is the page of no lab", f"models/labs/{file}.py was expected beside it")
