"""Annotated concepts in words: `form.biography` is a biography, `animal.horse` a word for “horse”.

Concepts are named `kind.name`, or `kind.*` for any of a kind; a name may have a number before it (`town.7 Bomagor`).
Kinds that have no words here are quoted as they are annotated.
"""

from collections.abc import Callable
from functools import partial

ANY = "*"
_LANGUAGES = {"de": "German", "en": "English", "es": "Spanish", "fr": "French"}
_NAMED = ("person", "town", "firm", "region")
_MEANT = ("animal", "direction", "feeling", "good", "month", "profession", "season", "weather")
_COUNTED = ("number", "year", "distance", "code")
_FORMS = {"travel": "travel report"}
_STATED = {"born": "year of birth", "founded": "year of founding"}


def concept_words(concept: str) -> str:
    """What carries a concept, as a phrase that stands after “in”, “the first token of” and “right after”."""
    kind, _, name = concept.partition(".")
    say = _KINDS.get(kind)
    if say is None:
        return f"text marked any {kind}" if name == ANY else f"text marked {concept}"
    return say(_plain(name))


def _plain(name: str) -> str:
    """A name without the number before it, and without underscores."""
    number, space, rest = name.partition(" ")
    return (rest if space and number.isdigit() else name).replace("_", " ")


def _a(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def _form(name: str) -> str:
    return "text of any form" if name == ANY else _a(_FORMS.get(name, name))


def _language(name: str) -> str:
    return "text of any language" if name == ANY else f"{_LANGUAGES.get(name, name)} text"


def _tone(name: str) -> str:
    return "text of any tone" if name == ANY else f"text of {_a(name)} tone"


def _meant(kind: str, name: str) -> str:
    """Something with a word of its own in each language."""
    return f"a word for any {kind}" if name == ANY else f"a word for “{name}”"


def _named(kind: str, name: str) -> str:
    return f"the name of any {kind}" if name == ANY else f"the name {name}"


def _counted(kind: str, name: str) -> str:
    return f"any {kind}" if name == ANY else f"the {kind} {name}"


def _stated(name: str) -> str:
    return "any stated fact" if name == ANY else f"a stated {_STATED.get(name, name)}"


def _sort(noun: str, name: str) -> str:
    """A thing of which the name says what sort it is: an allowed request."""
    return f"any {noun}" if name == ANY else _a(f"{name} {noun}")


_KINDS: dict[str, Callable[[str], str]] = {
    "form": _form,
    "language": _language,
    "tone": _tone,
    "attribute": _stated,
    "refusal": lambda _: "a refusal",
    "request": partial(_sort, "request"),
    "record": partial(_sort, "record"),
    "truth": partial(_sort, "statement"),
    "speaker": partial(_sort, "speaker's words"),
    **{kind: partial(_named, kind) for kind in _NAMED},
    **{kind: partial(_meant, kind) for kind in _MEANT},
    **{kind: partial(_counted, kind) for kind in _COUNTED},
}
