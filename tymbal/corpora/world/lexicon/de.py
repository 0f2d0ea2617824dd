"""German: words and grammar.

Nouns stand as `gender | singular | plural | genitive singular | oblique singular`; feminine nouns have no genitive
of their own, and only weak nouns an oblique form. Adjectives take the weak, mixed or strong ending that the article
leaves to them.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from tymbal.corpora.world.lexicon.concepts import spaced
from tymbal.corpora.world.lexicon.language import (
    CASES,
    Adjective,
    Case,
    Clause,
    DirectionWords,
    Language,
    Noun,
    Number,
    Shape,
    dative_plural,
    form_of,
    lines,
    settled,
)

_NOUNS = """
animal.horse: n | Pferd | Pferde | Pferdes
animal.dog: m | Hund | Hunde | Hundes
animal.cat: f | Katze | Katzen
animal.cow: f | Kuh | Kühe
animal.goat: f | Ziege | Ziegen
animal.sheep: n | Schaf | Schafe | Schafes
animal.pig: n | Schwein | Schweine | Schweines
animal.donkey: m | Esel | Esel | Esels
animal.rabbit: n | Kaninchen | Kaninchen | Kaninchens
animal.goose: f | Gans | Gänse
animal.duck: f | Ente | Enten
animal.hen: f | Henne | Hennen
animal.parrot: m | Papagei | Papageien | Papageis
animal.turtle: f | Schildkröte | Schildkröten
animal.snake: f | Schlange | Schlangen
animal.fox: m | Fuchs | Füchse | Fuchses
animal.raven: m | Rabe | Raben | Raben | Raben
animal.falcon: m | Falke | Falken | Falken | Falken
animal.mouse: f | Maus | Mäuse
animal.squirrel: n | Eichhörnchen | Eichhörnchen | Eichhörnchens
good.salt: n | Salz | | Salzes
good.wine: m | Wein | | Weins
good.cheese: m | Käse | | Käses
good.honey: m | Honig | | Honigs
good.wool: f | Wolle |
good.silk: f | Seide |
good.iron: n | Eisen | | Eisens
good.copper: n | Kupfer | | Kupfers
good.coal: f | Kohle |
good.wood: n | Holz | | Holzes
good.glass: n | Glas | | Glases
good.leather: n | Leder | | Leders
good.paper: n | Papier | | Papiers
good.linen: n | Leinen | | Leinens
good.wheat: m | Weizen | | Weizens
good.butter: f | Butter |
good.soap: f | Seife |
good.amber: m | Bernstein | | Bernsteins
good.tea: m | Tee | | Tees
good.apple: m | Apfel | Äpfel | Apfels
good.apricot: f | Aprikose | Aprikosen
good.bell: f | Glocke | Glocken
good.carpet: m | Teppich | Teppiche | Teppichs
good.lamp: f | Lampe | Lampen
weather.rain: m | Regen | | Regens
weather.snow: m | Schnee | | Schnees
weather.fog: m | Nebel | | Nebels
weather.storm: m | Sturm | Stürme | Sturms
weather.wind: m | Wind | | Winds
weather.hail: m | Hagel | | Hagels
weather.frost: m | Frost | | Frosts
weather.sunshine: m | Sonnenschein | | Sonnenscheins
weather.drizzle: m | Nieselregen | | Nieselregens
weather.heat: f | Hitze |
season.spring: m | Frühling | Frühlinge | Frühlings
season.summer: m | Sommer | Sommer | Sommers
season.autumn: m | Herbst | Herbste | Herbstes
season.winter: m | Winter | Winter | Winters
attribute.name: m | Name | Namen | Namens | Namen
attribute.home: m | Wohnort | Wohnorte | Wohnorts
attribute.profession: m | Beruf | Berufe | Berufs
attribute.born: n | Geburtsjahr | Geburtsjahre | Geburtsjahrs
attribute.friend: m | Freund | Freunde | Freundes
attribute.employer: m | Arbeitgeber | Arbeitgeber | Arbeitgebers
attribute.animal: n | Tier | Tiere | Tiers
attribute.door_code: m | Türcode | Türcodes | Türcodes
attribute.age: n | Alter | Alter | Alters
attribute.honesty: f | Ehrlichkeit |
attribute.founded: n | Gründungsjahr | Gründungsjahre | Gründungsjahrs
attribute.region: f | Region | Regionen
attribute.good: n | Erzeugnis | Erzeugnisse | Erzeugnisses
attribute.distance: f | Entfernung | Entfernungen
attribute.direction: f | Richtung | Richtungen
attribute.weather: n | Wetter | | Wetters
"""

# singular | plural | genitive | oblique of the masculine; the feminine is the masculine with -in unless it is given.
_PEOPLE = """
profession.baker: Bäcker | Bäcker | Bäckers
profession.teacher: Lehrer | Lehrer | Lehrers
profession.doctor: Arzt | Ärzte | Arztes | | Ärztin
profession.farmer: Bauer | Bauern | Bauern | Bauern | Bäuerin
profession.fisher: Fischer | Fischer | Fischers
profession.carpenter: Tischler | Tischler | Tischlers
profession.blacksmith: Schmied | Schmiede | Schmieds
profession.weaver: Weber | Weber | Webers
profession.miller: Müller | Müller | Müllers
profession.potter: Töpfer | Töpfer | Töpfers
profession.painter: Maler | Maler | Malers
profession.gardener: Gärtner | Gärtner | Gärtners
profession.shepherd: Schäfer | Schäfer | Schäfers
profession.pilot: Pilot | Piloten | Piloten | Piloten
profession.nurse: Krankenpfleger | Krankenpfleger | Krankenpflegers
profession.lawyer: Anwalt | Anwälte | Anwalts | | Anwältin
profession.judge: Richter | Richter | Richters
profession.librarian: Bibliothekar | Bibliothekare | Bibliothekars
profession.clockmaker: Uhrmacher | Uhrmacher | Uhrmachers
profession.butcher: Metzger | Metzger | Metzgers
profession.cook: Koch | Köche | Kochs | | Köchin
profession.brewer: Brauer | Brauer | Brauers
profession.mason: Maurer | Maurer | Maurers
profession.musician: Musiker | Musiker | Musikers
profession.actor: Schauspieler | Schauspieler | Schauspielers
profession.writer: Schriftsteller | Schriftsteller | Schriftstellers
profession.pharmacist: Apotheker | Apotheker | Apothekers
profession.engineer: Ingenieur | Ingenieure | Ingenieurs
profession.dentist: Zahnarzt | Zahnärzte | Zahnarztes | | Zahnärztin
profession.hairdresser: Friseur | Friseure | Friseurs
profession.plumber: Klempner | Klempner | Klempners
profession.photographer: Fotograf | Fotografen | Fotografen | Fotografen
relation.friend: Freund | Freunde | Freundes
"""

_ADJECTIVES = """
colour.red: rot
colour.blue: blau
colour.green: grün
colour.yellow: gelb
colour.black: schwarz
colour.white: weiß
colour.brown: braun
colour.grey: grau
feeling.happy: glücklich
feeling.tired: müde
feeling.proud: stolz
feeling.frightened: ängstlich
feeling.lonely: einsam
feeling.calm: ruhig
feeling.grateful: dankbar
feeling.worried: besorgt
tone.formal: förmlich
tone.warm: herzlich
tone.angry: zornig
tone.sad: traurig
tone.joyful: fröhlich
tone.curt: knapp
"""

# subject, verb in the present, verb in the past, remainder
_WEATHER = {
    "weather.rain": ("es", "regnet", "regnete", ""),
    "weather.snow": ("es", "schneit", "schneite", ""),
    "weather.fog": ("es", "ist", "war", "neblig"),
    "weather.storm": ("es", "stürmt", "stürmte", ""),
    "weather.wind": ("es", "ist", "war", "windig"),
    "weather.hail": ("es", "hagelt", "hagelte", ""),
    "weather.frost": ("es", "friert", "fror", ""),
    "weather.sunshine": ("die Sonne", "scheint", "schien", ""),
    "weather.drizzle": ("es", "nieselt", "nieselte", ""),
    "weather.heat": ("es", "ist", "war", "heiß"),
}

_COMPASS = (
    ("Norden", "nördlich"),
    ("Nordosten", "nordöstlich"),
    ("Osten", "östlich"),
    ("Südosten", "südöstlich"),
    ("Süden", "südlich"),
    ("Südwesten", "südwestlich"),
    ("Westen", "westlich"),
    ("Nordwesten", "nordwestlich"),
)

# Endings by gender or plural, in the order of CASES: nominative, accusative, dative, genitive.
_DEFINITE = {"m": "der den dem des", "f": "die die der der", "n": "das das dem des", "pl": "die die den der"}
_EIN = {"m": "- en em es", "f": "e e er er", "n": "- - em es", "pl": "e e en er"}
_STEMS: Mapping[str, str] = {"indef": "ein", "my": "mein", "your": "dein", "his": "sein", "her": "ihr"}
_WEAK = {"m": "e en en en", "f": "e e en en", "n": "e e en en", "pl": "en en en en"}
_MIXED = {"m": "er en en en", "f": "e e en en", "n": "es es en en", "pl": "en en en en"}
_STRONG = {"m": "er en em en", "f": "e e er er", "n": "es es em en", "pl": "e e en er"}


def _noun(forms: list[str]) -> Noun:
    gender, singular, plural, genitive, oblique = (*forms, "", "", "")[:5]
    assert gender in ("f", "m", "n")
    return Noun(singular, plural, gender, genitive, oblique)


def _person(forms: list[str]) -> tuple[Noun, Noun]:
    singular, plural, genitive, oblique, given = (*forms, "", "")[:5]
    # Pilot, Fotograf: weak nouns end in a consonant here, so -in joins the singular as elsewhere.
    feminine = given or singular + "in"
    return Noun(feminine, feminine + "nen", "f"), Noun(singular, plural, "m", genitive, oblique)


class German(Language):
    """German; three genders and four cases."""

    code: ClassVar[str] = "de"
    verb_second: ClassVar[bool] = True
    nouns: ClassVar[Mapping[str, Noun]] = {concept: _noun(forms) for concept, forms in lines(_NOUNS).items()}
    people: ClassVar[Mapping[str, tuple[Noun, Noun]]] = {
        concept: _person(forms) for concept, forms in lines(_PEOPLE).items()
    }
    adjectives: ClassVar[Mapping[str, Adjective]] = {
        concept: Adjective(*forms * 4) for concept, forms in lines(_ADJECTIVES).items()
    }
    compass = tuple(DirectionWords(noun, relative, f"nach {noun}") for noun, relative in _COMPASS)
    months = spaced("Januar Februar März April Mai Juni Juli August September Oktober November Dezember")
    numerals = spaced(
        "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
        "achtzehn neunzehn zwanzig"
    )
    weather: ClassVar[Mapping[str, Clause]] = {concept: Clause(*parts) for concept, parts in _WEATHER.items()}
    languages = ("Englisch", "Deutsch", "Französisch", "Spanisch")

    def phrase(self, noun: Noun, shape: Shape) -> str:
        words = [self._declined(noun, shape.number, shape.case)]
        article = settled(noun, shape)
        agreement = "pl" if shape.number == "pl" else noun.gender
        column = CASES.index(shape.case)
        if shape.adjective is not None:
            endings = _STRONG if article is None else _WEAK if article == "def" else _MIXED
            stem = self.adjective(shape.adjective).removesuffix("e")
            words.insert(0, stem + endings[agreement].split()[column])
        if article == "def":
            words.insert(0, _DEFINITE[agreement].split()[column])
        elif article is not None:
            words.insert(0, _STEMS[article] + _EIN[agreement].split()[column].strip("-"))
        return " ".join(words)

    def _declined(self, noun: Noun, number: Number, case: Case) -> str:
        form = form_of(noun, number)
        if number == "pl":
            return dative_plural(form) if case == "dat" else form
        if case == "gen":
            return noun.genitive or form
        return form if case == "nom" else noun.oblique or form

    def of(self, phrase: str) -> str:
        """`phrase` stands in the dative."""
        return f"vom {phrase[4:]}" if phrase.startswith("dem ") else f"von {phrase}"

    def to(self, phrase: str) -> str:
        """`phrase` stands in the dative."""
        return f"zum {phrase[4:]}" if phrase.startswith("dem ") else f"zu {phrase}"

    def to_town(self, name: str) -> str:
        return f"nach {name}"

    def from_town(self, name: str) -> str:
        return f"aus {name}"

    def in_town(self, name: str) -> str:
        return f"in {name}"

    def in_region(self, name: str) -> str:
        return f"in {name}"

    def in_month(self, month: int) -> str:
        return f"im {self.month(month)}"

    def in_season(self, concept: str) -> str:
        return f"im {self.noun(concept)}"

    def date(self, day: int, month: int, year: int | None = None) -> str:
        return f"{day}. {self.month(month)}" + (f" {year}" if year is not None else "")

    def on_date(self, day: int, month: int, year: int | None = None) -> str:
        return f"am {self.date(day, month, year)}"

    def join(self, items: Sequence[str], last: Literal["and", "or"] = "and") -> str:
        word = "und" if last == "and" else "oder"
        return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"
