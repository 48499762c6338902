"""Which pages there are, by the sections of the navigation."""

from components import views
from components.views import Page, labs
from models import Problem


def sections() -> dict[str, tuple[list[Page], list[Problem]]]:
    """The pages of each section, in order, and what is wrong with files that give none."""
    return {"": views.discovered(), "Labs": labs.discovered()}
