"""What an answer must look like: JSON of a fixed form, told to an endpoint as a JSON schema, to a local model as parts.

Two forms suffice. `Fields` are short texts; `Digits` are a list of single digits, one for each thing that was asked
about. Where log-probabilities of the answer's tokens are at hand, a digit becomes the expected digit: graded answers
from a judge that only writes whole numbers (the expectation is that of Bills et al. 2023, "Language models can explain
neurons in language models").
"""

import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

Alternatives = Sequence[Mapping[str, float]]
"""for tokens of an answer in turn: what might have stood there, and its log-probability in nats"""
_ONE_DIGIT = re.compile(r"\D*(\d)\D*")
_THOUGHTS = re.compile(r"<think>.*?</think>", re.DOTALL)


class Unreadable(Exception):  # noqa: N818 - an answer is unreadable; nothing of ours is in error
    """An answer that does not have the form that was asked for."""


class Choice(NamedTuple):
    """A part of an answer that is one of several texts."""

    options: tuple[str, ...]


class Free(NamedTuple):
    """A part of an answer that is free text within a JSON string."""

    most_tokens: int


Part = str | Choice | Free
"""a text that stands fixed, or a part to fill in"""


class Form(ABC):
    """The form of an answer."""

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """As a JSON schema."""

    @abstractmethod
    def parts(self) -> list[Part]:
        """As a sequence of parts, for a model whose tokens we choose ourselves."""

    @abstractmethod
    def read(self, text: str, alternatives: Alternatives | None) -> Any:
        """The answer in a text; raises `Unreadable`."""

    @abstractmethod
    def sample(self) -> str:
        """An answer of the usual length."""

    @property
    def most_tokens(self) -> int:
        """Tokens that suffice for any answer; models that think aloud first need more."""
        return 64 + 2 * len(self.sample())


@dataclass(frozen=True)
class Fields(Form):
    """Short texts by name."""

    texts: tuple[str, ...]
    choices: Mapping[str, tuple[str, ...]]
    """fields that are one of a few texts; they come first"""
    longest: int = 300
    """characters kept of a text"""

    def schema(self) -> dict[str, Any]:
        """An object of strings."""
        properties: dict[str, Any] = {name: {"type": "string", "enum": list(of)} for name, of in self.choices.items()}
        return _object(properties | {name: {"type": "string"} for name in self.texts})

    def parts(self) -> list[Part]:
        """The object, name by name."""
        filled: list[tuple[str, Part]] = [
            *((name, Choice(of)) for name, of in self.choices.items()),
            *((name, Free(60)) for name in self.texts),
        ]
        parts: list[Part] = []
        for number, (name, part) in enumerate(filled):
            parts += [("{" if not number else '", ') + f'"{name}": "', part]
        return [*parts, '"}']

    def read(self, text: str, alternatives: Alternatives | None) -> dict[str, str]:  # noqa: ARG002
        """Each field's text; raises `Unreadable` where one is missing, empty or none of its choices."""
        found = _json_object(text)
        read = {}
        for name in (*self.choices, *self.texts):
            value = found.get(name)
            if not isinstance(value, str) or not (value := cleaned(value, self.longest)):
                raise Unreadable(f"no text for {name!r}")
            if name in self.choices and value not in self.choices[name]:
                raise Unreadable(f"{name} {value[:40]!r}, which is none of those asked for")
            read[name] = value
        return read

    def sample(self) -> str:
        """Twenty words a text."""
        values = {name: of[0] for name, of in self.choices.items()}
        return json.dumps(values | {name: " ".join(["words"] * 20) for name in self.texts})


class Marks(NamedTuple):
    """Digits that were answered."""

    values: list[float]
    """expected digits where log-probabilities are known, else whole ones"""
    graded: bool
    """whether log-probabilities were known"""
    whole: list[int]
    """the digits that were written"""


@dataclass(frozen=True)
class Digits(Form):
    """So many whole numbers from `least` to `most`, at most 9."""

    count: int
    most: int = 9
    least: int = 0

    def schema(self) -> dict[str, Any]:
        """An object with one list."""
        # Bounds of numbers are refused by some servers that know schemas; enumerations by none.
        digit = {"type": "integer", "enum": list(range(self.least, self.most + 1))}
        numbers = {"type": "array", "items": digit, "minItems": self.count, "maxItems": self.count}
        return _object({"answers": numbers})

    def parts(self) -> list[Part]:
        """The list, number by number."""
        options = Choice(tuple(str(digit) for digit in range(self.least, self.most + 1)))
        parts: list[Part] = ['{"answers": [', options]
        for _ in range(self.count - 1):
            parts += [", ", options]
        return [*parts, "]}"]

    def read(self, text: str, alternatives: Alternatives | None) -> Marks:
        """The numbers; raises `Unreadable` where there are too many, too few, or others than were asked for."""
        numbers = _json_object(text).get("answers")
        if not isinstance(numbers, list) or len(numbers) != self.count:
            got = len(numbers) if isinstance(numbers, list) else "none"
            raise Unreadable(f"{got} answers instead of {self.count}")
        for number in numbers:
            # True is an int to Python, and no answer.
            if type(number) is not int or not self.least <= number <= self.most:
                what = f"which is no whole number from {self.least} to {self.most}"
                raise Unreadable(f"the answer {json.dumps(number)[:40]}, {what}")
        expected = _expected(numbers, alternatives, self.most) if alternatives else None
        values = [float(number) for number in numbers] if expected is None else expected
        return Marks(values, expected is not None, numbers)

    def sample(self) -> str:
        """All the least."""
        return json.dumps({"answers": [self.least] * self.count})


def _expected(numbers: Sequence[int], alternatives: Alternatives, most: int) -> list[float] | None:
    """Each number's expectation; None where the tokens do not tell which of them are the numbers."""
    places = [among for among in alternatives if _ONE_DIGIT.fullmatch(max(among, key=lambda text: among[text]))]
    if len(places) != len(numbers):
        return None
    expected = []
    for among in places:
        chances = [0.0] * (most + 1)
        for text, log_probability in among.items():
            found = _ONE_DIGIT.fullmatch(text)
            if found and int(found[1]) <= most:
                chances[int(found[1])] += math.exp(min(0.0, log_probability))
        if not sum(chances):
            return None
        expected.append(sum(digit * chance for digit, chance in enumerate(chances)) / sum(chances))
    return expected


def cleaned(text: str, longest: int) -> str:
    """On one line, without what cannot be seen or written; cut with “…”."""
    seen = "".join(sign if sign.isprintable() else " " for sign in text.encode("utf-8", "replace").decode("utf-8"))
    line = " ".join(seen.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _json_object(text: str) -> dict[str, Any]:
    """The JSON object in an answer, also where thoughts or a fence stand around it."""
    text = _THOUGHTS.sub("", text)
    begin, end = text.find("{"), text.rfind("}")
    if begin < 0 or end < begin:
        raise Unreadable("no JSON object" if text.strip() else "no text")
    try:
        found = json.loads(text[begin : end + 1])
    except (ValueError, RecursionError) as error:
        raise Unreadable("JSON that cannot be read") from error
    if not isinstance(found, dict):
        raise Unreadable("no JSON object")
    return found
