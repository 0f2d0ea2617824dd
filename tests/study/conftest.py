"""A small corpus and a small question, so that a whole study takes about a second."""

import random
from pathlib import Path

import pytest

from tymbal.study import StudyConfig

TEXT = "once upon a time a little girl named lily saw a big red cat and the cat was happy and she ran home to her mom"


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred documents of random words, one a line."""
    draw = random.Random(0)
    lines = (" ".join(draw.choices(TEXT.split(), k=draw.randrange(20, 60))) + "." for _ in range(200))
    path = tmp_path_factory.mktemp("corpus") / "words.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def small() -> StudyConfig:
    """A question that is answered quickly: so few features are laid out without UMAP, which compiles for seconds."""
    return StudyConfig(site="resid_post.1", features=16, k=2, epochs=2.0, separator="\n", autocast=False)
