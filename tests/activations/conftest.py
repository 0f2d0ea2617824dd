"""A tiny model and a small corpus of documents of many lengths."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tymbal.activations import ActivationStore, HarvestConfig, harvest
from tymbal.corpora import CutConfig, Document, PassageStore, cut
from tymbal.models import LanguageModel, open_model

WORDS = ("once", "upon", "a", "time", "Lily", "saw", "big", "red", "cat", "the", "happy", "ran", "home", "to", "mom")
SITES = ("resid_post.1", "mlp_out.0")


def _documents(count: int, seed: int = 0) -> Iterator[Document]:
    draw = random.Random(seed)
    for number in range(count):
        words = draw.choices(WORDS, k=draw.randint(1, 60))
        yield Document(" ".join(words), f"document-{number}")


@pytest.fixture(scope="session")
def documents() -> Callable[..., Iterator[Document]]:
    """`documents(count, seed)`: documents of 1 to 60 words."""
    return _documents


@pytest.fixture(scope="session")
def model(tiny_llama_folder: Path) -> LanguageModel:
    """The tiny Llama of width 32 and 4 layers."""
    return open_model(tiny_llama_folder)


@pytest.fixture(scope="session")
def passages(model: LanguageModel, tmp_path_factory: pytest.TempPathFactory) -> PassageStore:
    """About 2,000 tokens in passages of at most 48, a fifth held out."""
    config = CutConfig(length=48, heldout=0.2, shard_tokens=700)
    return cut(_documents(50), model.tokenizer, config, tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="session")
def config() -> HarvestConfig:
    """Two sites, small batches, several shards."""
    return HarvestConfig(sites=SITES, batch_tokens=200, shard_tokens=300)


@pytest.fixture(scope="session")
def store(
    model: LanguageModel, passages: PassageStore, config: HarvestConfig, tmp_path_factory: pytest.TempPathFactory
) -> ActivationStore:
    """The training passages, harvested; tests must not change it."""
    return harvest(model, passages, config, tmp_path_factory.mktemp("activations"))
