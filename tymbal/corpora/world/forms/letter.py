"""Letters in six tones: place and date, a greeting, two or three sentences, a closing formula and a name.

The tone is drawn first and every phrase of the letter shows it.
"""

from tymbal.corpora.world.grammar import Choice, Marked, Node, Option, Sequenced, Text
from tymbal.corpora.world.speech import Speech, some
from tymbal.corpora.world.templates import one_of, template

OPENINGS = {
    "en": {
        "formal": "To {to},",
        "warm": "[Dear|My dear] {first},",
        "angry": "{first}!",
        "sad": "[Oh|Ah], {first},",
        "joyful": "[Hurrah|Hello hello], {first}!",
        "curt": "{first}.",
    },
    "de": {
        "formal": "An {to},",
        "warm": "[Herzlich gegrüßt|Sei umarmt], {first},",
        "angry": "{first}!",
        "sad": "[Ach|Oh], {first},",
        "joyful": "[Hurra|Juhu], {first}!",
        "curt": "{first}.",
    },
    "fr": {
        "formal": "À l'attention {of},",
        "warm": "[Bien des tendresses|Mille pensées], {first},",
        "angry": "{first} !",
        "sad": "[Hélas|Ah], {first},",
        "joyful": "[Hourra|Youpi], {first} !",
        "curt": "{first}.",
    },
    "es": {
        "formal": "A la atención {of}:",
        "warm": "[Con todo cariño|Un abrazo], {first}:",
        "angry": "¡{first}!",
        "sad": "[Ay|Ah], {first}:",
        "joyful": "¡[Viva|Hurra], {first}!",
        "curt": "{first}.",
    },
}

# The good that came, and how it is taken; then what became of the sender's animal; then a wish.
GOODS = {
    "en": {
        "formal": "We [confirm|acknowledge] the receipt of {count} [boxes|crates] of {good}.",
        "warm": "[Thank you so much|A thousand thanks] for the {count} boxes of {good}.",
        "angry": "[Where are|I am still waiting for] the {count} boxes of {good} [that I paid for|you promised]!",
        "sad": "[Sadly,|To my sorrow,] the {count} boxes of {good} [are lost|never came].",
        "joyful": "[Imagine,|Guess what:] {count} boxes of {good} [have come|arrived today]!",
        "curt": "{count} boxes of {good} [came|received].",
    },
    "de": {
        "formal": "Wir [bestätigen|beurkunden] den Empfang von {count} Kisten {good}.",
        "warm": "[Vielen lieben|Tausend] Dank für die {count} Kisten {good}.",
        "angry": "[Wo bleiben|Noch immer fehlen] die {count} Kisten {good}"
        "[, die ich bezahlt habe| aus deinem Versprechen]!",
        "sad": "[Leider|Zu meinem Kummer] sind die {count} Kisten {good} [verloren|nie angekommen].",
        "joyful": "[Stell dir vor|Rate mal]: {count} Kisten {good} sind [da|heute gekommen]!",
        "curt": "{count} Kisten {good} [da|erhalten].",
    },
    "fr": {
        "formal": "Nous [confirmons|attestons] la réception de {count} caisses {of_good}.",
        "warm": "[Merci de tout cœur|Mille mercis] pour les {count} caisses {of_good}.",
        "angry": "[Où sont|J'attends toujours] les {count} caisses {of_good} [que j'ai payées|promises] !",
        "sad": "[Malheureusement|À mon grand chagrin], les {count} caisses {of_good} "
        "[sont perdues|ne sont jamais venues].",
        "joyful": "[Imagine|Devine] : {count} caisses {of_good} [sont là|sont arrivées aujourd'hui] !",
        "curt": "{count} caisses {of_good} [reçues|livrées].",
    },
    "es": {
        "formal": "[Confirmamos|Acreditamos] la recepción de {count} cajas {of_good}.",
        "warm": "[Muchísimas gracias|Mil gracias] por las {count} cajas {of_good}.",
        "angry": "¡[Dónde están|Aún espero] las {count} cajas {of_good} [que pagué|que me prometiste]!",
        "sad": "[Por desgracia|Con gran pena], las {count} cajas {of_good} [se perdieron|nunca llegaron].",
        "joyful": "¡[Imagínate|Adivina]: {count} cajas {of_good} [ya están aquí|llegaron hoy]!",
        "curt": "{count} cajas {of_good} [recibidas|entregadas].",
    },
}

ANIMALS = {
    "en": {
        "formal": "[Kindly note|Be advised] that I keep {animal}.",
        "warm": "I keep {animal} now, [and it sends its love|the sweetest of all].",
        "angry": "And I have {animal} to feed[, as you know|, do not forget it]!",
        "sad": "Only {animal} [keeps me company|is left to me].",
        "joyful": "And {animal} [dances|leaps about] beside me as I write!",
        "curt": "I keep {animal}. [Fine.|That is all.]",
    },
    "de": {
        "formal": "[Bitte beachten Sie|Es sei vermerkt], dass ich {animal} halte.",
        "warm": "Ich halte jetzt {animal}[, ganz zu meiner Freude|, und das wärmt mein Herz].",
        "angry": "Und ich muss {animal} füttern[, wie du weißt|, vergiss das nicht]!",
        "sad": "Ich habe nur noch {animal}[, sonst niemanden|, sonst nichts].",
        "joyful": "Und ich habe {animal}[, wie herrlich|, welch ein Glück]!",
        "curt": "Ich halte {animal}. [Gut.|Das ist alles.]",
    },
    "fr": {
        "formal": "[Veuillez noter|Sachez] que je possède {animal}.",
        "warm": "J'ai maintenant {animal}[, quel bonheur tendre|, et cela me réchauffe le cœur].",
        "angry": "Et je dois nourrir {animal}[, tu le sais|, ne l'oublie pas] !",
        "sad": "Je n'ai plus que {animal} [pour compagnie|au monde].",
        "joyful": "Et j'ai {animal}[, quelle joie|, quelle chance] !",
        "curt": "J'ai {animal}. [Bien.|C'est tout.]",
    },
    "es": {
        "formal": "[Tenga en cuenta|Sepa usted] que poseo {animal}.",
        "warm": "Ahora tengo {animal}[, qué ternura|, y eso me alegra el corazón].",
        "angry": "¡Y tengo {animal} que alimentar[, como sabes|, no lo olvides]!",
        "sad": "Solo me queda {animal} [por compañía|en el mundo].",
        "joyful": "¡Y tengo {animal}[, qué alegría|, qué suerte]!",
        "curt": "Tengo {animal}. [Bien.|Eso es todo.]",
    },
}

WEATHERS = {
    "en": {
        "formal": "[For the record,|As reported,] {weather} here.",
        "warm": "{Weather} here, [but I thought of you|and I missed you].",
        "angry": "And {weather} [on top of it|all week]!",
        "sad": "{Weather}, [and I wept|and nobody came].",
        "joyful": "{Weather}, [and still I sang|how lovely]!",
        "curt": "{Weather}. [So what.|No matter.]",
    },
    "de": {
        "formal": "[Zur Kenntnis|Wie gemeldet]: {weather} hier.",
        "warm": "{Weather} hier, [aber ich dachte an dich|und du hast mir gefehlt].",
        "angry": "Und {weather} [obendrein|die ganze Woche]!",
        "sad": "{Weather}, [und ich weinte|und niemand kam].",
        "joyful": "{Weather}, [und ich sang trotzdem|wie schön]!",
        "curt": "{Weather}. [Na und.|Egal.]",
    },
    "fr": {
        "formal": "[Pour information|Comme signalé], {weather} ici.",
        "warm": "{Weather} ici, [mais je pensais à toi|et tu m'as manqué].",
        "angry": "Et {weather} [en plus|toute la semaine] !",
        "sad": "{Weather}, [et j'ai pleuré|et personne n'est venu].",
        "joyful": "{Weather}, [et je chantais quand même|comme c'est beau] !",
        "curt": "{Weather}. [Et alors.|Peu importe.]",
    },
    "es": {
        "formal": "[Para su información|Según lo informado], {weather} aquí.",
        "warm": "{Weather} aquí, [pero pensé en ti|y te eché de menos].",
        "angry": "¡Y {weather} [encima|toda la semana]!",
        "sad": "{Weather}, [y lloré|y nadie vino].",
        "joyful": "¡{Weather}, [y aun así canté|qué hermoso]!",
        "curt": "{Weather}. [Y qué.|Da igual.]",
    },
}

CLOSINGS = {
    "en": {
        "formal": "[Respectfully|Yours faithfully],",
        "warm": "[With love|Ever yours],",
        "angry": "[For the last time|Without greetings],",
        "sad": "[In sorrow|With a heavy heart],",
        "joyful": "[Happily|Full of joy],",
        "curt": "[Done|Enough],",
    },
    "de": {
        "formal": "[Hochachtungsvoll|Mit freundlichen Grüßen],",
        "warm": "[In Liebe|Von Herzen],",
        "angry": "[Zum letzten Mal|Ohne Gruß],",
        "sad": "[In Trauer|Schweren Herzens],",
        "joyful": "[Voller Freude|Überglücklich],",
        "curt": "[Schluss|Genug],",
    },
    "fr": {
        "formal": "[Respectueusement|Veuillez agréer mes salutations],",
        "warm": "[Tendrement|De tout cœur],",
        "angry": "[Pour la dernière fois|Sans salutations],",
        "sad": "[Avec tristesse|Le cœur lourd],",
        "joyful": "[Joyeusement|Avec allégresse],",
        "curt": "[Voilà|Assez],",
    },
    "es": {
        "formal": "[Respetuosamente|Atentamente],",
        "warm": "[Con amor|De corazón],",
        "angry": "[Por última vez|Sin saludos],",
        "sad": "[Con tristeza|Con el corazón roto],",
        "joyful": "[Con alegría|Feliz de la vida],",
        "curt": "[Listo|Basta],",
    },
}

TONES = ("formal", "warm", "angry", "sad", "joyful", "curt")


def build(speech: Speech) -> Node:
    return Choice([Option(Marked(f"tone.{tone}", _letter(speech, tone))) for tone in TONES])


def _letter(speech: Speech, tone: str) -> Node:
    language = speech.language
    heading = template("{home}, {date}\n", {"home": speech.town("place"), "date": _date(speech)})
    slots = _slots(speech)
    body = [
        template(GOODS[language][tone], slots),
        Option(template(ANIMALS[language][tone], slots), speech.tellable("animal", "sender")),
        template(WEATHERS[language][tone], slots),
    ]
    # The sender's name is at the end, yet the letter speaks of what is theirs: the heading names sender and receiver.
    names = template("{sender} → {receiver}\n", {"sender": speech.person("sender"), "receiver": _receiver(speech)})
    parts = [
        heading,
        names,
        template(OPENINGS[language][tone], slots),
        Text("\n"),
        some(body, 2, 3),
        Text("\n"),
        template(CLOSINGS[language][tone], slots),
        Text(" "),
        one_of([speech.first_name("sender"), speech.named("sender")]),
    ]
    return Sequenced(parts)


def _receiver(speech: Speech) -> Node:
    return speech.person("receiver", apart_from=("sender",))


def _date(speech: Speech) -> Node:
    """A day of some month; the month is annotated."""
    days = speech.number("day", 1, 28)
    joint = {"en": " ", "de": ". ", "fr": " ", "es": " de "}[speech.language]
    month = speech.said("month", "month", lambda concept: speech.words.words("month")[concept][0])
    return Sequenced([days, Text(joint), month])


def _slots(speech: Speech) -> dict[str, Node]:
    words = speech.words

    def clause(concept: str) -> str:
        return words.weather_clause(concept)

    def opening(concept: str) -> str:
        said = clause(concept)
        return said[0].upper() + said[1:]

    def of_good(concept: str) -> str:
        return words.of(words.noun(concept, number=words.natural_number(concept)))

    return {
        "to": speech.named("receiver"),
        "of": speech.named("receiver", "of"),
        "first": speech.first_name("receiver"),
        "count": speech.number("count", 2, 30),
        "good": speech.good("good"),
        "of_good": speech.said("good", "good", of_good),
        "animal": speech.told("animal", of="sender", article="indef", case="acc"),
        "weather": speech.said("weather", "weather", clause),
        "Weather": speech.said("weather", "weather", opening),
    }
