"""Making an atlas.

1. `build_atlas` reads held-out passages through the model once; the dictionary's sparse codes go to disk, in shards.
2. `index_codes` does the rest from these shards: statistics, examples, neighbours, output tokens, map, labels.
3. The folder is sealed. Killed before that, it is taken up at the first missing shard and ends with the same bytes.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Float
from torch import Tensor

from tymbal import artifact
from tymbal.atlas.assembly import (
    ExampleTables,
    OutputTokens,
    TextSource,
    cluster_labels,
    cluster_sizes,
    density_histogram,
    neighbour_table,
    output_tokens,
)
from tymbal.atlas.atlas import KIND, Atlas, open_atlas
from tymbal.atlas.codes import SHARDS, CodeStore
from tymbal.atlas.coding import identity, write_codes
from tymbal.atlas.concepts import Annotate, BestConcepts, ConceptCounts
from tymbal.atlas.config import ROLES, AtlasConfig, Progress
from tymbal.atlas.examples import ExampleFinder
from tymbal.atlas.map import Layout, lay_out
from tymbal.atlas.neighbours import MINIMUM_JOINT, nearest_by_coactivation, nearest_by_cosine
from tymbal.atlas.statistics import FeatureStatistics, Statistics
from tymbal.atlas.tables import (
    EXAMPLES,
    EXAMPLES_SCHEMA,
    FEATURES,
    FEATURES_SCHEMA,
    NEIGHBOURS,
    NEIGHBOURS_SCHEMA,
    OVERVIEW,
    write_tables,
)
from tymbal.atlas.windows import WindowReader
from tymbal.corpora import PassageStore
from tymbal.dictionaries import Dictionary
from tymbal.errors import ArtifactError, CorpusError
from tymbal.models import LanguageModel

CODES = "codes"
DENSE = 0.1
"""a feature active on more than this share of tokens is called dense"""


class Annotations(NamedTuple):
    """Concepts of annotated text."""

    names: Sequence[str]
    annotate: Annotate


def build_atlas(
    dictionary: Dictionary,
    model: LanguageModel,
    site: str,
    store: PassageStore,
    folder: Path | str,
    config: AtlasConfig | None = None,
    progress: Progress | None = None,
) -> Atlas:
    """Index a dictionary's features on a corpus's held-out passages, or finish an index that was begun in `folder`.

    A finished, undamaged atlas of the same things is opened as it is. Raises `ArtifactError` when `folder` holds an
    index of something else, `CorpusError` when nothing was held out, `ModelError` for an unknown site.
    """
    folder, config = Path(folder), config or AtlasConfig()
    about = _about(dictionary, model, site, store)
    if artifact.is_sealed(folder) and not any(artifact.damage(folder)):
        require_same(folder, config, about)
        return open_atlas(folder)
    codes = write_codes(dictionary, model, site, store, folder / CODES, config, progress)
    if not len(codes):
        raise CorpusError(
            expected="held-out passages to index",
            got=f"none in {store.folder}",
            do="cut the corpus with heldout above 0",
        )
    text = TextSource(model.token_text, model.running_text, model.output_directions if model.causal else None)
    annotations = Annotations(store.concepts, store.concept_tokens) if store.concepts else None
    decoder = dictionary.decoder.detach()
    return index_codes(
        codes, decoder, folder, config, text=text, annotations=annotations, about=about, progress=progress
    )


def _about(dictionary: Dictionary, model: LanguageModel, site: str, store: PassageStore) -> dict[str, Any]:
    made_from = identity(dictionary, model, site, store)
    return {**made_from, "model": model.name, "model_identity": made_from["model"]}


def require_same(folder: Path, config: AtlasConfig, about: dict[str, Any]) -> None:
    """Raise `ArtifactError` unless the sealed atlas in `folder` was made from the same things in the same way."""
    if artifact.read_json(folder / artifact.CONFIG) != {"config": asdict(config), "about": about}:
        raise ArtifactError(
            expected=f"an index of this dictionary on this text in {folder}",
            got="one of another model, dictionary, text or configuration",
            do="choose another folder",
        )


def index_codes(
    codes: CodeStore,
    decoder: Float[Tensor, "feature width"],
    folder: Path,
    config: AtlasConfig,
    *,
    text: TextSource,
    annotations: Annotations | None = None,
    about: dict[str, Any] | None = None,
    progress: Progress | None = None,
) -> Atlas:
    """Make the tables of an atlas from stored codes and the decoder's directions.

    `about` (model, site, dictionary: JSON values) goes into the overview. Memory grows with the number of features and
    with the size of a shard, not with the number of tokens.
    """
    features = len(decoder)
    statistics, concepts, passages = _statistics(codes, features, config, annotations)
    finder = ExampleFinder(statistics, config)
    for number, shard in enumerate(codes.shards()):
        finder.update(number, shard)
    examples = ExampleTables(finder, WindowReader(codes, config), text, progress)
    files = write_tables(folder, EXAMPLES, EXAMPLES_SCHEMA, features, examples.blocks)
    files += _write_neighbours(codes, decoder, statistics, folder, config)
    alive = np.flatnonzero(statistics.count)
    layout = lay_out(decoder[torch.from_numpy(alive)], config.layout, config.seed)
    parts = _Parts(statistics, finder, examples, layout, output_tokens(decoder, text, config.output_tokens), concepts)
    rows = _feature_table(parts, annotations)
    files += write_tables(folder, FEATURES, FEATURES_SCHEMA, features, lambda begin, end: [rows[begin:end]])
    artifact.write_json(folder / OVERVIEW, {**_overview(parts, config), "passages": passages, **(about or {})})
    files += [OVERVIEW, *([f"{CODES}/{SHARDS}"] if codes.folder == folder / CODES else [])]
    artifact.seal(folder, KIND, {"config": asdict(config), "about": about or {}}, files)
    return open_atlas(folder)


class _Parts(NamedTuple):
    """All that the table of features is made of."""

    statistics: FeatureStatistics
    finder: ExampleFinder
    examples: ExampleTables
    layout: Layout
    output: OutputTokens | None
    concepts: BestConcepts | None


def _statistics(
    codes: CodeStore, features: int, config: AtlasConfig, annotations: Annotations | None
) -> tuple[FeatureStatistics, BestConcepts | None, dict[str, int]]:
    """Statistics, best concepts, and passages by role."""
    statistics = Statistics(features)
    counts = ConceptCounts(annotations.names, annotations.annotate, features) if annotations else None
    passages = np.zeros(len(ROLES) + 1, dtype=np.int64)
    for shard in codes.shards():
        statistics.update(shard)
        passages += np.bincount(shard.passage_roles, minlength=len(passages))
        if counts is not None:
            counts.update(shard)
    by_role: dict[str, int] = dict(zip(ROLES, passages[1:].tolist(), strict=True))
    return statistics.fit(config.quantiles), None if counts is None else counts.best(), by_role


def _write_neighbours(
    codes: CodeStore, decoder: Tensor, statistics: FeatureStatistics, folder: Path, config: AtlasConfig
) -> list[str]:
    cosine = nearest_by_cosine(decoder, config.neighbours)
    sample = config.coactivation_tokens
    coactivation = nearest_by_coactivation(codes, statistics.tokens, sample, config.neighbours, config.seed)

    def rows(begin: int, end: int) -> list[pa.Table]:
        return [neighbour_table(cosine, coactivation, begin, end)]

    return write_tables(folder, NEIGHBOURS, NEIGHBOURS_SCHEMA, len(decoder), rows)


def _feature_table(parts: _Parts, annotations: Annotations | None) -> pa.Table:
    statistics, layout, output, concepts = parts.statistics, parts.layout, parts.output, parts.concepts
    features = len(statistics.count)
    alive = statistics.count > 0
    places = np.full((features, 2), np.nan, dtype=np.float32)
    places[alive] = layout.places
    cluster = np.full(features, -1, dtype=np.int64)
    cluster[alive] = layout.clusters
    described = parts.examples.described
    columns: dict[str, Any] = {
        "feature": np.arange(features),
        "label": [one.label.label for one in described],
        "top_tokens": [one.label.top_tokens for one in described],
        "density": statistics.density,
        "count": statistics.count,
        "dead": ~alive,
        "maximum": statistics.maximum,
        "mean": statistics.mean,
        "cluster": pa.array(cluster, mask=cluster < 0),
        "x": pa.array(places[:, 0], mask=~alive),
        "y": pa.array(places[:, 1], mask=~alive),
        "quantile_edges": [
            row.tolist() if lives else [] for row, lives in zip(statistics.quantile_edges, alive, strict=True)
        ],
        "histogram": parts.finder.histogram.tolist(),
        "text": [one.text for one in described],
    }
    if concepts is not None and annotations is not None:
        none = concepts.concept < 0
        columns["concept"] = [None if number < 0 else annotations.names[number] for number in concepts.concept]
        for name in ("f1", "precision", "recall"):
            columns[f"concept_{name}"] = pa.array(getattr(concepts, name), mask=none)
    if output is not None:
        columns |= output._asdict()
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(features, field.type)
        for field in FEATURES_SCHEMA
    ]
    return pa.table(arrays, schema=FEATURES_SCHEMA)


def _overview(parts: _Parts, config: AtlasConfig) -> dict[str, Any]:
    """Health of the dictionary on the tokens indexed."""
    statistics, layout = parts.statistics, parts.layout
    living = np.flatnonzero(statistics.count)
    labels = [parts.examples.described[feature].label.label for feature in living]
    named = zip(cluster_labels(labels, layout.clusters), cluster_sizes(layout.clusters), strict=True)
    return {
        "features": len(statistics.count),
        "dead": len(statistics.count) - len(living),
        "dense": int((statistics.density > DENSE).sum()),
        "dense_above": DENSE,
        "tokens": statistics.tokens,
        "active_per_token": float(statistics.count.sum() / max(statistics.tokens, 1)),
        "examples": parts.examples.examples,
        "density_histogram": density_histogram(statistics.density),
        "map_method": layout.method,
        "clusters": [
            {"cluster": number, "label": label, "features": size} for number, (label, size) in enumerate(named)
        ],
        "coactivation": {
            "measure": "Jaccard index of active tokens",
            "sample": min(config.coactivation_tokens, statistics.tokens),
            "at_least_together": MINIMUM_JOINT,
        },
        "roles": list(ROLES),
    }
