"""How long a search by text takes over 100,000 explanations, and how long its index takes to make.

Explanations, labels, tokens and examples are made up of 30,000 words drawn by Zipf's law, as real text has them: the
commonest word stands in most explanations, so the slowest queries are among those measured. Queries are one word, two
words, and the beginning of a word, each drawn by the same law. Times are wall-clock, one reader at a time.

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
    """The texts of an atlas that there is not, so that nothing but the search is measured."""

    def __init__(self, folder: Path, words: np.ndarray, shares: np.ndarray) -> None:
        self.folder, self._words, self._shares = folder, words, shares
        artifact.write_json(folder / artifact.MANIFEST, {})

    def texts(self) -> Iterator[FeatureText]:
        """One row a feature."""
        generator = np.random.default_rng(1)
        for feature in range(FEATURES):
            label, tokens, examples = (
                generator.choice(self._words, _LENGTHS[name], p=self._shares)
                for name in ("label", "tokens", "examples")
            )
            yield FeatureText(feature, " · ".join(label), list(tokens), None, None, " ".join(examples))


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
            start = time.perf_counter()
            search.find(query)
            search.count(query)
            took.append((time.perf_counter() - start) * 1000)
    median, high, worst = np.percentile(took, [50, 95, 100])
    name = "search of 100,000 explanations"
    lines = [
        Line(name=f"{name}: 95th percentile", system="tymbal", value=float(high), unit="ms", goal=GOAL),
        Line(name=f"{name}: median", system="tymbal", value=float(median), unit="ms"),
        Line(name=f"{name}: slowest of {QUERIES}", system="tymbal", value=float(worst), unit="ms"),
        Line(name=f"{name}: making the index", system="tymbal", value=making, unit="s"),
    ]
    show(lines, as_json=options.json)


if __name__ == "__main__":
    main()
