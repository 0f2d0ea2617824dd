"""`tymbal world make`: the world's facts and annotated documents as files; same configuration, same bytes.

facts.json          every fact, as subject, attribute and value
concepts.json       the concepts that occur in the documents, with how many spans carry each
documents.parquet   text, spans (start, end, concept), language, form, log-probability (nats), claims
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from tymbal import artifact
from tymbal.corpora.world.generated import GeneratedWorld, WorldDocument, generate_world
from tymbal.errors import ArtifactError

KIND = "world corpus"
ROWS = 2_000  # documents a row group, and so in memory at a time
Progress = Callable[[int, int, str], None]

SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("spans", pa.list_(pa.struct([("start", pa.int32()), ("end", pa.int32()), ("concept", pa.string())]))),
        ("language", pa.string()),
        ("form", pa.string()),
        ("log_probability", pa.float64()),
        (
            "claims",
            pa.list_(
                pa.struct(
                    [
                        ("subject", pa.string()),
                        ("attribute", pa.string()),
                        ("value", pa.string()),
                        ("denied", pa.bool_()),
                        ("true", pa.bool_()),
                    ]
                )
            ),
        ),
    ]
)


@dataclass(frozen=True, kw_only=True)
class WorldCorpus:
    """Which world, and how much text about it."""

    documents: int = 20_000
    """how many documents"""
    split: Literal["train", "novel"] = "train"
    """train, or novel: with wordings and facts that the training split never shows"""
    seed: int = 0
    """seed of the world's facts"""
    document_seed: int = 1
    """seed of the documents; the bundled model was trained on those of seed 0"""

    def __post_init__(self) -> None:
        if self.documents < 1:
            raise ValueError(f"expected at least one document; got {self.documents}; ask for more")


def make(config: WorldCorpus, folder: Path, progress: Progress | None = None) -> Path:
    """Write facts, documents and annotations into `folder`; returns it. Raises `ArtifactError` when it is not empty."""
    if folder.exists() and any(folder.iterdir()):
        raise ArtifactError(expected=f"a new or empty folder {folder}", got="files in it", do="give another --out")
    world = generate_world(config.seed)
    concepts: Counter[str] = Counter()

    def write(path: Path) -> None:
        with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
            for done, rows in _batches(world, config):
                concepts.update(span.concept for row in rows for span in row.spans)
                writer.write_batch(_batch(rows))
                if progress:
                    progress(done, config.documents, "documents")

    artifact.write_atomically(folder / "documents.parquet", write)
    artifact.write_json(folder / "concepts.json", dict(concepts))
    artifact.write_json(folder / "facts.json", [fact._asdict() for fact in world.facts.facts()])
    artifact.seal(folder, KIND, asdict(config), ["documents.parquet", "concepts.json", "facts.json"])
    return folder


def _batches(world: GeneratedWorld, config: WorldCorpus) -> Iterator[tuple[int, list[WorldDocument]]]:
    for start in range(0, config.documents, ROWS):
        stop = min(start + ROWS, config.documents)
        yield (
            stop,
            [world.document(i, split=config.split, seed=config.document_seed) for i in range(start, stop)],
        )


def _batch(rows: list[WorldDocument]) -> pa.RecordBatch:
    columns = {
        "text": [row.text for row in rows],
        "spans": [[span._asdict() for span in row.spans] for row in rows],
        "language": [row.language for row in rows],
        "form": [row.form for row in rows],
        "log_probability": [row.log_probability for row in rows],
        "claims": [[claim._asdict() for claim in row.claims] for row in rows],
    }
    return pa.RecordBatch.from_pydict(columns, schema=SCHEMA)
