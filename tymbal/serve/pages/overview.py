"""The front page: what was studied, how healthy the dictionary is, how to read the atlas, where to begin."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from markupsafe import Markup

from tymbal.atlas import FeatureFilter, FeatureRow
from tymbal.errors import listed
from tymbal.serve import chart, health
from tymbal.serve.exhibit import ROLE, Exhibit, short_name, told
from tymbal.serve.page import Asked
from tymbal.serve.pages.feature import shown_example
from tymbal.serve.text import tick

EXAMPLES = 4
MOST_SOURCES = 6
SUGGESTED = 12
TELLING = 4
"""suggested features that tell an annotated concept"""
SAMPLED = 0.0005
"""the least density of a suggested feature: rarer ones have few examples"""
_CHECKSUM = re.compile("[0-9a-f]{64}")


class Fact(NamedTuple):
    """One line about where the atlas comes from."""

    name: str
    value: str


def fill_overview(exhibit: Exhibit, asked: Asked) -> dict[str, Any]:
    """The dictionary's health, provenance, and a few features to begin with."""
    del asked
    overview = exhibit.atlas.overview()
    suggested = _suggested(exhibit)
    return {
        "overview": overview,
        "model": short_name(exhibit.model),
        "findings": health.findings(exhibit.evaluation),
        "concept_findings": health.concept_findings(exhibit.evaluation),
        "told": health.told_concepts(exhibit.evaluation),
        "measured": health.sample(exhibit.evaluation),
        "densities": _densities(overview.get("density_histogram")),
        "facts": _facts(exhibit),
        "suggested": suggested,
        "lesson": _lesson(exhibit, suggested),
    }


def _densities(histogram: Mapping[str, Any] | None) -> Markup | None:
    """Features by how often they fire, on a logarithmic axis without its empty ends."""
    if not histogram or not any(histogram["features"]):
        return None
    edges, counts = histogram["log10_edges"], histogram["features"]
    filled = [index for index, count in enumerate(counts) if count]
    first, last = max(filled[0] - 1, 0), min(filled[-1] + 2, len(counts))
    shares = [10.0**edge for edge in edges[first : last + 1]]
    decades = [index for index, edge in enumerate(edges[first : last + 1]) if edge == round(edge)]
    return chart.histogram(
        shares,
        counts[first:last],
        describe="Histogram of features by the share of tokens on which they fire, on a logarithmic axis",
        axis="share of tokens on which it fires",
        write=lambda share: f"{tick(float(f'{100 * share:.2g}'))} %",
        marks=decades if len(decades) > 1 else (),
        unit="features",
    )


def _suggested(exhibit: Exhibit) -> list[FeatureRow]:
    """Features that tell a concept best, then the strongest of each of the largest clusters, then of all."""
    atlas = exhibit.atlas
    telling = atlas.features(FeatureFilter(dead=False), order="concept_f1", descending=True, limit=TELLING)
    found = [row for row in telling if told(row)]
    for cluster in exhibit.atlas.clusters()[:SUGGESTED]:
        where = FeatureFilter(cluster=cluster.cluster, dead=False, min_density=SAMPLED)
        found += atlas.features(where, order="maximum", descending=True, limit=1)
    found += atlas.features(FeatureFilter(dead=False), order="maximum", descending=True, limit=2 * SUGGESTED)
    return list({row.feature: row for row in found}.values())[:SUGGESTED]


def _lesson(exhibit: Exhibit, rows: list[FeatureRow]) -> dict[str, Any] | None:
    """A feature with a few of its examples, by which the page explains how to read one."""
    for row in rows:
        examples = [example for example in exhibit.atlas.examples(row.feature, ROLE) if example.kind == "top"]
        if examples:
            some = [shown_example(example, row.maximum, exhibit.joiner) for example in examples[:EXAMPLES]]
            return {"feature": row, "examples": some}
    return None


def _facts(exhibit: Exhibit) -> list[Fact]:
    """Where the atlas comes from, as far as the folder tells."""
    overview = exhibit.atlas.overview()
    passages = overview.get("passages")
    roles = passages.items() if isinstance(passages, Mapping) else ()
    tokens = f"{overview.get('tokens', 0):,} tokens, on none of which the dictionary was trained"
    facts = [
        Fact("Model", exhibit.model),
        Fact("Site", str(overview.get("site", ""))),
        Fact("Dictionary", _dictionary(exhibit)),
        Fact("Corpus", _corpus(exhibit)),
        Fact("Held-out text", tokens),
        Fact("Passages", ", ".join(f"{count:,} to {role}" for role, count in roles)),
        Fact("Map", f"{overview.get('map_method', '')} of the directions of features that fire"),
    ]
    return [fact for fact in facts if fact.value]


def _dictionary(exhibit: Exhibit) -> str:
    """Its kind and size; the evaluation's description goes before the atlas's shorter one."""
    described: dict[str, Any] = {}
    for source in (exhibit.atlas.overview().get("dictionary"), exhibit.evaluation.get("dictionary")):
        described |= source if isinstance(source, Mapping) else {}
    parts = [str(described["kind"])] if "kind" in described else []
    parts += [f"{key} {described[key]:,}" for key in ("features", "k", "width") if isinstance(described.get(key), int)]
    return ", ".join(parts)


def _corpus(exhibit: Exhibit) -> str:
    """The names of its files, or its checksum where nothing else is known."""
    named = exhibit.study.get("corpus")
    if isinstance(named, list) and named:
        return listed([str(name) for name in named], MOST_SOURCES)
    known = exhibit.atlas.overview().get("corpus")
    return f"SHA-256 {known}" if isinstance(known, str) and _CHECKSUM.fullmatch(known) else str(known or "")
