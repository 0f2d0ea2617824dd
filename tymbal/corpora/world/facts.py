"""The facts of a generated world: one table with which every text about it agrees.

1. Names are composed of syllables, each word used once; first names are taken from two lists. No name is the beginning
   of another, none is a word of the lexicon.
2. Eight region centres and 200 towns are thrown on a square of 1,000 km; a town belongs to the nearest centre.
3. People and firms draw their facts independently and uniformly, so that no fact can be guessed from another.
4. How often somebody is spoken of falls with their rank by a Zipf-Mandelbrot law, w(rank) = 1 / (rank + 12)
   (Mandelbrot 1953): of 2,000 people the first 250 take 60 % of all mentions.

Only `random.Random.random` is drawn from, the one method whose sequence Python promises to keep for a seed, so a world
is the same on every platform and version.
"""

import hashlib
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

from tymbal.corpora.world.lexicon import KINDS, LANGUAGES, LEXICONS, concept_ids
from tymbal.corpora.world.lexicon.concepts import spaced

REGIONS, TOWNS, FIRMS, PEOPLE, UNTOLD = 8, 200, 100, 2000, 100
SIDE = 1000
"""Length of the world's square in km."""
TOWN_GAP, CENTRE_GAP = 15, 220
"""Least distance in km between two towns and between two region centres."""
NEIGHBOURS = 6
HELDOUT_SHARE = 0.1
"""The share of (person, attribute, language) triples that the training split never tells."""
SHARED_SURNAMES = 400
"""Surnames that two people bear; all others are borne by one."""

_RANK_SHIFT = 12
_FEMALE = spaced(
    "Mara Lena Nora Clara Elena Sofia Laura Paula Marta Greta Tilda Frida Livia Silvia Dora Vera Petra Sandra "
    "Emma Fiona Stella Luisa Carla Linda Wanda Ursula Teresa Vanessa Melissa Larissa Tamara Barbara Samira Amira "
    "Elvira Ramona Verena Selena Milena Jelena Katarina Martina Bettina Cristina Regina Sabrina Karina Alina "
    "Celina Nadia Tania Sonia Lydia Claudia Amalia Natalia Cecilia Emilia Camilla Priscilla Daniela Manuela "
    "Gabriela Mirela Adela Pamela Angela Graziella Noemi Zoe Chloe Phoebe Renate Beate Agathe Nicole Marlene "
    "Charlotte Brigitte Margot Sarah Deborah Leah Esther Ruth Edith Judith Astrid Sigrid Gudrun Kirsten Kerstin "
    "Ellen Maren Miriam Evelyn Rachel Mabel Ethel Muriel Abigail Dorothy Emily Lucy Nancy Betty Kitty Fanny Tracy "
    "Audrey Zuleika Fatima Aisha Leila Zahra Akiko Keiko Michiko Sumiko Flavia"
)
_MALE = spaced(
    "Aaron Adam Alan Albert Alfred Anton Arthur Bernard Bertram Bruno Cedric Conrad Damian David Diego Dimitri "
    "Edgar Edmund Eduard Edwin Enzo Eric Ernst Erwin Eugen Fabian Ferdinand Florian Georg Gerard Gilbert Gregor "
    "Gunther Gustav Jakob Joel Johan Jonathan Josef Julian Kamran Karim Kasper Klemen Konstantin Kurt Lambert "
    "Leon Levin Lorenzo Ludwig Luca Manfred Marcel Marco Mario Mathieu Merlin Milan Nathan Nestor Nikolai Noel "
    "Norbert Pablo Pascal Pedro Peter Philip Quentin Rafael Ralf Raul Reinhard Richard Roland Roman Ronald Ruben "
    "Rudolf Rupert Samuel Sebastian Sergio Severin Sigmund Stefan Tarik Theodor Timur Tobia Tristan Ulrich "
    "Valentin Victor Vincent Vladimir Walter Werner Wilfred Willem Xavier Zoltan Benedikt Bastian Caleb Darian "
    "Dominik Elia Fergal Gavin Jasper Kilian Lennart Malik Rainer Sandro Tiago Viktor Arvid"
)
# No name begins with h, i, o or y or ends in s, x or z: elision (fr), y/e and o/u (es), possessives (en) stay plain.
_ONSETS = spaced("b br d dr f fl g gr k kl l m n p pr r s sk st t tr v w")
_VOWELS = spaced("a e i o u")
_MIDDLES = spaced("b d f g k l m n p r s t v ld lm lt nd nt rd rk rm rn rt rv sk st")
_TOWN_ENDS = spaced("ar aven el ena erin ik ol onda or ova ul um und urn")
_REGION_ENDS = spaced("alia andia avia enia eria onia oria ovia")
_FIRM_ENDS = spaced("ak ano ent eon ero ik in on ora um")
_SURNAME_ENDS = spaced("ack al an ar eck ell en er ett ick in ink o off old om on ott ow uk un")
# Parts that are rude in one of the four languages.
_RUDE = spaced(
    "anal arsch cock coll con cul cum dick dildo fag fick fot fuck fut kack kak kunt merd mierd mord nag naz "
    "neger nig pen pis polla porn put rap sau sex shit slut tit tod"
)
Item = TypeVar("Item")
Gender = Literal["f", "m"]


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of land: all towns nearer to its centre than to another's."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Town:
    """A town; x grows eastward and y northward, in km. `good` is a concept id, the good the town is known for."""

    id: int
    name: str
    x: int
    y: int
    founded: int
    region: int
    good: str


@dataclass(frozen=True, slots=True)
class Firm:
    """An employer and the good it deals in (a concept id)."""

    id: int
    name: str
    town: int
    good: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody; home, friend and employer are ids of a town, person and firm, profession and animal concept ids."""

    id: int
    first: str
    last: str
    gender: Gender
    home: int
    profession: str
    born: int
    friend: int
    employer: int
    honest: bool
    animal: str
    door_code: str

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"


class Fact(NamedTuple):
    """`subject` has `value` for `attribute`: ("person.12", "home", "town.7"). Names and positions are plain values."""

    subject: str
    attribute: str
    value: str


@dataclass(frozen=True, slots=True)
class World:
    """All facts, how often each person and town is spoken of, and what the training split leaves out."""

    seed: int
    regions: tuple[Region, ...]
    towns: tuple[Town, ...]
    firms: tuple[Firm, ...]
    people: tuple[Person, ...]
    person_weight: tuple[float, ...]
    """Probability of each person in a draw by frequency; sums to 1."""
    town_weight: tuple[float, ...]
    """Probability of each town in a draw by frequency; sums to 1."""
    untold: frozenset[int]
    """People whose facts the training split never tells, spread evenly over all frequencies."""
    nearest: tuple[tuple[int, ...], ...]
    """For each town its nearest other towns, nearest first."""

    def direction(self, start: int, goal: int) -> int:
        """The octant in which town `goal` lies, seen from town `start`: 0 north, clockwise to 7 north-west."""
        if start == goal:
            raise ValueError(f"a direction needs two towns; got town {start} twice")
        a, b = self.towns[start], self.towns[goal]
        east, north = b.x - a.x, b.y - a.y
        # |east| < (√2 - 1) |north|, in whole numbers, so that no rounding breaks the symmetry of there and back.
        if (abs(east) + abs(north)) ** 2 < 2 * north**2:
            return 0 if north > 0 else 4
        if (abs(east) + abs(north)) ** 2 < 2 * east**2:
            return 2 if east > 0 else 6
        return (1 if north > 0 else 3) if east > 0 else (7 if north > 0 else 5)

    def distance(self, start: int, goal: int) -> int:
        """Distance between two towns in km, rounded to the nearest ten."""
        a, b = self.towns[start], self.towns[goal]
        return (math.isqrt((b.x - a.x) ** 2 + (b.y - a.y) ** 2) + 5) // 10 * 10

    def neighbours(self, town: int) -> list[int]:
        """The six nearest towns, nearest first."""
        return list(self.nearest[town])

    def age(self, person: int, year: int) -> int:
        """Years between a person's year of birth and `year`."""
        return year - self.people[person].born

    def name(self, concept: str) -> str:
        """The name of "person.12", "town.7", "region.3" or "firm.5"; ValueError for any other concept."""
        kind, _, index = concept.partition(".")
        if kind == "person":
            return self.people[int(index)].name
        if kind not in ("town", "region", "firm"):
            raise ValueError(f"concept must be a person, town, region or firm; got {concept!r}")
        return {"town": self.towns, "region": self.regions, "firm": self.firms}[kind][int(index)].name

    def names(self) -> dict[str, str]:
        """Every name's concept id: {"Mara Dell": "person.12", ...}."""
        kinds = {"person": self.people, "town": self.towns, "region": self.regions, "firm": self.firms}
        return {item.name: f"{kind}.{item.id}" for kind, items in kinds.items() for item in items}

    def heldout_pair(self, person_id: int, attribute: str, language: str) -> bool:
        """Whether the training split never tells this fact in this language, though it may in the others.

        Holds for a tenth of all triples and for at most one language of a fact. ValueError: an unknown language.
        """
        key = f"{self.seed}/{person_id}/{attribute}".encode()
        draw = int.from_bytes(hashlib.sha256(key).digest()[:8], "big") / 2**64
        # One draw both decides whether a language is left out (four times a tenth of the facts) and which.
        return int(draw / HELDOUT_SHARE) == LANGUAGES.index(language)

    def facts(self) -> Iterator[Fact]:
        """Every fact, in a fixed order."""
        for region in self.regions:
            yield Fact(f"region.{region.id}", "name", region.name)
        for town in self.towns:
            yield from _facts(
                f"town.{town.id}",
                name=town.name,
                position=f"{town.x},{town.y}",
                founded=f"year.{town.founded}",
                region=f"region.{town.region}",
                good=town.good,
            )
        for firm in self.firms:
            yield from _facts(f"firm.{firm.id}", name=firm.name, home=f"town.{firm.town}", good=firm.good)
        for person in self.people:
            yield from _facts(
                f"person.{person.id}",
                name=person.name,
                gender=f"gender.{person.gender}",
                home=f"town.{person.home}",
                profession=person.profession,
                born=f"year.{person.born}",
                friend=f"person.{person.friend}",
                employer=f"firm.{person.employer}",
                honesty=f"honesty.{'honest' if person.honest else 'lying'}",
                animal=person.animal,
                door_code=f"code.{person.door_code}",
            )


def make_world(seed: int = 0) -> World:
    """The world of a seed; the same on every platform."""
    namer = _Namer(_Draws(f"{seed}/names"))
    regions = tuple(Region(index, namer.word(_REGION_ENDS, 1)) for index in range(REGIONS))
    towns = _towns(_Draws(f"{seed}/towns"), namer)
    firms = _firms(_Draws(f"{seed}/firms"), namer)
    people = _people(_Draws(f"{seed}/people"), namer)
    draws = _Draws(f"{seed}/frequency")
    ranked = draws.shuffled(range(PEOPLE))
    stride = PEOPLE // UNTOLD
    return World(
        seed=seed,
        regions=regions,
        towns=towns,
        firms=firms,
        people=people,
        person_weight=_weights(ranked),
        town_weight=_weights(draws.shuffled(range(TOWNS))),
        untold=frozenset(ranked[first + draws.below(stride)] for first in range(0, PEOPLE, stride)),
        nearest=tuple(_nearest(town, towns) for town in towns),
    )


def _facts(subject: str, **values: str) -> Iterator[Fact]:
    return (Fact(subject, attribute, value) for attribute, value in values.items())


class _Draws:
    """Seeded choices made with `random()` alone."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(f"tymbal.world/{seed}").random

    def below(self, limit: int) -> int:
        return int(self._random() * limit)

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def pick(self, items: Sequence[Item]) -> Item:
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        result = list(items)
        for last in range(len(result) - 1, 0, -1):
            other = self.below(last + 1)
            result[last], result[other] = result[other], result[last]
        return result


class _Namer:
    """Makes capitalised words of which none begins another, has been used, or is known to the lexicon."""

    def __init__(self, draws: _Draws) -> None:
        self._draws = draws
        self._beginnings: set[str] = set()
        self._words: set[str] = set()
        self._known = {
            form.casefold()
            for lexicon in LEXICONS.values()
            for kind in KINDS
            for forms in lexicon.words(kind).values()
            for form in forms
        }
        for first in (*_FEMALE, *_MALE):
            self._take(first)

    def word(self, ends: Sequence[str], syllables: int, least: int = 5, most: int = 10) -> str:
        """An unused word of `syllables` syllables before its end, with `least` to `most` letters."""
        while True:
            parts = [self._draws.pick(_ONSETS)]
            for _ in range(syllables):
                parts += self._draws.pick(_VOWELS), self._draws.pick(_MIDDLES)
            word = "".join((*parts, self._draws.pick(ends))).capitalize()
            if least <= len(word) <= most and self._free(word):
                self._take(word)
                return word

    def _free(self, word: str) -> bool:
        begun = word in self._beginnings or any(word[:length] in self._words for length in range(1, len(word) + 1))
        plain = word.casefold()
        return not (begun or plain in self._known or any(part in plain for part in _RUDE))

    def _take(self, word: str) -> None:
        self._words.add(word)
        self._beginnings.update(word[:length] for length in range(1, len(word) + 1))


def _apart(draws: _Draws, count: int, low: int, high: int, gap: int) -> list[tuple[int, int]]:
    """Points with whole coordinates from `low` up to `high`, each at least `gap` from the others."""
    points: list[tuple[int, int]] = []
    while len(points) < count:
        point = low + draws.below(high - low), low + draws.below(high - low)
        if all(_squared(point, other) >= gap**2 for other in points):
            points.append(point)
    return points


def _squared(a: tuple[int, int], b: tuple[int, int]) -> int:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2


def _towns(draws: _Draws, namer: _Namer) -> tuple[Town, ...]:
    centres = _apart(draws, REGIONS, SIDE // 10, SIDE - SIDE // 10, CENTRE_GAP)
    goods = concept_ids("good")

    def town(index: int, place: tuple[int, int]) -> Town:
        region = min(range(REGIONS), key=lambda centre: _squared(place, centres[centre]))
        name = namer.word(_TOWN_ENDS, 1 + draws.below(2))
        return Town(index, name, *place, founded=900 + draws.below(901), region=region, good=draws.pick(goods))

    return tuple(town(index, place) for index, place in enumerate(_apart(draws, TOWNS, 0, SIDE, TOWN_GAP)))


def _firms(draws: _Draws, namer: _Namer) -> tuple[Firm, ...]:
    goods = concept_ids("good")

    def firm(index: int) -> Firm:
        name = namer.word(_FIRM_ENDS, 1)
        if index % 2 == 0:
            name = f"{name} & {namer.word(_SURNAME_ENDS, 1)}"
        return Firm(index, name, town=draws.below(TOWNS), good=draws.pick(goods))

    return tuple(firm(index) for index in range(FIRMS))


def _people(draws: _Draws, namer: _Namer) -> tuple[Person, ...]:
    surnames = [namer.word(_SURNAME_ENDS, 1, most=9) for _ in range(PEOPLE - SHARED_SURNAMES)]
    lasts = draws.shuffled([*surnames, *surnames[:SHARED_SURNAMES]])
    codes = draws.shuffled(range(10_000))
    professions, animals = concept_ids("profession"), concept_ids("animal")
    taken: set[tuple[str, str]] = set()

    def person(index: int) -> Person:
        gender: Gender = "f" if draws.chance(0.5) else "m"
        first = draws.pick(_FEMALE if gender == "f" else _MALE)
        while (first, lasts[index]) in taken:
            first = draws.pick(_FEMALE if gender == "f" else _MALE)
        taken.add((first, lasts[index]))
        return Person(
            id=index,
            first=first,
            last=lasts[index],
            gender=gender,
            home=draws.below(TOWNS),
            profession=draws.pick(professions),
            born=1900 + draws.below(86),
            friend=(index + 1 + draws.below(PEOPLE - 1)) % PEOPLE,
            employer=draws.below(FIRMS),
            honest=draws.chance(0.75),
            animal=draws.pick(animals),
            door_code=f"{codes[index]:04d}",
        )

    return tuple(person(index) for index in range(PEOPLE))


def _weights(ranked: Sequence[int]) -> tuple[float, ...]:
    """Probabilities by id, for ids in the order of their rank."""
    total = math.fsum(1 / (rank + _RANK_SHIFT) for rank in range(1, len(ranked) + 1))
    weights = [0.0] * len(ranked)
    for rank, item in enumerate(ranked, start=1):
        weights[item] = 1 / (rank + _RANK_SHIFT) / total
    return tuple(weights)


def _nearest(town: Town, towns: Sequence[Town]) -> tuple[int, ...]:
    others = sorted((_squared((town.x, town.y), (other.x, other.y)), other.id) for other in towns if other is not town)
    return tuple(index for _, index in others[:NEIGHBOURS])
