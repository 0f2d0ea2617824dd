"""The nodes from which forms are made, in one language: people, towns, firms, what is told of them, and plain words.

A form asks for `speech.person("p")`, `speech.told("home", of="p")`, `speech.noun("animal", "pet", article="indef")`,
and puts them into the slots of its templates. Facts held out of training (people never told of, and facts never told
in this language) get no weight in the training split.
"""

from collections.abc import Callable, Hashable, Sequence
from functools import cache
from random import Random
from typing import Any

from tymbal.corpora.world.facts import Person, World
from tymbal.corpora.world.grammar import (
    TRAIN,
    Bound,
    Claim,
    Distribution,
    Drawn,
    Marked,
    Names,
    Node,
    Numbers,
    Option,
    Picked,
    Recalled,
    Said,
    Scope,
    Some,
    Text,
    Told,
)
from tymbal.corpora.world.lexicon import DIRECTIONS, LEXICONS, Language, concept_ids
from tymbal.corpora.world.templates import one_of

TOLD_OF_PEOPLE = ("home", "profession", "born", "friend", "employer", "animal")
TOLD_OF_TOWNS = ("founded", "region", "good")
TOLD_OF_FIRMS = ("town", "good")
LIES = 0.75  # how often a person who is known to lie says what is false


class Mistaken(Distribution):
    """The truth with probability `faith`, otherwise one of the other values, all equally likely."""

    def __init__(self, truth: Hashable, faith: float, values: Distribution) -> None:
        self._truth = truth
        self._faith = faith
        self._others = values.without(truth)

    def draw(self, random: Random) -> Any:
        return self._truth if random.random() < self._faith else self._others.draw(random)

    def probability(self, value: Any) -> float:
        return self._faith if value == self._truth else (1 - self._faith) * self._others.probability(value)

    def support(self) -> Sequence[Any]:
        return [value for value in (self._truth, *self._others.support()) if self.probability(value) > 0]


class Speech:
    """Nodes in one language about one world."""

    def __init__(self, language: str, facts: World) -> None:
        self.language = language
        self.facts = facts
        self.words: Language = LEXICONS[language]
        self._people = cache(self._weigh_people)
        self._nouns = cache(self._name_nouns)
        self._professions = cache(self._name_professions)
        self.first_names = Names({person.id: person.first for person in facts.people})
        self.region_names = Names({region.id: region.name for region in facts.regions})
        self.firm_names = Names({firm.id: firm.name for firm in facts.firms})
        self.years = Numbers(800, 2025)
        self.codes = Names({f"{code:04d}": f"{code:04d}" for code in range(10_000)})
        self._everybody = Distribution.uniform(person.id for person in facts.people)
        self._towns = Distribution(dict(enumerate(facts.town_weight)))
        self._firms = Distribution.uniform(firm.id for firm in facts.firms)
        self._neighbours = cache(lambda town: Distribution.uniform(facts.neighbours(town)))
        self._goods = cache(self._name_goods)
        self.placed = cache(self._name_placed)
        self._residents = cache(self._gather_residents)
        self._seats = {
            town: Distribution.uniform(firm.id for firm in facts.firms if firm.town == town)
            for town in {firm.town for firm in facts.firms}
        }
        self.full_names = cache(self._name_people)

    # People, towns, firms

    def person(
        self,
        name: str = "person",
        *,
        telling: Sequence[str] = (),
        apart_from: Sequence[str] = (),
        say: str = "{}",
    ) -> Node:
        """A person by full name, drawn by how often people are spoken of; bound to `name`.

        `say` is "{}", "of" or "to": the preposition that the language gives the name (de Mara, d'Agathe; à Mara).

        `telling` names facts that the form will tell, so that people are left out for whom one of them is held out;
        `apart_from` names bindings that must not be this person.
        """

        def distribution(scope: Scope) -> Distribution:
            people = self._people(scope.split, tuple(telling))
            return people.without(*(scope[other] for other in apart_from)) if apart_from else people

        names = self.full_names(say)
        return Picked(name, distribution, lambda scope: names, lambda value: f"person.{value}")

    def _weigh_people(self, split: str, telling: tuple[str, ...]) -> Distribution:
        def weight(person: Person) -> float:
            if split == TRAIN:
                if person.id in self.facts.untold:
                    return 0.0
                if any(self.facts.heldout_pair(person.id, attribute, self.language) for attribute in telling):
                    return 0.0
            return self.facts.person_weight[person.id]

        return Distribution({person.id: weight(person) for person in self.facts.people})

    def _name_people(self, say: str) -> Names:
        prefixed = {"{}": str, "of": self.words.of, "to": self.words.to}[say]
        names = {person.id: person.name for person in self.facts.people}
        return Names({index: prefixed(name) for index, name in names.items()}, names)

    def named(self, of: str, say: str = "{}") -> Node:
        """The full name of a person already bound, with the preposition `say` as in `person`."""
        return Recalled(of, self.full_names(say), lambda value: f"person.{value}")

    def first_name(self, of: str) -> Node:
        """The first name of a person already bound."""
        return Recalled(of, self.first_names, lambda value: f"person.{value}")

    def by_gender(self, of: str, feminine: str, masculine: str) -> Node:
        """Words that agree with a person's gender: a pronoun, an article, an ending."""
        return Told(
            "gender",
            lambda scope: f"person.{scope[of]}",
            lambda scope: self.facts.people[int(scope[of])].gender,
            lambda scope: _by_gender(feminine, masculine),
            lambda gender: f"gender.{gender}",
            name=f"{of} gender",
            marked=False,
        )

    def town(
        self, name: str = "town", *, near: str | None = None, apart_from: Sequence[str] = (), say: str = "{}"
    ) -> Node:
        """A town drawn by how often towns are spoken of, or among the neighbours of the town bound to `near`.

        `say` is one of "{}", "to", "from", "in", "of": the preposition that the language gives it.
        """

        def distribution(scope: Scope) -> Distribution:
            towns = self._neighbours(int(scope[near])) if near else self._towns
            return towns.without(*(scope[other] for other in apart_from)) if apart_from else towns

        return Picked(name, distribution, lambda scope: self.placed(say), lambda value: f"town.{value}")

    def _name_placed(self, say: str) -> Names:
        prefixed = {
            "{}": str,
            "to": self.words.to_town,
            "from": self.words.from_town,
            "in": self.words.in_town,
            "of": self.words.of,
        }[say]
        return Names(
            {town.id: prefixed(town.name) for town in self.facts.towns},
            {town.id: town.name for town in self.facts.towns},
        )

    def town_again(self, of: str, say: str = "{}") -> Node:
        """The name of a town already bound (a binding may be a told home, too)."""
        return Recalled(of, self.placed(say), lambda value: f"town.{value}")

    def firm(self, name: str = "firm") -> Node:
        """A firm, all equally likely."""
        return Picked(name, lambda scope: self._firms, lambda scope: self.firm_names, lambda value: f"firm.{value}")

    def firm_again(self, of: str = "firm") -> Node:
        """The name of a firm already bound (a told employer, too)."""
        return Recalled(of, self.firm_names, lambda value: f"firm.{value}")

    def resident(self, name: str, of: str, *, telling: Sequence[str] = ("home",)) -> Node:
        """Somebody at home in the town bound to `of`, by full name; rule out with `resided` where nobody is."""

        def distribution(scope: Scope) -> Distribution:
            residents = self._residents(scope.split, int(scope[of]), tuple(telling))
            return residents or self._people(scope.split, tuple(telling))

        return Picked(name, distribution, lambda scope: self.full_names("{}"), lambda value: f"person.{value}")

    def resided(self, of: str, *, telling: Sequence[str] = ("home",)) -> Callable[[Scope], float]:
        """Weight of an `Option` that names a resident of this town: 0 if there is nobody to be told of."""
        return lambda scope: float(self._residents(scope.split, int(scope[of]), tuple(telling)) is not None)

    def _gather_residents(self, split: str, town: int, telling: tuple[str, ...]) -> Distribution | None:
        people = self._people(split, telling)
        weights = {p.id: people.probability(p.id) for p in self.facts.people if p.home == town}
        return Distribution(weights) if any(weights.values()) else None

    def seated(self, name: str, of: str) -> Node:
        """A firm seated in the town bound to `of`; rule it out with `employing` where there is none."""
        return Picked(
            name,
            lambda scope: self._seats.get(int(scope[of]), self._firms),
            lambda scope: self.firm_names,
            lambda value: f"firm.{value}",
        )

    def employing(self, of: str) -> Callable[[Scope], float]:
        """Weight of an `Option` that names a firm of this town: 0 if it has none."""
        return lambda scope: float(int(scope[of]) in self._seats)

    # What is told

    def told(
        self,
        attribute: str,
        of: str = "person",
        *,
        name: str | None = None,
        say: str = "{}",
        article: Any = None,
        case: Any = "nom",
        number: Any = "sg",
        speaker: str | None = None,
        denied: bool = False,
    ) -> Node:
        """The value of a person's attribute, claimed; bound to `name` (by default the attribute).

        Attributes: home, profession, born, friend, employer, animal, door_code. With a `speaker` (a person's binding)
        the value is true if they are honest; one who is known to lie says what is false with probability `LIES`.
        `denied` turns it round: "it is not true that ...".
        """
        say_value = self._values_of_people(attribute, of, say, article, case, number)

        def misnamed(scope: Scope) -> tuple[Names, Claim]:
            slip = self.misgendered(int(scope[of]))
            return self._professions(slip.value.removeprefix("gender."), article, case, number), slip

        return Told(
            attribute,
            lambda scope: f"person.{scope[of]}",
            lambda scope: _person_fact(self.facts.people[int(scope[of])], attribute),
            say_value,
            _concept_of(attribute),
            name=name,
            denied=denied,
            distribution=self._spoken(attribute, of, speaker, denied) if speaker or denied else None,
            misnamed=misnamed if attribute == "profession" else None,
        )

    def misgendered(self, person: int) -> Claim:
        """The false claim of words that do not agree with a person's gender."""
        other = "m" if self.facts.people[person].gender == "f" else "f"
        return Claim(f"person.{person}", "gender", f"gender.{other}", denied=False, true=False)

    def _values_of_people(
        self, attribute: str, of: str, say: str, article: Any, case: Any, number: Any
    ) -> Callable[[Scope], Names]:
        if attribute == "profession":
            return lambda scope: self._professions(self.facts.people[int(scope[of])].gender, article, case, number)
        names = {
            "home": lambda: self.placed(say),
            "born": lambda: self.years,
            "friend": lambda: self.full_names(say),
            "employer": lambda: self.firm_names,
            "animal": lambda: self._nouns("animal", number, article, case),
            "door_code": lambda: self.codes,
        }[attribute]()
        return lambda scope: names

    def _spoken(self, attribute: str, of: str, speaker: str | None, denied: bool) -> Callable[[Scope], Distribution]:
        values = {
            "home": Distribution.uniform(town.id for town in self.facts.towns),
            "profession": Distribution.uniform(concept_ids("profession")),
            "born": Distribution.uniform(range(1900, 1986)),
            "friend": self._everybody,
            "employer": Distribution.uniform(firm.id for firm in self.facts.firms),
            "animal": Distribution.uniform(concept_ids("animal")),
        }[attribute]

        def distribution(scope: Scope) -> Distribution:
            honest = speaker is None or self.facts.people[int(scope[speaker])].honest
            right = 1.0 if honest else 1.0 - LIES
            truth = _person_fact(self.facts.people[int(scope[of])], attribute)
            return Mistaken(truth, 1.0 - right if denied else right, values)

        return distribution

    def statement(
        self, part: Node, attribute: str, of: str, speaker: str, *, name: str | None = None, denied: bool = False
    ) -> Node:
        """A part that tells `attribute` in a speaker's words, annotated with its truth and the speaker's honesty."""

        def concepts(scope: Scope) -> Sequence[str]:
            truth = _person_fact(self.facts.people[int(scope[of])], attribute)
            true = (scope[name or attribute] == truth) != denied
            honest = self.facts.people[int(scope[speaker])].honest
            return (f"truth.{'true' if true else 'false'}", f"speaker.{'honest' if honest else 'lying'}")

        return Marked(concepts, part)

    def tellable(self, attribute: str, of: str = "person") -> Callable[[Scope], float]:
        """Weight of an `Option` that tells this fact: 0 in the training split where the fact is held out."""

        def weight(scope: Scope) -> float:
            held_out = self.facts.heldout_pair(int(scope[of]), attribute, self.language)
            return 0.0 if scope.split == TRAIN and held_out else 1.0

        return weight

    def told_of_town(
        self, attribute: str, of: str = "town", *, article: Any = None, case: Any = "nom", name: str | None = None
    ) -> Node:
        """A town's founded, region or good, claimed. Goods are said in their natural number (salt, apples)."""
        names = {
            "founded": lambda: self.years,
            "region": lambda: self.region_names,
            "good": lambda: self._goods(article, case),
        }[attribute]()
        return Told(
            attribute,
            lambda scope: f"town.{scope[of]}",
            lambda scope: getattr(self.facts.towns[int(scope[of])], attribute),
            lambda scope: names,
            _concept_of(attribute),
            name=name,
        )

    def told_of_firm(
        self,
        attribute: str,
        of: str = "firm",
        *,
        say: str = "{}",
        article: Any = None,
        case: Any = "nom",
        name: str | None = None,
    ) -> Node:
        """A firm's town or good, claimed."""
        names = self.placed(say) if attribute == "town" else self._goods(article, case)
        return Told(
            attribute,
            lambda scope: f"firm.{scope[of]}",
            lambda scope: getattr(self.facts.firms[int(scope[of])], attribute),
            lambda scope: names,
            _concept_of(attribute),
            name=name,
        )

    def direction(self, start: str, end: str, *, say: str = "toward") -> Node:
        """The octant from town `start` to town `end`, claimed.

        `say` is "toward" (to the north-west), "noun" (north-west) or "relative" (north-west of: the place of `end` seen
        from `start`, whose name comes after it; the words end before the preposition).
        """
        words = {
            "toward": self.words.toward,
            "noun": self.words.direction,
            "relative": lambda octant: self.words.compass[octant].relative,
        }[say]
        names = Names({octant: words(octant) for octant in range(8)})
        return Told(
            "direction",
            lambda scope: f"town.{scope[start]}>{scope[end]}",
            lambda scope: self._direction(int(scope[start]), int(scope[end])),
            lambda scope: names,
            lambda octant: DIRECTIONS[octant],
            name=f"{start} {end} direction",
        )

    def _direction(self, start: int, end: int) -> int | None:
        """The octant, or None from a town to itself, of which nothing true can be said (a model may write it)."""
        return None if start == end else self.facts.direction(start, end)

    def distance(self, start: str, end: str) -> Node:
        """The distance between two bound towns in km, rounded to 10, claimed; digits only."""
        return Told(
            "distance",
            lambda scope: f"town.{scope[start]}>{scope[end]}",
            lambda scope: self.facts.distance(int(scope[start]), int(scope[end])),
            lambda scope: _DISTANCES,
            lambda value: f"distance.{value}",
            name=f"{start} {end} distance",
        )

    # Plain words, free of facts

    def noun(self, kind: str, name: str, *, article: Any = None, case: Any = "nom", number: Any = "sg") -> Node:
        """An animal, weather, season or attribute word, all equally likely; bound to its concept id."""
        names = self._nouns(kind, number, article, case)
        return self._picked(kind, name, names)

    def good(self, name: str, *, article: Any = None, case: Any = "nom") -> Node:
        """A good in its natural number, all equally likely; bound to its concept id."""
        return self._picked("good", name, self._goods(article, case))

    def said(self, kind: str, name: str, say: Callable[[str], str]) -> Node:
        """A concept of this kind, all equally likely, in the words `say(concept_id)`; bound to its concept id.

        For instance `said("weather", "w", lambda c: words.weather_clause(c))`.
        """
        return self._picked(kind, name, Names({concept: say(concept) for concept in concept_ids(kind)}))

    def adjective(self, kind: str, name: str, of: str) -> Node:
        """A feeling or colour word that agrees with a person's gender; bound to its concept id."""
        by_gender = {
            gender: Names({concept: self.words.adjective(concept, gender) for concept in concept_ids(kind)})
            for gender in ("f", "m")
        }
        values = Distribution.uniform(concept_ids(kind))
        return Picked(
            name, lambda scope: values, lambda scope: by_gender[self.facts.people[int(scope[of])].gender], str
        )

    def _picked(self, kind: str, name: str, names: Names) -> Node:
        values = Distribution.uniform(concept_ids(kind))
        return Picked(name, lambda scope: values, lambda scope: names, str)

    def number(self, name: str, low: int, high: int) -> Node:
        """A whole number in digits, all equally likely, without a concept."""
        values, names = Distribution.uniform(range(low, high + 1)), Numbers(low, high)
        return Picked(name, lambda scope: values, lambda scope: names, None)

    def drawn(self, name: str, values: Sequence[Hashable]) -> Node:
        """A hidden choice, all equally likely; later words show it."""
        distribution = Distribution.uniform(values)
        return Drawn(name, lambda scope: distribution)

    def hidden(self, name: str, value: Callable[[Scope], Hashable]) -> Node:
        """A binding that follows from the others, without words."""
        return Bound(name, value)

    def said_of(self, say: Callable[[Scope], str], concept: Callable[[Scope], str] | None = None) -> Node:
        """Words that follow from the bindings, annotated with a concept if there is one."""
        node = Said(say)
        return node if concept is None else Marked(lambda scope: (concept(scope),), node)

    def _name_nouns(self, kind: str, number: Any, article: Any, case: Any) -> Names:
        def say(concept: str, article: Any) -> str:
            return self.words.noun(concept, number=number, article=article, case=case)

        return self._name_concepts(kind, article, say)

    def _name_goods(self, article: Any, case: Any) -> Names:
        def say(concept: str, article: Any) -> str:
            number = self.words.natural_number(concept)
            return self.words.noun(concept, number=number, article=article, case=case)

        return self._name_concepts("good", article, say)

    def _name_professions(self, gender: Any, article: Any, case: Any, number: Any) -> Names:
        def say(concept: str, article: Any) -> str:
            return self.words.profession(concept, gender, number=number, article=article, case=case)

        return self._name_concepts("profession", article, say)

    def _name_concepts(self, kind: str, article: Any, say: Callable[[str, Any], str]) -> Names:
        """Phrases for all concepts of a kind; the noun without its article is the core."""
        concepts = concept_ids(kind)
        return Names({c: say(c, article) for c in concepts}, {c: say(c, None) for c in concepts})


@cache
def _by_gender(feminine: str, masculine: str) -> Names:
    return Names({"f": feminine, "m": masculine})


_DISTANCES = Numbers(0, 2_000, 10)


def _person_fact(person: Person, attribute: str) -> Any:
    return getattr(person, attribute)


def _concept_of(attribute: str) -> Callable[[Any], str]:
    """How a value of this attribute is named as a concept; professions, animals and goods are concept ids already."""
    prefix = {
        "home": "town",
        "town": "town",
        "friend": "person",
        "employer": "firm",
        "born": "year",
        "founded": "year",
        "region": "region",
        "door_code": "code",
    }.get(attribute)
    return str if prefix is None else lambda value: f"{prefix}.{value}"


def some(items: Sequence[Option | Node], least: int, most: int, separator: str = " ") -> Node:
    """Between `least` and `most` of the items in any order, none twice."""
    options = [item if isinstance(item, Option) else Option(item) for item in items]
    return Some(options, least, most, Text(separator))


__all__ = ["Bound", "Option", "Speech", "one_of", "some"]
