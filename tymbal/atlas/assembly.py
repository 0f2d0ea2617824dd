"""From stored codes to tables: the parts of an index in the order in which they are made.

All of it reads the codes from disk, a shard or a block of features at a time; no activation is read again.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Float, Int64
from numpy import ndarray
from torch import Tensor

from tymbal.atlas.config import ROLES, Progress
from tymbal.atlas.examples import TOP, ExampleFinder, Places
from tymbal.atlas.labels import MARK, SEPARATOR, Label, Window, has_pieces, label_of
from tymbal.atlas.neighbours import Nearest
from tymbal.atlas.tables import EXAMPLES_SCHEMA, NEIGHBOURS_SCHEMA
from tymbal.atlas.windows import WindowReader, Windows

_BLOCK = 512
"""features whose examples are held at once"""
_OUTPUT_VALUES = 1 << 25
_FRAGMENT = "�"
"""how part of a character reads"""
_SEARCHED = 4
"""examples of the role `show` whose text is searched"""


class TextSource(NamedTuple):
    """How tokens read, and what directions do to the output."""

    token_text: Callable[[Sequence[int]], list[str]]
    """each token by itself"""
    running_text: Callable[[Sequence[int]], list[str]]
    """each token after those before it: a character of several tokens stands at the first of them"""
    output_directions: Callable[[Tensor], Tensor] | None = None
    """from directions to what one unit of each adds to each token's logit; None for a model without a head"""


class Described(NamedTuple):
    """What a feature's examples say of it."""

    label: Label
    text: str
    """of a few examples, for search"""


class OutputTokens(NamedTuple):
    """Promoted and suppressed output tokens of each feature, strongest first."""

    promoted: list[list[str]]
    promoted_weights: list[list[float]]
    suppressed: list[list[str]]
    suppressed_weights: list[list[float]]


class ExampleTables:
    """Makes the table of examples a block of features at a time, and describes each feature on the way."""

    def __init__(
        self, finder: ExampleFinder, reader: WindowReader, text: TextSource, progress: Progress | None
    ) -> None:
        self.described: list[Described] = []
        self.examples = 0
        self._finder, self._reader, self._text, self._progress = finder, reader, text, progress
        self._spelled: dict[int, str] = {}

    def blocks(self, first: int, last: int) -> Iterator[pa.Table]:
        """Examples of a range of features, sorted by feature, role, top before sampled, strongest first, rank."""
        for begin in range(first, last, _BLOCK):
            end = min(begin + _BLOCK, last)
            places = self._finder.chosen(begin, end, self._reader.passage_of)
            windows = self._reader.windows(places)
            spelled = self._spell(windows)
            self._describe(begin, end, places, windows, spelled)
            self.examples += len(places.row)
            yield _example_table(places, windows, spelled)
            if self._progress is not None:
                self._progress(end, self._finder.features, "features")

    def _spell(self, windows: Windows) -> ndarray:
        """Each window's tokens as text; those that share a character are read together."""
        ids, inverse = np.unique(windows.tokens, return_inverse=True)
        unknown = [int(token) for token in ids if int(token) not in self._spelled]
        self._spelled.update(zip(unknown, self._text.token_text(unknown), strict=True))
        alone = np.array([self._spelled[int(token)] for token in ids], dtype=object)
        spelled = alone[inverse]
        broken = np.array([_FRAGMENT in text for text in alone], dtype=bool)[inverse]
        for begin, end in _runs(broken, windows.starts):
            spelled[begin:end] = self._text.running_text(windows.tokens[begin:end].tolist())
        return spelled

    def _describe(self, begin: int, end: int, places: Places, windows: Windows, spelled: ndarray) -> None:
        pieces = has_pieces(list(self._spelled.values()))
        bounds = np.searchsorted(places.feature, np.arange(begin, end + 1))
        for first, last in pairwise(bounds.tolist()):
            top = np.flatnonzero(places.interval[first:last] == TOP) + first
            by_role = {name: top[places.role[top] == role] for role, name in enumerate(ROLES)}
            labelling = by_role["explain"] if len(by_role["explain"]) else by_role["show"]
            starts, peaks = windows.starts, windows.peak
            heads = [Window(list(spelled[starts[one] : starts[one + 1]]), int(peaks[one])) for one in labelling]
            shown = by_role["show"] if len(by_role["show"]) else by_role["explain"]
            texts = ["".join(spelled[starts[one] : starts[one + 1]]) for one in shown[:_SEARCHED]]
            self.described.append(Described(label_of(heads, pieces=pieces), "\n".join(texts)))


def _runs(marked: ndarray, starts: Int64[ndarray, " example_and_end"]) -> Iterator[tuple[int, int]]:
    """Begin and end of each run of marked tokens, none of which goes on from one window into the next."""
    begins = marked & ~np.concatenate([[False], marked[:-1]])
    ends = marked & ~np.concatenate([marked[1:], [False]])
    first, last = starts[:-1][np.diff(starts) > 0], starts[1:][np.diff(starts) > 0] - 1
    begins[first] |= marked[first]
    ends[last] |= marked[last]
    yield from zip(np.flatnonzero(begins).tolist(), (np.flatnonzero(ends) + 1).tolist(), strict=True)


def neighbour_table(cosine: Nearest, coactivation: Nearest, begin: int, end: int) -> pa.Table:
    """Neighbours of a range of features, sorted by feature, kind and rank."""
    columns: list[tuple[ndarray, ...]] = []
    for kind, nearest in enumerate((coactivation, cosine)):
        neighbour, value = nearest.neighbour[begin:end], nearest.value[begin:end]
        feature, rank = np.nonzero(neighbour >= 0)
        columns.append(
            (feature + begin, np.full(len(rank), kind), rank, neighbour[feature, rank], value[feature, rank])
        )
    feature, kind, rank, neighbour, value = (np.concatenate(column) for column in zip(*columns, strict=True))
    order = np.lexsort((rank, kind, feature))
    names = np.array(["coactivation", "cosine"], dtype=object)[kind[order]]
    return _table((feature[order], names, rank[order], neighbour[order], value[order]), NEIGHBOURS_SCHEMA)


def output_tokens(directions: Float[Tensor, "feature width"], text: TextSource, count: int) -> OutputTokens | None:
    """Tokens whose logits each feature raises and lowers most; None for a model without a head."""
    if text.output_directions is None:
        return None
    found = OutputTokens([], [], [], [])
    begin = step = 0
    while begin < len(directions):
        effects = text.output_directions(directions[begin : begin + max(step, 1)]).float().cpu()
        for sign, tokens, weights in (
            (1, found.promoted, found.promoted_weights),
            (-1, found.suppressed, found.suppressed_weights),
        ):
            best = torch.topk(sign * effects, min(count, effects.shape[1]), dim=1)
            spelled = text.token_text(best.indices.flatten().tolist())
            width = best.indices.shape[1]
            tokens += [spelled[row * width : (row + 1) * width] for row in range(len(best.indices))]
            weights += (sign * best.values).tolist()
        begin += max(step, 1)
        step = max(1, _OUTPUT_VALUES // effects.shape[1])
    return found


def density_histogram(density: Float[ndarray, " feature"]) -> dict[str, Any]:
    """Living features by the decimal logarithm of their density, in quarters from -7 to 0."""
    edges = np.arange(-28, 1) / 4
    logarithms = np.clip(np.log10(density[density > 0]), edges[0], edges[-1])
    return {"log10_edges": edges.tolist(), "features": np.histogram(logarithms, edges)[0].tolist()}


def _example_table(places: Places, windows: Windows, spelled: ndarray) -> pa.Table:
    offsets = pa.array(windows.starts.astype(np.int32))
    sampled = places.interval != TOP
    arrays = (
        places.feature,
        np.array(ROLES, dtype=object)[places.role],
        np.where(sampled, "quantile", "top").astype(object),
        pa.array(places.interval.astype(np.int8), mask=~sampled),
        places.rank,
        windows.passage,
        windows.position,
        windows.peak,
        pa.ListArray.from_arrays(offsets, pa.array(spelled, pa.string())),
        pa.ListArray.from_arrays(offsets, pa.array(windows.activations)),
    )
    return _table(arrays, EXAMPLES_SCHEMA)


def _table(arrays: Sequence[ndarray | pa.Array], schema: pa.Schema) -> pa.Table:
    columns = [
        pa.array(array, field.type) if isinstance(array, ndarray) else array.cast(field.type)
        for array, field in zip(arrays, schema, strict=True)
    ]
    return pa.table(columns, schema=schema)


def cluster_labels(labels: Sequence[str], clusters: Int64[ndarray, " feature"]) -> list[str]:
    """For each cluster the two words that set its features' labels apart from the others.

    A word in n of a cluster's labels scores n times the logarithm of how much more frequent it is there than at large.
    Punctuation names a cluster only where nothing else can.
    """
    words = [dict.fromkeys(label.removeprefix(f"{MARK} ").split(SEPARATOR)) for label in labels]
    at_large = Counter(word for own in words for word in own)
    found = []
    for number, size in enumerate(cluster_sizes(clusters)):
        inside = Counter(word for place in np.flatnonzero(clusters == number) for word in words[place])
        score = {word: n * np.log(n * len(labels) / (size * at_large[word])) for word, n in inside.items()}
        found.append(SEPARATOR.join(sorted(score, key=lambda word: (_wordless(word), -score[word], word))[:2]))
    return found


def _wordless(word: str) -> bool:
    return not any(character.isalnum() for character in word)


def cluster_sizes(clusters: Int64[ndarray, " feature"]) -> list[int]:
    """Features of each cluster."""
    return np.bincount(clusters[clusters >= 0]).tolist()
