"""What every language can do: inflect the words of the world's concepts and join them to names.

A phrase is built from a noun, an article, an adjective and a case. Where a language lacks a distinction, the argument
is accepted and changes nothing, so that templates of all four languages may call alike. Case acts in German only;
French and Spanish contract instead (`of("le cheval")` is "du cheval").
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, TypeVar, get_args

from tymbal.corpora.world.lexicon.concepts import KINDS, concept_ids

Number = Literal["sg", "pl"]
Gender = Literal["f", "m", "n"]
Case = Literal["nom", "acc", "dat", "gen"]
Article = Literal["def", "indef", "some", "my", "your", "his", "her"]
Tense = Literal["present", "past"]
Order = Literal["main", "inverted", "subordinate"]
Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun's forms; an empty plural marks a mass noun."""

    singular: str
    plural: str
    gender: Gender
    genitive: str = ""
    """German: the genitive singular where it differs from the singular."""
    oblique: str = ""
    """German: accusative and dative singular of weak nouns."""

    @property
    def mass(self) -> bool:
        """Whether the noun is never counted."""
        return not self.plural


class Adjective(NamedTuple):
    """An adjective's predicative forms; the four are equal where a language does not inflect them."""

    masculine: str
    feminine: str
    masculine_plural: str
    feminine_plural: str


class Shape(NamedTuple):
    """What a noun phrase is asked to be; `adjective` is a concept id ("colour.red")."""

    number: Number = "sg"
    article: Article | None = None
    case: Case = "nom"
    adjective: str | None = None


class Clause(NamedTuple):
    """A sentence about the weather, in parts; a part may be empty."""

    subject: str
    present: str
    past: str
    rest: str = ""


class DirectionWords(NamedTuple):
    """How a compass direction is said."""

    noun: str
    """north-west, Nordwesten, nord-ouest, noroeste"""
    relative: str
    """Before a place, without its preposition: north-west, nordwestlich, au nord-ouest, al noroeste."""
    toward: str
    """to the north-west, nach Nordwesten, vers le nord-ouest, hacia el noroeste"""


class Language(ABC):
    """One language's words and the functions that make phrases of them."""

    code: ClassVar[str]
    nouns: ClassVar[Mapping[str, Noun]]
    people: ClassVar[Mapping[str, tuple[Noun, Noun]]]
    """Words for people as (feminine, masculine)."""
    adjectives: ClassVar[Mapping[str, Adjective]]
    compass: ClassVar[tuple[DirectionWords, ...]]
    months: ClassVar[tuple[str, ...]]
    numerals: ClassVar[tuple[str, ...]]
    languages: ClassVar[tuple[str, ...]]
    weather: ClassVar[Mapping[str, Clause]]
    verb_second: ClassVar[bool] = False
    """Whether the verb precedes its subject after another opening, and ends a subordinate clause."""

    @abstractmethod
    def phrase(self, noun: Noun, shape: Shape) -> str:
        """A noun phrase."""

    @abstractmethod
    def of(self, phrase: str) -> str:
        """The phrase or name as an owner or origin: of X, von X, de X / d'X / du X, de X / del X."""

    @abstractmethod
    def to(self, phrase: str) -> str:
        """The phrase or person's name as a receiver: to X, zu X (in the dative), à X / au X, a X / al X."""

    @abstractmethod
    def to_town(self, name: str) -> str:
        """Movement to a town: to X, nach X, à X, a X."""

    @abstractmethod
    def from_town(self, name: str) -> str:
        """Origin or departure: from X, aus X, de X / d'X, de X."""

    @abstractmethod
    def in_town(self, name: str) -> str:
        """in X, in X, à X, en X."""

    @abstractmethod
    def in_region(self, name: str) -> str:
        """in X, in X, en X, en X."""

    @abstractmethod
    def in_month(self, month: int) -> str:
        """Month 1 to 12: in March, im März, en mars, en marzo."""

    @abstractmethod
    def in_season(self, concept: str) -> str:
        """in spring, im Frühling, au printemps, en primavera."""

    @abstractmethod
    def date(self, day: int, month: int, year: int | None = None) -> str:
        """3 March 1923, 3. März 1923, 3 mars 1923, 3 de marzo de 1923."""

    @abstractmethod
    def on_date(self, day: int, month: int, year: int | None = None) -> str:
        """on 3 March, am 3. März, le 3 mars, el 3 de marzo."""

    @abstractmethod
    def join(self, items: Sequence[str], last: Literal["and", "or"] = "and") -> str:
        """A list in running text, as "a, b and c"."""

    def noun(
        self,
        concept: str,
        number: Number = "sg",
        article: Article | None = None,
        case: Case = "nom",
        adjective: str | None = None,
    ) -> str:
        """The phrase for an animal, good, weather, season or attribute.

        `article` None leaves it bare; "some" is the indefinite article for what is counted and the partitive or nothing
        for what is not (an apple / rain, un abricot / de la pluie). `adjective` is a concept id ("colour.red").
        ValueError: an unknown concept, or the plural of a mass noun.
        """
        return self.phrase(_known(self.nouns, concept), Shape(number, article, case, adjective))

    def profession(
        self,
        concept: str,
        gender: Literal["f", "m"],
        number: Number = "sg",
        article: Article | None = None,
        case: Case = "nom",
        adjective: str | None = None,
    ) -> str:
        """The phrase for a profession or relation (friend), in the person's gender."""
        feminine, masculine = _known(self.people, concept)
        return self.phrase(feminine if gender == "f" else masculine, Shape(number, article, case, adjective))

    def possessive(
        self, name: str, concept: str, number: Number = "sg", case: Case = "nom", adjective: str | None = None
    ) -> str:
        """Mara Dell's horse, das Pferd von Mara Dell, le cheval de Mara Dell, el caballo de Mara Dell."""
        return f"{self.noun(concept, number, 'def', case, adjective)} {self.of(name)}"

    def weather_clause(self, concept: str, tense: Tense = "past", order: Order = "main") -> str:
        """it was raining, es regnete, il pleuvait, llovía; `order` acts in German only (regnete es)."""
        clause = _known(self.weather, concept)
        verb = clause.past if tense == "past" else clause.present
        parts = (clause.subject, verb, clause.rest)
        if self.verb_second and order == "inverted":
            parts = (verb, clause.subject, clause.rest)
        elif self.verb_second and order == "subordinate":
            parts = (clause.subject, clause.rest, verb)
        return " ".join(part for part in parts if part)

    def adjective(self, concept: str, gender: Gender = "m", number: Number = "sg") -> str:
        """The predicative form: (she was) tired, müde, fatiguée, cansada."""
        forms = _known(self.adjectives, concept)
        return forms[(gender == "f") + 2 * (number == "pl")]

    def natural_number(self, concept: str) -> Number:
        """The number in which a good is spoken of as a trade: salt "sg", apples "pl"."""
        return "sg" if _known(self.nouns, concept).mass else "pl"

    def count(self, number: int, concept: str, case: Case = "nom") -> str:
        """1 to 20 of something: a horse, three horses, drei Pferden."""
        if number == 1:
            return self.noun(concept, article="indef", case=case)
        return f"{self.numeral(number)} {self.noun(concept, number='pl', case=case)}"

    def numeral(self, number: int) -> str:
        """1 to 20 as a word."""
        if not 1 <= number <= len(self.numerals):
            raise ValueError(f"number must be between 1 and {len(self.numerals)}; got {number}")
        return self.numerals[number - 1]

    def month(self, month: int) -> str:
        """The name of month 1 to 12."""
        if not 1 <= month <= 12:
            raise ValueError(f"month must be between 1 and 12; got {month}")
        return self.months[month - 1]

    def direction(self, octant: int) -> str:
        """The noun for octant 0 (north) to 7 (north-west)."""
        return self.compass[octant].noun

    def direction_phrase(self, octant: int, name: str | None = None) -> str:
        """Before a place: north-west of X; without a name it ends at the full preposition (au nord-ouest de)."""
        after = self.of(name) if name is not None else self.of("")[:-1]
        return f"{self.compass[octant].relative} {after}"

    def toward(self, octant: int) -> str:
        """to the north-west, nach Nordwesten, vers le nord-ouest, hacia el noroeste."""
        return self.compass[octant].toward

    def words(self, kind: str) -> dict[str, tuple[str, ...]]:
        """Every bare surface form of each concept of a kind, without repeats, the citation form first."""
        return {concept: tuple(dict.fromkeys(self._forms(concept))) for concept in concept_ids(kind)}

    def _forms(self, concept: str) -> list[str]:
        if concept in self.nouns:
            return noun_forms(self.nouns[concept])
        if concept in self.people:
            feminine, masculine = self.people[concept]
            return noun_forms(masculine) + noun_forms(feminine)
        if concept in self.adjectives:
            return list(self.adjectives[concept])
        kind, name = concept.split(".", 1)
        index = KINDS[kind].index(name)
        if kind == "direction":
            words = self.compass[index]
            return [words.noun, words.relative]
        return [{"month": self.months, "number": self.numerals, "language": self.languages}[kind][index]]


def noun_forms(noun: Noun) -> list[str]:
    """All forms of a noun, the German dative plural among them."""
    forms = [noun.singular, noun.plural, noun.genitive, noun.oblique]
    if noun.genitive or noun.oblique:
        forms.append(dative_plural(noun.plural))
    return [form for form in forms if form]


def dative_plural(plural: str) -> str:
    """German: the plural with -n, unless it has one."""
    return plural if not plural or plural.endswith(("n", "s")) else plural + "n"


def form_of(noun: Noun, number: Number) -> str:
    """The singular or plural; ValueError for the plural of a mass noun."""
    if number == "sg":
        return noun.singular
    if noun.mass:
        raise ValueError(f"{noun.singular!r} is a mass noun and has no plural")
    return noun.plural


def settled(noun: Noun, shape: Shape) -> Article | None:
    """The article with "some" and the plural "indef" resolved, for languages that leave them out."""
    article = shape.article
    if article == "some":
        article = None if noun.mass else "indef"
    return None if article == "indef" and shape.number == "pl" else article


def lines(table: str) -> dict[str, list[str]]:
    """A word table, one `concept: form | form` a line, as concept to forms."""
    rows = (line.split(":", 1) for line in table.strip().splitlines())
    return {concept.strip(): [form.strip() for form in forms.split("|")] for concept, forms in rows}


def _known(table: Mapping[str, Entry], concept: str) -> Entry:
    if concept not in table:
        raise ValueError(f"concept must be one of {', '.join(list(table)[:8])}, …; got {concept!r}")
    return table[concept]


CASES: tuple[Case, ...] = get_args(Case)
