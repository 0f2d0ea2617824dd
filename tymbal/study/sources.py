"""What a study reads: a model and documents, by the names that the user gave, or the ones that come with Tymbal."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tymbal import artifact
from tymbal.corpora import Document, TextConfig, places, read_documents
from tymbal.corpora.sources import HUB
from tymbal.models import LanguageModel, open_model
from tymbal.study.plan import BUNDLED, StudyConfig


def model_source(name: str) -> str:
    """An absolute path for a local folder, the bundled model's for 'bundled'; a hub id as it is."""
    if name == BUNDLED:
        from tymbal.corpora import world

        return str(world.MODEL)
    return str(Path(name).resolve()) if Path(name).exists() else name


def open_subject(name: str, device: str, revision: str | None = None) -> LanguageModel:
    """Open the model that a study names."""
    return open_model(model_source(name), device=device, revision=revision)


def corpus_sources(corpus: Sequence[str]) -> tuple[str, ...]:
    """Absolute names for local files, folders and globs, so that a study resumes from anywhere."""
    if isinstance(corpus, str):
        raise ValueError(f"corpus must be a sequence of names, not the single string {corpus!r}")
    local = (name for name in corpus if name != BUNDLED and not name.startswith(HUB))
    absolute = {name: str(Path(name).expanduser().absolute()) for name in local}
    return tuple(absolute.get(name, name) for name in corpus)


def corpus_identity(corpus: Sequence[str]) -> list[dict[str, Any]]:
    """What the corpus is, for provenance: each file with its size in bytes and SHA-256, each dataset by name.

    Raises `CorpusError` for a source that is not there.
    """
    if tuple(corpus) == (BUNDLED,):
        return [{"name": BUNDLED}]
    return [_identity(place) for place in places(corpus)]


def _identity(place: str | Path) -> dict[str, Any]:
    if isinstance(place, str):
        return {"name": place}
    return {"name": str(place), "bytes": place.stat().st_size, "sha256": artifact.file_checksum(place)}


def documents(corpus: Sequence[str], config: StudyConfig) -> Iterator[Document]:
    """The documents of a corpus, streamed."""
    if tuple(corpus) == (BUNDLED,):
        from tymbal.corpora import world

        return world.bundled_documents()
    return read_documents(corpus, TextConfig(separator=config.separator, field=config.field))
