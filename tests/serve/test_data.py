"""Data for scripts is exact, and no text in it can end the script."""

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tymbal.serve.data import safe_json

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(categories=None)),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=5), inside, max_size=4),
    max_leaves=10,
)


@given(JSON)
def test_safe_json_reads_back_and_holds_nothing_that_acts(value: Any) -> None:
    text = safe_json(value)
    assert json.loads(text) == value
    assert text.isascii()
    assert not set("<>&'\n") & set(text)


def test_numbers_that_json_lacks_become_null() -> None:
    assert safe_json({"a": [math.nan, math.inf, 1.5]}) == '{"a":[null,null,1.5]}'
