"""Text from a corpus, made safe to look at: a reader sees every character, and none of them acts on the page.

1. `visible` replaces characters that would act (control, bidirectional, invisible, lone surrogates) by signs.
2. `clipped` cuts a token that is too long for a page, and says how long it was.
3. `tinted` joins the tokens of a passage and marks those where a feature fires, darker where it fires more.

Markup is escaped here with markupsafe; templates escape everything else (autoescape is on everywhere). Isolation of
right-to-left text is left to the page (`<bdi>`, or `unicode-bidi: isolate` in app.css).
Source for the characters that act: Unicode Standard Annex 9, section 2 (directional formatting), and UTS 39.
"""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

LONGEST_TOKEN = 160
LEAST_F1 = 0.2
"""a feature is not said to tell a concept below this F1: the best of many concepts is always some concept"""
SHADES = 20
Number = int | float
_SIGNS = {"\n": "⏎", "\t": "⇥", "\r": "⟨CR⟩", "\x00": "⟨NUL⟩", "\x1b": "⟨ESC⟩", "\x7f": "⟨DEL⟩", "\ufeff": "⟨BOM⟩"}
_MADE_OF_TOKENS = "▸ "
_NO_EXAMPLES = "—"
_CLOSING = set(".,;:!?)]}’”%")
_OPENING = set("([{‘“")
_TURNS = {"R": 1, "AL": 1, "L": -1}
_JOINERS = "\u200c\u200d"  # needed inside emoji and Indic words
_ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def visible(text: str) -> str:
    """The text with each acting character replaced by a sign: `⏎` for a newline, `⟨202E⟩` for an override."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _sign(character) for character in text)


def _sign(character: str) -> str:
    if character in _SIGNS:
        return _SIGNS[character]
    code = ord(character)
    noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    if noncharacter or (unicodedata.category(character) in _ACTING and character not in _JOINERS):
        return f"⟨{code:02X}⟩"
    return character


def editable(text: str) -> str:
    """Text for a field that a reader goes on writing in: lines and tabs as they are, other acting characters as signs.

    A field that shows a sign sends the sign back; so what acts is lost there, and seen to be lost.
    """
    return "".join(character if character in "\n\t" else visible(character) for character in text)


def clipped(text: str, most: int = LONGEST_TOKEN) -> str:
    """The visible text, cut after `most` characters with a note of how many there are."""
    if len(text) <= most:
        return visible(text)
    return f"{visible(text[:most])}… ({len(text):,} characters)"


def spelled(token: str) -> str:
    """A token standing alone, with its outer spaces made visible: ` cat` as `␣cat`."""
    if not token:
        return "∅"
    body = token.strip(" ")
    if not body:
        return "␣" * min(len(token), LONGEST_TOKEN)
    lead = len(token) - len(token.lstrip(" "))
    tail = len(token) - len(token.rstrip(" "))
    return "␣" * min(lead, 8) + clipped(body) + "␣" * min(tail, 8)


@dataclass(frozen=True)
class Joiner:
    """How a model's tokens become running text."""

    wordpiece: bool
    """tokens carry no spaces; a token that continues a word begins with `##`"""

    @classmethod
    def told_from(cls, tokens: Iterable[str]) -> "Joiner":
        """WordPiece where some token begins with `##` and none begins with a space."""
        continued = False
        for token in tokens:
            if token.startswith(" "):
                return cls(wordpiece=False)
            continued = continued or token.startswith("##")
        return cls(wordpiece=continued)

    def joined(self, tokens: Sequence[str]) -> list[str]:
        """Each token as it stands in the text, with the space before it where one belongs."""
        if not self.wordpiece:
            return list(tokens)
        return [_after(before, token) for before, token in zip(["", *tokens], tokens, strict=False)]


def _after(before: str, token: str) -> str:
    if token.startswith("##") and len(token) > 2:
        return token[2:]
    glued = not before or token in _CLOSING or before in _OPENING
    return token if glued else f" {token}"


def shade(activation: float, strongest: float) -> int:
    """How dark to tint: 0 where the feature is silent, else 1 to `SHADES`, linear in activation over `strongest`."""
    if not (activation > 0 and strongest > 0):
        return 0
    return max(1, min(SHADES, round(SHADES * activation / strongest)))


def tinted(tokens: Sequence[str], activations: Sequence[float], *, strongest: float, peak: int | None = None) -> Markup:
    """A passage as markup: silent tokens as plain text, firing ones as `<mark class="a7" data-v="1.25">`.

    `strongest` is the activation shown darkest (units of the dictionary's codes); `peak` the index of the token to be
    underlined. Tokens are joined as they are: a leading space is part of its token.
    """
    parts = []
    for index, (token, activation) in enumerate(zip(tokens, activations, strict=True)):
        level = shade(activation, strongest)
        if not level:
            parts.append(escape(clipped(token)))
            continue
        space, word = (" ", token[1:]) if token.startswith(" ") and len(token) > 1 else ("", token)
        underline = " peak" if index == peak else ""
        parts.append(
            f'{space}<mark class="a{level}{underline}" data-v="{numeral(activation)}">{escape(clipped(word))}</mark>'
        )
    return Markup("".join(parts))


def direction(tokens: Iterable[str]) -> str:
    """The direction a passage is read in: `rtl` where most letters are Hebrew, Arabic or the like, else `ltr`.

    The first letter alone, which a browser would go by, lets one foreign word turn a whole passage around.
    """
    balance = 0
    for token in tokens:
        some = token[:LONGEST_TOKEN]
        if token.isascii():
            balance -= sum(map(str.isalpha, some))
        else:
            balance += sum(_TURNS.get(unicodedata.bidirectional(character), 0) for character in some)
    return "rtl" if balance > 0 else "ltr"


def numeral(value: Number | None, decimals: int = 2) -> str:
    """A number for a column: so many decimals from 0.1 to 1,000, none above, as many significant digits below.

    `–` stands for none or NaN; a true minus sign is used.
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1000:
        text = f"{value:,.0f}"
    elif size >= 0.1 or not decimals:
        text = f"{value:.{decimals}f}"
    elif size >= 1e-6:
        text = f"{value:.{decimals - 1 - math.floor(math.log10(size))}f}"
    else:
        text = f"{value:.{decimals - 1}e}"
    return text.replace("-", "−")


def percent(share: Number | None, decimals: int = 2) -> str:
    """A share between 0 and 1 as `0.42 %`."""
    return "–" if share is None or math.isnan(share) else f"{numeral(100 * share, decimals)} %"


def tick(value: Number) -> str:
    """A number under an axis: three significant digits, no idle zeros."""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace("-", "−")


def one_in(share: Number) -> str:
    """A share in everyday words: `1 token in 238`, `never`."""
    if not share > 0:
        return "never"
    if share >= 0.75:
        return "nearly every token"
    return f"1 token in {1 / share:,.0f}" if share < 0.1 else f"1 token in {1 / share:.1f}"


def told_concept(concept: str | None, f1: float | None) -> str:
    """The annotated concept that a feature tells; empty where it tells none."""
    return concept if concept and (f1 or 0) >= LEAST_F1 else ""


def titled(label: str, most: int = LONGEST_TOKEN) -> str:
    """A feature's label without the mark that the atlas sets before one made of tokens; empty where it has none."""
    plain = label.removeprefix(_MADE_OF_TOKENS).strip()
    if plain == _NO_EXAMPLES:
        return ""
    return visible(plain) if len(plain) <= most else f"{visible(plain[: most - 1])}…"
