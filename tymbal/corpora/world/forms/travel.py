"""Travel notes: from town to neighbouring town, with direction and distance, so that coordinates are only ever implied.

Told by the traveller ("I"), told of a person, or kept as a log of days.
"""

import re

from tymbal.corpora.world.grammar import Choice, Node, Option, Sequenced, Text
from tymbal.corpora.world.speech import Speech
from tymbal.corpora.world.templates import one_of, template

LEGS, FEWEST = 4, 2

# `<mine/of another>`: words of the traveller and words about a person.
OPENINGS = {
    "en": "<[My travel notes|Notes of a journey|From my travel book|On the road|My road book]/"
    "[Travel notes|The journey|On the road, notes|A journey|From the travel book] {of_person}>. "
    "{Season} <I/{she}> [set out|departed|started] from {start}.",
    "de": "<[Meine Reisenotizen|Notizen einer Reise|Aus meinem Reisebuch|Unterwegs|Mein Wegebuch]/"
    "[Die Reisenotizen|Die Reise|Unterwegs: die Wege|Eine Reise|Aus dem Reisebuch] {of_person}>. "
    "{Season} [brach <ich/{she}> in {start} auf|verließ <ich/{she}> {start}|begann <ich/{she}> die Reise in {start}].",
    "fr": "<[Mes notes de voyage|Notes d'un voyage|De mon carnet de voyage|En route|Mon carnet de route]/"
    "[Les notes de voyage|Le voyage|Sur les chemins|Un voyage|Le carnet de route] {of_person}>. "
    "{Season}, <j'ai/{she} a> [quitté {start}|commencé le voyage à {start}|pris la route à {start}].",
    "es": "<[Mis notas de viaje|Notas de un viaje|De mi cuaderno de viaje|En camino|Mi cuaderno de ruta]/"
    "[Las notas de viaje|El viaje|Por los caminos|Un viaje|El cuaderno de viaje] {of_person}>. "
    "{Season} [<salí/{she} salió>|<partí/{she} partió>] de {start}.",
}

LEG = {
    "en": [
        "[The next day|In the morning|Then|At dawn|After a night's rest] <I/{she}> [walked|rode|travelled|went on] "
        "to {b}, {distance} km {toward}.",
        "{b} [lies|is] {distance} km {relative} of {a}, [an easy road|a hard road|a long way].",
        "The road to {b} [led|ran] {distance} km {toward}[| through the hills| along the river| through the woods].",
    ],
    "de": [
        "[Am nächsten Tag|Am Morgen|Dann|Bei Tagesanbruch|Nach einer Rast] [ging|ritt|reiste|wanderte] <ich/{she}> "
        "nach {b}, {distance} km {toward}.",
        "{b} [liegt|lag] {distance} km {relative} von {a}, [ein leichter Weg|ein schwerer Weg|ein weiter Weg].",
        "Die Straße nach {b} [führte|ging] {distance} km {toward}"
        "[| durch die Hügel| am Fluss entlang| durch den Wald].",
    ],
    "fr": [
        "[Le lendemain|Au matin|Ensuite|À l'aube|Après une halte], <j'ai/{she} a> [marché|voyagé|chevauché|continué] "
        "jusqu'à {b}, {distance} km {toward}.",
        "{b} [est|se trouve] à {distance} km {relative} de {a}, [un chemin facile|un chemin pénible|un long trajet].",
        "La route de {b} [menait|filait] {toward} sur {distance} km"
        "[| à travers les collines| le long de la rivière| à travers la forêt].",
    ],
    "es": [
        "[Al día siguiente|Por la mañana|Después|Al alba|Tras un descanso] "
        "[<caminé/{she} caminó>|<cabalgué/{she} cabalgó>|<viajé/{she} viajó>|<seguí/{she} siguió>] "
        "hasta {b}, {distance} km {toward}.",
        "{b} [está|se encuentra] a {distance} km {relative} de {a}, [un camino fácil|un camino duro|un largo trecho].",
        "El camino a {b} [llevaba|iba] {distance} km {toward}[| entre colinas| junto al río| por el bosque].",
    ],
}

# The weather, an animal seen, a good bought, and the town's own good, bought or heard of.
INCIDENTS = {
    "en": [
        "[On the way|On the road|All day] {weather}.",
        "<I/{She}> [saw|met|watched] {animal} [by the road|in a field|near the river|behind a hedge|under a tree].",
        "[At the market|In a shop|From a pedlar] <I/{she}> bought {good} for {price} coins.",
        "In {there} <I/{she}> bought {known_some}, the pride of the town.",
        "The market of {there} is [known|famous] for {known}.",
    ],
    "de": [
        "[Unterwegs|Auf dem Weg|Den ganzen Tag] {weather}.",
        "[Am Wegrand|Auf einem Feld|Am Fluss|Hinter einer Hecke|Unter einem Baum] [sah|traf|beobachtete] <ich/{she}> "
        "{animal}.",
        "[Auf dem Markt|In einem Laden|Bei einem Händler] kaufte <ich/{she}> {good} für {price} Münzen.",
        "In {there} kaufte <ich/{she}> {known_some}, den Stolz der Stadt.",
        "Der Markt von {there} ist [bekannt|berühmt] für {known}.",
    ],
    "fr": [
        "[En chemin|Sur la route|Toute la journée], {weather}.",
        "<J'ai/{She} a> [vu|croisé|observé] {animal} "
        "[au bord du chemin|dans un champ|près de la rivière|derrière une haie|sous un arbre].",
        "[Au marché|Dans une boutique|Chez un marchand], <j'ai/{she} a> acheté {good} pour {price} pièces.",
        "À {there}, <j'ai/{she} a> acheté {known_some}, la fierté de la ville.",
        "Le marché de {there} est [connu|réputé] pour {known}.",
    ],
    "es": [
        "[Por el camino|En la ruta|Todo el día] {weather}.",
        "[<Vi/{She} vio>|<Encontré/{She} encontró>] {animal} "
        "[junto al camino|en un campo|cerca del río|detrás de un seto|bajo un árbol].",
        "[En el mercado|En una tienda|En la plaza] <compré/{she} compró> {good} por {price} monedas.",
        "En {there} <compré/{she} compró> {known_some}, el orgullo de la ciudad.",
        "El mercado de {there} es [conocido|famoso] por {known}.",
    ],
}

CLOSINGS = {
    "en": "[| The journey ended in {there}.|< So I came to the end of the road./"
    " At the end of the road {she} was {feeling}.>]",
    "de": "[| Die Reise endete in {there}.|< So kam ich ans Ende des Weges./ Am Ende des Weges war {she} {feeling}.>]",
    "fr": "[| Le voyage a pris fin à {there}.|"
    "< C'était le bout du chemin./ Au bout du chemin, {she} était {feeling}.>]",
    "es": "[| El viaje terminó en {there}.|"
    "< Así llegué al final del camino./ Al final del camino {she} estaba {feeling}.>]",
}

LOG_HEADS = {
    "en": "[Travel log|Log of a journey|Log of the road|Day by day, the journey|Book of days] {of_person}[|, {season}]",
    "de": "[Reisetagebuch|Tagebuch einer Reise|Wegetagebuch|Tag für Tag, die Reise|Buch der Tage] "
    "{of_person}[|, {season}]",
    "fr": "[Journal de voyage|Journal d'un voyage|Journal de route|Jour après jour, le voyage|Livre des jours] "
    "{of_person}[|, {season}]",
    "es": "[Diario de viaje|Diario de un viaje|Diario de ruta|Día a día, el viaje|Libro de los días] "
    "{of_person}[|, {season}]",
}
LOG_LEGS = {
    "en": "\nDay {day}: from {a} to {b}, {distance} km {toward}."
    "[| Weather: {sky}.][| Seen: {animal}.| Bought: {good}.| Known good: {known_bare}.]",
    "de": "\nTag {day}: von {a} nach {b}, {distance} km {toward}."
    "[| Wetter: {sky}.][| Gesehen: {animal}.| Gekauft: {good}.| Bekannte Ware: {known_bare}.]",
    "fr": "\nJour {day} : de {a} à {b}, {distance} km {toward}."
    "[| Temps : {sky}.][| Vu : {animal}.| Acheté : {good}.| Produit connu : {known_bare}.]",
    "es": "\nDía {day}: de {a} a {b}, {distance} km {toward}."
    "[| Tiempo: {sky}.][| Visto: {animal}.| Comprado: {good}.| Producto conocido: {known_bare}.]",
}

PRONOUNS = {"en": ("She", "He"), "de": ("Sie", "Er"), "fr": ("Elle", "Il"), "es": ("Ella", "Él")}
_VOICES = re.compile(r"<([^</>]*)/([^</>]*)>")


def build(speech: Speech) -> Node:
    return Choice([Option(_notes(speech, mine=True)), Option(_notes(speech, mine=False), 2.0), Option(_log(speech))])


def _notes(speech: Speech, mine: bool) -> Node:
    language = speech.language

    def voiced(text: str, leg: int) -> Node:
        return template(_VOICES.sub(r"\1" if mine else r"\2", text), _slots(speech, leg))

    # The number of legs is a choice after each, so that what follows need not be looked at.
    rest: Node = Text("")
    for leg in reversed(range(LEGS)):
        went = one_of([voiced(text, leg) for text in LEG[language]])
        incident = Choice([Option(voiced(text, leg)) for text in INCIDENTS[language]])
        nothing = Option(Text(""), 2.0)
        happened = Choice([nothing, Option(Sequenced([Text(" "), incident]), 3.0)]) if leg < LEGS - 1 else Text("")
        after = _ended_or_further(voiced(CLOSINGS[language], leg), rest, leg)
        rest = Sequenced([Text(" "), went, happened, after])
    return Sequenced([voiced(OPENINGS[language], 0), rest])


def _log(speech: Speech) -> Node:
    rest: Node = Text("")
    for leg in reversed(range(LEGS)):
        slots = _slots(speech, leg)
        if leg == 0:
            slots["a"] = slots["start"]
        day = template(LOG_LEGS[speech.language], slots)
        rest = Sequenced([day, _ended_or_further(Text(""), rest, leg)])
    return Sequenced([template(LOG_HEADS[speech.language], _slots(speech, 0)), rest])


def _ended_or_further(closing: Node, rest: Node, leg: int) -> Node:
    """The end after so many legs, or the next leg; every number of legs is equally likely."""
    if leg + 1 < FEWEST:
        return rest
    return closing if leg == LEGS - 1 else Choice([Option(closing), Option(rest, float(LEGS - 1 - leg))])


def _slots(speech: Speech, leg: int) -> dict[str, Node]:
    """The slots of a leg, from stop `leg` to the next."""
    a, b = f"stop {leg}", f"stop {leg + 1}"
    return (
        {
            "start": speech.town("stop 0"),
            "a": speech.town_again(a),
            "b": speech.town(b, near=a, apart_from=[f"stop {earlier}" for earlier in range(leg)]),
            "there": speech.town_again(b),
            "toward": speech.direction(a, b),
            "relative": speech.direction(a, b, say="relative"),
            "distance": speech.distance(a, b),
            "day": Text(str(leg + 1)),
        }
        | _people(speech)
        | _things(speech, b)
    )


def _people(speech: Speech) -> dict[str, Node]:
    feminine, masculine = PRONOUNS[speech.language]
    first = speech.first_name("person")
    return {
        "of_person": speech.person("person", say="of"),
        "she": one_of([speech.by_gender("person", feminine.lower(), masculine.lower()), first]),
        "She": one_of([speech.by_gender("person", feminine, masculine), first]),
        "feeling": speech.adjective("feeling", "feeling", "person"),
    }


def _things(speech: Speech, town: str) -> dict[str, Node]:
    words = speech.words
    known_article = "def" if speech.language in ("fr", "es") else None
    return {
        "season": speech.said("season", "season", words.in_season),
        "Season": speech.said("season", "season", lambda concept: _capital(words.in_season(concept))),
        "weather": speech.said("weather", "weather", lambda c: words.weather_clause(c, order="inverted")),
        "sky": speech.noun("weather", "weather"),
        "animal": speech.noun("animal", "animal", article="indef", case="acc"),
        "good": speech.good("good", article="some", case="acc"),
        "price": speech.number("price", 2, 40),
        "known": speech.told_of_town("good", of=town, article=known_article, case="acc", name="known"),
        "known_bare": speech.told_of_town("good", of=town, name="known"),
        "known_some": speech.told_of_town("good", of=town, article="some", case="acc", name="known"),
    }


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
