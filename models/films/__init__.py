"""Films: what a run's map and decoder show, as a GIF or a WebP that moves. What is shown, how it is drawn and how it is written belongs here."""

from models.films.choreography import FRAMES, RATES, SECONDS, SIZES, WHAT, Choices
from models.films.drawing import Film
from models.films.files import FORMATS, written

__all__ = ["FORMATS", "FRAMES", "RATES", "SECONDS", "SIZES", "WHAT", "Choices", "Film", "written"]
