"""Text: small pieces of printed pages, dark on light, in letters of many sizes, upright, slanted or bold.

What stands there is words of ours, made-up words, numbers and marks, so that a network
learns strokes and not a vocabulary. The font is in the public domain; see `models.typeset`. Made for cleaning pages: a page
is cut into such pieces, and put together again.

Counts you should see: 12,000 samples of 24x24; about one in thirty is empty paper.
"""

from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models import typeset
from models.datasets import Arrays, Dataset

COUNT, SIDE = 12_000, 24
SIZES = (14, 26)  # of the letters, in pixels, smallest and largest
EMPTY = 0.03  # the share of paper without a letter
SEEN = 9  # letters of a line that are drawn: more do not fit into a window
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
MARKS = ".,;:!?()-/'\"%&+=@#*$[]"
WORDS = """a about above after again air all almost along also always an and animal another any are around as ask at away back
bad be because bed been before began begin below best better between big bird black blue boat body book both bottom box boy
bread bring brown build but by call came can car carry cat change child city clean clear close cloud coat cold come cook corn
could country cow cross cup cut dark day did different do dog done door down draw dream drink drop dry each early earth east
easy eat egg eight end enough even ever every eye face fall family far farm fast father feet few field find fine fire first
fish five floor flower fly follow food foot for form found four friend from front fruit full game garden gave get girl give
glad glass go gold good grass great green ground group grow had half hand happy hard has have he head hear heart heavy held
help her here high him his hold home horse hot hour house how hundred ice idea if in inside into iron is island it its jump
just keep kept kind king knew know lake land large last late laugh lay lead leaf learn leave left leg less let letter life
light like line list little live long look lost loud love low machine made make man many map mark may me mean measure meet
milk mind minute money month moon more morning most mother mountain move much music must my name near need never new next
night nine no north not note nothing now number of off often oil old on once one only open or order other our out over own
page paint paper part past people perhaps piece place plain plan plant play please point poor press quick quiet quite rain
ran read ready red rest rich ride right ring rise river road rock room rope round rule run said salt same sand saw say sea
second see seed seem sell send set seven shape she ship shoe shop short should show side silver since sing sister sit six
size skin sky sleep slow small smile snow so soft some song soon sound south space spring stand star start stay step still
stone stop story street strong such summer sun sure swim table take talk tall teach tell ten than that the their them then
there these they thick thin thing think this those though three through time to together told too took top town tree true
try turn two under until up us use very voice wait walk wall want warm was wash watch water way we week well went were west
wet what wheel when where which while white who whole why wide wild will wind window winter wish with without woman wood word
work world would write yard year yellow yes yet you young your zero""".split()  # noqa: SIM905 (as a list it would be four hundred lines)


def read() -> Arrays:
    """12,000 grey images (24, 24, 1), neither labels nor factors."""
    return Arrays(draw(np.arange(COUNT)), np.full(COUNT, -1, np.int32), np.zeros((COUNT, 0), np.float32))


def draw(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The images of these rows (len(rows), 24, 24, 1)."""
    if not len(rows):
        return np.zeros((0, SIDE, SIDE, 1), np.uint8)
    return np.stack([_piece(int(row)) for row in rows])[..., None]


def _piece(row: int) -> NDArray[np.uint8]:
    """A window on lines of text that begin and end beyond it."""
    from PIL import Image, ImageDraw

    random = np.random.default_rng([2012, row])
    if random.random() < EMPTY:
        return np.full((SIDE, SIDE), 255, np.uint8)
    size = int(random.integers(SIZES[0], SIZES[1] + 1))
    slant = random.uniform(0, 0.25) if random.random() < 0.2 else 0.0
    bold, spacing = int(random.random() < 0.12), size * random.uniform(1.1, 1.7)
    sheet = Image.new("L", (SIDE + 2 * 4, SIDE), 255)  # wider, as a slant moves what is above and below
    pen, down = ImageDraw.Draw(sheet), random.uniform(-spacing, 0)
    while down < SIDE:
        line, across = words(random, 3), -random.uniform(0, 0.7 * size)
        start = int(random.integers(0, max(1, len(line) - SEEN)))
        if random.random() < 0.06:  # the edge of a text
            across, start = random.uniform(0, SIDE), 0
        pen.text(
            (across, round(down)), line[start : start + SEEN], fill=0, font=typeset.font(size), stroke_width=bold * 0.4
        )
        down += spacing
    if slant:
        sheet = sheet.transform(
            sheet.size, Image.Transform.AFFINE, (1, slant, -slant * SIDE / 2, 0, 1, 0), Image.Resampling.BICUBIC
        )
    return np.asarray(sheet)[:, 4 : 4 + SIDE]


def words(random: Generator, count: int) -> str:
    """So many words, some made up, some numbers, and marks between them."""
    return " ".join(_word(random) for _ in range(count))


def _word(random: Generator) -> str:
    dice = random.random()
    if dice < 0.25:
        word = "".join(random.choice(_letters(), random.integers(1, 9)))
    elif dice < 0.35:
        word = "".join(random.choice(list("0123456789"), random.integers(1, 6)))
    else:
        word = WORDS[random.integers(len(WORDS))]
        style = random.random()
        word = word.capitalize() if style < 0.2 else word.upper() if style < 0.3 else word
    if random.random() < 0.2:
        mark = MARKS[random.integers(len(MARKS))]
        word = mark + word if random.random() < 0.2 else word + mark
    return word


@cache
def _letters() -> NDArray[np.str_]:
    return np.array(list(LETTERS))


DATASET = Dataset(
    name="text",
    title="Text",
    summary="Pieces of printed pages: learn to clean them, then clean a page that is stained, folded and blurred.",
    kind="image",
    shape=(SIDE, SIDE, 1),
    count=COUNT,
    classes=(),
    source="Drawn by Hourglass, in the font Aileron by Sora Sagano (CC0 1.0)",
    licence="CC0 1.0",
    draw=draw,
    read=read,
)
