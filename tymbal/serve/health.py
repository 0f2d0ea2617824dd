"""The dictionary's health: findings of `evaluation.json`, with interval, baselines and sample size, in plain words.

A finding is any object with a numeric `value`, wherever it lies in the file; a finding that the table of words does
not know is shown under its own name, never dropped.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from markupsafe import Markup

from tymbal.serve import chart
from tymbal.serve.text import numeral, tick


class Words(NamedTuple):
    """What a number is called, and what it means to somebody who is no expert."""

    name: str
    meaning: str


WORDS = {
    "fvu": Words(
        "Variance it misses", "Share of the activations' variance that is lost; 0 is perfect, lower is better."
    ),
    "recovered.zero": Words(
        "Predictions kept, against nothing",
        "Share of the model's loss that its reconstruction recovers over activations set to zero; 1 is perfect.",
    ),
    "recovered.mean": Words(
        "Predictions kept, against the mean",
        "The same over activations set to their mean, which is harder; 1 is perfect.",
    ),
    "cosine": Words(
        "Embedding kept", "Cosine between a text's embedding with and without the reconstruction; 1 is perfect."
    ),
    "kl": Words(
        "Drift of predictions", "Kullback-Leibler divergence from the untouched model, in nats; lower is better."
    ),
    "loss": Words("Loss with the reconstruction", "Cross-entropy of the next token, in nats; lower is better."),
    "loss.plain": Words("Loss of the untouched model", "The least that the line above can hope for."),
    "l0": Words("Features at once", "How many features fire on a token, on average."),
    "shrinkage": Words(
        "Length of what features write", "Compared with what they should write; 1 is right, below 1 too short."
    ),
    "dead": Words("Dead features", "Features that fire on no token measured; lower is better."),
    "dense": Words("Dense features", "Features that fire on more than a tenth of the tokens measured."),
}
CONCEPT_WORDS = {
    ("by_mention", "good"): Words(
        "Concepts told well, by mention",
        "Annotated concepts with a feature of F1 0.8 or more, where firing once in a name or a text finds it.",
    ),
    ("by_mention", "fair"): Words("Concepts told fairly, by mention", "The same from an F1 of 0.5 on."),
    ("by_mention", "mean_f1"): Words("Mean F1, by mention", "Of the best feature of each concept; 1 would be perfect."),
    ("by_token", "good"): Words(
        "Concepts told well, by token", "F1 0.8 or more, where a feature must fire on every token of a name or a text."
    ),
    ("by_token", "fair"): Words("Concepts told fairly, by token", "The same from an F1 of 0.5 on."),
    ("by_token", "mean_f1"): Words("Mean F1, by token", "Of the best feature of each concept."),
}
_COUNTED = {
    "passages": "held-out passages",
    "tokens": "tokens",
    "predictions": "predictions",
    "failures": "passages that failed and were left out",
}
_COUNT = "features"
_SHARES = ("share", "cosine")
_SPREAD = re.compile(r"l0\.p(\d+)$")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One number about the dictionary."""

    words: Words
    value: float
    low: float | None
    high: float | None
    n: int | None
    """sample size, where the finding has one of its own"""
    unit: str
    baselines: dict[str, float]

    @property
    def decimals(self) -> int:
        """Decimals worth writing: none for counts of features."""
        return 0 if self.unit == _COUNT else 3 if abs(self.value) < 10 else 1

    @property
    def picture(self) -> Markup | None:
        """A share on a line from 0 to 1, beside those baselines that lie there too."""
        if not 0 <= self.value <= 1 or not self.unit.startswith(_SHARES):
            return None
        inside = {name: value for name, value in self.baselines.items() if 0 <= value <= 1}
        others = "".join(f"; {name} {numeral(value, 3)}" for name, value in inside.items())
        describe = f"{self.words.name}: {numeral(self.value, 3)} on a line from 0 to 1{others}"
        return chart.interval(self.value, self.low, self.high, list(inside.values()), describe=describe)


def findings(evaluation: Mapping[str, Any]) -> list[Finding]:
    """All findings of an evaluation, those with known words first and in their order."""
    found = dict(_walk(evaluation.get("findings", evaluation), ()))
    spread = [found.pop(name) for name in list(found) if _SPREAD.match(name)]
    if "l0" in found and spread:
        found["l0"] = replace(found["l0"], words=_with_spread(WORDS["l0"], spread))
    known = [name for name in WORDS if name in found]
    return [found[name] for name in [*known, *(name for name in found if name not in WORDS)]]


def named(findings: Mapping[str, Any]) -> list[Finding]:
    """Findings whose names are words already, in their order."""
    found = [(name, one) for name, one in findings.items() if isinstance(one, Mapping)]
    return [
        replace(_finding(name, one), words=Words(str(name), str(one.get("unit") or "")))
        for name, one in found
        if _number(one.get("value")) is not None
    ]


class Told(NamedTuple):
    """An annotated concept and the feature that tells it best, as the evaluation found."""

    concept: str
    feature: int
    f1: float
    low: float | None
    high: float | None
    random: float | None
    """F1 of a random dictionary's best feature"""
    shifted: float | None
    """F1 of the best feature where the labels are moved along the text"""


def concept_findings(evaluation: Mapping[str, Any]) -> list[Finding]:
    """How many annotated concepts have a feature; empty where the corpus is not annotated."""
    concepts = evaluation.get("concepts")
    if not isinstance(concepts, Mapping):
        return []
    found = []
    for (counted, name), words in CONCEPT_WORDS.items():
        numbers = concepts.get(counted, {}).get(name)
        own = numbers.get("dictionary") if isinstance(numbers, Mapping) else None
        if isinstance(numbers, Mapping) and isinstance(own, Mapping) and _number(own.get("value")) is not None:
            unit = "share" if name == "mean_f1" else _COUNT
            others = {key: number for key, number in numbers.items() if key != "dictionary"}
            finding = _finding(name, {**own, "unit": unit, "baselines": others})
            found.append(replace(finding, words=words))
    return found


def told_concepts(evaluation: Mapping[str, Any], most: int = 12) -> list[Told]:
    """The concepts that have the best features, by mention, best first."""
    concepts = evaluation.get("concepts")
    rows = concepts.get("by_mention", {}).get("concepts", []) if isinstance(concepts, Mapping) else []
    found = []
    for row in rows[:most]:
        f1 = row["f1"]
        found.append(
            Told(row["concept"], row["feature"], f1["value"], f1["low"], f1["high"], row["random"], row["shifted"])
        )
    return found


def _with_spread(words: Words, spread: Sequence[Finding]) -> Words:
    """The line on features at once, with its quantiles in words."""
    parts = [f"{tick(finding.value)} ({finding.words.name.split('p')[-1].lstrip('0')} %)" for finding in spread]
    return Words(words.name, f"{words.meaning} At most so many on so large a share of tokens: {', '.join(parts)}.")


def sample(evaluation: Mapping[str, Any]) -> str:
    """On how much text the findings rest, and what failed, in a sentence; empty where the file does not tell."""
    counts = {name: number for name in _COUNTED if (number := _number(evaluation.get(name))) is not None}
    if not counts:
        return ""
    return "Measured on " + ", ".join(f"{count:,.0f} {_COUNTED[name]}" for name, count in counts.items()) + "."


def _walk(value: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, Finding]]:
    for key, inside in value.items():
        if not isinstance(inside, Mapping):
            continue
        name = ".".join((*path, str(key)))
        if _number(inside.get("value")) is not None:
            yield name, _finding(name, inside)
        else:
            yield from _walk(inside, (*path, str(key)))


def _finding(name: str, record: Mapping[str, Any]) -> Finding:
    value = _number(record.get("value"))
    assert value is not None
    n = _number(record.get("n"))
    return Finding(
        words=WORDS.get(name, Words(name.replace("_", " ").replace(".", ", "), str(record.get("unit") or ""))),
        value=value,
        low=_number(record.get("low")),
        high=_number(record.get("high")),
        n=None if n is None else int(n),
        unit=str(record.get("unit") or ""),
        baselines=_baselines(record),
    )


def _baselines(record: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for key in ("baseline", "baselines"):
        given = record.get(key)
        entries = given.items() if isinstance(given, Mapping) and "value" not in given else [("baseline", given)]
        for name, value in entries:
            number = _number(value.get("value") if isinstance(value, Mapping) else value)
            if number is not None:
                found[str(name).replace("_", " ")] = number
    return found


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
