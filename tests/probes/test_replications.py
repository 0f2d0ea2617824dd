"""The data of the replications are what their pages say."""

from collections import Counter
from pathlib import Path

import pytest

from tymbal.probes.replications.names_and_languages import LINE, languages, names


@pytest.mark.real
def test_names_of_both_lists_are_left_out_and_like_names_are_one_group(real: Path) -> None:
    texts = names(real / "labelled" / "names")
    counted = Counter(example.text for example in texts.examples)
    assert max(counted.values()) == 1
    assert "Leslie" not in counted  # in both lists
    assert len({example.group for example in texts.examples if example.text in ("Anna", "Anne", "Annette")}) == 1
    assert texts.target().names == ("female", "male")


@pytest.mark.real
def test_a_part_of_the_declaration_is_one_group_in_all_languages(real: Path) -> None:
    texts = languages(real / "text" / "udhr")
    assert len({example.label for example in texts.examples}) == 12
    assert max(len(example.text) for example in texts.examples) <= LINE
    for group in {example.group for example in texts.examples}:
        assert len({example.label for example in texts.examples if example.group == group}) == 12
