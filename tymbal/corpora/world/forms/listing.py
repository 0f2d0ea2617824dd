"""Lists: people or towns with one fact each, goods with prices, animals on a farm; with bullets, numbers or commas.

A list has one kind, one style and one layout, from its first line to its last.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tymbal.corpora.world.grammar import Choice, Distribution, Names, Node, Option, Picked, Sequenced, Text
from tymbal.corpora.world.lexicon import concept_ids
from tymbal.corpora.world.speech import Speech
from tymbal.corpora.world.templates import one_of, template

FEWEST, MOST = 6, 9

HEADS = {
    "en": {
        "home": "[People and their home towns|Who lives where|Home towns|Where they live|People by town]",
        "profession": "[People and their professions|Who does what|Professions|Trades and names|What they work as]",
        "born": "[People and their birth years|Who was born when|Birth years]",
        "employer": "[People and their employers|Who works for whom|Employers]",
        "animal": "[People and their animals|Who keeps what|Pets and owners]",
        "founded": "[Towns and their founding years|When the towns were founded|Founding years of towns]",
        "region": "[Towns and their regions|Which town lies in which region|Regions of the towns]",
        "good": "[Towns and their goods|What the towns are known for|Goods by town]",
        "firm town": "[Firms and their seats|Where the firms are|Seats of the firms]",
        "firm good": "[Firms and their goods|What the firms deal in|Goods of the firms]",
        "market": "[Prices on the market|Market prices|Prices today|On sale|Price list] in {town}",
        "farm": "[Animals on a farm|Livestock of a farm|Counted on a farm|The animals of a farm|Seen on a farm] "
        "near {town}",
    },
    "de": {
        "home": "[Leute und ihre Wohnorte|Wer wo wohnt|Wohnorte|Wo sie leben|Leute nach Orten]",
        "profession": "[Leute und ihre Berufe|Wer was macht|Berufe|Namen und Gewerbe|Was sie arbeiten]",
        "born": "[Leute und ihre Geburtsjahre|Wer wann geboren ist|Geburtsjahre]",
        "employer": "[Leute und ihre Arbeitgeber|Wer für wen arbeitet|Arbeitgeber]",
        "animal": "[Leute und ihre Tiere|Wer welches Tier hält|Tiere und Halter]",
        "founded": "[Städte und ihre Gründungsjahre|Wann die Städte gegründet wurden|Gründungsjahre der Städte]",
        "region": "[Städte und ihre Regionen|Welche Stadt in welcher Region liegt|Regionen der Städte]",
        "good": "[Städte und ihre Waren|Wofür die Städte bekannt sind|Waren nach Städten]",
        "firm town": "[Firmen und ihre Sitze|Wo die Firmen sitzen|Sitze der Firmen]",
        "firm good": "[Firmen und ihre Waren|Womit die Firmen handeln|Waren der Firmen]",
        "market": "[Preise auf dem Markt|Marktpreise|Preise von heute|Zu verkaufen|Preisliste] in {town}",
        "farm": "[Tiere auf einem Hof|Vieh eines Hofes|Gezählt auf einem Hof|Die Tiere eines Hofes|"
        "Gesehen auf einem Hof] bei {town}",
    },
    "fr": {
        "home": "[Des gens et leur ville|Qui habite où|Domiciles|Où ils vivent|Les gens par ville]",
        "profession": "[Des gens et leur métier|Qui fait quoi|Métiers|Noms et métiers|Ce qu'ils font]",
        "born": "[Des gens et leur année de naissance|Qui est né quand|Années de naissance]",
        "employer": "[Des gens et leur employeur|Qui travaille pour qui|Employeurs]",
        "animal": "[Des gens et leur animal|Qui élève quoi|Animaux et maîtres]",
        "founded": "[Des villes et leur fondation|Quand les villes furent fondées|Années de fondation des villes]",
        "region": "[Des villes et leur région|Quelle ville dans quelle région|Régions des villes]",
        "good": "[Des villes et leurs produits|Ce qui fait connaître les villes|Produits par ville]",
        "firm town": "[Des entreprises et leur siège|Où sont les entreprises|Sièges des entreprises]",
        "firm good": "[Des entreprises et leurs produits|Ce que vendent les entreprises|Produits des entreprises]",
        "market": "[Prix au marché|Prix du marché|Prix du jour|En vente|Liste des prix] à {town}",
        "farm": "[Animaux d'une ferme|Bétail d'une ferme|Comptés dans une ferme|Les bêtes d'une ferme|"
        "Vus dans une ferme] près de {town}",
    },
    "es": {
        "home": "[Gente y su ciudad|Quién vive dónde|Domicilios|Dónde viven|La gente por ciudad]",
        "profession": "[Gente y su oficio|Quién hace qué|Oficios|Nombres y oficios|En qué trabajan]",
        "born": "[Gente y su año de nacimiento|Quién nació cuándo|Años de nacimiento]",
        "employer": "[Gente y su empleador|Quién trabaja para quién|Empleadores]",
        "animal": "[Gente y su animal|Quién cría qué|Animales y dueños]",
        "founded": "[Ciudades y su fundación|Cuándo se fundaron las ciudades|Años de fundación de las ciudades]",
        "region": "[Ciudades y su región|Qué ciudad está en qué región|Regiones de las ciudades]",
        "good": "[Ciudades y sus productos|Por qué se conocen las ciudades|Productos por ciudad]",
        "firm town": "[Empresas y su sede|Dónde están las empresas|Sedes de las empresas]",
        "firm good": "[Empresas y sus productos|Con qué comercian las empresas|Productos de las empresas]",
        "market": "[Precios en el mercado|Precios del mercado|Precios de hoy|En venta|Lista de precios] en {town}",
        "farm": "[Animales de una granja|Ganado de una granja|Contados en una granja|Los animales de una granja|"
        "Vistos en una granja] cerca de {town}",
    },
}

COINS = {"en": "{price} coins", "de": "{price} Münzen", "fr": "{price} pièces", "es": "{price} monedas"}
COLON = {"en": ":", "de": ":", "fr": " :", "es": ":"}
WEIGHTS = {"home": 3.0, "profession": 3.0, "market": 2.0, "farm": 2.0}
PERSON_KINDS = ("home", "profession", "born", "employer", "animal")
TOWN_KINDS = ("founded", "region", "good")

Entry = Callable[[int], tuple[Node, Node]]
"""The left and right side of a list's entry of this ordinal."""


class Style(NamedTuple):
    """What stands before an entry (`#` is its number), before the first one, between two, and at the end."""

    mark: str
    first: str
    between: str
    end: str
    layouts: Sequence[str]


BLOCKS = ("{left}{colon} {right}", "{left} – {right}", "{left} ({right})")
STYLES = (
    Style("- ", "\n", "\n", "", BLOCKS),
    Style("* ", "\n", "\n", "", BLOCKS),
    Style("#. ", "\n", "\n", "", BLOCKS),
    Style("#) ", "\n", "\n", "", BLOCKS),
    Style("", " ", ", ", ".", ("{left} ({right})",)),
    Style("", " ", "; ", ".", ("{left}{colon} {right}", "{left}, {right}")),
)


def build(speech: Speech) -> Node:
    kinds = [
        Option(_kind(speech, kind, entry), WEIGHTS.get(kind, 1.0))
        for kind, entry in (_pairs(speech) | {"market": _market(speech), "farm": _farm(speech)}).items()
    ]
    return Choice(kinds)


def _kind(speech: Speech, kind: str, entry: Entry) -> Node:
    head = template(HEADS[speech.language][kind], {"town": speech.town("town")})
    sides = [entry(ordinal) for ordinal in range(MOST)]
    # Styles are few and all are seen in training; wordings are what is held out.
    styles = Choice([Option(_styled(style, sides, COLON[speech.language])) for style in STYLES])
    return Sequenced([head, Text(COLON[speech.language]), styles])


def _styled(style: Style, sides: Sequence[tuple[Node, Node]], colon: str) -> Node:
    lists = [Option(_entries(style, layout, sides, colon)) for layout in style.layouts]
    return Sequenced([Text(style.first), Choice(lists), Text(style.end)])


def _entries(style: Style, layout: str, sides: Sequence[tuple[Node, Node]], colon: str) -> Node:
    """`FEWEST` to `MOST` entries; another may follow after each, and every number is equally likely."""
    rest: Node = Text("")
    for ordinal in reversed(range(MOST)):
        left, right = sides[ordinal]
        entry = template(layout, {"left": left, "right": right, "colon": Text(colon)})
        parts: list[Node] = [Text(style.mark.replace("#", str(ordinal + 1))), entry]
        if ordinal < MOST - 1:
            # French sets a space before a semicolon as before a colon.
            further = Sequenced([Text(style.between.replace(";", colon.replace(":", ";"))), rest])
            left_over = float(MOST - 1 - ordinal)
            parts.append(further if ordinal + 1 < FEWEST else Choice([Option(Text("")), Option(further, left_over)]))
        rest = Sequenced(parts)
    return rest


def _pairs(speech: Speech) -> dict[str, Entry]:
    """Lists that tell one fact of each of several people, towns or firms."""

    def person(attribute: str) -> Entry:
        article = "indef" if attribute == "animal" else None

        def entry(ordinal: int) -> tuple[Node, Node]:
            of = f"person {ordinal}"
            left = speech.person(of, telling=(attribute,), apart_from=_earlier("person", ordinal))
            return left, speech.told(attribute, of=of, article=article)

        return entry

    def town(attribute: str) -> Entry:
        def entry(ordinal: int) -> tuple[Node, Node]:
            of = f"town {ordinal}"
            return speech.town(of, apart_from=_earlier("town", ordinal)), speech.told_of_town(attribute, of=of)

        return entry

    def firm(attribute: str) -> Entry:
        firms = tuple(range(len(speech.facts.firms)))
        names = Names({index: speech.facts.firms[index].name for index in firms})

        def entry(ordinal: int) -> tuple[Node, Node]:
            left = _picked("firm", ordinal, names, firms, lambda firm: f"firm.{firm}")
            return left, speech.told_of_firm(attribute, of=f"firm {ordinal}")

        return entry

    people = {kind: person(kind) for kind in PERSON_KINDS}
    towns = {kind: town(kind) for kind in TOWN_KINDS}
    return people | towns | {f"firm {attribute}": firm(attribute) for attribute in ("town", "good")}


def _market(speech: Speech) -> Entry:
    goods = concept_ids("good")
    names = Names({good: speech.words.noun(good, speech.words.natural_number(good)) for good in goods})

    def entry(ordinal: int) -> tuple[Node, Node]:
        price = template(COINS[speech.language], {"price": speech.number(f"price {ordinal}", 2, 60)})
        return _picked("good", ordinal, names, goods, str), price

    return entry


def _farm(speech: Speech) -> Entry:
    animals, numbers = concept_ids("animal"), concept_ids("number")
    names = Names({animal: speech.words.noun(animal, "pl") for animal in animals})
    digits = Names({number: number.removeprefix("number.") for number in numbers})
    words = Names({number: speech.words.numeral(place) for place, number in enumerate(numbers, 1)})

    def entry(ordinal: int) -> tuple[Node, Node]:
        counts = [Picked(f"count {ordinal}", _uniform(numbers[1:]), lambda _, n=n: n, str) for n in (digits, words)]
        return _picked("animal", ordinal, names, animals, str), one_of(counts)

    return entry


def _picked(kind: str, ordinal: int, names: Names, values: Sequence[object], concept: Callable[[object], str]) -> Node:
    """One of the values that no earlier entry has, bound to `kind ordinal`."""
    every = Distribution.uniform(values)
    earlier = _earlier(kind, ordinal)
    return Picked(
        f"{kind} {ordinal}",
        lambda scope: every.without(*(scope[name] for name in earlier)),
        lambda _: names,
        concept,
    )


def _uniform(values: Sequence[object]) -> Callable[[object], Distribution]:
    distribution = Distribution.uniform(values)
    return lambda _: distribution


def _earlier(kind: str, ordinal: int) -> list[str]:
    return [f"{kind} {earlier}" for earlier in range(ordinal)]
