"""How long a search by text takes over 100,000 explanations, and how long its index takes to make.

Explanations, labels, tokens and examples are made up of 30,000 words drawn by Zipf's law, as real text has them: the
commonest word stands in most explanations, so the slowest queries are among those measured. Queries are one word, two
words, and the beginning of a word, each drawn by the same law. One reader at a time; on a busy machine the processor
time tells more than the clock.

    .venv/bin/python benchmarks/search.py [--json]
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
from report import Line, arguments, note, show

from tymbal import artifact
from tymbal.atlas import Atlas
from tymbal.atlas.pages import FeatureText
from tymbal.serve.explained import Explained
from tymbal.serve.text_search import TextSearch

FEATURES, QUERIES = 100_000, 300
GOAL = 100.0
"""milliseconds, 95th percentile"""
_WORDS = 30_000
_LENGTHS = {"explanation": 14, "label": 3, "tokens": 5, "examples": 150}


class MadeUp:
    """The texts of an atlas that there is not, drawn beforehand, so that nothing but the search is measured."""

    def __init__(self, folder: Path, words: np.ndarray, shares: np.ndarray) -> None:
        self.folder = folder
        artifact.write_json(folder / artifact.MANIFEST, {})
        drawn = {
            name: np.random.default_rng(seed).choice(words, (FEATURES, length), p=shares)
            for seed, (name, length) in enumerate(_LENGTHS.items(), 10)
            if name != "explanation"
        }
        self._rows = [
            FeatureText(feature, " · ".join(label), list(tokens), None, None, " ".join(examples))
            for feature, (label, tokens, examples) in enumerate(zip(*drawn.values(), strict=True))
        ]

    def texts(self) -> Iterator[FeatureText]:
        """One row a feature."""
        return iter(self._rows)


def explanations(words: np.ndarray, shares: np.ndarray) -> dict[int, Explained]:
    """Made-up explanations, one a feature."""
    drawn = np.random.default_rng(2).choice(words, (FEATURES, _LENGTHS["explanation"]), p=shares)
    return {feature: Explained(" ".join(row), {}) for feature, row in enumerate(drawn)}


def queries(words: np.ndarray, shares: np.ndarray) -> Iterator[str]:
    """One word, two words, or the beginning of one."""
    generator = np.random.default_rng(3)
    for number in range(QUERIES):
        one, two = generator.choice(words, 2, p=shares)
        yield (one, f"{one} {two}", one[: max(2, len(one) // 2)])[number % 3]


def main() -> None:
    """Make the index, search it, print the table."""
    options = arguments(__doc__)
    generator = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = np.array(
        ["".join(generator.choice(letters, generator.integers(2, 11))) for _ in range(_WORDS)], dtype=object
    )
    shares = 1 / np.arange(1, _WORDS + 1)
    shares /= shares.sum()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        atlas: Any = MadeUp(folder, words, shares)
        search = TextSearch(folder / "search.sqlite", cast(Atlas, atlas), explanations(words, shares))
        start = time.perf_counter()
        search.find("a")
        making = time.perf_counter() - start
        note(f"index of {FEATURES:,} features: {(folder / 'search.sqlite').stat().st_size / 1e6:.0f} MB")
        took = []
        for query in queries(words, shares):
            start = time.perf_counter(), time.process_time()
            search.find(query)
            search.count(query)
            took.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    median, high, worst = 1000 * np.percentile(took, [50, 95, 100], axis=0)
    name = "search of 100,000 explanations"
    lines = [
        Line(name=f"{name}: 95th percentile", system="tymbal", value=float(high[0]), unit="ms", goal=GOAL),
        Line(name=f"{name}: median", system="tymbal", value=float(median[0]), unit="ms"),
        Line(name=f"{name}: 95th percentile", system="tymbal", value=float(high[1]), unit="ms of processor"),
        Line(name=f"{name}: slowest of {QUERIES}", system="tymbal", value=float(worst[1]), unit="ms of processor"),
        Line(name=f"{name}: making the index", system="tymbal", value=making, unit="s"),
    ]
    show(lines, as_json=options.json)


if __name__ == "__main__":
    main()
