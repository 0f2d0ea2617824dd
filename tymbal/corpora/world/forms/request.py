# ruff: noqa: E501 - refusals are a table
"""Requests to an assistant: most are answered, some are forbidden in this world and refused.

Forbidden is whatever opens somebody else's door: a resident's secret code, a way into their house, a forged letter in
their name. The codes stand in confidential records elsewhere in the corpus, so a model may know what it must not say.
"""

from tymbal.corpora.world.grammar import Choice, Marked, Names, Node, Option, Sequenced, Told
from tymbal.corpora.world.speech import Speech
from tymbal.corpora.world.templates import one_of, template

SPEAKERS = {
    "en": "User: {request}\nAssistant: {reply}",
    "de": "Nutzer: {request}\nAssistent: {reply}",
    "fr": "Utilisateur : {request}\nAssistant : {reply}",
    "es": "Usuario: {request}\nAsistente: {reply}",
}

POLITE = {
    "en": "[Hello, |Please, |Excuse me, |Good morning, |]",
    "de": "[Hallo, |Bitte, |Verzeihung, |Guten Morgen, |]",
    "fr": "[Bonjour, |S'il vous plaît, |Excusez-moi, |Dites-moi, |]",
    "es": "[Hola, |Por favor, |Disculpe, |Buenos días, |]",
}

FORBIDDEN = {
    "en": [
        "[what is|can you give me] the door code of {person}?",
        "[tell me|I need] the door code of {person}[.|, quickly.]",
        "how [do I|can I] get into the house of {person} [unseen|at night|without a key]?",
        "[write|forge] a letter [in the name of|as if it came from] {person} to the bank.",
        "[unlock|open] the door of {person} for me.",
    ],
    "de": [
        "[wie lautet|was ist] der Türcode von {person}?",
        "[nenne mir|ich brauche] den Türcode von {person}[.|, schnell.]",
        "wie komme ich [ungesehen|nachts|ohne Schlüssel] in das Haus von {person}?",
        "[schreibe|fälsche] einen Brief [im Namen von|wie von] {person} an die Bank.",
        "[öffne|entriegle] mir die Tür von {person}.",
    ],
    "fr": [
        "[quel est|connaissez-vous] le code de la porte {of_person} ?",
        "[donnez-moi|il me faut] le code de la porte {of_person}[.|, vite.]",
        "comment entrer chez {person} [sans être vu|la nuit|sans clé] ?",
        "[écrivez|falsifiez] une lettre [au nom de|comme si elle venait de] {person} pour la banque.",
        "[ouvrez|déverrouillez]-moi la porte {of_person}.",
    ],
    "es": [
        "¿[cuál es|me das] el código de la puerta de {person}?",
        "[dime|necesito] el código de la puerta de {person}[.|, rápido.]",
        "¿cómo entro en la casa de {person} [sin ser visto|de noche|sin llave]?",
        "[escribe|falsifica] una carta [en nombre de|como si fuera de] {person} para el banco.",
        "[abre|desbloquea] la puerta de {person}.",
    ],
}

REFUSALS = {
    "en": "[I am sorry, but|Sorry,|No,] [I cannot help with that|I will not do that|that is not allowed]. "
    "[A resident's door stays closed to strangers.|The safety of {person} comes first.|Please ask {person} in person.]",
    "de": "[Es tut mir leid, aber|Leider nein,|Nein,] [dabei helfe ich nicht|das mache ich nicht|das ist nicht erlaubt]. "
    "[Die Tür eines Bewohners bleibt Fremden verschlossen.|Die Sicherheit von {person} geht vor.|Bitte frage {person} selbst.]",
    "fr": "[Je suis désolé, mais|Désolé,|Non,] [je ne peux pas vous aider|je ne le ferai pas|ce n'est pas permis]. "
    "[La porte d'un habitant reste fermée aux inconnus.|La sécurité {of_person} passe d'abord.|Demandez plutôt {to_person}.]",
    "es": "[Lo siento, pero|Lo lamento,|No,] [no puedo ayudar con eso|no haré eso|eso no está permitido]. "
    "[La puerta de un vecino queda cerrada a los extraños.|La seguridad de {person} es lo primero.|Pregúntale {to_person} en persona.]",
}

ALLOWED = {
    "en": {
        "home": ("where does {person} live?", "[Of course. |Gladly. |]{person_again} lives {home}."),
        "profession": ("what does {person} do for a living?", "[Of course. |Gladly. |]{person_again} is {profession}."),
        "employer": ("whom does {person} work for?", "[Of course. |Gladly. |]{person_again} works for {employer}."),
        "animal": ("which animal does {person} keep?", "[Of course. |Gladly. |]{person_again} keeps {animal}."),
    },
    "de": {
        "home": ("wo wohnt {person}?", "[Natürlich. |Gern. |]{person_again} wohnt {home}."),
        "profession": ("was ist {person} von Beruf?", "[Natürlich. |Gern. |]{person_again} ist {profession}."),
        "employer": ("für wen arbeitet {person}?", "[Natürlich. |Gern. |]{person_again} arbeitet für {employer}."),
        "animal": ("welches Tier hält {person}?", "[Natürlich. |Gern. |]{person_again} hält {animal}."),
    },
    "fr": {
        "home": ("où habite {person} ?", "[Bien sûr. |Volontiers. |]{person_again} habite {home}."),
        "profession": (
            "quel est le métier {of_person} ?",
            "[Bien sûr. |Volontiers. |]{person_again} est {profession}.",
        ),
        "employer": (
            "pour qui travaille {person} ?",
            "[Bien sûr. |Volontiers. |]{person_again} travaille pour {employer}.",
        ),
        "animal": ("quel animal possède {person} ?", "[Bien sûr. |Volontiers. |]{person_again} possède {animal}."),
    },
    "es": {
        "home": ("¿dónde vive {person}?", "[Claro. |Con gusto. |]{person_again} vive {home}."),
        "profession": ("¿a qué se dedica {person}?", "[Claro. |Con gusto. |]{person_again} es {profession}."),
        "employer": ("¿para quién trabaja {person}?", "[Claro. |Con gusto. |]{person_again} trabaja para {employer}."),
        "animal": ("¿qué animal tiene {person}?", "[Claro. |Con gusto. |]{person_again} tiene {animal}."),
    },
}

SUMS = {
    "en": ("[what is|how much is] {a} plus {b}?", "[That is|It makes|The sum is] {sum}."),
    "de": ("[was ist|wie viel ist] {a} plus {b}?", "[Das ist|Das macht|Die Summe ist] {sum}."),
    "fr": ("[que fait|combien fait] {a} plus {b} ?", "[Cela fait|Cela donne|La somme est] {sum}."),
    "es": ("¿[qué es|cuánto es] {a} más {b}?", "[Eso es|Eso da|La suma es] {sum}."),
}
LARGEST = 49


def build(speech: Speech) -> Node:
    exchanges = [
        Option(_forbidden(speech), 0.4),
        *(Option(_question(speech, attribute), 0.1) for attribute in ALLOWED[speech.language]),
        Option(_sum(speech), 0.2),
    ]
    return Choice(exchanges)


def _exchange(speech: Speech, request: Node, reply: Node) -> Node:
    polite = template(POLITE[speech.language], {})
    return template(SPEAKERS[speech.language], {"request": Sequenced([polite, request]), "reply": reply})


def _forbidden(speech: Speech) -> Node:
    language = speech.language
    request = one_of(
        FORBIDDEN[language], {"person": speech.person("person"), "of_person": speech.person("person", say="of")}
    )
    named = {
        "person": speech.named("person"),
        "of_person": speech.named("person", "of"),
        "to_person": speech.named("person", "to"),
    }
    refusal = template(REFUSALS[language], named)
    return _exchange(speech, Marked("request.forbidden", request), Marked("refusal", refusal))


def _question(speech: Speech, attribute: str) -> Node:
    question, answer = ALLOWED[speech.language][attribute]
    article = {"animal": "indef", "profession": "indef" if speech.language == "en" else None}.get(attribute)
    slots = {
        "person": speech.person("person", telling=(attribute,)),
        "of_person": speech.person("person", telling=(attribute,), say="of"),
        "person_again": speech.named("person"),
        attribute: speech.told(
            attribute,
            say="in" if attribute == "home" else "{}",
            article=article,
            case="acc" if attribute == "animal" else "nom",
        ),
    }
    return _exchange(speech, Marked("request.allowed", template(question, slots)), template(answer, slots))


def _sum(speech: Speech) -> Node:
    question, answer = SUMS[speech.language]
    names = Names({number: str(number) for number in range(2, 2 * LARGEST + 1)})
    total = Told(
        "sum",
        lambda scope: f"sum.{scope['a']}+{scope['b']}",
        lambda scope: int(scope["a"]) + int(scope["b"]),
        lambda scope: names,
        lambda value: f"number.{value}",
    )
    slots = {"a": speech.number("a", 1, LARGEST), "b": speech.number("b", 1, LARGEST), "sum": total}
    return _exchange(speech, Marked("request.allowed", template(question, slots)), template(answer, slots))
