"""Cutting loses nothing, gives the same bytes each time, and goes on after any interruption."""

import hashlib
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from tymbal.artifact import damage
from tymbal.corpora import CutConfig, Document, Role, Span, cut, cutting
from tymbal.corpora.documents import in_parts
from tymbal.corpora.tokens import TextTokenizer
from tymbal.errors import ArtifactError, CorpusError

CONFIG = CutConfig(length=16, heldout=0.5, shard_tokens=300)
quick = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def checksums(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def interrupted(documents, after: int):
    """The documents, until a Ctrl-C comes instead of number `after`."""
    for number, document in enumerate(documents):
        if number == after:
            raise KeyboardInterrupt
        yield document


def never():
    raise AssertionError("documents were read")
    yield


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokenise a few documents at a time, so that shards are written while documents are still being read."""
    monkeypatch.setattr(cutting, "BATCH", 400)


@quick
@given(data=st.data(), length=st.integers(4, 40))
def test_passages_without_what_stands_around_them_join_to_the_tokens_of_the_document(
    data, length, any_tokenizer, tmp_path_factory
):
    words = st.sampled_from(["Lily", " ran", "  home", "\n\n", "日本", "Ünder", "."])
    texts = data.draw(st.lists(st.lists(words, max_size=30).map("".join), min_size=1, max_size=5))
    texts.append("Lily ran home")
    tokenizer = TextTokenizer(any_tokenizer)
    store = cut(
        [Document(text, "memory") for text in texts],
        any_tokenizer,
        CutConfig(length=length),
        tmp_path_factory.mktemp("s"),
    )
    before, after = len(tokenizer.before), len(tokenizer.after)
    joined: dict[int, list[int]] = {number: [] for number in range(len(texts))}
    for passage in store.passages():
        assert len(passage.tokens) <= length
        assert tuple(passage.tokens[:before]) == tokenizer.before
        assert tuple(passage.tokens[len(passage.tokens) - after :]) == tokenizer.after
        assert (
            passage.special.tolist()
            == [True] * before + [False] * (len(passage.tokens) - before - after) + [True] * after
        )
        joined[passage.document] += passage.tokens[before : len(passage.tokens) - after].tolist()
    assert joined == {
        number: pieces.ids.tolist() for number, pieces in enumerate(tokenizer.encode(texts, offsets=False))
    }


@pytest.mark.parametrize("name", ["byte_level", "wordpiece"])
def test_tokens_of_a_text_in_parts_are_those_of_the_whole(name, request):
    tokenizer = TextTokenizer(request.getfixturevalue(name))
    text = "\n\n".join(f"Lily ran home to her {'big ' * (n % 5)}cat.\n She ran  {n}." for n in range(200))
    (whole,) = tokenizer.encode([text], offsets=False)
    parts = [part.text for part in in_parts(Document(text, "memory"), 97)]
    assert len(parts) > 50
    in_pieces = [pieces.ids for pieces in tokenizer.encode(parts, offsets=False)]
    assert np.concatenate(in_pieces).tolist() == whole.ids.tolist()


@quick
@given(seed=st.integers(0, 1000), length=st.integers(6, 40), shard=st.integers(10, 500))
def test_the_tokens_that_carry_a_concept_say_the_annotated_words(seed, length, shard, byte_level, tmp_path_factory):
    documents = annotated(seed)
    store = cut(documents, byte_level, CutConfig(length=length, shard_tokens=shard), tmp_path_factory.mktemp("s"))
    said: dict[tuple[int, str], str] = {}
    for passage in store.passages():
        for token, concept in zip(*store.concept_tokens(passage.id), strict=True):
            assert not passage.special[token]
            key = (passage.document, store.concepts[concept])
            said[key] = said.get(key, "") + byte_level.decode([int(passage.tokens[token])])
    expected: dict[tuple[int, str], str] = {}
    for number, document in enumerate(documents):
        for span in document.spans:
            key = (number, span.concept)
            expected[key] = expected.get(key, "") + document.text[span.start : span.end]
    assert {key: "".join(text.split()) for key, text in said.items()} == expected


def annotated(seed: int) -> list[Document]:
    """Documents of ASCII words (so that each token reads alone); "cat" and "Lily" are annotated."""
    draw = np.random.default_rng(seed)
    documents = []
    for _ in range(6):
        text, spans = "Once", []
        for word in draw.choice(["Lily", "cat", "ran", "home"], size=draw.integers(1, 30)):
            spans += [Span(len(text) + 1, len(text) + 1 + len(word), str(word))] if word in ("Lily", "cat") else []
            text += f" {word}"
        documents.append(Document(text, "memory", tuple(spans)))
    return documents


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("after", [0, 1, 13, 37, 58])
def test_an_interrupted_cut_resumes_to_the_same_bytes(documents, any_tokenizer, tmp_path: Path, after: int):
    cut(documents, any_tokenizer, CONFIG, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        cut(interrupted(documents, after), any_tokenizer, CONFIG, tmp_path / "resumed")
    with pytest.raises(KeyboardInterrupt):
        cut(interrupted(documents, after + 1), any_tokenizer, CONFIG, tmp_path / "resumed")
    cut(documents, any_tokenizer, CONFIG, tmp_path / "resumed")
    assert checksums(tmp_path / "resumed") == checksums(tmp_path / "whole")
    assert len(list((tmp_path / "whole").glob("shard-*"))) > 3


@pytest.mark.usefixtures("small_batches")
def test_complete_shards_are_kept_when_a_cut_resumes(documents, byte_level, tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        cut(interrupted(documents, 50), byte_level, CONFIG, tmp_path / "store")
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "store").glob("shard-*")}
    assert kept
    (tmp_path / "store" / "shard-00099.safetensors.part").write_bytes(b"left by a kill")
    cut(documents, byte_level, CONFIG, tmp_path / "store")
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("batch", [1, 100_000])
def test_the_size_of_a_batch_does_not_show_in_the_bytes(documents, byte_level, tmp_path: Path, batch, monkeypatch):
    cut(documents, byte_level, CONFIG, tmp_path / "one")
    monkeypatch.setattr(cutting, "BATCH", batch)
    cut(documents, byte_level, CONFIG, tmp_path / "other")
    assert checksums(tmp_path / "one") == checksums(tmp_path / "other")


DAMAGE = {
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "changed": lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\x7f"),
    "missing": lambda path: path.unlink(),
}


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("tokens", [None, 900])
def test_a_damaged_shard_is_named_and_made_again_alone(documents, byte_level, tmp_path, how, tokens, caplog):
    config = replace(CONFIG, tokens=tokens, shard_tokens=200)
    store = cut(documents, byte_level, config, tmp_path / "store")
    before = checksums(store.folder)
    shards = sorted(store.folder.glob("shard-*"))
    assert len(shards) > 2
    for lost in ([shards[0]], [shards[1], shards[-1]]):
        times = {path: path.stat().st_mtime_ns for path in shards if path not in lost}
        for path in lost:
            DAMAGE[how](path)
        assert {found.path for found in damage(store.folder)} == set(lost)
        caplog.clear()
        cut(documents, byte_level, config, store.folder)
        assert all(path.name in caplog.text for path in lost)
        assert checksums(store.folder) == before
        assert {path: path.stat().st_mtime_ns for path in times} == times


@pytest.mark.parametrize("name", ["config.json", "shards.json", "manifest.json"])
@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_description_is_made_again(documents, byte_level, tmp_path: Path, name: str, how: str):
    store = cut(documents, byte_level, CONFIG, tmp_path / "store")
    before = checksums(store.folder)
    DAMAGE[how](store.folder / name)
    cut(documents, byte_level, CONFIG, store.folder)
    assert checksums(store.folder) == before


def test_a_damaged_shard_cannot_be_made_again_from_another_corpus(documents, byte_level, tmp_path: Path):
    store = cut(documents, byte_level, CONFIG, tmp_path / "store")
    last = sorted(store.folder.glob("shard-*"))[-1]
    for other in (documents[:5], [Document(d.text.upper(), d.source, d.spans) for d in documents]):
        last.unlink(missing_ok=True)
        with pytest.raises(CorpusError, match=f"{last.name} again; got another corpus"):
            cut(other, byte_level, CONFIG, store.folder)
    cut(documents, byte_level, CONFIG, store.folder)
    assert not list(damage(store.folder))


def test_a_complete_store_opens_without_reading_a_document(documents, byte_level, tmp_path: Path):
    first = cut(documents, byte_level, CONFIG, tmp_path / "store")
    again = cut(never(), byte_level, CONFIG, tmp_path / "store")
    assert again.revision == first.revision


@pytest.mark.usefixtures("small_batches")
def test_cutting_stops_with_the_passage_that_reaches_the_tokens_and_reads_no_further(byte_level, tmp_path: Path):
    def endless():
        number = 0
        while True:
            assert number < 2000, "read on after enough tokens"
            yield Document(f"Lily ran home {number}", "memory")
            number += 1

    store = cut(endless(), byte_level, replace(CONFIG, tokens=1000), tmp_path / "store")
    lengths = [len(passage.tokens) for passage in store.passages()]
    assert sum(lengths) >= 1000 > sum(lengths[:-1])
    assert sum(lengths) == store.tokens()


@pytest.mark.usefixtures("small_batches")
def test_too_few_tokens_are_counted_and_nothing_is_left(documents, byte_level, tmp_path: Path):
    there = cut(documents, byte_level, CONFIG, tmp_path / "all").tokens()
    with pytest.raises(CorpusError, match=rf"1,000,000 tokens.*got {there:,}; .*--tokens {there},"):
        cut(documents, byte_level, replace(CONFIG, tokens=1_000_000), tmp_path / "store")
    assert not (tmp_path / "store").exists()
    exactly = cut(documents, byte_level, replace(CONFIG, tokens=there), tmp_path / "store")
    assert exactly.tokens() == there


@pytest.mark.usefixtures("small_batches")
def test_an_error_in_the_corpus_leaves_nothing_behind(documents, byte_level, tmp_path: Path):
    def broken():
        yield from documents
        raise CorpusError(expected="text", got="none", do="mend it")

    with pytest.raises(CorpusError, match="mend it"):
        cut(broken(), byte_level, CONFIG, tmp_path / "store")
    assert not list(tmp_path.iterdir())
    with pytest.raises(CorpusError, match="no token"):
        cut([Document("", "memory")], byte_level, CONFIG, tmp_path / "store")
    assert not list(tmp_path.iterdir())


def test_an_error_in_the_corpus_does_not_take_a_store_that_was_complete(documents, byte_level, tmp_path: Path):
    store = cut(documents, byte_level, CONFIG, tmp_path / "store")
    shards = sorted(store.folder.glob("shard-*"))
    shards[0].unlink()
    with pytest.raises(CorpusError):
        cut([], byte_level, CONFIG, store.folder)
    assert sorted(store.folder.glob("shard-*")) == shards[1:]


def test_folders_of_something_else_and_other_settings_are_refused(documents, byte_level, wordpiece, tmp_path: Path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(ArtifactError, match=r"other; got one with thesis\.txt"):
        cut(documents, byte_level, CONFIG, tmp_path / "other")
    cut(documents, byte_level, CONFIG, tmp_path / "store")
    before = checksums(tmp_path / "store")
    with pytest.raises(ArtifactError, match=r"\(length=16\); got length=17"):
        cut(documents, byte_level, replace(CONFIG, length=17), tmp_path / "store")
    with pytest.raises(ArtifactError, match="tokenizer_sha256"):
        cut(documents, wordpiece, CONFIG, tmp_path / "store")
    assert checksums(tmp_path / "store") == before
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.txt"]


def test_a_length_without_room_for_text_is_refused(documents, wordpiece, tmp_path: Path):
    with pytest.raises(CorpusError, match="longer than the 2 tokens put around each; got a length of 2"):
        cut(documents, wordpiece, CutConfig(length=2), tmp_path / "store")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "wrong",
    [{"length": 0}, {"length": 9, "heldout": 1.5}, {"length": 9, "tokens": 0}, {"length": 9, "shard_tokens": 0}],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        CutConfig(**wrong)


def test_split_by_document_keeps_the_passages_of_a_document_together(documents, byte_level, tmp_path: Path):
    roles: dict[int, set[Role]] = {}
    store = cut(documents, byte_level, replace(CONFIG, split_by="document"), tmp_path / "store")
    for passage in store.passages():
        roles.setdefault(passage.document, set()).add(passage.role)
    assert all(len(found) == 1 for found in roles.values())
    assert len(set.union(*roles.values())) == 4


@pytest.mark.usefixtures("small_batches")
def test_progress_counts_up_to_the_tokens_there_are(documents, byte_level, tmp_path: Path):
    heard: list[tuple[int, int, str]] = []
    store = cut(documents, byte_level, CONFIG, tmp_path / "store", lambda *what: heard.append(what))
    assert heard[0] == (0, 0, "tokens")
    assert heard[-1] == (store.tokens(), 0, "tokens")
    assert [done for done, _, _ in heard] == sorted(done for done, _, _ in heard)


KILLED = """
import sys, time
from pathlib import Path
from tokenizers import Tokenizer
from tymbal.corpora import CutConfig, Document, cut, cutting
cutting.BATCH = 400
def documents():
    for number in range(400):
        time.sleep(0.002)
        yield Document(f"Lily ran home {number} times to her big red cat. " * 5, "memory")
tokenizer = Tokenizer.from_file(sys.argv[1] + "/tokenizer.json")
cut(documents(), tokenizer, CutConfig(length=16, shard_tokens=2000), Path(sys.argv[2]))
"""


def test_a_killed_process_leaves_a_store_that_resumes_to_the_same_bytes(tiny_llama_folder, tmp_path: Path):
    victim = subprocess.Popen([sys.executable, "-c", KILLED, str(tiny_llama_folder), str(tmp_path / "killed")])
    while len(list(tmp_path.glob("killed/shard-*.safetensors"))) < 2:
        assert victim.poll() is None
        time.sleep(0.005)
    victim.kill()
    victim.wait()
    assert not (tmp_path / "killed" / "manifest.json").exists()
    documents = [Document(f"Lily ran home {number} times to her big red cat. " * 5, "memory") for number in range(400)]
    tokenizer = Tokenizer.from_file(str(tiny_llama_folder / "tokenizer.json"))
    for folder in ("killed", "whole"):
        cut(documents, tokenizer, CutConfig(length=16, shard_tokens=2000), tmp_path / folder)
    assert checksums(tmp_path / "killed") == checksums(tmp_path / "whole")
