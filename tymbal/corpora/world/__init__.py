"""The generated world, the project's ground truth: facts, annotated text, and the way back from text to facts."""

from collections.abc import Iterator
from pathlib import Path

from tymbal.corpora.documents import Document
from tymbal.corpora.world.corpus import WorldCorpus, make
from tymbal.corpora.world.facts import World
from tymbal.corpora.world.generated import GeneratedWorld, Parse, WorldDocument, generate_world
from tymbal.corpora.world.grammar import NOVEL, TRAIN, Claim

MODEL = Path(__file__).parent / "model"
"""The Hugging Face folder of the model that was trained on world 0."""

DOCUMENT_SEED = 1
"""Seed of the documents that a study of the bundled model reads; the model was trained on those of seed 0."""


def bundled_documents() -> Iterator[Document]:
    """Annotated documents of world 0 that the bundled model has not been trained on, without end."""
    return generate_world(0).documents(seed=DOCUMENT_SEED)


__all__ = [
    "DOCUMENT_SEED",
    "MODEL",
    "NOVEL",
    "TRAIN",
    "Claim",
    "GeneratedWorld",
    "Parse",
    "World",
    "WorldCorpus",
    "WorldDocument",
    "bundled_documents",
    "generate_world",
    "make",
]
