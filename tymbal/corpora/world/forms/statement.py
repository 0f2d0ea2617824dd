"""Statements: what a speaker says of others, true or false, the speaker being honest or known to lie.

A statement may be denied ("it is not true that ..."), so that true sentences and false values come apart. Reputation
and verdict are said in some texts and left out in others, where only knowledge of the world can supply them.
"""

from tymbal.corpora.world.grammar import Choice, Claim, Implied, Names, Node, Option, Scope, Sequenced, Text, Told
from tymbal.corpora.world.speech import Speech
from tymbal.corpora.world.templates import one_of, template

ATTRIBUTES = {"home": 3.0, "profession": 3.0, "born": 1.0, "employer": 1.0, "animal": 1.0, "friend": 1.0}
MOST = 3

SAYING = {
    "en": "{speaker}{reputation} [says|claims|tells us|states|maintains]: ",
    "de": "{speaker}{reputation} [sagt|behauptet|erzählt uns|erklärt|versichert]: ",
    "fr": "{speaker}{reputation} [dit|affirme|nous raconte|déclare|soutient] : ",
    "es": "{speaker}{reputation} [dice|afirma|nos cuenta|declara|sostiene]: ",
}

# (honest, lying); the feminine and masculine words differ in French and Spanish.
REPUTATIONS = {
    "en": (
        ", who [is known to be honest|never lies|always tells the truth],",
        ", who [is known to lie|often lies|cannot be trusted],",
    ),
    "de": (
        ", [bekannt für Ehrlichkeit|bekannt für die Wahrheit|der Ehrlichkeit verpflichtet],",
        ", [bekannt für Lügen|bekannt für Unwahrheiten|nicht immer bei der Wahrheit],",
    ),
    "fr": (
        ", [à qui l'on peut se fier|qui ne ment jamais|qui dit toujours la vérité],",
        ", [à qui l'on ne peut se fier|qui ment souvent|qui dit rarement la vérité],",
    ),
    "es": (
        ", [en quien se puede confiar|que nunca miente|que siempre dice la verdad],",
        ", [en quien no se puede confiar|que miente a menudo|que rara vez dice la verdad],",
    ),
}

AFFIRMED = {
    "en": {
        "home": "{person} [lives|has a house] {home}.",
        "profession": "{person} [is|works as] {profession}.",
        "born": "{person} was born in {born}.",
        "employer": "{person} [works for|is employed by] {employer}.",
        "animal": "{person} [keeps|owns] {animal}.",
        "friend": "{person} is [a friend of|closest to] {friend}.",
    },
    "de": {
        "home": "{person} [lebt|wohnt] {home}.",
        "profession": "{person} [ist|arbeitet als] {profession}.",
        "born": "{person} wurde im Jahr {born} geboren.",
        "employer": "{person} [arbeitet für|ist angestellt bei] {employer}.",
        "animal": "{person} [hält|besitzt] {animal}.",
        "friend": "{person} ist [befreundet|gut befreundet] mit {friend}.",
    },
    "fr": {
        "home": "{person} [vit|habite] {home}.",
        "profession": "{person} [est|travaille comme] {profession}.",
        "born": "{person} est né{e} en {born}.",
        "employer": "{person} [travaille pour|est au service de] {employer}.",
        "animal": "{person} [élève|possède] {animal}.",
        "friend": "{person} [s'entend bien avec {friend}|est proche {of_friend}].",
    },
    "es": {
        "home": "{person} [vive|reside] {home}.",
        "profession": "{person} [es|trabaja como] {profession}.",
        "born": "{person} nació en {born}.",
        "employer": "{person} [trabaja para|está al servicio de] {employer}.",
        "animal": "{person} [cría|posee] {animal}.",
        "friend": "{person} [se lleva bien con|tiene amistad con] {friend}.",
    },
}

DENIED = {
    "en": {
        "home": "[It is not true that|It is false that] {person} lives {home}.",
        "profession": "[It is not true that|It is false that] {person} is {profession}.",
        "born": "[It is not true that|It is false that] {person} was born in {born}.",
        "employer": "[It is not true that|It is false that] {person} works for {employer}.",
        "animal": "[It is not true that|It is false that] {person} keeps {animal}.",
        "friend": "[It is not true that|It is false that] {person} is a friend of {friend}.",
    },
    "de": {
        "home": "[Es stimmt nicht, dass|Es ist falsch, dass] {person} {home} lebt.",
        "profession": "[Es stimmt nicht, dass|Es ist falsch, dass] {person} {profession} ist.",
        "born": "[Es stimmt nicht, dass|Es ist falsch, dass] {person} im Jahr {born} geboren wurde.",
        "employer": "[Es stimmt nicht, dass|Es ist falsch, dass] {person} für {employer} arbeitet.",
        "animal": "[Es stimmt nicht, dass|Es ist falsch, dass] {person} {animal} hält.",
        "friend": "[Es stimmt nicht, dass|Es ist falsch, dass] {person} mit {friend} befreundet ist.",
    },
    "fr": {
        "home": "Il [n'est pas vrai|est faux] que {person} vive {home}.",
        "profession": "Il [n'est pas vrai|est faux] que {person} soit {profession}.",
        "born": "Il [n'est pas vrai|est faux] que {person} soit né{e} en {born}.",
        "employer": "Il [n'est pas vrai|est faux] que {person} travaille pour {employer}.",
        "animal": "Il [n'est pas vrai|est faux] que {person} possède {animal}.",
        "friend": "Il [n'est pas vrai|est faux] que {person} s'entende bien avec {friend}.",
    },
    "es": {
        "home": "No es [cierto|verdad] que {person} viva {home}.",
        "profession": "No es [cierto|verdad] que {person} sea {profession}.",
        "born": "No es [cierto|verdad] que {person} haya nacido en {born}.",
        "employer": "No es [cierto|verdad] que {person} trabaje para {employer}.",
        "animal": "No es [cierto|verdad] que {person} posea {animal}.",
        "friend": "No es [cierto|verdad] que {person} se lleve bien con {friend}.",
    },
}

VERDICTS = {
    "en": ("[Is that so?|Is this right?|True or false?] {verdict}", "That is true.", "That is false."),
    "de": ("[Ist das so?|Stimmt das?|Wahr oder falsch?] {verdict}", "Das ist wahr.", "Das ist falsch."),
    "fr": ("[Est-ce exact ?|Vraiment ?|Vrai ou faux ?] {verdict}", "C'est vrai.", "C'est faux."),
    "es": ("[¿Es así?|¿De veras?|¿Verdadero o falso?] {verdict}", "Es verdad.", "Es falso."),
}

QUOTES = {"en": ("“", "”"), "de": ("„", "“"), "fr": ("« ", " »"), "es": ("«", "»")}
FIRST_PROFESSION_ARTICLE = {"en": "indef", "de": None, "fr": None, "es": None}


def build(speech: Speech) -> Node:
    language = speech.language
    opening = template(SAYING[language], {"speaker": speech.person("speaker"), "reputation": _reputation(speech)})
    # One to three statements; how many is a choice, so that the next one's words need not be looked at.
    rest: Node = Text("")
    for ordinal in reversed(range(MOST)):
        statement = Sequenced([_statement(speech, ordinal), _verdict(speech, ordinal)])
        more = Sequenced([Text(" "), _again(speech), rest])
        rest = Sequenced([statement, Choice([Option(Text("")), Option(more)])] if ordinal < MOST - 1 else [statement])
    return Sequenced([opening, rest])


def _again(speech: Speech) -> Node:
    adding = {
        "en": "[Then|Next|Later] {she} [says|adds|continues]: ",
        "de": "[Dann|Danach|Später] [sagt|ergänzt|erklärt] {she}: ",
        "fr": "[Puis|Ensuite|Plus tard] {she} [dit|ajoute|poursuit] : ",
        "es": "[Luego|Después|Más tarde] {she} [dice|añade|continúa]: ",
    }[speech.language]
    pronouns = {"en": ("she", "he"), "de": ("sie", "er"), "fr": ("elle", "il"), "es": ("ella", "él")}[speech.language]
    return template(adding, {"she": speech.by_gender("speaker", *pronouns)})


def _reputation(speech: Speech) -> Node:
    """Nothing in half of the texts, else what is known of the speaker, told as a fact."""
    honest, lying = (template(text, {}) for text in REPUTATIONS[speech.language])
    return Choice([Option(Text(""), 0.5), _known(speech, honest, kind=True), _known(speech, lying, kind=False)])


def _known(speech: Speech, words: Node, *, kind: bool) -> Option:
    def claim(scope: Scope) -> Claim:
        concept = f"honesty.{'honest' if kind else 'lying'}"
        return Claim(
            f"person.{scope['speaker']}", "honesty", concept, denied=False, true=_honest(speech, scope) == kind
        )

    return Option(Implied(claim, words), lambda scope: 0.5 * (_honest(speech, scope) == kind))


def _honest(speech: Speech, scope: Scope) -> bool:
    return speech.facts.people[int(scope["speaker"])].honest


def _statement(speech: Speech, ordinal: int) -> Node:
    language = speech.language
    options = []
    for attribute, weight in ATTRIBUTES.items():
        for denied, wordings in ((False, AFFIRMED), (True, DENIED)):
            sentence = _sentence(speech, ordinal, attribute, wordings[language][attribute], denied)
            options.append(Option(sentence, weight * (1 if denied else 3)))
    left, right = QUOTES[language]
    return Sequenced([Text(left), Choice(options), Text(right)])


def _sentence(speech: Speech, ordinal: int, attribute: str, wording: str, denied: bool) -> Node:
    person, value = f"person {ordinal}", f"value {ordinal}"
    article = {"animal": "indef", "profession": FIRST_PROFESSION_ARTICLE[speech.language]}.get(attribute)
    told = speech.told(
        attribute,
        of=person,
        name=value,
        say="in" if attribute == "home" else "{}",
        article=article,
        case="acc" if attribute == "animal" else "nom",
        speaker="speaker",
        denied=denied,
    )
    slots = {
        "of_friend": speech.told("friend", of=person, name=value, say="of", speaker="speaker", denied=denied),
        "person": speech.person(person, telling=(attribute,), apart_from=("speaker",)),
        attribute: told,
        "e": speech.by_gender(person, "e", ""),
    }
    sentence = speech.statement(template(wording, slots), attribute, person, "speaker", name=value, denied=denied)
    true = _Truth(speech, attribute, person, value, denied)
    return Sequenced([sentence, speech.hidden(f"true {ordinal}", true)])


class _Truth:
    """Whether the statement just made is true."""

    def __init__(self, speech: Speech, attribute: str, person: str, value: str, denied: bool) -> None:
        self.speech = speech
        self.attribute = attribute
        self.person = person
        self.value = value
        self.denied = denied

    def __call__(self, scope: Scope) -> bool:
        person = self.speech.facts.people[int(scope[self.person])]
        return (scope[self.value] == getattr(person, self.attribute)) != self.denied


def _verdict(speech: Speech, ordinal: int) -> Node:
    wording, true, false = VERDICTS[speech.language]
    names = Names({True: true, False: false})
    verdict = Told(
        "truth",
        lambda scope: f"person.{scope['speaker']}",
        lambda scope: scope[f"true {ordinal}"],
        lambda scope: names,
        lambda value: f"truth.{'true' if value else 'false'}",
        name=f"verdict {ordinal}",
    )
    said = Sequenced([Text(" "), template(wording, {"verdict": verdict})])
    return one_of([Text(""), said])
