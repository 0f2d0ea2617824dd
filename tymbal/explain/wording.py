"""The words for each kind of description: a noun where it names the token itself, and what it adds to another noun.

“the token “der”” and “after “in”” together are “the token “der” after “in””. Tokens are shown without the space before
them; “…” marks one that goes on in a word, and white space gets a visible sign.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tymbal.explain.concept_words import concept_words

_SIGNS = str.maketrans({"\n": "⏎", "\t": "⇥", "\r": "␍"})
_LONGEST = 40
"""characters of a value before it is cut"""
MIXED = "mixed:"
"""begins the list of tokens that have nothing in common"""
_CARDINALS = ("first", "second", "third", "fourth")


class Words(NamedTuple):
    """A description in words."""

    noun: str | None
    """stands by itself: “the token “der””; None where it says nothing of what the token is"""
    modifier: str
    """stands behind a noun: “after “in””"""


def shown(text: str) -> str:
    """Some text in quotation marks, with nothing invisible in it."""
    stripped = text.strip(" ").translate(_SIGNS) or "␣" * max(1, len(text))
    visible = "".join(sign if sign.isprintable() else "�" for sign in stripped)
    return f"“{visible if len(visible) <= _LONGEST else visible[: _LONGEST - 1] + '…'}”"


def shown_token(token: str) -> str:
    """A token; “…ed” goes on in a word."""
    return shown(f"…{token}" if token[:1].islower() else token)


def _shown_apart(values: Sequence[str]) -> list[str]:
    """Tokens; of those that differ only in the space before them one is shown."""
    return list(dict.fromkeys(shown_token(value) for value in values))


def listed(parts: Sequence[str]) -> str:
    """“a”, “b” or “c”."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"


def tokens(values: Sequence[str]) -> Words:
    """The token, or one of several: what they have in common, or that they have nothing in common."""
    parts = _shown_apart(values)
    if len(parts) == 1:
        spaced = ", with a space before it or without" if len(values) > 1 else ""
        return Words(f"the token {parts[0]}{spaced}", f"that is {parts[0]}{spaced}")
    common = _common([value.strip(" ") for value in values])
    if common is None and len(parts) > 2:
        return Words(f"{MIXED} {listed(parts)}", f"that is {listed(parts)}")
    return Words(f"{common or 'the token'} {listed(parts)}", f"that is {listed(parts)}")


def _common(values: Sequence[str]) -> str | None:
    """What tokens of one sort are called; None where they are of several."""
    if all(value.isdigit() for value in values):
        return "one of the numbers"
    if all(value and not any(sign.isalnum() or sign == "�" for sign in value) for value in values):
        return "one of the marks"
    if all(len(value) == 1 and value.isalpha() for value in values):
        return "one of the letters"
    return None


def spelled(values: Sequence[str]) -> Words:
    """The same without case."""
    parts = [shown(value) for value in values]
    return Words(f"{listed(parts)}, with a capital or without", f"that is {listed(parts)}, with a capital or without")


def words_so_far(values: Sequence[str]) -> Words:
    """A word as far as the token."""
    parts = [shown(value) for value in values]
    return Words(f"the token that completes {listed(parts)}", f"that completes {listed(parts)}")


def concepts(values: Sequence[str]) -> Words:
    """A token of a mention."""
    said = _concepts(values)
    return Words(f"{MIXED} {said}" if len(values) > 2 else said, f"in {said}")


def opens_mention(values: Sequence[str]) -> Words:
    """The first token of a mention of several."""
    return Words(f"the first token of {_concepts(values)}", f"that begins {_concepts(values)}")


def ends_mention(values: Sequence[str]) -> Words:
    """The last token of a mention of several."""
    return Words(f"the last token of {_concepts(values)}", f"that ends {_concepts(values)}")


def after_mention(values: Sequence[str]) -> Words:
    """The token right after a mention."""
    return Words(None, f"right after {_concepts(values)}")


def _concepts(values: Sequence[str]) -> str:
    return listed([concept_words(value) for value in values])


def prefixes(values: Sequence[str]) -> Words:
    """First letters of the word."""
    return Words(None, f"in a word that begins with {listed([shown(value) for value in values])}")


def suffixes(values: Sequence[str]) -> Words:
    """Last letters of the word so far."""
    return Words(None, f"whose word so far ends in {listed([shown(value) for value in values])}")


_SHAPES = {
    "capital": Words("a token that begins with a capital", "that begins with a capital"),
    "capitals": Words("a token in capitals", "in capitals"),
    "digits": Words("a number in digits", "in digits"),
    "punctuation": Words("a punctuation mark", "that is a punctuation mark"),
    "letter": Words("a single letter", "that is a single letter"),
    "accented": Words("a token with a letter beyond a to z", "with a letter beyond a to z"),
    "blank": Words("white space", "that is white space"),
    "newline": Words("the end of a line", "that ends a line"),
    "whole word": Words("a word of one token", "that is a whole word"),
    "word beginning": Words("the beginning of a word that goes on", "that begins a word and does not end it"),
    "within a word": Words("a token within a word, not its first", "within a word, not its first"),
    "word end": Words("the last token of a word of several", "that ends a word of several tokens"),
}


def shapes(values: Sequence[str]) -> Words:
    """What sort of token."""
    return _SHAPES.get(values[0], Words(None, f"of the shape {shown(values[0])}"))


def standing(values: Sequence[str]) -> Words:
    """Where in the passage, sentence or line."""
    what, _, where = values[0].partition(" ")
    if what == "passage" and where.isdigit():
        return Words(*2 * (f"the {_CARDINALS[int(where) - 1]} token of a passage",))._replace(
            modifier=f"that is the {_CARDINALS[int(where) - 1]} of a passage"
        )
    if where.startswith("first "):
        return Words(None, f"among the first {where[6:]} of a passage")
    if where.startswith("beyond "):
        return Words(None, f"beyond the first {where[7:]} of a passage")
    if where.isdigit():
        ordinal = _CARDINALS[int(where) - 1]
        return Words(f"the {ordinal} word of a {what}", f"in the {ordinal} word of a {what}")
    return Words(None, f"at {shown(values[0])}")


_OCCURRENCES = {
    "token": Words("a token seen earlier in the passage", "seen earlier in the passage"),
    "new": Words("a token not seen before in the passage", "not seen before in the passage"),
    "pair": Words(
        "a token that follows the same token as it did earlier in the passage",
        "that follows the same token as it did earlier in the passage",
    ),
    "after": Words(None, "after a token seen earlier in the passage"),
    "broken": Words(None, "after a token seen earlier in the passage, and not what followed that then"),
}


def occurrence(values: Sequence[str]) -> Words:
    """Whether seen before."""
    return _OCCURRENCES.get(values[0], Words(None, f"of the occurrence {shown(values[0])}"))


def after(values: Sequence[str]) -> Words:
    """What stands before it."""
    return Words(None, f"after {listed(_shown_apart(values))}")


def after_words(values: Sequence[str]) -> Words:
    """The words before its own."""
    return Words(None, f"in a word after {listed([shown(value) for value in values])}")


def second_last(values: Sequence[str]) -> Words:
    """What stands two before it."""
    return Words(None, f"two tokens after {listed(_shown_apart(values))}")


def before(values: Sequence[str]) -> Words:
    """What stands after it."""
    return Words(None, f"before {listed(_shown_apart(values))}")


_SPANS = {
    "quotation": Words(None, "within a quotation"),
    "code": Words(None, "on a line of code"),
}


def spans(values: Sequence[str]) -> Words:
    """Within a quotation or code."""
    return _SPANS.get(values[0], Words(None, f"within {shown(values[0])}"))


def language(values: Sequence[str]) -> Words:
    """The passage's language."""
    return Words(None, f"in {listed(values)} text")
