"""A store gives back what was cut, in order, by role and by id."""

from pathlib import Path

import numpy as np
import pytest

from tymbal.artifact import seal
from tymbal.corpora import HELD_OUT, CutConfig, PassageStore, Role, cut
from tymbal.corpora import store as store_module
from tymbal.errors import ArtifactError


@pytest.fixture(scope="module")
def store(documents, byte_level, tmp_path_factory) -> PassageStore:
    config = CutConfig(length=16, heldout=0.5, shard_tokens=150)
    return cut(documents, byte_level, config, tmp_path_factory.mktemp("store") / "passages")


def test_ids_count_up_in_reading_order_and_find_their_passage(store):
    passages = list(store.passages())
    assert [passage.id for passage in passages] == list(range(len(store)))
    assert [passage.document for passage in passages] == sorted(passage.document for passage in passages)
    for identity in np.random.default_rng(0).permutation(len(store)):
        found, expected = store[identity], passages[identity]
        assert found.id == identity
        assert (found.tokens == expected.tokens).all()
        assert (found.special == expected.special).all()
        assert (found.document, found.role) == (expected.document, expected.role)


def test_roles_part_the_passages(store):
    ids = [store.ids([role]) for role in Role]
    assert sorted(np.concatenate(ids).tolist()) == list(range(len(store)))
    assert (store.ids(HELD_OUT) == np.sort(np.concatenate(ids[1:]))).all()
    assert (store.ids() == np.arange(len(store))).all()
    for role, expected in zip(Role, ids, strict=True):
        passages = list(store.passages([role]))
        assert [passage.id for passage in passages] == expected.tolist()
        assert {passage.role for passage in passages} == {role}
        assert sum(len(passage.tokens) for passage in passages) == store.tokens(role)
    assert sum(store.tokens(role) for role in Role) == store.tokens()


@pytest.mark.parametrize(("start", "stop"), [(0, 5), (7, 90), (100, None), (3, 3), (20, 10_000)])
def test_a_range_of_ids_is_read_without_the_rest(store, start, stop):
    expected = [passage.id for passage in store.passages(HELD_OUT)]
    expected = [identity for identity in expected if start <= identity < (len(store) if stop is None else stop)]
    assert [passage.id for passage in store.passages(HELD_OUT, start, stop)] == expected


def test_concepts_are_sorted_and_pairs_are_in_order(store):
    assert store.concepts == ["parity 0", "parity 1", "word Lily", "word cat", "word red", "word 日本"]
    pairs = 0
    for passage in store.passages():
        tokens, concepts = store.concept_tokens(passage.id)
        order = list(zip(tokens.tolist(), concepts.tolist(), strict=True))
        assert order == sorted(set(order))
        parity = {store.concepts[concept] for concept in concepts if concept < 2}
        assert parity == {f"parity {passage.document % 2}"}
        assert set(tokens[concepts < 2].tolist()) >= set(np.flatnonzero(~passage.special)[1:-1].tolist())
        pairs += len(tokens)
    assert pairs > store.tokens() / 2


def test_each_document_knows_its_source(store, documents):
    for number in range(store.documents):
        assert store.source(number) == documents[number].source
    with pytest.raises(IndexError):
        store.source(store.documents)


def test_passages_cannot_be_written_to(store):
    with pytest.raises(ValueError, match="read-only"):
        store[0].tokens[0] = 5


def test_ids_out_of_range_are_refused(store):
    for wrong in (-1, len(store)):
        with pytest.raises(IndexError):
            store[wrong]


def test_few_shards_are_open_at_a_time(store):
    fresh = PassageStore.open(store.folder)
    assert sum(1 for _ in fresh.passages()) == len(store)
    assert len(list(store.folder.glob("shard-*"))) > store_module._OPEN == len(fresh._contents)


def test_an_unfinished_store_and_another_artifact_are_refused(tmp_path: Path):
    with pytest.raises(ArtifactError, match="a finished passages"):
        PassageStore.open(tmp_path)
    seal(tmp_path, "dictionary", {}, [])
    with pytest.raises(ArtifactError, match="of kind dictionary"):
        PassageStore.open(tmp_path)
