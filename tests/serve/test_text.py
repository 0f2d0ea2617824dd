"""Text from a corpus is shown whole and acts on nothing."""

import re
import unicodedata
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tymbal.serve.text import (
    Joiner,
    clipped,
    direction,
    numeral,
    one_in,
    percent,
    shade,
    spelled,
    tinted,
    titled,
    visible,
)

ANYTHING = st.text(st.characters(categories=None), max_size=40)
"""lone surrogates included"""


@given(ANYTHING)
def test_visible_text_holds_no_character_that_acts(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    acting = {character for character in shown if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert acting <= {"\u200c", "\u200d"}


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a⏎b"),
        ("\t", "⇥"),
        ("\x00", "⟨NUL⟩"),
        ("\x07", "⟨07⟩"),
        ("\u202e", "⟨202E⟩"),
        ("\ud800", "⟨D800⟩"),
        ("\u2028", "⟨2028⟩"),
        ("\ufeff", "⟨BOM⟩"),
        ("\uffff", "⟨FFFF⟩"),
        ("👩‍🚀", "👩‍🚀"),
    ],
)
def test_each_kind_of_acting_character_has_its_sign(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_token_too_long_is_cut_and_says_so() -> None:
    assert clipped("x" * 1_000_000) == "x" * 160 + "… (1,000,000 characters)"


@given(st.lists(st.tuples(ANYTHING, st.floats(0, 9)), min_size=1, max_size=8))
def test_tinted_markup_reads_as_the_visible_tokens(pairs: list[tuple[str, float]]) -> None:
    tokens, activations = [token for token, _ in pairs], [activation for _, activation in pairs]
    markup = tinted(tokens, activations, strongest=9.0, peak=0)
    marks = re.compile(r'<mark class="a\d+( peak)?" data-v="[^"<>]*">|</mark>')
    bare = marks.sub("", markup)
    assert "<" not in bare
    assert unescape(bare) == "".join(visible(token) for token in tokens)
    assert len(marks.findall(markup)) == 2 * sum(activation > 0 for activation in activations)


@given(st.floats(0, 100), st.floats(0, 100))
def test_a_stronger_activation_is_never_tinted_paler(one: float, two: float) -> None:
    low, high = sorted((one, two))
    assert shade(low, 100.0) <= shade(high, 100.0)
    assert (shade(low, 100.0) == 0) == (low == 0)


def test_wordpieces_join_into_words() -> None:
    tokens = ["the", "cat", "##ty", ",", "(", "so", ")", "##"]
    assert Joiner.told_from(tokens) == Joiner(wordpiece=True)
    assert "".join(Joiner(wordpiece=True).joined(tokens)) == "the catty, (so) ##"


def test_tokens_that_carry_their_spaces_are_joined_as_they_are() -> None:
    assert Joiner.told_from([" the", "##", " cat"]) == Joiner(wordpiece=False)
    assert Joiner(wordpiece=False).joined([" a", "b"]) == [" a", "b"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.5, "0.50"),
        (12.345, "12.35"),
        (1234.5, "1,234"),
        (0.00042, "0.00042"),
        (0, "0"),
        (None, "–"),
        (float("nan"), "–"),
        (-3.0, "−3.00"),
        (1e-9, "1.0e−09"),
        (float("inf"), "∞"),
        (0.999, "1.00"),
    ],
)
def test_numbers_are_written_for_columns(value: float | None, written: str) -> None:
    assert numeral(value) == written


def test_shares_are_written_in_everyday_words() -> None:
    assert percent(0.0042) == "0.42 %"
    assert one_in(0.0042) == "1 token in 238"
    assert one_in(0.4) == "1 token in 2.5"
    assert one_in(0.9) == "nearly every token"
    assert one_in(0.0) == "never"


def test_labels_lose_the_atlas_mark() -> None:
    assert titled("▸ cat · cats") == "cat · cats"
    assert titled("—") == ""


def test_one_foreign_word_does_not_turn_a_passage_around() -> None:
    assert direction(["שלום", " said", " the", " captain"]) == "ltr"
    assert direction(["the", " שלום", " עולם", " טוב"]) == "rtl"


def test_spaces_of_a_lone_token_are_visible() -> None:
    assert [spelled(token) for token in (" cat", "  ", "", "a ", "\n")] == ["␣cat", "␣␣", "∅", "a␣", "⏎"]
