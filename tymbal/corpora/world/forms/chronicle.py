"""Chronicles of a town: its founding, region, trade, firms, people and neighbours, and annals in order of years.

The facts are the world's; what the annals tell (weather, fairs, buildings) is free.
"""

from collections.abc import Callable
from functools import cache

from tymbal.corpora.world.grammar import Choice, Distribution, Node, Option, Picked, Scope, Sequenced, Text
from tymbal.corpora.world.speech import Speech, some
from tymbal.corpora.world.templates import one_of, template

ENTRIES = 3
GAP = 60
"""Most years between two entries of the annals."""

HEADS = {
    "en": "[Chronicle of|From the annals of|The history of|A short chronicle of|What is written of] {town}",
    "de": "[Chronik von|Aus den Annalen von|Die Geschichte von|Eine kurze Chronik von|Ein Bericht von] {town}",
    "fr": "[Chronique de|Extrait des annales de|L'histoire de|Une courte chronique de|Ce qu'on écrit de] {town}",
    "es": "[Crónica de|De los anales de|La historia de|Una breve crónica de|Lo que se ha escrito de] {town}",
}

FACTS = {
    "en": {
        "founded": "{Town} was founded in [|the year ]{founded}.",
        "region": "{Town} [lies|is|can be found] in [|the region of ]{region}.",
        "good": "{Town} is [known|famous|praised] for {good}.",
        "firm": "[|The firm ]{firm} [has its seat|is based] in {seat}[| and deals in {firm_good}].",
        "neighbour": "{neighbour} [lies|is] {distance} km {relative} of {there}.",
        "resident": "{resident}[|, {profession},] [lives|is at home] {home}.",
    },
    "de": {
        "founded": "{Town} wurde [|im Jahr ]{founded} gegründet.",
        "region": "{Town} [liegt|befindet sich] in [|der Region ]{region}.",
        "good": "{Town} ist [bekannt|berühmt|geschätzt] für {good}.",
        "firm": "Die Firma {firm} [hat ihren Sitz|sitzt] in {seat}[| und handelt mit {firm_good}].",
        "neighbour": "{neighbour} [liegt|befindet sich] {distance} km {relative} von {there}.",
        "resident": "{resident}[|, {profession} von Beruf,] [lebt|ist zu Hause] {home}.",
    },
    "fr": {
        "founded": "{Town} a été fondée en [|l'an ]{founded}.",
        "region": "{Town} [se trouve|est située] en {region}.",
        "good": "{Town} est [connue|célèbre|réputée] pour {good}.",
        "firm": "[|L'entreprise ]{firm} a son [siège|bureau] à {seat}[| et vend {firm_good}].",
        "neighbour": "{neighbour} [se trouve|est] à {distance} km {relative} de {there}.",
        "resident": "{resident}[|, {profession},] [vit|habite] {home}.",
    },
    "es": {
        "founded": "{Town} fue fundada en [|el año ]{founded}.",
        "region": "{Town} [se encuentra|está situada] en [|la región de ]{region}.",
        "good": "{Town} es [conocida|famosa|celebrada] por {good}.",
        "firm": "[|La empresa ]{firm} tiene su [sede|oficina] en {seat}[| y comercia con {firm_good}].",
        "neighbour": "{neighbour} [se encuentra|está] a {distance} km {relative} de {there}.",
        "resident": "{resident}[|, {profession},] [vive|tiene su casa] {home}.",
    },
}

TOWN = {"en": "The town", "de": "Die Stadt", "fr": "La ville", "es": "La ciudad"}

FOUNDINGS = {
    "en": "{founded}: [The town is founded|The first houses are built|The first people settle here].",
    "de": "{founded}: [Die Stadt wird gegründet|Die ersten Häuser werden gebaut|Die ersten Menschen siedeln hier].",
    "fr": "{founded} : [Fondation de la ville|On bâtit les premières maisons|Les premiers habitants s'installent].",
    "es": "{founded}: [Se funda la ciudad|Se construyen las primeras casas|Llegan los primeros habitantes].",
}

EVENTS = {
    "en": [
        "{year}: {days} days of {weather}[| {season}][, and people stay at home|, and the market stays closed|"
        ", and the roads are empty|].",
        "{year}: [A bridge is built|The market hall burns down|A school opens|The town wall is mended|"
        "The old mill is pulled down].",
        "{year}: [First fair|A great fair|A market] for {good}[| {season}].",
        "{year}: Many {animals} are seen [near the town|in the streets|by the river][| {season}].",
    ],
    "de": [
        "{year}: {days} Tage {weather}[| {season}][, und alle bleiben zu Hause|, und der Markt bleibt geschlossen|"
        ", und die Straßen sind leer|].",
        "{year}: [Eine Brücke wird gebaut|Die Markthalle brennt ab|Eine Schule öffnet|Die Stadtmauer wird ausgebessert|"
        "Die alte Mühle wird abgerissen].",
        "{year}: [Erste Messe|Große Messe|Ein Markt] für {good}[| {season}].",
        "{year}: Viele {animals} werden [vor der Stadt|in den Straßen|am Fluss] gesehen.",
    ],
    "fr": [
        "{year} : {days} jours de {weather}[| {season}][, et chacun reste chez soi|, et le marché reste fermé|"
        ", et les routes sont vides|].",
        "{year} : [On construit un pont|La halle brûle|Une école ouvre|On répare les remparts|"
        "On démolit le vieux moulin].",
        "{year} : [Première foire|Grande foire|Un marché] {good}[| {season}].",
        "{year} : On voit beaucoup {animals} [près de la ville|dans les rues|au bord de la rivière][| {season}].",
    ],
    "es": [
        "{year}: {days} días de {weather}[| {season}][, y todos se quedan en casa|, y el mercado queda cerrado|"
        ", y los caminos quedan vacíos|].",
        "{year}: [Se construye un puente|Arde el mercado|Abre una escuela|Se repara la muralla|"
        "Se derriba el viejo molino].",
        "{year}: [Primera feria|Gran feria|Un mercado] de {good}[| {season}].",
        "{year}: Se ven numerosos grupos de {animals} [cerca de la ciudad|en las calles|junto al río][| {season}].",
    ],
}


def build(speech: Speech) -> Node:
    language = speech.language
    slots = _slots(speech)
    facts = {name: Option(template(text, slots), _weight(speech, name)) for name, text in FACTS[language].items()}
    head = template(HEADS[language], slots)
    annals = _annals(speech)
    # Either what is known and then the annals, or annals that begin with the founding and then what else is known.
    told = Sequenced([Text(". "), some(list(facts.values()), 3, 5), annals])
    founding = Sequenced([Text(" :\n" if language == "fr" else ":\n"), template(FOUNDINGS[language], slots), annals])
    others = some([option for name, option in facts.items() if name != "founded"], 2, 4)
    return Sequenced([head, one_of([told, Sequenced([founding, Text("\n"), others])])])


def _weight(speech: Speech, fact: str) -> float | Callable[[Scope], float]:
    if fact == "resident":
        return speech.resided("town", telling=("home", "profession"))
    return speech.employing("town") if fact == "firm" else 1.0


def _slots(speech: Speech) -> dict[str, Node]:
    language = speech.language
    romance = "def" if language in ("fr", "es") else None
    there = speech.town_again("town")
    return {
        "town": speech.town("town"),
        "there": there,
        "Town": one_of([there, Text(TOWN[language])]),
        "founded": speech.told_of_town("founded"),
        "region": speech.told_of_town("region"),
        "good": speech.told_of_town("good", article=romance, case="acc"),
        "firm": speech.seated("firm", "town"),
        "seat": speech.told_of_firm("town", name="seat"),
        "firm_good": speech.told_of_firm(
            "good", article="some" if language == "fr" else None, case="dat", name="firm good"
        ),
        "neighbour": speech.town("neighbour", near="town"),
        "distance": speech.distance("town", "neighbour"),
        "relative": speech.direction("town", "neighbour", say="relative"),
        "resident": speech.resident("resident", "town", telling=("home", "profession")),
        "profession": speech.told("profession", of="resident", article="indef" if language == "en" else None),
        "home": speech.told("home", of="resident", say="in"),
    }


def _annals(speech: Speech) -> Node:
    """One to three entries, each on a line, in the order of their years."""
    rest: Node = Text("")
    for ordinal in reversed(range(ENTRIES)):
        slots = _event_slots(speech, ordinal)
        entry = Choice([Option(template(text, slots)) for text in EVENTS[speech.language]])
        more = Text("") if ordinal == ENTRIES - 1 else Choice([Option(Text("")), Option(rest, ENTRIES - 1.0 - ordinal)])
        rest = Sequenced([Text("\n"), entry, more])
    return rest


def _event_slots(speech: Speech, ordinal: int) -> dict[str, Node]:
    words, french = speech.words, speech.language == "fr"

    def fair(good: str) -> str:
        number = words.natural_number(good)
        return words.to(words.noun(good, number, "def")) if french else words.noun(good, number, case="acc")

    def many(animal: str) -> str:
        return words.of(words.noun(animal, "pl")) if french else words.noun(animal, "pl")

    return {
        "year": _year(speech, ordinal),
        "days": speech.number("days", 3, 40),
        "weather": speech.noun("weather", "weather"),
        "season": speech.said("season", "season", words.in_season),
        "good": speech.said("good", "fair", fair),
        "animals": speech.said("animal", "animals", many),
    }


def _year(speech: Speech, ordinal: int) -> Node:
    """A year within `GAP` years of the entry before, or of the town's founding."""

    @cache
    def following(year: int) -> Distribution:
        return Distribution.uniform(range(year + 1, year + GAP + 1))

    def distribution(scope: Scope) -> Distribution:
        founded = speech.facts.towns[int(scope["town"])].founded
        return following(int(scope[f"year {ordinal - 1}"]) if ordinal else founded)

    return Picked(f"year {ordinal}", distribution, lambda _: speech.years, lambda year: f"year.{year}")
