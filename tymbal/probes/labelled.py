"""Labelled texts: what to read, where in the text, what it says, and what it must not be split from.

A CSV (with a header) or JSONL file has a text in each row and, under names that can be given,

    label               a class; or one or several numbers
    start, end          optional: the span to read, in characters of the text (JSONL may say `span: [start, end]`)
    group               optional: the entity or document the row is about; without it each different text is its own
    dataset             optional: which data set the row belongs to, for the transfer matrix
"""

import csv
import json
import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from tymbal.errors import ProbeError, listed
from tymbal.probes.targets import Classes, Numbers, Target


@dataclass(frozen=True, kw_only=True)
class LabelConfig:
    """How labels lie in a file."""

    text: str = "text"
    """column of the text"""
    label: tuple[str, ...] = ("label",)
    """column of the label; several columns of numbers are read together"""
    numbers: bool = False
    """labels are numbers to be predicted; without it they are classes"""
    group: str = "group"
    """column of the entity or document, which is never split; where there is none, each text is a group"""
    dataset: str = "dataset"
    """column of the data set, for the transfer matrix"""


class Example(NamedTuple):
    """One labelled span; `label` is a class or numbers."""

    text: str
    start: int
    end: int
    label: str | tuple[float, ...]
    group: str
    dataset: str


@dataclass(frozen=True, kw_only=True)
class LabelledTexts:
    """Examples of one concept."""

    name: str
    """What the labels are about."""
    examples: tuple[Example, ...]
    outputs: tuple[str, ...] = ()
    """Names of the numbers; empty for classes."""

    def target(self) -> Target:
        """The labels of all examples. Raises `ProbeError` for fewer than two classes and numbers without spread."""
        labels = [example.label for example in self.examples]
        if self.outputs:
            target: Target = Numbers(torch.tensor(labels, dtype=torch.float64), self.outputs)
        else:
            names = sorted({str(label) for label in labels})
            place = {name: number for number, name in enumerate(names)}
            target = Classes(torch.tensor([place[str(label)] for label in labels], dtype=torch.long), tuple(names))
        target.require_all(f"among the labels of {self.name}")
        return target

    def sampled(self, count: int | None, seed: int) -> "LabelledTexts":
        """At most `count` examples, drawn by the seed, in their order."""
        if count is None or count >= len(self.examples):
            return self
        kept = sorted(random.Random(seed).sample(range(len(self.examples)), count))
        return LabelledTexts(
            name=self.name, examples=tuple(self.examples[place] for place in kept), outputs=self.outputs
        )


def read_labels(path: Path | str, config: LabelConfig | None = None) -> LabelledTexts:
    """The labelled texts of a CSV or JSONL file.

    Raises `ProbeError`, with the line, for a missing column, a label that is empty or no number, a span outside the
    text.
    """
    config, path = config or LabelConfig(), Path(path)
    examples = tuple(_example(row, where, config) for row, where in _rows(path))
    if not examples:
        raise ProbeError(expected=f"labelled texts in {path}", got="none", do="name another file")
    outputs = config.label if config.numbers else ()
    name = f"{path.stem} {' '.join(config.label)}" if config.label != ("label",) else path.stem
    return LabelledTexts(name=name, examples=examples, outputs=outputs)


def _rows(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    readers = {".csv": _csv_rows, ".jsonl": _jsonl_rows}
    if path.suffix.lower() not in readers:
        raise ProbeError(expected=f"a file ending in {listed(readers)}", got=str(path), do="convert or rename it")
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            yield from readers[path.suffix.lower()](file, path)
    except OSError as error:
        raise ProbeError(
            expected=f"to read {path}", got=error.strerror or str(error), do="check the file's name"
        ) from error
    except UnicodeDecodeError as error:
        raise ProbeError(expected=f"UTF-8 text in {path}", got=str(error), do="convert the file to UTF-8") from error


def _csv_rows(file: Iterable[str], path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    reader = csv.DictReader(file)
    for row in reader:
        yield {key: value for key, value in row.items() if value is not None}, f"{path}, line {reader.line_num}"


def _jsonl_rows(file: Iterable[str], path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ProbeError(
                expected=f"a JSON object in {where}", got=f"text that is not JSON ({error.msg})", do="mend the line"
            ) from error
        if not isinstance(row, dict):
            raise ProbeError(expected=f"a JSON object in {where}", got=type(row).__name__, do="mend the line")
        yield row, where


def _example(row: dict[str, Any], where: str, config: LabelConfig) -> Example:
    text = str(_field(row, config.text, where, "--text"))
    label = _numbers(row, where, config) if config.numbers else _class(row, where, config)
    start, end = _span(row, text, where)
    group, dataset = (row.get(name) for name in (config.group, config.dataset))
    return Example(text, start, end, label, text if group in (None, "") else str(group), str(dataset or ""))


def _field(row: dict[str, Any], name: str, where: str, option: str) -> Any:
    if name not in row:
        known = listed(str(key) for key in row)
        raise ProbeError(expected=f"a column {name!r} in {where}", got=f"columns {known}", do=f"name one by {option}")
    return row[name]


def _class(row: dict[str, Any], where: str, config: LabelConfig) -> str:
    if len(config.label) != 1:
        raise ProbeError(
            expected="one column of classes", got=listed(config.label), do="name one, or say --numbers for numbers"
        )
    label = _field(row, config.label[0], where, "--label")
    if label is None or str(label).strip() == "" or (isinstance(label, float) and math.isnan(label)):
        raise ProbeError(expected=f"a label in {where}", got=repr(label), do="mend the row or leave it out")
    return str(label)


def _numbers(row: dict[str, Any], where: str, config: LabelConfig) -> tuple[float, ...]:
    found = []
    for name in config.label:
        value = _field(row, name, where, "--label")
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise ProbeError(
                expected=f"a finite number in column {name!r} of {where}", got=repr(value), do="mend or leave it out"
            )
        found.append(number)
    return tuple(found)


def _span(row: dict[str, Any], text: str, where: str) -> tuple[int, int]:
    given: Any = row["span"] if row.get("span") is not None else (row.get("start"), row.get("end"))
    if all(bound in (None, "") for bound in given):
        return 0, len(text)
    try:
        start, end = (int(bound) for bound in given)
    except (TypeError, ValueError) as error:
        raise ProbeError(
            expected=f"a span of two characters' places in {where}", got=repr(given), do="mend the row"
        ) from error
    if not 0 <= start < end <= len(text):
        raise ProbeError(
            expected=f"a span within the {len(text)} characters of {where}",
            got=f"{start} to {end}",
            do="mend the span (it counts characters, not bytes)",
        )
    return start, end
