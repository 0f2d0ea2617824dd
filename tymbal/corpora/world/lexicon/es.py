"""Spanish: words and grammar.

Nouns stand as `gender | singular | plural`. Adjectives follow their noun. No feminine noun here begins with a stressed
a, so "el agua" never arises.
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
    settled,
)

_NOUNS = """
animal.horse: m | caballo | caballos
animal.dog: m | perro | perros
animal.cat: m | gato | gatos
animal.cow: f | vaca | vacas
animal.goat: f | cabra | cabras
animal.sheep: f | oveja | ovejas
animal.pig: m | cerdo | cerdos
animal.donkey: m | burro | burros
animal.rabbit: m | conejo | conejos
animal.goose: m | ganso | gansos
animal.duck: m | pato | patos
animal.hen: f | gallina | gallinas
animal.parrot: m | loro | loros
animal.turtle: f | tortuga | tortugas
animal.snake: f | serpiente | serpientes
animal.fox: m | zorro | zorros
animal.raven: m | cuervo | cuervos
animal.falcon: m | halcón | halcones
animal.mouse: m | ratón | ratones
animal.squirrel: f | ardilla | ardillas
good.salt: f | sal |
good.wine: m | vino |
good.cheese: m | queso |
good.honey: f | miel |
good.wool: f | lana |
good.silk: f | seda |
good.iron: m | hierro |
good.copper: m | cobre |
good.coal: m | carbón |
good.wood: f | madera |
good.glass: m | vidrio |
good.leather: m | cuero |
good.paper: m | papel |
good.linen: m | lino |
good.wheat: m | trigo |
good.butter: f | mantequilla |
good.soap: m | jabón |
good.amber: m | ámbar |
good.tea: m | té |
good.apple: f | manzana | manzanas
good.apricot: m | albaricoque | albaricoques
good.bell: f | campana | campanas
good.carpet: f | alfombra | alfombras
good.lamp: f | lámpara | lámparas
weather.rain: f | lluvia |
weather.snow: f | nieve |
weather.fog: f | niebla |
weather.storm: f | tormenta | tormentas
weather.wind: m | viento |
weather.hail: m | granizo |
weather.frost: f | helada | heladas
weather.sunshine: m | sol |
weather.drizzle: f | llovizna |
weather.heat: m | calor |
season.spring: f | primavera | primaveras
season.summer: m | verano | veranos
season.autumn: m | otoño | otoños
season.winter: m | invierno | inviernos
attribute.name: m | nombre | nombres
attribute.home: m | domicilio | domicilios
attribute.profession: m | oficio | oficios
attribute.born: m | año de nacimiento | años de nacimiento
attribute.friend: m | amigo | amigos
attribute.employer: m | empleador | empleadores
attribute.animal: m | animal | animales
attribute.door_code: m | código de puerta | códigos de puerta
attribute.age: f | edad | edades
attribute.honesty: f | honestidad |
attribute.founded: m | año de fundación | años de fundación
attribute.region: f | región | regiones
attribute.good: m | producto | productos
attribute.distance: f | distancia | distancias
attribute.direction: f | dirección | direcciones
attribute.weather: m | tiempo |
"""

# masculine | feminine | their plurals where they do not add -s to a vowel or -es to a consonant
_PEOPLE = """
profession.baker: panadero | panadera
profession.teacher: maestro | maestra
profession.doctor: médico | médica
profession.farmer: granjero | granjera
profession.fisher: pescador | pescadora
profession.carpenter: carpintero | carpintera
profession.blacksmith: herrero | herrera
profession.weaver: tejedor | tejedora
profession.miller: molinero | molinera
profession.potter: alfarero | alfarera
profession.painter: pintor | pintora
profession.gardener: jardinero | jardinera
profession.shepherd: pastor | pastora
profession.pilot: piloto | piloto
profession.nurse: enfermero | enfermera
profession.lawyer: abogado | abogada
profession.judge: juez | jueza | jueces | juezas
profession.librarian: bibliotecario | bibliotecaria
profession.clockmaker: relojero | relojera
profession.butcher: carnicero | carnicera
profession.cook: cocinero | cocinera
profession.brewer: cervecero | cervecera
profession.mason: albañil | albañil
profession.musician: músico | música
profession.actor: actor | actriz | actores | actrices
profession.writer: escritor | escritora
profession.pharmacist: farmacéutico | farmacéutica
profession.engineer: ingeniero | ingeniera
profession.dentist: dentista | dentista
profession.hairdresser: peluquero | peluquera
profession.plumber: fontanero | fontanera
profession.photographer: fotógrafo | fotógrafa
relation.friend: amigo | amiga
"""

_ADJECTIVES = """
colour.red: rojo | roja | rojos | rojas
colour.blue: azul | azul | azules | azules
colour.green: verde | verde | verdes | verdes
colour.yellow: amarillo | amarilla | amarillos | amarillas
colour.black: negro | negra | negros | negras
colour.white: blanco | blanca | blancos | blancas
colour.brown: marrón | marrón | marrones | marrones
colour.grey: gris | gris | grises | grises
feeling.happy: feliz | feliz | felices | felices
feeling.tired: cansado | cansada | cansados | cansadas
feeling.proud: orgulloso | orgullosa | orgullosos | orgullosas
feeling.frightened: asustado | asustada | asustados | asustadas
feeling.lonely: solo | sola | solos | solas
feeling.calm: tranquilo | tranquila | tranquilos | tranquilas
feeling.grateful: agradecido | agradecida | agradecidos | agradecidas
feeling.worried: preocupado | preocupada | preocupados | preocupadas
tone.formal: formal | formal | formales | formales
tone.warm: cálido | cálida | cálidos | cálidas
tone.angry: furioso | furiosa | furiosos | furiosas
tone.sad: triste | triste | tristes | tristes
tone.joyful: alegre | alegre | alegres | alegres
tone.curt: seco | seca | secos | secas
"""

_WEATHER = {
    "weather.rain": ("llueve", "llovía"),
    "weather.snow": ("nieva", "nevaba"),
    "weather.fog": ("hay niebla", "había niebla"),
    "weather.storm": ("hay tormenta", "había tormenta"),
    "weather.wind": ("hace viento", "hacía viento"),
    "weather.hail": ("graniza", "granizaba"),
    "weather.frost": ("hiela", "helaba"),
    "weather.sunshine": ("hace sol", "hacía sol"),
    "weather.drizzle": ("llovizna", "lloviznaba"),
    "weather.heat": ("hace calor", "hacía calor"),
}

_COMPASS = ("norte", "noreste", "este", "sureste", "sur", "suroeste", "oeste", "noroeste")
_DETERMINERS = {
    "def": "el la los las",
    "indef": "un una unos unas",
    "my": "mi mi mis mis",
    "your": "tu tu tus tus",
    "his": "su su sus sus",
    "her": "su su sus sus",
}


def _person(forms: list[str]) -> tuple[Noun, Noun]:
    plurals = forms[2:] or [form + ("s" if form[-1] in "aeo" else "es") for form in forms]
    return Noun(forms[1], plurals[1], "f"), Noun(forms[0], plurals[0], "m")


def _noun(forms: list[str]) -> Noun:
    gender, singular, plural = forms
    assert gender in ("f", "m")
    return Noun(singular, plural, gender)


class Spanish(Language):
    """Spanish; two genders, contraction of del and al."""

    code: ClassVar[str] = "es"
    nouns: ClassVar[Mapping[str, Noun]] = {concept: _noun(forms) for concept, forms in lines(_NOUNS).items()}
    people: ClassVar[Mapping[str, tuple[Noun, Noun]]] = {
        concept: _person(forms) for concept, forms in lines(_PEOPLE).items()
    }
    adjectives: ClassVar[Mapping[str, Adjective]] = {
        concept: Adjective(*forms) for concept, forms in lines(_ADJECTIVES).items()
    }
    compass = tuple(DirectionWords(noun, f"al {noun}", f"hacia el {noun}") for noun in _COMPASS)
    months = spaced("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre")
    numerals = spaced(
        "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
        "dieciocho diecinueve veinte"
    )
    weather: ClassVar[Mapping[str, Clause]] = {concept: Clause("", *parts) for concept, parts in _WEATHER.items()}
    languages = ("inglés", "alemán", "francés", "español")

    def phrase(self, noun: Noun, shape: Shape) -> str:
        words = form_of(noun, shape.number)
        if shape.adjective is not None:
            words = f"{words} {self.adjective(shape.adjective, noun.gender, shape.number)}"
        article = settled(noun, shape)
        if article is None:
            return words
        column = (noun.gender == "f") + 2 * (shape.number == "pl")
        return f"{_DETERMINERS[article].split()[column]} {words}"

    def of(self, phrase: str) -> str:
        """Contracts: del caballo, de la vaca, de Mara."""
        return f"del {phrase[3:]}" if phrase.startswith("el ") else f"de {phrase}"

    def to(self, phrase: str) -> str:
        """Contracts: al caballo, a la vaca, a Mara."""
        return f"al {phrase[3:]}" if phrase.startswith("el ") else f"a {phrase}"

    def to_town(self, name: str) -> str:
        return f"a {name}"

    def from_town(self, name: str) -> str:
        return f"de {name}"

    def in_town(self, name: str) -> str:
        return f"en {name}"

    def in_region(self, name: str) -> str:
        return f"en {name}"

    def in_month(self, month: int) -> str:
        return f"en {self.month(month)}"

    def in_season(self, concept: str) -> str:
        return f"en {self.noun(concept)}"

    def date(self, day: int, month: int, year: int | None = None) -> str:
        return f"{day} de {self.month(month)}" + (f" de {year}" if year is not None else "")

    def on_date(self, day: int, month: int, year: int | None = None) -> str:
        return f"el {self.date(day, month, year)}"

    def join(self, items: Sequence[str], last: Literal["and", "or"] = "and") -> str:
        """y turns e before an i- sound (not before hie-), o turns u before an o- sound."""
        if len(items) == 1:
            return items[0]
        after = items[-1].casefold().removeprefix("h")
        if last == "and":
            word = "e" if after.startswith(("i", "í")) and not after.startswith("ie") else "y"
        else:
            word = "u" if after.startswith(("o", "ó")) else "o"
        return f"{', '.join(items[:-1])} {word} {items[-1]}"
