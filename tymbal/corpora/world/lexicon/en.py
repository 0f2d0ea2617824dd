"""English: words and grammar."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from tymbal.corpora.world.lexicon.concepts import spaced
from tymbal.corpora.world.lexicon.language import (
    Adjective,
    Case,
    Clause,
    DirectionWords,
    Language,
    Noun,
    Number,
    Shape,
    form_of,
    lines,
    settled,
)

_NOUNS = """
animal.horse: horse | horses
animal.dog: dog | dogs
animal.cat: cat | cats
animal.cow: cow | cows
animal.goat: goat | goats
animal.sheep: sheep | sheep
animal.pig: pig | pigs
animal.donkey: donkey | donkeys
animal.rabbit: rabbit | rabbits
animal.goose: goose | geese
animal.duck: duck | ducks
animal.hen: hen | hens
animal.parrot: parrot | parrots
animal.turtle: turtle | turtles
animal.snake: snake | snakes
animal.fox: fox | foxes
animal.raven: raven | ravens
animal.falcon: falcon | falcons
animal.mouse: mouse | mice
animal.squirrel: squirrel | squirrels
good.salt: salt |
good.wine: wine |
good.cheese: cheese |
good.honey: honey |
good.wool: wool |
good.silk: silk |
good.iron: iron |
good.copper: copper |
good.coal: coal |
good.wood: wood |
good.glass: glass |
good.leather: leather |
good.paper: paper |
good.linen: linen |
good.wheat: wheat |
good.butter: butter |
good.soap: soap |
good.amber: amber |
good.tea: tea |
good.apple: apple | apples
good.apricot: apricot | apricots
good.bell: bell | bells
good.carpet: carpet | carpets
good.lamp: lamp | lamps
weather.rain: rain |
weather.snow: snow |
weather.fog: fog |
weather.storm: storm | storms
weather.wind: wind |
weather.hail: hail |
weather.frost: frost |
weather.sunshine: sunshine |
weather.drizzle: drizzle |
weather.heat: heat |
season.spring: spring | springs
season.summer: summer | summers
season.autumn: autumn | autumns
season.winter: winter | winters
attribute.name: name | names
attribute.home: home town | home towns
attribute.profession: profession | professions
attribute.born: birth year | birth years
attribute.friend: friend | friends
attribute.employer: employer | employers
attribute.animal: animal | animals
attribute.door_code: door code | door codes
attribute.age: age | ages
attribute.honesty: honesty |
attribute.founded: founding year | founding years
attribute.region: region | regions
attribute.good: product | products
attribute.distance: distance | distances
attribute.direction: direction | directions
attribute.weather: weather |
"""

_PEOPLE = (
    "baker teacher doctor farmer fisher carpenter blacksmith weaver miller potter painter gardener shepherd pilot "
    "nurse lawyer judge librarian clockmaker butcher cook brewer mason musician actor writer pharmacist engineer "
    "dentist hairdresser plumber photographer"
)

_ADJECTIVES = {
    "colour": "red blue green yellow black white brown grey",
    "feeling": "happy tired proud frightened lonely calm grateful worried",
    "tone": "formal warm angry sad joyful curt",
}

_WEATHER = {
    "weather.rain": ("it", "is", "was", "raining"),
    "weather.snow": ("it", "is", "was", "snowing"),
    "weather.fog": ("it", "is", "was", "foggy"),
    "weather.storm": ("it", "is", "was", "stormy"),
    "weather.wind": ("it", "is", "was", "windy"),
    "weather.hail": ("it", "is", "was", "hailing"),
    "weather.frost": ("it", "is", "was", "freezing"),
    "weather.sunshine": ("the sun", "is", "was", "shining"),
    "weather.drizzle": ("it", "is", "was", "drizzling"),
    "weather.heat": ("it", "is", "was", "hot"),
}

_COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


def _person(word: str) -> tuple[Noun, Noun]:
    noun = Noun(word, word + "s", "n")
    return noun, noun


class English(Language):
    """English; nouns have no gender and no case."""

    code: ClassVar[str] = "en"
    nouns: ClassVar[Mapping[str, Noun]] = {
        concept: Noun(forms[0], forms[1], "n") for concept, forms in lines(_NOUNS).items()
    }
    people: ClassVar[Mapping[str, tuple[Noun, Noun]]] = {
        f"profession.{word}": _person(word) for word in _PEOPLE.split()
    } | {"relation.friend": _person("friend")}
    adjectives: ClassVar[Mapping[str, Adjective]] = {
        f"{kind}.{word}": Adjective(word, word, word, word)
        for kind, words in _ADJECTIVES.items()
        for word in words.split()
    }
    compass = tuple(DirectionWords(word, word, f"to the {word}") for word in _COMPASS)
    months = spaced("January February March April May June July August September October November December")
    numerals = spaced(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty"
    )
    weather: ClassVar[Mapping[str, Clause]] = {concept: Clause(*parts) for concept, parts in _WEATHER.items()}
    languages = ("English", "German", "French", "Spanish")

    def phrase(self, noun: Noun, shape: Shape) -> str:
        form = form_of(noun, shape.number)
        words = form if shape.adjective is None else f"{self.adjective(shape.adjective)} {form}"
        article = settled(noun, shape)
        if article is None:
            return words
        if article == "indef":
            return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
        return f"{'the' if article == 'def' else article} {words}"

    def of(self, phrase: str) -> str:
        return f"of {phrase}"

    def to(self, phrase: str) -> str:
        return f"to {phrase}"

    def to_town(self, name: str) -> str:
        return f"to {name}"

    def from_town(self, name: str) -> str:
        return f"from {name}"

    def in_town(self, name: str) -> str:
        return f"in {name}"

    def in_region(self, name: str) -> str:
        return f"in {name}"

    def in_month(self, month: int) -> str:
        return f"in {self.month(month)}"

    def in_season(self, concept: str) -> str:
        return f"in {self.noun(concept)}"

    def date(self, day: int, month: int, year: int | None = None) -> str:
        return f"{day} {self.month(month)}" + (f" {year}" if year is not None else "")

    def on_date(self, day: int, month: int, year: int | None = None) -> str:
        return f"on {self.date(day, month, year)}"

    def possessive(
        self, name: str, concept: str, number: Number = "sg", case: Case = "nom", adjective: str | None = None
    ) -> str:
        return f"{name}'s {self.noun(concept, number, None, case, adjective)}"

    def join(self, items: Sequence[str], last: Literal["and", "or"] = "and") -> str:
        return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"
