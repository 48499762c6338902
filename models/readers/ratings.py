"""Ratings, with a row for each person and thing: the things become columns side by side, with gaps where nobody has rated."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.beside import number
from models.readers.cells import is_missing
from models.readers.gathering import Table
from models.readers.result import ColumnFacts
from models.readers.work import Work, plain


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What columns are called, letters only, in some languages.
USERS = _words("""
user userid username person personid customer customerid reviewer reviewerid reviewername member rater profile student
nutzer benutzer kunde kundin utilisateur client usuario cliente utente persona
""")
THINGS = _words("""
item itemid movie movieid film filmid title book bookid isbn product productid asin song songid track trackid artist artistid joke
jokeid game gameid anime animeid restaurant dish recipe recipeid place business businessid beer wine article thing
artikel produkt buch titel gericht produit livre plat producto libro película pelicula artículo articulo plato prodotto piatto
""")
STARS = _words("""
rating ratings stars star score grade vote overall bookrating userrating reviewscore preference
bewertung sterne punkte wertung note évaluation evaluation étoiles etoiles puntuación puntuacion valoración valoracion estrellas
valutazione voto stelle nota
""")
MOST_THINGS = 2000  # columns: those with most ratings
LEVELS = 41  # different ratings of a column that no name calls so: half steps from 0 to 20
EACH = 3.0  # ratings that a person, and a thing, has on average, at least
FEWEST = 20  # people
GRID = 1.1  # times as many cells as rows, at least: else each has one, as pixels do
ONCE = 0.99  # share of the pairs that come once, of columns that no name calls so
ENTRIES = ("ratings.csv", "u.data")  # of the archives of MovieLens
TITLES = {"ratings.csv": "movies.csv", "u.data": "u.item"}


@dataclass(frozen=True)
class Roles:
    """The places of the columns: whose rating, of what, how many stars; asks: whether that was told by their content alone."""

    user: int
    thing: int
    stars: int
    asks: bool


def _word(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalpha())


def roles_of(table: Table) -> Roles | None:
    """Which columns are whose rating it is, of what and how much; None where a table holds no ratings."""
    words = [_word(name) for name in table.names]

    def called(known: frozenset[str]) -> list[int]:
        return [i for i, word in enumerate(words) if word in known]

    named = called(USERS), called(THINGS), called(STARS)
    if all(named):
        stars = next((i for i in named[2] if i not in table.categories and i not in table.times), None)
        thing = next((i for i in named[1] if i not in (stars, named[0][0])), None)
        if stars is None or thing is None or named[0][0] == stars:
            return None
        return Roles(named[0][0], thing, stars, asks=False)
    return _by_content(table) if len(table.names) in (3, 4) and table.split is None else None


def _by_content(table: Table) -> Roles | None:
    """The first two columns of whole numbers that come together once and by themselves often, and a third of few numbers."""
    if table.categories or any(i in table.times for i in range(3)) or len(table.values) < 10 * FEWEST:
        return None
    first, second, third = (table.values[:, i] for i in range(3))
    if np.isnan(table.values[:, :3]).any() or (np.rint(table.values[:, :2]) != table.values[:, :2]).any():
        return None
    users, things, levels = (len(np.unique(one)) for one in (first, second, third))
    count = len(first)
    pairs = len(np.unique(np.stack([first, second], 1), axis=0))
    shared = users * things > GRID * count  # else it is a full grid: pixels, or times and sensors
    often = count >= EACH * users and count >= EACH * things and users >= FEWEST and things >= 8
    return Roles(0, 1, 2, asks=True) if often and shared and levels <= LEVELS and pairs >= ONCE * count else None


def widened(table: Table, work: Work, titles: Mapping[str, str]) -> tuple[Table, list[str], str] | None:
    """A row for each person and a column for each thing, NaN where there is no rating; what the people are called, and by which
    column. None where the table holds no ratings, or that was not chosen. titles: what things are called, by their ids.

    Where somebody has rated a thing more than once, the last row counts.
    """
    choice = work.choices
    if choice.pivot == "" or choice.kind in ("image", "signal") or choice.shape or choice.missing == "keep":
        return None
    roles = roles_of(table)
    if roles is not None and titles:
        roles = dataclasses.replace(roles, asks=False)
    if roles is None or (choice.pivot and choice.pivot != table.names[roles.thing]):
        return None
    user, people = _places(table, roles.user, work)
    thing, called = _places(table, roles.thing, work)
    stars = table.values[:, roles.stars]
    known = (user >= 0) & (thing >= 0) & ~np.isnan(stars)
    enough = known.sum() >= EACH * len(people) and len(people) >= FEWEST and len(called) > 1
    if not enough and not choice.pivot:
        return None
    name = table.names[roles.thing]
    words = (
        f"Each row is how “{plain(table.names[roles.user])}” rates “{plain(name)}”: a row for each of the first and a column for "
        "each of the second, with gaps."
    )
    work.decide("pivot", name, [name, ""], words, asks=roles.asks)
    if not known.all():
        work.warn(f"{int((~known).sum()):,} rows lack a person, a thing or a rating, and are left out.")
    user, thing, stars = user[known], thing[known], stars[known]
    counts = np.bincount(thing, minlength=len(called))
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_THINGS])
    if len(kept) < len(called):
        work.warn(f"Of {len(called):,} things the {len(kept):,} with most ratings are kept.")
    column = np.full(len(called), -1)
    column[kept] = np.arange(len(kept))
    values = work.allocate((len(people), len(kept)), np.float64)
    for start in range(0, len(values), 4096):
        work.tick()
        values[start : start + 4096] = np.nan
    there = column[thing] >= 0
    values[user[there], column[thing[there]]] = stars[there]
    lost = int(there.sum() - np.count_nonzero(~np.isnan(values)))
    if lost:
        work.warn(f"{lost:,} ratings are of somebody who rated the same thing again: the last one counts.")
    names = _unique([plain(titles.get(called[i], called[i]), 100) for i in kept.tolist()], name)
    facts = [ColumnFacts(one, "number", 1.0, 0.0, None, role="number") for one in names]
    wide = Table(names, values, {}, np.arange(1, len(values) + 1), {}, {}, facts, _texts(values))
    return wide, people, table.names[roles.user]


def _places(table: Table, i: int, work: Work) -> tuple[NDArray[np.int64], list[str]]:
    """Of each row the place of its value among the different ones (N,), -1 where there is none; and these, in their order."""
    if i not in table.categories and i not in table.times:
        cells = table.values[:, i]
        values, place = np.unique(cells, return_inverse=True)
        missing = np.isnan(values)
        return np.where(missing[place], -1, place), [number(value) for value in values[~missing].tolist()]
    work.tick()
    known: dict[str, int] = {}
    texts = (plain(text.strip(), 100) for text in table.texts([i])[0])  # a column of text holds but some of its values
    places = [-1 if is_missing(text) else known.setdefault(text, len(known)) for text in texts]
    return np.array(places, np.int64), list(known)


def _unique(names: Sequence[str], column: str) -> list[str]:
    """Names of columns, each once; a bare number behind the name of the column that it comes from: "movie 7"."""
    before = re.sub(r"[ _-]?id$", "", plain(column, 40), flags=re.IGNORECASE) or "thing"
    before = "thing" if before.startswith("column ") else before
    out: dict[str, None] = {}
    for one in names:
        base = f"{before} {one}" if one.replace(".", "").isdecimal() else one
        name, again = base, 2
        while name in out:
            name, again = f"{base} ({again})", again + 1
        out[name] = None
    return list(out)


def _texts(values: NDArray[np.float64]) -> Callable[[Sequence[int]], list[list[str]]]:
    def texts(places: Sequence[int]) -> list[list[str]]:
        return [[f"{value!r}" for value in values[:, i].tolist()] for i in places]

    return texts


def without_header(work: Work) -> Work:
    """For a file that is known to have no row of names."""
    return dataclasses.replace(work, choices=dataclasses.replace(work.choices, header=False))
