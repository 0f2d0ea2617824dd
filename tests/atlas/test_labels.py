import numpy as np
import pytest

from tymbal.atlas.assembly import cluster_labels
from tymbal.atlas.labels import UNKNOWN, Window, has_pieces, label_of


@pytest.mark.parametrize(
    ("windows", "pieces", "label"),
    [
        ([[" he", "> ran"], [" she", "> ran"], [" it", "> walked"]], False, "▸ ran · walked"),
        ([[" I", " walk", ">ed", "."], [" a", " walk", ">ed", " on"]], False, "▸ walked"),
        ([[" I", "> walk", "ed"], [" a", "> walk", "ing"]], False, "▸ walk…"),
        ([[f" x{n}", ">ing"] for n in range(9)], False, "▸ …ing"),
        ([["he", "walk", ">##ed"], ["they", "walk", ">##ed"]], True, "▸ walked"),
        ([["he", ">walk", "##ed"], ["they", ">walk", "##ed"]], True, "▸ walk…"),
        ([["he", ">walk", "home"]], True, "▸ walk"),
        ([["t", "h", "e", " ", "c", ">a", "t"], ["a", " ", "c", ">a", "r"]], False, "▸ ca…"),
        ([[" a", " caf", "é", ">"], [" the", " caf", "é", ">"]], False, "▸ café"),
        ([[" said", ",", '"', ">He"]], False, "▸ He"),
        ([[" end", ">."], [" stop", ">."]], False, "▸ ."),
        ([[" end", ">.", "Then"]], False, "▸ ."),
        ([["a", ">\n"], ["b", ">\n"]], False, "▸ ⏎"),
        ([["a", "> "]], False, "▸ ␣"),
        ([], False, UNKNOWN),
    ],
)
def test_labels_read_as_the_words_as_far_as_the_peak(windows: list[list[str]], pieces: bool, label: str) -> None:
    assert label_of([_marked(window) for window in windows], pieces=pieces).label == label


def _marked(tokens: list[str]) -> Window:
    """A window whose peak is the token marked by ">"."""
    peak = next(place for place, token in enumerate(tokens) if token.startswith(">"))
    return Window([token.removeprefix(">") for token in tokens], peak)


def test_long_tokens_are_cut() -> None:
    label = label_of([Window([" " + "x" * 1000], 0)], pieces=False)
    assert len(label.label) < 40
    assert label.top_tokens == [" " + "x" * 1000]


def test_top_tokens_come_most_frequent_first() -> None:
    assert label_of([Window([token], 0) for token in (" b", " a", " a")], pieces=False).top_tokens == [" a", " b"]


def test_word_pieces_are_told_from_marked_spaces() -> None:
    assert has_pieces(["walk", "##ed"])
    assert not has_pieces([" walk", "ed"])
    assert not has_pieces([" a", "##"])


def test_clusters_are_named_by_what_sets_them_apart() -> None:
    labels = ["▸ the · red", "▸ the · blue · red", "▸ the · green", "▸ the · run", "▸ the · walk · run", "▸ the"]
    clusters = np.array([0, 0, 0, 1, 1, -1])
    assert cluster_labels(labels, clusters) == ["red · blue", "run · walk"]


def test_punctuation_names_a_cluster_only_where_nothing_else_can() -> None:
    clusters = np.array([0, 0, 1, 1])
    assert cluster_labels(["▸ , · cat", "▸ , · .", "▸ :", "▸ : · —"], clusters) == ["cat · ,", ": · —"]
