"""Search by text finds the features that have the words, the best first, whatever is typed."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tymbal.atlas import Atlas, open_atlas
from tymbal.serve.explained import Explained
from tymbal.serve.text_search import TextSearch, as_query

from .conftest import FEATURES, token_text


@pytest.fixture(scope="module")
def atlas(bare: Path) -> Atlas:
    return open_atlas(bare)


@pytest.fixture(scope="module")
def search(atlas: Atlas, tmp_path_factory: pytest.TempPathFactory) -> TextSearch:
    told = {3: Explained("the Crème brûlée of Zürich", {}), 9: Explained("crème of the crop", {})}
    return TextSearch(tmp_path_factory.mktemp("search") / "search.sqlite", atlas, told)


def test_a_word_is_found_where_it_stands_and_nowhere_else(search: TextSearch, atlas: Atlas):
    word = token_text(30).strip()
    found = {hit.feature for hit in search.find(word, limit=FEATURES)}
    truth = {
        row.feature
        for row in atlas.texts()
        if word in " ".join([row.label, *row.top_tokens, row.text or ""]).replace("·", " ").split()
    }
    assert found == truth
    assert 30 in found
    assert search.count(word) == len(truth)


def test_explanations_come_before_examples_and_accents_and_case_make_no_difference(search: TextSearch):
    assert [hit.feature for hit in search.find("CREME")] == [9, 3]
    hit = search.find("brulee zürich")[0]
    assert (hit.feature, hit.where) == (3, "explanation")
    assert hit.snippet == "the Crème <b>brûlée</b> of <b>Zürich</b>"


def test_the_last_word_is_matched_by_its_beginning_the_others_whole(search: TextSearch):
    assert [hit.feature for hit in search.find("crème bru")] == [3]
    assert search.find("brul crème") == []


def test_a_text_without_words_finds_nothing(search: TextSearch):
    assert search.find(" -* ") == []
    assert search.count("") == 0


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(categories=None), max_size=30)
    | st.sampled_from(['"', "a AND", "NEAR(a b)", "a:b", "a*b", "(", "^a"])
)
def test_nothing_typed_is_an_operator_or_a_fault(search: TextSearch, typed: str):
    assert '""' not in as_query(typed)
    for hit in search.find(typed.encode("utf-8", "replace").decode()):
        assert "<script" not in hit.snippet


def test_hostile_examples_come_back_as_text(search: TextSearch):
    found = search.find("onerror alert", limit=FEATURES)
    assert found
    assert all("<img" not in hit.snippet for hit in found)


def test_the_index_is_made_once_and_anew_when_explanations_change(atlas: Atlas, tmp_path: Path):
    path = tmp_path / "serve" / "search.sqlite"
    assert TextSearch(path, atlas, {}).find("zürich") == []
    made = path.stat().st_mtime_ns
    assert TextSearch(path, atlas, {}).find("zürich") == []
    assert path.stat().st_mtime_ns == made
    assert [hit.feature for hit in TextSearch(path, atlas, {5: Explained("in Zürich", {})}).find("zürich")] == [5]
    path.write_bytes(b"no database")
    assert TextSearch(path, atlas, {}).find(token_text(30).strip())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_where_no_file_can_be_written_the_index_is_held_in_memory(atlas: Atlas, tmp_path: Path):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert TextSearch(tmp_path / "locked" / "search.sqlite", atlas, {}).find(token_text(30).strip())


def test_a_file_in_the_way_of_the_folder_leaves_the_index_in_memory(atlas: Atlas, tmp_path: Path):
    (tmp_path / "serve").write_text("")
    assert TextSearch(tmp_path / "serve" / "search.sqlite", atlas, {}).find(token_text(30).strip())
