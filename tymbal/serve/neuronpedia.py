"""An atlas in the layout in which Neuronpedia publishes and imports its data, one folder a source.

    OUT/MODEL/LAYER-SET/
      model.jsonl  release.jsonl  sourceset.jsonl  source.jsonl    one object each
      features/batch-0.jsonl.gz                                    one object a feature
      activations/batch-0.jsonl.gz                                 one object an example
      explanations/batch-0.jsonl.gz                                one object an explanation, where there are any

Names of columns are those of its database (`Model`, `SourceRelease`, `SourceSet`, `Source`, `Neuron`, `Activation`,
`Explanation` in apps/webapp/prisma/schema.prisma of hijohnnylin/neuronpedia); its importer takes the columns of a file
from the file's first line, so every line of a file has the same. Columns that an atlas knows nothing of are left out
and take the database's defaults; so do times, hence an export made again has the same bytes. An example among the
strongest has the bin -1, as SAEDashboard writes it.

Sources: docs.neuronpedia.org/api-and-data/exports for the folders; the schema, and the importer in
apps/webapp/lib/db/import.ts, for the lines.
"""

import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tymbal import artifact
from tymbal.atlas import Example, FeaturePage
from tymbal.dictionaries import Dictionary, load_dictionary
from tymbal.models import SiteKind, parse_site
from tymbal.serve.exhibit import Exhibit, open_exhibit, short_name
from tymbal.study import StudyFolder

BATCH = 1024
"""features a file"""
TOP = -1.0
"""the bin of the strongest examples"""
_SHORT = {
    "resid_post": "res",
    "resid_pre": "res-pre",
    "mlp_out": "mlp",
    "attn_out": "att",
    "embed": "emb",
    "heads": "z",
}
_HOOKS = {SiteKind.EMBED: "hook_embed", SiteKind.HEADS: "attn.hook_z"}
_UNFIT = re.compile(r"[^a-z0-9_-]+")


@dataclass(frozen=True, kw_only=True)
class NeuronpediaConfig:
    """Under which names an atlas is exported."""

    creator: str = "Tymbal"
    """who made it, as shown"""
    creator_id: str = "clkht01d40000jv08hvalcvly"
    """the account it will belong to; the default is the one that Neuronpedia's own tools use"""
    release: str = "tymbal"
    """name of the release; letters, digits and dashes"""


def export_neuronpedia(folder: Path | str, out: Path | str, config: NeuronpediaConfig = NeuronpediaConfig()) -> Path:
    """Write the atlas of a study or a bare atlas below `out`; return the folder of its source.

    A study's export holds each feature's direction too. Raises `ArtifactError` where the folder has no finished atlas,
    or `out` cannot be written.
    """
    exhibit = open_exhibit(Path(folder))
    with closing(exhibit.atlas):
        names = _Names.of(exhibit, config)
        source = Path(out) / names.model / names.source
        for name, row in _single(exhibit, names, config):
            _write(source / name, [row])
        dictionary = _dictionary(exhibit)
        for number, begin in enumerate(range(0, len(exhibit.atlas), BATCH)):
            _write_batch(exhibit, names, config, dictionary, source, number, begin)
    return source


@dataclass(frozen=True)
class _Names:
    """What things are called there."""

    model: str
    set: str
    layer: int
    hook: str

    @property
    def source(self) -> str:
        return f"{self.layer}-{self.set}"

    @classmethod
    def of(cls, exhibit: Exhibit, config: NeuronpediaConfig) -> "_Names":
        site = parse_site(str(exhibit.atlas.overview().get("site", "")))
        hook = _HOOKS.get(site.kind, f"hook_{site.kind.value}")
        size = len(exhibit.atlas)
        wide = f"{size // 1024}k" if size >= 1024 and size % 1024 == 0 else str(size)
        return cls(
            model=_fit(short_name(exhibit.model)),
            set=f"{_fit(config.release)}-{_SHORT[site.kind.value]}-{wide}",
            layer=site.layer or 0,
            hook=hook if site.layer is None else f"blocks.{site.layer}.{hook}",
        )


def _fit(name: str) -> str:
    """A name as its addresses allow it."""
    return _UNFIT.sub("-", name.lower()).strip("-")[:100] or "unnamed"


def _single(exhibit: Exhibit, names: _Names, config: NeuronpediaConfig) -> Iterator[tuple[str, dict[str, Any]]]:
    """The four files of one line."""
    shown = {"description": f"Features found by Tymbal at {names.hook}", "creatorName": config.creator, "urls": []}
    owned = {"creatorId": config.creator_id, "visibility": "PUBLIC"}
    yield "model.jsonl", {**_model(exhibit, names, config), **owned}
    yield "release.jsonl", {**_release(config), **shown, **owned}
    about = f"{names.hook}, {len(exhibit.atlas):,} features"
    yield "sourceset.jsonl", {**_source_set(names, config), **shown, "description": about, **owned}
    yield "source.jsonl", {**_source(exhibit, names), **owned}


def _model(exhibit: Exhibit, names: _Names, config: NeuronpediaConfig) -> dict[str, Any]:
    identity = exhibit.atlas.overview().get("model_identity") or {}
    return {
        "id": names.model,
        "displayName": _sound(short_name(exhibit.model)) or names.model,
        "displayNameShort": names.model,
        "layers": int(identity.get("layers", names.layer + 1)),
        "neuronsPerLayer": 0,
        "dimension": identity.get("width"),
        "owner": config.creator,
        "instruct": False,
        "inferenceEnabled": False,
    }


def _release(config: NeuronpediaConfig) -> dict[str, Any]:
    return {"name": _fit(config.release), "descriptionShort": "Tymbal", "creatorNameShort": config.creator}


def _source_set(names: _Names, config: NeuronpediaConfig) -> dict[str, Any]:
    return {
        "modelId": names.model,
        "name": names.set,
        "releaseName": _fit(config.release),
        "hasDashboards": True,
        "showUmap": True,
    }


def _source(exhibit: Exhibit, names: _Names) -> dict[str, Any]:
    overview = exhibit.atlas.overview()
    return {
        "id": names.source,
        "modelId": names.model,
        "setName": names.set,
        "hasDashboards": True,
        "inferenceEnabled": False,
        "hasUmap": True,
        "hasUmapClusters": True,
        "num_prompts": sum((overview.get("passages") or {}).values()),
        "dataset": _sound(", ".join(map(str, exhibit.study.get("corpus") or []))[:500]),
        "notes": _sound(f"{overview.get('tokens', 0):,} tokens of held-out text"),
    }


def _dictionary(exhibit: Exhibit) -> Dictionary | None:
    if exhibit.folder is None:
        return None
    folder = StudyFolder(exhibit.folder).output("train")
    return load_dictionary(folder) if folder.is_dir() else None


def _write_batch(
    exhibit: Exhibit,
    names: _Names,
    config: NeuronpediaConfig,
    dictionary: Dictionary | None,
    source: Path,
    number: int,
    begin: int,
) -> None:
    end = min(begin + BATCH, len(exhibit.atlas))
    pages = exhibit.atlas.feature_pages(begin, end)
    examples = exhibit.atlas.examples_of(begin, end)
    batch = f"batch-{number}.jsonl.gz"
    of = {"modelId": names.model, "layer": names.source}
    features = (_feature(page, names, config, dictionary) for page in pages)
    _write(source / "features" / batch, ({**of, **feature} for feature in features))
    activations = (
        {**of, **_activation(example, rank, page, names, config)}
        for page, some in zip(pages, examples, strict=True)
        for rank, example in enumerate(some)
    )
    _write(source / "activations" / batch, activations)
    known = {feature: one for feature, one in exhibit.explained.items() if not one.unclear}
    told = [(page.feature, known[page.feature].text) for page in pages if page.feature in known]
    if told:
        _write(source / "explanations" / batch, [{**of, **_explanation(*one, names, config)} for one in told])


def _feature(
    page: FeaturePage, names: _Names, config: NeuronpediaConfig, dictionary: Dictionary | None
) -> dict[str, Any]:
    bins = len(page.histogram)
    return {
        "index": str(page.feature),
        "sourceSetName": names.set,
        "creatorId": config.creator_id,
        "maxActApprox": page.maximum,
        "hasVector": dictionary is not None,
        "vector": [] if dictionary is None else dictionary.decoder[page.feature].tolist(),
        "vectorDefaultSteerStrength": page.maximum,
        "hookName": names.hook,
        "topkCosSimIndices": [one.feature for one in page.by_cosine],
        "topkCosSimValues": [one.value for one in page.by_cosine],
        "neg_str": [_sound(one.token) for one in page.suppressed or ()],
        "neg_values": [one.weight for one in page.suppressed or ()],
        "pos_str": [_sound(one.token) for one in page.promoted or ()],
        "pos_values": [one.weight for one in page.promoted or ()],
        "frac_nonzero": page.density,
        "freq_hist_data_bar_heights": page.histogram,
        "freq_hist_data_bar_values": [page.maximum * (place + 0.5) / bins for place in range(bins)],
        "umap_x": page.x,
        "umap_y": page.y,
        "umap_cluster": page.cluster,
    }


def _activation(
    example: Example, rank: int, page: FeaturePage, names: _Names, config: NeuronpediaConfig
) -> dict[str, Any]:
    top = example.quantile is None
    edges = page.quantile_edges
    low, high = (TOP, page.maximum) if example.quantile is None else edges[example.quantile : example.quantile + 2]
    strongest = max(example.activations)
    return {
        "id": _id(names, "activation", page.feature, rank),
        "index": str(page.feature),
        "tokens": [_sound(token) for token in example.tokens],
        "values": example.activations,
        "maxValue": strongest,
        "maxValueTokenIndex": example.activations.index(strongest),
        "minValue": min(example.activations),
        "binMin": low,
        "binMax": high,
        "binContains": TOP if top else 1 / (len(edges) - 1),
        "qualifyingTokenIndex": example.peak,
        "dataIndex": str(example.passage),
        "creatorId": config.creator_id,
    }


def _explanation(feature: int, text: str, names: _Names, config: NeuronpediaConfig) -> dict[str, Any]:
    return {
        "id": _id(names, "explanation", feature, 0),
        "index": str(feature),
        "description": _sound(text),
        "authorId": config.creator_id,
    }


def _id(names: _Names, kind: str, feature: int, rank: int) -> str:
    """An id of 25 characters, the same each time."""
    told = f"{names.model}/{names.source}/{kind}/{feature}/{rank}"
    return "c" + hashlib.sha256(told.encode()).hexdigest()[:24]


def _sound(text: str) -> str:
    """Text that PostgreSQL can hold: no NUL, no lone surrogates."""
    return text.replace("\0", "␀").encode("utf-8", "replace").decode()


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows).encode()
    # Without a time of its own, the same lines are the same file.
    held = gzip.compress(lines, mtime=0) if path.suffix == ".gz" else lines
    artifact.write_atomically(path, lambda temporary: temporary.write_bytes(held))
