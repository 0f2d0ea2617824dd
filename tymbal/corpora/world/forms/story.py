"""Short stories: somebody at home in a town, their animal, their friend, one small event, and how it felt.

Home, animal and friend are the world's facts; the event is free, and feelings fit it, one before and one after.
"""

from collections.abc import Sequence

from tymbal.corpora.documents import Span
from tymbal.corpora.world.grammar import (
    Choice,
    Claim,
    Distribution,
    Marked,
    Names,
    Node,
    Option,
    Page,
    Pen,
    Picked,
    Reading,
    Said,
    Scope,
    Sequenced,
    Text,
    matched,
)
from tymbal.corpora.world.lexicon import concept_ids
from tymbal.corpora.world.lexicon.language import Article, Case
from tymbal.corpora.world.speech import Speech
from tymbal.corpora.world.templates import template

# How each event feels before and after; the wordings below stand in this order.
FEELINGS = {
    "lost": ("worried frightened lonely", "happy calm grateful"),
    "weather": ("frightened worried", "calm grateful"),
    "gift": ("lonely tired", "happy grateful"),
    "illness": ("worried tired", "calm happy grateful"),
    "prize": ("worried frightened", "proud happy"),
}
BAD_WEATHER = "rain snow storm wind hail frost heat"

OPENINGS = {
    "en": "[Once|Long ago|In those days|Not long ago|Years ago] {person} [lived|had a house] {home} "
    "and [kept|owned|looked after] {animal}. [{She} was closest to {friend}|Nobody was closer to {her} than {friend}].",
    "de": "[Einst|Vor langer Zeit|Damals|Vor kurzem|Vor Jahren] [lebte|wohnte] {person} {home} "
    "und [hielt|hatte|besaß] {animal}. [Am nächsten stand {her} {friend}|Niemand stand {her} näher als {friend}].",
    "fr": "[Autrefois|Il y a longtemps|En ce temps-là|Naguère|Il y a des années], {person} [vivait|habitait] {home} "
    "et [élevait|avait|possédait] {animal}. {She} [s'entendait le mieux|passait tous ses dimanches] avec {friend}.",
    "es": "[Antaño|Hace mucho|En aquellos días|No hace mucho|Hace años] {person} [vivía|tenía una casa] {home} "
    "y [criaba|poseía|alimentaba] {animal}. {She} [se llevaba mejor que nadie|pasaba todos los domingos] con {friend}.",
}

EVENTS = {
    "en": [
        "[One morning|One evening|One day|On a Sunday|After the market] {her_animal} was gone. "
        "{She} was {bad} and [looked|searched] [in the fields|by the river|behind the mill|all over the town]. "
        "[At last|Soon|After {hours} hours] {Friend} found {the_animal} "
        "[in the old barn|under the bridge|near the well].",
        "[One night|All night|That week] {weather}, and {her_animal} [could not sleep|would not eat|kept close]. "
        "{She} was {bad} until {Friend} came [through the dark|over the bridge|with a warm blanket] "
        "and stayed [a while|for tea].",
        "{She} had been {bad} [for days|all week|since {season}]. [On a market day|One afternoon] {Friend} came and "
        "gave {her} {good}[| from the market]. [Even {her_animal} got a present|{Her_animal} watched].",
        "[One spring|One autumn|One day] {her_animal} fell ill, and {she} was {bad}. "
        "{Friend} [sat by {the_animal}|stayed] for {hours} hours. "
        "The next morning {the_animal} was [well|on its feet] again.",
        "[At the fair|At the town fair|On the market square] {her_animal} won a prize of {coins} coins. "
        "{She} had been {bad} [all morning|the whole night before]. {Friend} [clapped|cheered|laughed with joy].",
    ],
    "de": [
        "[Eines Morgens|Eines Abends|Eines Tages|An einem Sonntag|Nach dem Markt] war {her_animal} verschwunden. "
        "{She} war {bad} und suchte [auf den Feldern|am Fluss|hinter der Mühle|in der ganzen Stadt]. "
        "[Schließlich|Bald|Nach {hours} Stunden] fand {Friend} {the_animal_acc} "
        "[in der alten Scheune|unter der Brücke|beim Brunnen].",
        "[Eines Nachts|Die ganze Nacht|In jener Woche] {weather}, und {her_animal} "
        "[konnte nicht schlafen|wollte nicht fressen|blieb nah am Haus]. {She} war {bad}, bis {Friend} "
        "[durch die Dunkelheit|über die Brücke|mit einer warmen Decke] kam und [eine Weile|zum Tee] blieb.",
        "{She} war [seit Tagen|die ganze Woche|seit dem {season}] {bad}. [An einem Markttag|Eines Nachmittags] "
        "kam {Friend} und [schenkte|kaufte] {her} {good}. [Auch {her_animal} bekam ein Geschenk|{Her_animal} sah zu].",
        "[In einem Frühling|In einem Herbst|Eines Tages] wurde {her_animal} krank, und {she} war {bad}. "
        "{Friend} [saß bei {the_animal_dat}|blieb] {hours} Stunden lang. Am nächsten Morgen war {the_animal} "
        "wieder [gesund|auf den Beinen].",
        "[Auf dem Jahrmarkt|Beim Stadtfest|Auf dem Marktplatz] gewann {her_animal} einen Preis von {coins} Münzen. "
        "{She} war [den ganzen Morgen|die ganze Nacht davor] {bad} gewesen. "
        "{Friend} [klatschte|jubelte|lachte vor Freude].",
    ],
    "fr": [
        "[Un matin|Un soir|Un jour|Un dimanche|Après le marché], {her_animal} avait disparu. "
        "{She} était {bad} et a cherché [dans les champs|au bord de la rivière|derrière le moulin|par toute la ville]. "
        "[Enfin|Finalement|Au bout de {hours} heures], {Friend} a retrouvé {the_animal} "
        "[dans la vieille grange|sous le pont|près du puits].",
        "[Une nuit|Toute la nuit|Cette semaine-là], {weather}, et {her_animal} "
        "[ne dormait pas|ne voulait rien manger|restait près de la maison]. {She} était {bad}, mais {Friend} a "
        "[traversé la nuit|passé le pont|apporté une couverture] pour [rester un peu|prendre le thé].",
        "{She} était {bad} depuis [des jours|une semaine|{season}]. [Un jour de marché|Un après-midi], {Friend} "
        "lui a [offert|acheté] {good}. [Même {her_animal} a eu un cadeau|{Her_animal} regardait].",
        "[Un printemps|Un automne|Un jour], {her_animal} a eu de la fièvre, et {she} était {bad}. "
        "{Friend} a veillé {the_animal} pendant {hours} heures. Le lendemain, {the_animal} "
        "[allait mieux|avait retrouvé ses forces].",
        "[À la foire|À la fête de la ville|Sur la place du marché], {her_animal} a gagné un prix de {coins} pièces. "
        "{She} avait été {bad} [toute la matinée|toute la nuit]. "
        "{Friend} [a applaudi|a crié de joie|a ri de bon cœur].",
    ],
    "es": [
        "[Una mañana|Una tarde|Un día|Un domingo|Después del mercado] {her_animal} había desaparecido. "
        "{She} estaba {bad} y buscó [por los campos|junto al río|detrás del molino|por toda la ciudad]. "
        "[Por fin|Pronto|Tras {hours} horas] {Friend} encontró {the_animal_acc} "
        "[en el viejo granero|bajo el puente|cerca del pozo].",
        "[Una noche|Toda la noche|Aquella semana] {weather}, y {her_animal} "
        "[no podía dormir|no quería comer|no se alejaba de la casa]. {She} estaba {bad} hasta que llegó {Friend} "
        "[en la oscuridad|por el puente|con una manta] y se quedó [un rato|a tomar el té].",
        "{She} estaba {bad} desde [hacía días|hacía una semana|{season}]. [Un día de mercado|Una tarde] {Friend} "
        "le [regaló|compró] {good}. [También {her_animal} tuvo un regalo|{Her_animal} miraba].",
        "[Una primavera|Un otoño|Un día] {her_animal} tuvo fiebre, y {she} estaba {bad}. "
        "{Friend} cuidó {of_animal} durante {hours} horas. Al día siguiente {the_animal} "
        "[estaba mejor|tenía fuerzas de nuevo].",
        "[En la feria|En la fiesta de la ciudad|En la plaza del mercado] {her_animal} ganó un premio "
        "de {coins} monedas. {She} había estado {bad} [toda la mañana|toda la noche]. "
        "{Friend} [aplaudió|gritó de alegría|se rio con ganas].",
    ],
}

CLOSINGS = {
    "en": "[That evening|From then on|After that|That night|In the end] {first} was {good_feeling}."
    "[| {first} and {Friend} [talk|tell stories|laugh] about it to this day.| {Friend} was {friend_feeling} too.]",
    "de": "[An diesem Abend|Von da an|Danach|In dieser Nacht|Am Ende] war {first} {good_feeling}."
    "[| {first} und {Friend} [reden|erzählen|sprechen] bis heute davon.| Auch {Friend} war {friend_feeling}.]",
    "fr": "[Ce soir-là|Depuis lors|Après cela|Cette nuit-là|À la fin], {first} était {good_feeling}."
    "[| {first} et {Friend} en [parlent|rient|rêvent] encore aujourd'hui.| {Friend} était {friend_feeling} aussi.]",
    "es": "[Esa tarde|Desde entonces|Después|Aquella noche|Al final] {first} estaba {good_feeling}."
    "[| {first} y {Friend} todavía [hablan|se ríen|se acuerdan] de ello.| También {Friend} estaba {friend_feeling}.]",
}

PRONOUNS = {"en": ("She", "He"), "de": ("Sie", "Er"), "fr": ("Elle", "Il"), "es": ("Ella", "Él")}
OBJECTS = {"en": ("her", "him"), "de": ("ihr", "ihm"), "fr": ("elle", "lui"), "es": ("ella", "él")}
SINCE = {"en": None, "de": None, "fr": "def", "es": "def"}


def build(speech: Speech) -> Node:
    opening = template(OPENINGS[speech.language], _people(speech) | _animals(speech))
    events = zip(FEELINGS, EVENTS[speech.language], strict=True)
    return Sequenced([opening, Text(" "), Choice([Option(_event(speech, *event)) for event in events])])


def _event(speech: Speech, name: str, wording: str) -> Node:
    """What happens and how it ends, in feelings that fit."""
    before, after = (feelings.split() for feelings in FEELINGS[name])
    slots = _people(speech) | _animals(speech) | _things(speech)
    slots["bad"] = _feeling(speech, "bad", "person", before)
    slots["good_feeling"] = _feeling(speech, "good feeling", "person", after)
    slots["friend_feeling"] = _feeling(speech, "friend feeling", "friend", after)
    happened = Marked(f"event.{name}", template(wording, slots))
    return Sequenced([happened, Text(" "), template(CLOSINGS[speech.language], slots)])


def _people(speech: Speech) -> dict[str, Node]:
    feminine, masculine = PRONOUNS[speech.language]
    return {
        "person": speech.person("person", telling=("home", "animal", "friend")),
        "home": speech.told("home", say="in"),
        "friend": speech.told("friend"),
        "first": speech.first_name("person"),
        "Friend": speech.first_name("friend"),
        "She": speech.by_gender("person", feminine, masculine),
        "she": speech.by_gender("person", feminine.lower(), masculine.lower()),
        "her": speech.by_gender("person", *OBJECTS[speech.language]),
    }


def _animals(speech: Speech) -> dict[str, Node]:
    words = speech.words

    def said(article: Article, case: Case = "nom", prefix: str = "") -> Node:
        """The animal already told of, with this article."""

        def phrase(scope: Scope) -> str:
            noun = words.noun(scope["animal"], article=article, case=case)
            return {"": str, "to": words.to, "of": words.of}[prefix](noun)

        return Marked(lambda scope: (scope["animal"],), Said(phrase))

    return {
        "animal": speech.told("animal", article="indef", case="acc"),
        "her_animal": _Owned(speech),
        "Her_animal": _Owned(speech, capital=True),
        "the_animal": said("def"),
        "the_animal_acc": said("def", "acc", prefix="to" if speech.language == "es" else ""),
        "the_animal_dat": said("def", "dat"),
        "of_animal": said("def", prefix="of"),
    }


class _Owned(Node):
    """The animal already told of, as its owner's: her horse. A lenient page may say his horse, or her goat."""

    def __init__(self, speech: Speech, *, capital: bool = False) -> None:
        self.speech = speech
        self.capital = capital

    def _phrase(self, animal: str, gender: str) -> str:
        noun = self.speech.words.noun(animal, article="her" if gender == "f" else "his")
        return noun[0].upper() + noun[1:] if self.capital else noun

    def _gender(self, scope: Scope) -> str:
        return self.speech.facts.people[int(scope["person"])].gender

    def write(self, pen: Pen) -> None:
        phrase = self._phrase(pen.scope["animal"], self._gender(pen.scope))
        pen.marks.append(Span(pen.length, pen.length + len(phrase), pen.scope["animal"]))
        pen.put(phrase)

    def read(self, page: Page, at: Reading) -> Sequence[Reading]:
        told, gender = at.scope["animal"], self._gender(at.scope)
        slip = self.speech.misgendered(int(at.scope["person"]))
        readings: dict[str, Sequence[Reading]] = {}
        for animal in (told, *(concept_ids("animal") if page.lenient else ())):
            for wrong in (False, True) if page.lenient else (False,):
                phrase = self._phrase(animal, slip.value.removeprefix("gender.") if wrong else gender)
                if phrase not in readings:
                    claims = (self._claim(at.scope, animal),) * (animal != told) + (slip,) * wrong
                    readings[phrase] = [
                        found if found.cut else found.noting((Span(at.end, found.end, animal),), claims)
                        for found in matched(phrase, page, at)
                    ]
        return [reading for found in readings.values() for reading in found]

    def _claim(self, scope: Scope, animal: str) -> Claim:
        person = self.speech.facts.people[int(scope["person"])]
        return Claim(f"person.{person.id}", "animal", animal, denied=False, true=animal == person.animal)


def _things(speech: Speech) -> dict[str, Node]:
    words = speech.words
    weather = {
        f"weather.{name}": words.weather_clause(f"weather.{name}", order="inverted") for name in BAD_WEATHER.split()
    }
    values, names = Distribution.uniform(weather), Names(weather)
    return {
        "weather": Picked("weather", lambda _: values, lambda _: names, str),
        "season": speech.noun("season", "season", article=SINCE[speech.language], case="dat"),
        "good": speech.good("good", article="some", case="acc"),
        "hours": speech.number("hours", 2, 20),
        "coins": speech.number("coins", 5, 60),
    }


def _feeling(speech: Speech, name: str, of: str, feelings: Sequence[str]) -> Node:
    """One of these feelings, in words that agree with a person's gender."""
    concepts = [f"feeling.{feeling}" for feeling in feelings]
    values = Distribution.uniform(concepts)
    by_gender = {g: Names({c: speech.words.adjective(c, g) for c in concepts}) for g in ("f", "m")}
    return Picked(name, lambda _: values, lambda scope: by_gender[speech.facts.people[int(scope[of])].gender], str)
