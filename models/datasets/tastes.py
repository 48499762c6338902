"""Tastes: 2,400 invented people give one to five stars to some of 60 dishes, places and films that do not exist.

A table with gaps: a row is a person, a column is one thing, and most of a row is empty, since nobody has tried everything.

How it is drawn. A thing has six moods (cosy, wild, funny, dark, romantic, clever), each from 0 to 1; a degree from 0 to 1,
which is how spicy a dish is, how remote a place, how demanding a film; and a popularity. They are written below, by hand.
A person likes some moods and dislikes others: a draw from one of six kinds of people, each drawn to one mood more than to the
others, of which the strongest is the person's class; has a degree that suits them best for dishes, places and films; and a
usual number of stars. The stars of person u for thing i are

    3.25 + usual_u + 1.5 * sum over moods of liking_uk * (mood_ik - 0.35) - 3.2 * (degree_i - suits_u)^2 + quality_i + noise

rounded to whole stars from 1 to 5; quality has a deviation of 0.3 and noise one of 0.75 stars, which nobody can foresee. People
have tried what is popular, and rather what they will like: that a cell is empty says something, as in life.

After: R. Salakhutdinov and A. Mnih, Probabilistic Matrix Factorization, NeurIPS 2007 (likings times traits, plus noise);
C. Coombs, A Theory of Data, 1964 (the degree that suits one best); B. Marlin and R. Zemel, Collaborative Prediction and Ranking
with Non-Random Missing Data, RecSys 2009 (what is rated depends on how it is liked). The things and the code are our own.

Counts you should see: 2,400 people, of whom 400 are drawn to each mood; 41 % of the cells are filled.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.columns import Column
from models.datasets import Arrays, Dataset
from models.datasets._tables import arrays

MOODS = ("cosy", "wild", "funny", "dark", "romantic", "clever")
GROUPS = ("dish", "place", "film")
PEOPLE, FEWEST, STARS = 2400, 8, (1, 5)  # FEWEST: things that everybody has tried, at least


class Thing(NamedTuple):
    """A thing that can be liked: its name, one of `GROUPS`, a line on it; its moods (6,), its degree and its popularity, each
    from 0 to 9."""

    name: str
    group: str
    line: str
    moods: tuple[int, ...]
    degree: int
    popularity: int


# name | what it is | a line on it | cosy, wild, funny, dark, romantic, clever | degree | popularity
_THINGS = """
Grandmother's Tuesday soup | dish | Noodles, carrots and a story that gets longer each time. | 9 0 2 0 2 1 | 0 | 9
Volcano noodles | dish | So hot that you sign a form before the first bite. | 0 9 4 1 0 0 | 9 | 6
Moonlight dumplings | dish | Two on a plate, folded like letters; eaten by candlelight. | 4 0 0 1 9 2 | 3 | 6
Black garlic crow pie | dish | No crows in it, but it looks at you. | 2 3 2 9 0 2 | 4 | 3
Upside-down breakfast | dish | Pancakes below, orange juice on top. Nobody knows how. | 4 3 9 0 0 3 | 0 | 7
Seven-layer theorem cake | dish | Each layer proves the one below it. | 3 0 3 0 1 9 | 0 | 5
Campfire lentils | dish | Cooked in the ashes, eaten with a stick. | 6 7 1 2 1 0 | 4 | 5
Rose and pepper risotto | dish | Soft, pink, with a small surprise at the end. | 3 0 0 0 9 3 | 4 | 5
Midnight ink pasta | dish | Squid ink, smoke, and no light to eat it by. | 1 3 0 8 4 3 | 4 | 4
The laughing taco | dish | It squeaks when you bite it. Three sauces. | 1 4 9 0 0 0 | 6 | 8
Fermented mystery jar | dish | Buried in spring, opened in winter, discussed for weeks. | 1 6 1 5 0 6 | 7 | 2
Cloud bread with honey | dish | It weighs nothing, and it is gone at once. | 8 0 1 0 4 0 | 0 | 8
Dragon's egg curry | dish | Green, fierce, and worth the tears. | 2 8 1 2 1 0 | 9 | 7
Dissected salad | dish | Fourteen leaves, each with a footnote. | 0 0 3 1 0 9 | 1 | 3
Harbour chowder | dish | Thick, salty, with rain against the window. | 8 2 0 3 3 0 | 2 | 6
Chocolate confession | dish | Dark, bitter, shared with one spoon. | 3 0 0 5 8 1 | 1 | 8
Exploding cherries | dish | Do not wear white. | 0 6 8 0 1 0 | 2 | 5
Winter bone broth | dish | Boiled for three nights while wolves listened. | 5 4 0 7 0 1 | 3 | 3
Chess-player's sandwich | dish | Thirty-two bites, planned in advance. | 3 0 5 0 0 8 | 2 | 4
Chilli sorbet | dish | Cold, then hot, then cold again. | 0 6 3 0 3 3 | 8 | 4
Pillow Bay | place | A beach where everybody is asleep by two. | 9 0 2 0 3 0 | 1 | 8
Needle Ridge | place | One path, no railing, eagles below you. | 0 9 0 3 0 1 | 9 | 5
The town of two bridges | place | One to meet on and one to part on. | 3 0 0 1 9 1 | 1 | 7
Fogmoor Abbey | place | The bells ring, though there are none. | 0 3 0 9 3 2 | 6 | 4
The Museum of Bad Ideas | place | Ladders for fish, and a very small elephant door. | 2 0 9 0 0 6 | 0 | 7
Library island | place | Eleven thousand books, one ferry a week. | 5 0 0 1 2 9 | 6 | 5
Thunder Falls | place | You hear it a day before you see it. | 0 9 0 1 3 0 | 7 | 7
Lavender stairs | place | Four hundred steps, a bench for two on each tenth. | 4 0 0 0 9 0 | 3 | 6
The sunken market | place | Open at low tide, by lantern, for those who know. | 0 5 1 7 2 3 | 6 | 3
Goatville | place | The goats have elected a mayor. He is a goat. | 4 2 9 0 0 1 | 4 | 7
Observatory of Ulm-on-Sea | place | On clear nights you may turn the telescope. | 3 0 0 3 4 8 | 5 | 4
Old stove inn | place | Six rooms, one cat, soup at seven. | 9 0 1 0 4 0 | 3 | 7
Glass desert | place | Walk at night, when it sings. | 0 8 0 4 3 2 | 9 | 3
The labyrinth of Kor | place | There is a way out. It is not on the map. | 0 4 2 5 0 8 | 5 | 5
Bumper-boat capital | place | All the buses are boats, and all of them bump. | 1 4 9 0 1 0 | 0 | 6
Salt mine theatre | place | Two hundred metres below, only tragedies. | 1 1 0 8 3 5 | 4 | 3
Tea garden of nine rooms | place | Each room is quieter than the one before. | 7 0 0 0 5 4 | 2 | 5
Comet glacier | place | Ropes, ice, and a sky that you did not know. | 0 8 0 1 4 2 | 9 | 4
Ghost tram depot | place | The last tram left in 1931. It is late. | 1 2 4 8 0 1 | 1 | 5
Robot allotments | place | Small gardens, kept by machines with opinions. | 3 0 6 0 0 8 | 2 | 4
Slow Train to Aunt Ida | film | Nothing happens, beautifully, with cake. | 9 0 3 0 3 1 | 2 | 6
Sharks Against the Moon | film | They jump. That is all you need to know. | 0 8 6 1 0 0 | 0 | 8
Letters from the Lighthouse | film | He writes. She answers. The sea is in between. | 3 0 0 2 9 2 | 3 | 8
The House That Waited | film | Every door was closed when they went to sleep. | 0 3 0 9 0 2 | 3 | 7
Four Dentists and a Pony | film | A comedy about debt. | 3 1 9 0 1 1 | 0 | 8
Proof by Murder | film | Eight mathematicians, one snowed-in hotel. | 2 0 3 6 0 9 | 6 | 6
Last Jeep to Zanzor | film | Two hours of dust, engines and bad decisions. | 0 9 2 1 1 0 | 1 | 7
Waltz in an Empty Pool | film | They dance where the water was. | 1 0 1 3 9 4 | 6 | 4
Under the Ninth Floor | film | The lift has a button that was not there before. | 0 3 0 9 0 4 | 5 | 5
My Neighbour the Volcano | film | He means well. Family film with lava. | 5 6 7 0 0 0 | 0 | 7
The Memory Auction | film | She buys her own childhood back, lot by lot. | 1 0 0 4 4 9 | 8 | 5
Bakers' Christmas | film | Flour, snow, and everybody forgives everybody. | 9 0 3 0 6 0 | 0 | 7
Wolves of the Motorway | film | They were thought to be gone. Then the petrol ran out. | 0 8 0 7 0 0 | 2 | 5
Eleven Endings | film | You have to choose one, and defend it. | 0 1 3 1 1 9 | 9 | 3
Kiss the Referee | film | She sends him off. He comes back. | 3 2 6 0 8 0 | 0 | 7
The Cartographer's Silence | film | Black and white, three hours, one mountain. | 1 3 0 5 2 8 | 9 | 2
Grandad Buys a Tank | film | It was cheaper than the car. | 3 4 9 0 0 0 | 1 | 7
A Fire in the Valley | film | One village, one winter, one long supper. | 8 0 0 2 4 2 | 4 | 4
Fever Carnival | film | The masks do not come off at midnight. | 0 6 1 8 3 1 | 5 | 4
Parachute for Two | film | They meet at four thousand metres. | 0 6 3 0 8 0 | 1 | 6
"""


def _thing(line: str) -> Thing:
    name, group, words, moods, degree, popularity = (part.strip() for part in line.split("|"))
    return Thing(name, group, words, tuple(map(int, moods.split())), int(degree), int(popularity))


THINGS = tuple(_thing(line) for line in _THINGS.strip().splitlines())


@cache
def drawn() -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.float32]]:
    """Stars (N, 60), NaN where a person has not tried a thing; the mood that each is drawn to (N,); likings of moods (N, 6)."""
    source = np.random.default_rng(1992)
    moods = np.array([one.moods for one in THINGS]) / 9
    degrees = np.array([one.degree for one in THINGS]) / 9
    popularity = np.array([one.popularity for one in THINGS]) / 9
    group = np.array([GROUPS.index(one.group) for one in THINGS])
    kind = np.repeat(np.arange(len(MOODS)), PEOPLE // len(MOODS))
    liking = source.normal(0, 0.55, (PEOPLE, len(MOODS)))
    liking[np.arange(PEOPLE), kind] += np.abs(source.normal(1.3, 0.4, PEOPLE))
    # The class is what somebody likes best, also where chance made it another than that of their kind.
    best = liking.argmax(1)
    swapped = liking[np.arange(PEOPLE), best].copy()
    liking[np.arange(PEOPLE), best] = liking[np.arange(PEOPLE), kind]
    liking[np.arange(PEOPLE), kind] = swapped
    suits = source.beta(1.4, 1.6, (PEOPLE, len(GROUPS)))
    usual = source.normal(0, 0.35, PEOPLE)
    quality = source.normal(0, 0.3, len(THINGS))
    felt = 3.25 + usual[:, None] + 1.5 * liking @ (moods - 0.35).T + quality
    felt -= 3.2 * np.square(degrees - suits[:, group])
    stars = np.clip(np.rint(felt + source.normal(0, 0.75, felt.shape)), *STARS)
    busy = source.normal(-0.9, 0.6, PEOPLE)
    chance = 1 / (1 + np.exp(-(busy[:, None] + 2.2 * (popularity - 0.3) + 0.45 * (felt - 3))))
    luck = source.random(felt.shape) / chance
    tried = (luck < 1) | (luck.argsort(1).argsort(1) < FEWEST)
    order = source.permutation(PEOPLE)
    return np.where(tried, stars, np.nan)[order], kind[order].astype(np.int32), liking[order].astype(np.float32)


def gaps() -> NDArray[np.bool_]:
    """Which cells are empty (N, 60)."""
    return np.isnan(drawn()[0])


# The mean and the deviation of each thing's stars over the training rows, where an empty cell counts as the mean.
_SCALES = """
2.4164 0.9213 | 2.6218 0.8240 | 2.9544 0.8124 | 3.7050 0.6464 | 2.7406 0.8509 | 2.7766 0.7445
3.1653 0.7507 | 3.0710 0.7535 | 3.0044 0.6858 | 2.4351 0.8758 | 3.0696 0.5958 | 2.5797 0.9017
2.2389 0.7482 | 2.8656 0.6805 | 3.2312 0.8073 | 2.9963 0.9094 | 3.4260 0.8417 | 3.1782 0.6395
3.0237 0.7401 | 2.5363 0.6506 | 3.4157 0.9701 | 3.0903 0.8269 | 2.9782 0.9314 | 3.1488 0.7448
2.4364 0.8383 | 3.3337 0.8279 | 2.7546 0.8936 | 3.1361 0.8668 | 2.8208 0.6309 | 2.6656 0.8351
3.3642 0.7420 | 2.8827 0.8853 | 2.5656 0.6347 | 3.4921 0.7794 | 2.4146 0.7873 | 3.1167 0.6708
3.0365 0.7661 | 2.5495 0.6737 | 3.0399 0.7644 | 3.5430 0.7511 | 2.5574 0.7996 | 2.3588 0.8507
3.3378 0.9349 | 2.8125 0.8860 | 2.5853 0.9309 | 3.5266 0.8644 | 2.8753 0.8632 | 3.2726 0.7448
2.9467 0.7908 | 2.5304 0.8040 | 3.2384 0.8558 | 2.6301 0.8855 | 3.2151 0.8127 | 2.8869 0.6950
2.6084 0.8527 | 2.1671 0.5006 | 2.8978 0.9138 | 3.3493 0.7302 | 3.6037 0.6866 | 2.9512 0.8591
"""


def _columns() -> tuple[Column, ...]:
    numbers = [tuple(map(float, one.split())) for one in _SCALES.strip().replace("\n", " | ").split(" | ")]
    both = zip(THINGS, numbers, strict=True)
    return tuple(Column(one.name, "number", i, 1, scale[0], scale[1]) for i, (one, scale) in enumerate(both))


COLUMNS = _columns()


def read() -> Arrays:
    """2,400 rows of 60 stars, standardised, empty cells at the mean; the likings are the factors."""
    stars, moods, liking = drawn()
    filled = np.where(np.isnan(stars), [column.mean for column in COLUMNS], stars)
    return arrays(COLUMNS, filled, moods)._replace(factors=liking)


DATASET = Dataset(
    name="tastes",
    title="Tastes",
    summary="Stars that invented people give to dishes, places and films: what else would they like?",
    kind="table",
    shape=(len(THINGS),),
    count=PEOPLE,
    classes=MOODS,
    source="Drawn by Hourglass",
    licence="CC0 1.0",
    label="mood that is liked best",
    factors=tuple(f"likes {mood}" for mood in MOODS),
    columns=COLUMNS,
    gaps=gaps,
    read=read,
)
