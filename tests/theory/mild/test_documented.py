"""The examples of docs/theory_mild.md run as they stand."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "theory_mild.md"


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_example_gives_what_the_page_says():
    scope: dict = {}
    for example in examples("python"):
        exec(example, scope)
    found = scope["found"]
    assert found.policy.round(12).tolist() == [0, 0, 0.6, 0.4]
    assert round(found.value, 12) == 5.8
    assert found.adversary.round(12).tolist() == [2.8, 3.8, 5.8, 5.8]
