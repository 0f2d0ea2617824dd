"""Short programs in a toy language, with what they print; some have an annotated bug.

A program binds names to numbers, one line each, and shows one of them. Two bugs occur: a line reads a name that was
never bound (the output is an error), or a comment states a wrong value. The keywords follow the natural language.
"""

from tymbal.corpora.world.grammar import (
    Choice,
    Distribution,
    Marked,
    Names,
    Node,
    Option,
    Picked,
    Scope,
    Sequenced,
    Text,
    Told,
)
from tymbal.corpora.world.speech import Speech
from tymbal.corpora.world.templates import one_of, template

VARIABLES = ("a", "b", "c", "d", "k", "n", "x", "y")
LARGEST = 20
OPERATIONS = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}

KEYWORDS = {
    "en": {
        "let": "let",
        "show": "show",
        "out": "output",
        "error": "error: unknown name",
        "wrong": "this comment is wrong",
    },
    "de": {
        "let": "sei",
        "show": "zeige",
        "out": "Ausgabe",
        "error": "Fehler: unbekannter Name",
        "wrong": "dieser Kommentar ist falsch",
    },
    "fr": {
        "let": "soit",
        "show": "affiche",
        "out": "sortie",
        "error": "erreur : nom inconnu",
        "wrong": "ce commentaire est faux",
    },
    "es": {
        "let": "sea",
        "show": "muestra",
        "out": "salida",
        "error": "error: nombre desconocido",
        "wrong": "este comentario es falso",
    },
}

COMMENTS = {
    "en": "# [add two numbers|a small sum|a short program|first steps|an exercise]\n",
    "de": "# [zwei Zahlen|eine kleine Rechnung|ein kurzes Programm|erste Schritte|eine Übung]\n",
    "fr": "# [deux nombres|un petit calcul|un court programme|premiers pas|un exercice]\n",
    "es": "# [dos números|un pequeño cálculo|un programa corto|primeros pasos|un ejercicio]\n",
}

NOTES = {
    "en": "  # [{v} is|now {v} is|so {v} =] {value}",
    "de": "  # [{v} ist|jetzt ist {v}|also {v} =] {value}",
    "fr": "  # [{v} vaut|maintenant {v} vaut|donc {v} =] {value}",
    "es": "  # [{v} vale|ahora {v} vale|entonces {v} =] {value}",
}


def build(speech: Speech) -> Node:
    language = speech.language
    opening = one_of([Text(""), template(COMMENTS[language], {})])
    first = _literal(speech, "p", ())
    second = _literal(speech, "q", ("p",))
    third = Choice([Option(_sum(speech, operation)) for operation in OPERATIONS])
    extra = one_of([Text(""), Sequenced([_literal(speech, "s", ("p", "q", "r"))])])
    ending = Choice([Option(_shown(speech), 0.8), Option(_unknown(speech), 0.2)])
    return Sequenced([opening, first, second, third, extra, ending])


def _variable(name: str, apart_from: tuple[str, ...], concept: str | None = None) -> Node:
    """A variable not yet used, at once said."""
    values, names = Distribution.uniform(VARIABLES), Names({variable: variable for variable in VARIABLES})

    def distribution(scope: Scope) -> Distribution:
        return values.without(*(scope[other] for other in apart_from if scope.get(other) is not None))

    return Picked(name, distribution, lambda scope: names, (lambda value: concept) if concept else None)


def _literal(speech: Speech, name: str, apart_from: tuple[str, ...]) -> Node:
    slots = {
        "let": Text(KEYWORDS[speech.language]["let"]),
        "v": _variable(name, apart_from),
        "n": speech.number(f"{name} value", 1, LARGEST),
    }
    return template("{let} {v} = {n}\n", slots)


def _sum(speech: Speech, operation: str) -> Node:
    """The line that computes; its comment, if any, tells the value, or a wrong one that is annotated as a bug."""
    compute = OPERATIONS[operation]
    spoken = {
        "let": Text(KEYWORDS[speech.language]["let"]),
        "v": _variable("r", ("p", "q")),
        "p": speech.said_of(lambda scope: str(scope["p"])),
        "q": speech.said_of(lambda scope: str(scope["q"])),
    }
    line = template("{let} {v} = {p} " + operation + " {q}", spoken)
    value = speech.hidden("r value", lambda scope: compute(int(scope["p value"]), int(scope["q value"])))
    note = _note(speech, wrong=False)
    bug = Marked("bug.comment", _note(speech, wrong=True))
    comment = Choice([Option(Text(""), 0.5), Option(note, 0.4), Option(bug, 0.1)])
    return Sequenced([line, value, comment, Text("\n")])


def _note(speech: Speech, *, wrong: bool) -> Node:
    """A comment that gives the value; a wrong one is off by one to nine and admits it at its end."""

    def beside(scope: Scope) -> Distribution:
        right = int(scope["r value"])
        return Distribution.uniform(right + off for off in range(-9, 10) if off)

    value = Picked("noted", beside, lambda scope: _RESULTS, None) if wrong else _result()
    slots = {"v": speech.said_of(lambda scope: str(scope["r"])), "value": value}
    note = template(NOTES[speech.language], slots)
    return Sequenced([note, Text(f" ({KEYWORDS[speech.language]['wrong']})")]) if wrong else note


def _result() -> Node:
    return Told(
        "result",
        lambda scope: f"variable.{scope['r']}",
        lambda scope: scope["r value"],
        lambda scope: _RESULTS,
        lambda value: f"number.{value}",
    )


_RESULTS = Names({number: str(number) for number in range(-LARGEST - 10, LARGEST * LARGEST + 10)})


def _shown(speech: Speech) -> Node:
    words = KEYWORDS[speech.language]
    slots = {"r": speech.said_of(lambda scope: str(scope["r"])), "value": _result()}
    return template(f"{words['show']} {{r}}\n{words['out']}: {{value}}", slots)


def _unknown(speech: Speech) -> Node:
    """Shows a name that was never bound: the bug is the name and the error that follows."""
    words = KEYWORDS[speech.language]
    name = _variable("unknown", ("p", "q", "r", "s"), "bug.name")
    slots = {"v": name, "again": speech.said_of(lambda scope: str(scope["unknown"]))}
    return template(f"{words['show']} {{v}}\n{words['out']}: {words['error']} {{again}}", slots)
