"""Questions and answers about people, towns and firms: one to three pairs, short or in whole sentences."""

from tymbal.corpora.world.grammar import Choice, Node, Option, Repeated, Sequenced, Text
from tymbal.corpora.world.speech import Speech
from tymbal.corpora.world.templates import one_of, template

# Home and profession are asked for most: what a model recalls is measured on them.
WEIGHTS = {
    "home": 5.0,
    "profession": 5.0,
    "born": 2.0,
    "friend": 2.0,
    "employer": 2.0,
    "animal": 2.0,
    "founded": 1.0,
    "region": 1.0,
    "good": 1.0,
    "seat": 0.7,
    "trade": 0.7,
    "direction": 1.0,
    "distance": 1.0,
}

LABELS = {
    "en": [("Q: ", "A: "), ("Question: ", "Answer: "), ("— ", "— "), ("Ask: ", "Reply: ")],
    "de": [("F: ", "A: "), ("Frage: ", "Antwort: "), ("— ", "— "), ("Gefragt: ", "Gesagt: ")],
    "fr": [("Q : ", "R : "), ("Question : ", "Réponse : "), ("— ", "— "), ("Demande : ", "Retour : ")],
    "es": [("P: ", "R: "), ("Pregunta: ", "Respuesta: "), ("— ", "— "), ("Consulta: ", "Contesta: ")],
}

# Question, short answer, whole answer.
PAIRS = {
    "en": {
        "home": ("Where does {person} live?", "{Town}.", "{again} lives {home}."),
        "profession": (
            "What [is the profession of {person}|does {person} do for a living]?",
            "{Work}.",
            "{again} is {profession}.",
        ),
        "born": ("[When|In which year] was {person} born?", "{born}.", "{again} was born in {born}."),
        "friend": ("[Who is closest to|Who is a friend of] {person}?", "{friend}.", "{again} is closest to {friend}."),
        "employer": ("[Whom|Which firm] does {person} work for?", "{employer}.", "{again} works for {employer}."),
        "animal": ("[Which|What kind of] animal does {person} keep?", "{Animal}.", "{again} keeps {animal}."),
        "founded": ("[When|In which year] was {town} founded?", "{founded}.", "{town_again} was founded in {founded}."),
        "region": (
            "[In which region is {town}|Which region does {town} belong to]?",
            "{region}.",
            "{town_again} lies in {region}.",
        ),
        "good": ("What is {town} known for?", "{good}.", "{town_again} is known for {good}."),
        "seat": ("Where is the firm {firm} seated?", "{Seat}.", "{firm_again} is seated {seat}."),
        "trade": ("What does the firm {firm} deal in?", "{trade}.", "{firm_again} deals in {trade}."),
        "direction": (
            "[Which way|In which direction] does one go from {town} to {near}?",
            "{direction}.",
            "One goes {direction}.",
        ),
        "distance": ("How far is it from {town} to {near}?", "{distance} km.", "It is {distance} km."),
    },
    "de": {
        "home": ("Wo wohnt {person}?", "{Town}.", "{again} wohnt {home}."),
        "profession": (
            "[Was ist {person} von Beruf|Welchen Beruf hat {person}]?",
            "{Work}.",
            "{again} ist {profession}.",
        ),
        "born": ("[Wann|In welchem Jahr] wurde {person} geboren?", "{born}.", "{again} wurde {born} geboren."),
        "friend": (
            "[Wer steht {person} am nächsten|Mit wem ist {person} befreundet]?",
            "{friend}.",
            "Am nächsten steht {friend}.",
        ),
        "employer": (
            "[Für wen|Für welche Firma] arbeitet {person}?",
            "{employer}.",
            "{again} arbeitet für {employer}.",
        ),
        "animal": ("[Welches|Was für ein] Tier hält {person}?", "{Animal}.", "{again} hält {animal}."),
        "founded": (
            "[Wann|In welchem Jahr] wurde {town} gegründet?",
            "{founded}.",
            "{town_again} wurde {founded} gegründet.",
        ),
        "region": (
            "[In welcher Gegend liegt {town}|Zu welcher Gegend gehört {town}]?",
            "{region}.",
            "{town_again} liegt in {region}.",
        ),
        "good": ("Wofür ist {town} bekannt?", "{good}.", "{town_again} ist bekannt für {good}."),
        "seat": ("Wo hat die Firma {firm} ihren Sitz?", "{Seat}.", "{firm_again} sitzt {seat}."),
        "trade": ("Was verkauft die Firma {firm}?", "{trade}.", "{firm_again} verkauft {trade}."),
        "direction": (
            "[Wohin|In welche Richtung] geht man von {town} nach {near}?",
            "{direction}.",
            "Man geht {direction}.",
        ),
        "distance": ("Wie weit ist es von {town} nach {near}?", "{distance} km.", "Es sind {distance} km."),
    },
    "fr": {
        "home": ("Où habite {person} ?", "{Town}.", "{again} habite {home}."),
        "profession": (
            "Quel [est le métier {of_person}|métier exerce {person}] ?",
            "{Work}.",
            "{again} est {profession}.",
        ),
        "born": (
            "[Quelle est l'année de naissance|De quelle année date la naissance] {of_person} ?",
            "{born}.",
            "{again} est né{e} en {born}.",
        ),
        "friend": (
            "[De qui {person} est-{il} proche|Avec qui {person} s'entend-{il} bien] ?",
            "{friend}.",
            "{again} est proche {of_friend}.",
        ),
        "employer": (
            "Pour [qui|quelle maison] travaille {person} ?",
            "{employer}.",
            "{again} travaille pour {employer}.",
        ),
        "animal": ("Quel animal [élève|possède] {person} ?", "{Animal}.", "{again} possède {animal}."),
        "founded": (
            "[Quand|En quelle année] fut fondée la ville de {town} ?",
            "{founded}.",
            "{town_again} fut fondée en {founded}.",
        ),
        "region": (
            "[Dans quelle région est|De quelle région relève] {town} ?",
            "{region}.",
            "{town_again} se trouve en {region}.",
        ),
        "good": ("Que vend-on surtout à {town} ?", "{good}.", "On y vend surtout {good_some}."),
        "seat": ("Où siège la maison {firm} ?", "{Seat}.", "{firm_again} siège {seat}."),
        "trade": ("Que vend la maison {firm} ?", "{trade}.", "{firm_again} vend {trade_some}."),
        "direction": (
            "[Par où|Dans quelle direction] va-t-on de {town} à {near} ?",
            "{direction}.",
            "On va {direction}.",
        ),
        "distance": ("Quelle distance y a-t-il de {town} à {near} ?", "{distance} km.", "Il y a {distance} km."),
    },
    "es": {
        "home": ("¿Dónde vive {person}?", "{Town}.", "{again} vive {home}."),
        "profession": ("¿[Cuál es el oficio de|Qué oficio ejerce] {person}?", "{Work}.", "{again} es {profession}."),
        "born": ("¿[Cuándo|En qué año] nació {person}?", "{born}.", "{again} nació en {born}."),
        "friend": (
            "¿Con quién [se lleva bien|tiene amistad] {person}?",
            "{friend}.",
            "{again} tiene amistad con {friend}.",
        ),
        "employer": ("¿Para [quién|qué firma] trabaja {person}?", "{employer}.", "{again} trabaja para {employer}."),
        "animal": ("¿Qué animal [cría|tiene] {person}?", "{Animal}.", "{again} tiene {animal}."),
        "founded": (
            "¿[Cuándo|En qué año] fue fundada la ciudad de {town}?",
            "{founded}.",
            "{town_again} fue fundada en {founded}.",
        ),
        "region": (
            "¿[En qué región está|A qué región pertenece] {town}?",
            "{region}.",
            "{town_again} está en {region}.",
        ),
        "good": ("¿Por qué es conocida la ciudad de {town}?", "{good}.", "{town_again} es conocida por {good}."),
        "seat": ("¿Dónde tiene su sede la firma {firm}?", "{Seat}.", "{firm_again} tiene su sede {seat}."),
        "trade": ("¿Qué vende la firma {firm}?", "{trade}.", "{firm_again} vende {trade}."),
        "direction": ("¿[Por dónde|En qué dirección] se va de {town} a {near}?", "{direction}.", "Se va {direction}."),
        "distance": ("¿Qué distancia hay de {town} a {near}?", "{distance} km.", "Hay {distance} km."),
    },
}


def build(speech: Speech) -> Node:
    styles = []
    for asks, answers in LABELS[speech.language]:
        pair = Choice([Option(_pair(speech, topic, asks, answers), weight) for topic, weight in WEIGHTS.items()])
        styles.append(Option(Repeated(pair, 1, 3, Text("\n"))))
    return Choice(styles)


def _pair(speech: Speech, topic: str, asks: str, answers: str) -> Node:
    question, short, whole = PAIRS[speech.language][topic]
    slots = _slots(speech, topic)
    answer = one_of([short, whole], slots)
    return Sequenced([Text(asks), template(question, slots), Text("\n" + answers), answer])


def _slots(speech: Speech, topic: str) -> dict[str, Node]:
    """Every slot that a pair may name; people are drawn for whom the topic is not held out."""
    article = "indef" if speech.language == "en" else None
    telling = (topic,) if WEIGHTS.get(topic, 0) >= 2 else ()
    return {
        "person": speech.person("person", telling=telling),
        "of_person": speech.person("person", telling=telling, say="of"),
        "e": speech.by_gender("person", "e", ""),
        "il": speech.by_gender("person", "elle", "il"),
        "again": speech.by_gender(
            "person",
            *{"en": ("She", "He"), "de": ("Sie", "Er"), "fr": ("Elle", "Il"), "es": ("Ella", "Él")}[speech.language],
        ),
        "Town": speech.told("home"),
        "home": speech.told("home", say="in"),
        "Work": speech.told("profession"),
        "profession": speech.told("profession", article=article),
        "born": speech.told("born"),
        "friend": speech.told("friend"),
        "of_friend": speech.told("friend", say="of"),
        "employer": speech.told("employer"),
        "Animal": speech.told("animal"),
        "animal": speech.told("animal", article="indef", case="acc"),
        "town": speech.town("town"),
        "town_again": speech.town_again("town"),
        "near": speech.town("near", near="town"),
        "founded": speech.told_of_town("founded"),
        "region": speech.told_of_town("region"),
        "good": speech.told_of_town("good"),
        "good_some": speech.told_of_town("good", article="some"),
        "firm": speech.firm("firm"),
        "firm_again": speech.firm_again("firm"),
        "Seat": speech.told_of_firm("town"),
        "seat": speech.told_of_firm("town", say="in"),
        "trade": speech.told_of_firm("good"),
        "trade_some": speech.told_of_firm("good", article="some"),
        "direction": speech.direction("town", "near"),
        "distance": speech.distance("town", "near"),
    }
