"""Payments: 20,000 card payments of 400 people over 60 days, drawn by us; about 0.8 % are fraud, in four ways.

Every person has a home, a spending level, hours of the day, a share of payments made online and a few favourite shops;
every shop has a place, a kind, usual prices and opening hours. A row is one payment as a bank's rules see it: what it is,
and how it compares with the payments of the same person before: distance from home, time since the last payment and the speed
needed for the way between, payments and sum of the last 24 hours, the amount as a multiple of what this person usually pays,
hours off their usual hour, and how often they have been in this shop. Nothing is known of the fraud but what it does:

- stolen card: a card lost near its holder's home is used at once, in shops of things that can be sold again, often and dearly;
- stolen number: its number is used online, at any hour, for things a little dearer than the holder's own;
- tested number: many tiny payments within minutes find out whether a number works;
- copied card: a second card is used far away, while the holder goes on paying at home.

Some genuine payments look like these: people travel, buy a refrigerator, pay at night. So no column alone finds them all.

After: Y.-A. Le Borgne, W. Siblini, B. Lebichot and G. Bontempi, Reproducible Machine Learning for Credit Card Fraud
Detection, 2022 (people and terminals with places and habits, fraud by scenarios); E. Altman, Synthesizing Credit Card
Transactions, ICAIF 2021 (people who travel, fraud that follows a person's own behaviour); A. C. Bahnsen et al., Feature
Engineering Strategies for Credit Card Fraud Detection, Expert Systems with Applications 51, 2016 (what a payment is compared
with). The code is our own.

Counts you should see: 20,000 payments, of which 19,840 genuine and 40 of each way to defraud.
"""

from bisect import insort
from dataclasses import dataclass
from math import dist, exp
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.datasets import Arrays, Dataset
from models.datasets._tables import arrays, columns

PEOPLE, SHOPS, DAYS, SIDE = 400, 240, 60, 60.0  # SIDE: of the square region, in km
COUNT, OF_EACH = 20_000, 40
CLASSES = ("genuine", "stolen card", "stolen number", "tested number", "copied card")
KINDS = ("groceries", "fuel", "restaurant", "clothes", "electronics", "travel")
CHANNELS = ("chip", "contactless", "online")
# Of each kind: the usual price in €, its spread (of the logarithm), how often it is visited, opening and closing hour.
PRICES = (28.0, 48.0, 26.0, 55.0, 160.0, 210.0)
SPREADS = (0.6, 0.35, 0.5, 0.6, 0.9, 0.8)
VISITS = np.array([0.42, 0.12, 0.24, 0.12, 0.06, 0.04])
OPEN = ((7, 21), (5, 24), (11, 24), (9, 20), (9, 20), (6, 23))
AT_MOST = 25.0  # € of a contactless payment without a secret number
FASTEST = 900.0  # km/h that a speed is cut at: an airliner's


class Payment(NamedTuple):
    """When (hours since the start), how much (€), where (km), in which kind of shop, which shop, how, and what it is."""

    time: float
    amount: float
    place: tuple[float, float]
    kind: int
    shop: int
    channel: int
    label: int


@dataclass(frozen=True)
class World:
    """The shops, by row: place (K, 2) in km, kind (K,), what they charge beside the usual (K,)."""

    places: NDArray[np.float64]
    kinds: NDArray[np.int64]
    dearness: NDArray[np.float64]


@dataclass(frozen=True)
class Person:
    """Home (km), spending level (1 is usual), the two hours around which they pay, share of online payments, favourite
    shops."""

    home: NDArray[np.float64]
    level: float
    hours: tuple[float, float]
    online: float
    favourites: NDArray[np.int64]


COLUMNS = columns("""
amount [€] | 0.27306 | 0.96074 | 34.21 | 29.133
hour of day [h] | 15.748 | 3.715
from home [km] | 0.32565 | 0.94944 | 5.02 | 9.1494
since the last [h] | 0.13215 | 0.74876 | 20.855 | 28.519
speed [km/h] | 0.62235 | 1.3189 | 0.49 | 1.5271
payments in 24 h | 1.9801 | 1.0722
paid in 24 h [€] | 0.27053 | 0.911 | 68.81 | 72.372
times the usual | 0.25783 | 0.97718 | 1 | 0.76353
off usual hour [h] | 1.3119 | 1.0377
visits before | 1.7077 | 2.0095
channel | chip, contactless, online
shop | groceries, fuel, restaurant, clothes, electronics, travel
""")


def _world(source: Generator) -> World:
    kinds = source.choice(len(KINDS), SHOPS, p=[0.3, 0.12, 0.25, 0.17, 0.1, 0.06])
    towns = source.uniform(0, SIDE, (8, 2))
    places = towns[source.integers(len(towns), size=SHOPS)] + source.normal(0, 2.5, (SHOPS, 2))
    return World(places, kinds, np.exp(source.normal(0, 0.2, SHOPS)))


def _person(source: Generator, world: World) -> Person:
    home = world.places[source.integers(SHOPS)] + source.normal(0, 2, 2)
    near = np.exp(-np.linalg.norm(world.places - home, axis=1) / 8)
    weight = near * VISITS[world.kinds]
    favourites = source.choice(SHOPS, 12, replace=False, p=weight / weight.sum())
    hours = (float(source.normal(12, 1.5)), float(source.normal(18.5, 1.5)))
    return Person(home, float(np.exp(source.normal(0, 0.35))), hours, float(source.beta(2, 7)), favourites)


def _price(source: Generator, kind: int, times: float) -> float:
    """What is paid in a shop of this kind, in €, to the cent."""
    return round(max(0.5, PRICES[kind] * times * exp(source.normal(0, SPREADS[kind]))), 2)


def _hour(source: Generator, person: Person, kind: int, online: bool) -> float:
    opens, closes = (0, 24) if online else OPEN[kind]
    for _ in range(20):
        hour = source.normal(person.hours[int(source.random() < 0.6)], 1.8) % 24
        if source.random() < 0.03:
            hour = source.uniform(0, 24)
        if opens <= hour < closes:
            return hour
    return 13.0


def _at(place: NDArray[np.float64]) -> tuple[float, float]:
    return float(place[0]), float(place[1])


def _elsewhere(source: Generator) -> int:
    """One of many shops outside the region, or online, which nobody prefers."""
    return -int(source.integers(1, 200))


def _habits(source: Generator, world: World, person: Person, count: int) -> list[Payment]:
    """About so many genuine payments of one person; now and then they are on a journey for some days."""
    away = source.uniform(0, DAYS - 5) if source.random() < 0.3 else float("inf")
    there = person.home + source.normal(0, 1, 2) * 250
    out = []
    for day in source.integers(0, DAYS, count).tolist():
        online = source.random() < person.online
        known = source.random() < 0.85
        shop = int(person.favourites[source.integers(len(person.favourites))] if known else source.integers(SHOPS))
        kind, place, times = int(world.kinds[shop]), world.places[shop], person.level * world.dearness[shop]
        if online:
            place = person.home  # where it is delivered to
        elif away <= day < away + 4:
            shop, place, times = _elsewhere(source), there + source.normal(0, 3, 2), person.level
        amount = _price(source, kind, times)
        channel = 2 if online else int(amount < AT_MOST and source.random() < 0.8)
        time = day * 24 + _hour(source, person, kind, online)
        out.append(Payment(time, amount, _at(place), kind, shop, channel, 0))
    return out


def _fraud(source: Generator, world: World, person: Person, way: int) -> list[Payment]:
    """One case of fraud of this way: a few payments, which are charged to that person."""
    start = float(source.uniform(10, DAYS - 3)) * 24
    kinds = [3, 4, 4, 5]  # what can be sold again
    out = []
    if way == 1:
        near = np.argsort(np.linalg.norm(world.places - person.home, axis=1))[:60]
        shops = near[np.isin(world.kinds[near], [*kinds, 1])]
        time = np.floor(start / 24) * 24 + source.uniform(10, 17)
        for _ in range(int(source.integers(3, 7))):
            shop = int(source.choice(shops if len(shops) else near))
            kind = int(world.kinds[shop])
            tapped = source.random() < 0.4
            amount = round(float(source.uniform(12, AT_MOST)), 2) if tapped else _price(source, kind, 1.6)
            out.append(Payment(time, amount, _at(world.places[shop]), kind, shop, int(tapped), way))
            time += float(source.exponential(0.5)) + 0.1
    elif way == 2:
        for _ in range(int(source.integers(1, 4))):
            start += float(source.exponential(9))
            kind = int(source.choice(kinds))
            where = source.uniform(0, SIDE, 2)  # another address for the delivery
            out.append(Payment(start, _price(source, kind, 1.3), _at(where), kind, _elsewhere(source), 2, way))
    elif way == 3:
        shop = _elsewhere(source)
        for _ in range(int(source.integers(4, 9))):
            start += float(source.exponential(0.05)) + 0.005
            amount = round(float(source.uniform(0.5, 3)), 2)
            kind = int(source.choice([0, 2, 3]))
            out.append(Payment(start, amount, _at(person.home), kind, shop, 2, way))
    else:
        where = person.home + source.normal(0, 1, 2) * 60 + np.sign(source.normal(size=2)) * 60
        time = np.floor(start / 24) * 24 + source.uniform(10, 20)
        for _ in range(int(source.integers(2, 5))):
            kind = int(source.choice([0, 1, 3, 4, 4]))
            place = where + source.normal(0, 4, 2)
            shop = _elsewhere(source)
            out.append(Payment(time, _price(source, kind, 1.2), _at(place), kind, shop, 0, way))
            time += float(source.exponential(3)) + 0.1
    return out


def _seen(person: Person, payments: list[Payment]) -> NDArray[np.float64]:
    """What a bank sees of each payment of one person, in order of time (P, F): the columns of `COLUMNS`."""
    rows = np.zeros((len(payments), COLUMNS[-1].start + COLUMNS[-1].width))
    usual = 30.0  # € at first, then what this person paid in the middle so far
    paid: list[float] = []  # in order of size
    visits: dict[int, int] = {}
    first = 0  # of the payments in 24 hours
    for i, one in enumerate(payments):
        if i:
            usual = (paid[(i - 1) // 2] + paid[i // 2]) / 2
        gap, moved = 48.0, 0.0
        if i:
            before = payments[i - 1]
            gap, moved = one.time - before.time, dist(one.place, before.place)
        while payments[first].time < one.time - 24:
            first += 1
        hour = one.time % 24
        apart = min(min(abs(hour - usually), 24 - abs(hour - usually)) for usually in person.hours)
        rows[i, : COLUMNS[10].start] = (
            one.amount,
            hour,
            dist(one.place, _at(person.home)),
            gap,
            min(FASTEST, moved / max(gap, 1 / 60)),
            i + 1 - first,
            sum(other.amount for other in payments[first : i + 1]),
            one.amount / usual,
            apart,
            visits.get(one.shop, 0),
        )
        rows[i, COLUMNS[10].start + one.channel] = 1
        rows[i, COLUMNS[11].start + one.kind] = 1
        visits[one.shop] = visits.get(one.shop, 0) + 1
        insort(paid, one.amount)
    return rows


def drawn() -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """All payments in order of time: rows (N, F) in their own units, and labels (N,)."""
    source = np.random.default_rng(1960)
    world = _world(source)
    people = [_person(source, world) for _ in range(PEOPLE)]
    rate = np.exp(source.normal(0, 0.4, PEOPLE))
    counts = source.multinomial(COUNT - OF_EACH * (len(CLASSES) - 1), rate / rate.sum())
    of_person = [_habits(source, world, person, int(count)) for person, count in zip(people, counts, strict=True)]
    for way in range(1, len(CLASSES)):
        left = OF_EACH
        while left:
            who = int(source.integers(PEOPLE))
            case = _fraud(source, world, people[who], way)[:left]
            of_person[who] += case
            left -= len(case)
    rows, labels, times = [], [], []
    for person, payments in zip(people, of_person, strict=True):
        payments.sort()
        rows.append(_seen(person, payments))
        labels += [one.label for one in payments]
        times += [one.time for one in payments]
    order = np.argsort(times, kind="stable")
    return np.round(np.concatenate(rows)[order], 2), np.array(labels, np.int32)[order]


def read() -> Arrays:
    """20,000 payments, standardised."""
    return arrays(COLUMNS, *drawn())


DATASET = Dataset(
    name="payments",
    title="Card payments",
    summary="Payments of 400 invented people, of which 0.8 % are fraud: can a network that knows habits find them?",
    kind="table",
    shape=(COLUMNS[-1].start + COLUMNS[-1].width,),
    count=COUNT,
    classes=CLASSES,
    source="Drawn by Hourglass, after Le Borgne et al., 2022, and Altman, 2021",
    licence="CC0 1.0",
    label="kind of payment",
    columns=COLUMNS,
    read=read,
)
