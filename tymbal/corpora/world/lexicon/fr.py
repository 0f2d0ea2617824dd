"""French: words and grammar.

Nouns stand as `gender | singular | plural`. Adjectives follow their noun. Every noun in h- here has a mute h, so it
elides as a vowel does; no name begins with h.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from tymbal.corpora.world.lexicon.concepts import spaced
from tymbal.corpora.world.lexicon.language import (
    Adjective,
    Clause,
    DirectionWords,
    Language,
    Noun,
    Shape,
    form_of,
    lines,
)

_NOUNS = """
animal.horse: m | cheval | chevaux
animal.dog: m | chien | chiens
animal.cat: m | chat | chats
animal.cow: f | vache | vaches
animal.goat: f | chèvre | chèvres
animal.sheep: m | mouton | moutons
animal.pig: m | cochon | cochons
animal.donkey: m | âne | ânes
animal.rabbit: m | lapin | lapins
animal.goose: f | oie | oies
animal.duck: m | canard | canards
animal.hen: f | poule | poules
animal.parrot: m | perroquet | perroquets
animal.turtle: f | tortue | tortues
animal.snake: m | serpent | serpents
animal.fox: m | renard | renards
animal.raven: m | corbeau | corbeaux
animal.falcon: m | faucon | faucons
animal.mouse: f | souris | souris
animal.squirrel: m | écureuil | écureuils
good.salt: m | sel |
good.wine: m | vin |
good.cheese: m | fromage |
good.honey: m | miel |
good.wool: f | laine |
good.silk: f | soie |
good.iron: m | fer |
good.copper: m | cuivre |
good.coal: m | charbon |
good.wood: m | bois |
good.glass: m | verre |
good.leather: m | cuir |
good.paper: m | papier |
good.linen: m | lin |
good.wheat: m | blé |
good.butter: m | beurre |
good.soap: m | savon |
good.amber: m | ambre |
good.tea: m | thé |
good.apple: f | pomme | pommes
good.apricot: m | abricot | abricots
good.bell: f | cloche | cloches
good.carpet: m | tapis | tapis
good.lamp: f | lampe | lampes
weather.rain: f | pluie |
weather.snow: f | neige |
weather.fog: m | brouillard |
weather.storm: f | tempête | tempêtes
weather.wind: m | vent |
weather.hail: f | grêle |
weather.frost: m | gel |
weather.sunshine: m | soleil |
weather.drizzle: f | bruine |
weather.heat: f | chaleur |
season.spring: m | printemps | printemps
season.summer: m | été | étés
season.autumn: m | automne | automnes
season.winter: m | hiver | hivers
attribute.name: m | nom | noms
attribute.home: m | domicile | domiciles
attribute.profession: m | métier | métiers
attribute.born: f | année de naissance | années de naissance
attribute.friend: m | ami | amis
attribute.employer: m | employeur | employeurs
attribute.animal: m | animal | animaux
attribute.door_code: m | code de porte | codes de porte
attribute.age: m | âge | âges
attribute.honesty: f | honnêteté |
attribute.founded: f | année de fondation | années de fondation
attribute.region: f | région | régions
attribute.good: m | produit | produits
attribute.distance: f | distance | distances
attribute.direction: f | direction | directions
attribute.weather: m | temps |
"""

# masculine | feminine; plurals add -s
_PEOPLE = """
profession.baker: boulanger | boulangère
profession.teacher: instituteur | institutrice
profession.doctor: médecin | médecin
profession.farmer: fermier | fermière
profession.fisher: pêcheur | pêcheuse
profession.carpenter: menuisier | menuisière
profession.blacksmith: forgeron | forgeronne
profession.weaver: tisserand | tisserande
profession.miller: meunier | meunière
profession.potter: potier | potière
profession.painter: peintre | peintre
profession.gardener: jardinier | jardinière
profession.shepherd: berger | bergère
profession.pilot: pilote | pilote
profession.nurse: infirmier | infirmière
profession.lawyer: avocat | avocate
profession.judge: juge | juge
profession.librarian: bibliothécaire | bibliothécaire
profession.clockmaker: horloger | horlogère
profession.butcher: boucher | bouchère
profession.cook: cuisinier | cuisinière
profession.brewer: brasseur | brasseuse
profession.mason: maçon | maçonne
profession.musician: musicien | musicienne
profession.actor: acteur | actrice
profession.writer: écrivain | écrivaine
profession.pharmacist: pharmacien | pharmacienne
profession.engineer: ingénieur | ingénieure
profession.dentist: dentiste | dentiste
profession.hairdresser: coiffeur | coiffeuse
profession.plumber: plombier | plombière
profession.photographer: photographe | photographe
relation.friend: ami | amie
"""

_ADJECTIVES = """
colour.red: rouge | rouge | rouges | rouges
colour.blue: bleu | bleue | bleus | bleues
colour.green: vert | verte | verts | vertes
colour.yellow: jaune | jaune | jaunes | jaunes
colour.black: noir | noire | noirs | noires
colour.white: blanc | blanche | blancs | blanches
colour.brown: brun | brune | bruns | brunes
colour.grey: gris | grise | gris | grises
feeling.happy: heureux | heureuse | heureux | heureuses
feeling.tired: fatigué | fatiguée | fatigués | fatiguées
feeling.proud: fier | fière | fiers | fières
feeling.frightened: effrayé | effrayée | effrayés | effrayées
feeling.lonely: seul | seule | seuls | seules
feeling.calm: calme | calme | calmes | calmes
feeling.grateful: reconnaissant | reconnaissante | reconnaissants | reconnaissantes
feeling.worried: inquiet | inquiète | inquiets | inquiètes
tone.formal: formel | formelle | formels | formelles
tone.warm: chaleureux | chaleureuse | chaleureux | chaleureuses
tone.angry: furieux | furieuse | furieux | furieuses
tone.sad: triste | triste | tristes | tristes
tone.joyful: joyeux | joyeuse | joyeux | joyeuses
tone.curt: sec | sèche | secs | sèches
"""

_WEATHER = {
    "weather.rain": ("il pleut", "il pleuvait"),
    "weather.snow": ("il neige", "il neigeait"),
    "weather.fog": ("il y a du brouillard", "il y avait du brouillard"),
    "weather.storm": ("il y a une tempête", "il y avait une tempête"),
    "weather.wind": ("il y a du vent", "il y avait du vent"),
    "weather.hail": ("il grêle", "il grêlait"),
    "weather.frost": ("il gèle", "il gelait"),
    "weather.sunshine": ("le soleil brille", "le soleil brillait"),
    "weather.drizzle": ("il bruine", "il bruinait"),
    "weather.heat": ("il fait chaud", "il faisait chaud"),
}

_COMPASS = ("nord", "nord-est", "est", "sud-est", "sud", "sud-ouest", "ouest", "nord-ouest")
_DETERMINERS = {
    "def": "le la les",
    "indef": "un une des",
    "my": "mon ma mes",
    "your": "ton ta tes",
    "his": "son sa ses",
    "her": "son sa ses",
}


def elides(phrase: str) -> bool:
    """Whether le, la, de and the like lose their vowel before this phrase."""
    return phrase[:1].casefold() in set("aàâeéèêiîoôuh")


def _person(forms: list[str]) -> tuple[Noun, Noun]:
    masculine, feminine = forms
    return Noun(feminine, feminine + "s", "f"), Noun(masculine, masculine + "s", "m")


def _noun(forms: list[str]) -> Noun:
    gender, singular, plural = forms
    assert gender in ("f", "m")
    return Noun(singular, plural, gender)


def _direction(noun: str) -> DirectionWords:
    if elides(noun):
        return DirectionWords(noun, f"à l'{noun}", f"vers l'{noun}")
    return DirectionWords(noun, f"au {noun}", f"vers le {noun}")


class French(Language):
    """French; two genders, elision and contraction."""

    code: ClassVar[str] = "fr"
    nouns: ClassVar[Mapping[str, Noun]] = {concept: _noun(forms) for concept, forms in lines(_NOUNS).items()}
    people: ClassVar[Mapping[str, tuple[Noun, Noun]]] = {
        concept: _person(forms) for concept, forms in lines(_PEOPLE).items()
    }
    adjectives: ClassVar[Mapping[str, Adjective]] = {
        concept: Adjective(*forms) for concept, forms in lines(_ADJECTIVES).items()
    }
    compass = tuple(_direction(noun) for noun in _COMPASS)
    months = spaced("janvier février mars avril mai juin juillet août septembre octobre novembre décembre")
    numerals = spaced(
        "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit "
        "dix-neuf vingt"
    )
    weather: ClassVar[Mapping[str, Clause]] = {concept: Clause("", *parts) for concept, parts in _WEATHER.items()}
    languages = ("anglais", "allemand", "français", "espagnol")

    def phrase(self, noun: Noun, shape: Shape) -> str:
        words = form_of(noun, shape.number)
        if shape.adjective is not None:
            words = f"{words} {self.adjective(shape.adjective, noun.gender, shape.number)}"
        article = shape.article
        if article is None:
            return words
        if article == "some":
            if noun.mass:
                return self.of(self.phrase(noun, shape._replace(article="def")))
            article = "indef"
        determiner = _DETERMINERS[article].split()[2 if shape.number == "pl" else noun.gender == "f"]
        if shape.number == "sg" and elides(words):
            if article == "def":
                return f"l'{words}"
            if determiner in ("ma", "ta", "sa"):
                determiner = determiner[0] + "on"
        return f"{determiner} {words}"

    def of(self, phrase: str) -> str:
        """Contracts and elides: du cheval, des chevaux, de l'âne, d'un âne, d'Arlen, de Mara."""
        for article, contracted in (("le ", "du "), ("les ", "des ")):
            if phrase.startswith(article):
                return contracted + phrase.removeprefix(article)
        return f"d'{phrase}" if elides(phrase) else f"de {phrase}"

    def to(self, phrase: str) -> str:
        """Contracts: au cheval, aux chevaux, à l'âne, à Mara."""
        for article, contracted in (("le ", "au "), ("les ", "aux ")):
            if phrase.startswith(article):
                return contracted + phrase.removeprefix(article)
        return f"à {phrase}"

    def to_town(self, name: str) -> str:
        return f"à {name}"

    def from_town(self, name: str) -> str:
        return self.of(name)

    def in_town(self, name: str) -> str:
        return f"à {name}"

    def in_region(self, name: str) -> str:
        return f"en {name}"

    def in_month(self, month: int) -> str:
        return f"en {self.month(month)}"

    def in_season(self, concept: str) -> str:
        noun = self.noun(concept)
        return f"en {noun}" if elides(noun) else f"au {noun}"

    def date(self, day: int, month: int, year: int | None = None) -> str:
        first = "1er" if day == 1 else str(day)
        return f"{first} {self.month(month)}" + (f" {year}" if year is not None else "")

    def on_date(self, day: int, month: int, year: int | None = None) -> str:
        return f"le {self.date(day, month, year)}"

    def join(self, items: Sequence[str], last: Literal["and", "or"] = "and") -> str:
        word = "et" if last == "and" else "ou"
        return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"
