"""Concepts given by contrast: texts that have the concept beside texts like them that lack it.

A file holds one concept a line (`.jsonl`) or a list of them (`.json`):

    {"concept": "refusal", "sentence": "An assistant refuses what it is asked.", "with": [TEXT, ...], "without": [...]}

TEXT is a text, or `{"text": ..., "start": ..., "end": ..., "group": ...}`: the span to be read and made likelier, in
characters, and the entity or document that must not lie on both sides of a split. Without these the whole text is
the span and each text is its own group.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tymbal import artifact
from tymbal.errors import ArtifactError
from tymbal.probes import Example, LabelledTexts

LEAST_TEXTS = 8
"""on each side: half of them choose, half judge"""
WITH, WITHOUT = "with", "without"
REPAIR = 'write {"concept": NAME, "sentence": WORDS, "with": [TEXT, ...], "without": [TEXT, ...]}'


@dataclass(frozen=True, kw_only=True)
class ContrastConcept:
    """One concept, by texts with it and texts without it."""

    name: str
    sentence: str
    """what it is, for a reader who knows nothing of models"""
    having: tuple[Example, ...]
    lacking: tuple[Example, ...]

    @property
    def texts(self) -> LabelledTexts:
        """All texts under the labels `with` and `without`."""
        return LabelledTexts(name=self.name, examples=(*self.having, *self.lacking))

    def as_json(self) -> dict[str, Any]:
        """A line of a file of concepts."""
        sides = {WITH: self.having, WITHOUT: self.lacking}
        return {
            "concept": self.name,
            "sentence": self.sentence,
            **{
                side: [{key: getattr(one, key) for key in ("text", "start", "end", "group")} for one in examples]
                for side, examples in sides.items()
            },
        }


def read_concepts(path: Path | str) -> list[ContrastConcept]:
    """The concepts of a file; raises `ArtifactError`, with the line, for what cannot be read or is too little."""
    path = Path(path)
    if path.suffix not in (".json", ".jsonl"):
        raise ArtifactError(expected="a file ending in .json or .jsonl", got=str(path), do="convert or rename it")
    if path.suffix == ".json":
        listed = artifact.read_json(path, repair=REPAIR)
        rows = list(enumerate(listed if isinstance(listed, list) else [listed], start=1))
    else:
        rows = _lines(path)
    found = [_concept(row, f"{path}, concept {number}") for number, row in rows]
    if not found:
        raise ArtifactError(expected=f"concepts in {path}", got="none", do=REPAIR)
    names = [concept.name for concept in found]
    for name in names:
        if names.count(name) > 1:
            raise ArtifactError(expected=f"different concepts in {path}", got=f"{name!r} twice", do="rename one")
    return found


def _lines(path: Path) -> list[tuple[int, Any]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        return [(number, json.loads(line)) for number, line in enumerate(lines, start=1) if line.strip()]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ArtifactError(expected=f"a JSON object in each line of {path}", got=str(error), do=REPAIR) from error


def _concept(row: Any, where: str) -> ContrastConcept:
    if not isinstance(row, Mapping) or not all(isinstance(row.get(key), str) for key in ("concept", "sentence")):
        raise ArtifactError(expected=f"a concept and a sentence in {where}", got=repr(row)[:80], do=REPAIR)
    for key in ("concept", "sentence"):
        _require_text(row[key], where)
    sides = [_examples(row.get(side), side, where) for side in (WITH, WITHOUT)]
    return ContrastConcept(name=row["concept"], sentence=row["sentence"], having=sides[0], lacking=sides[1])


def _examples(texts: Any, side: str, where: str) -> tuple[Example, ...]:
    if not isinstance(texts, Sequence) or isinstance(texts, str) or len(texts) < LEAST_TEXTS:
        got = f"{len(texts)}" if isinstance(texts, Sequence) and not isinstance(texts, str) else "none"
        raise ArtifactError(expected=f"at least {LEAST_TEXTS} texts {side} the concept in {where}", got=got, do=REPAIR)
    return tuple(_example(text, side, where) for text in texts)


def _require_text(text: str, where: str) -> None:
    """Raise `ArtifactError` for half a surrogate pair, which no tokenizer reads and no file of text holds."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ArtifactError(
            expected=f"text in {where}", got=f"half a character at {error.start}", do="write it whole, as UTF-8"
        ) from error


def _example(given: Any, side: str, where: str) -> Example:
    row: Mapping[str, Any] = given if isinstance(given, Mapping) else {"text": given}
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ArtifactError(expected=f"a text {side} the concept in {where}", got=repr(given)[:80], do=REPAIR)
    _require_text(text, where)
    start, end = row.get("start", 0), row.get("end", len(text))
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)):
        raise ArtifactError(
            expected=f"a span within the {len(text)} characters of a text in {where}",
            got=f"{start} to {end}",
            do="mend the span (it counts characters, not bytes)",
        )
    group = str(row.get("group", text))
    _require_text(group, where)
    return Example(text, start, end, side, group, "")
