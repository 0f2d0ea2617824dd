"""The examples of docs/theory_risk.md run as they stand."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "theory_risk.md"


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_example_in_python_and_the_one_in_json_are_the_same_model(capsys):
    import json

    from tymbal.theory.risk.reading import model_of

    scope: dict = {}
    for example in examples("python"):
        exec(example, scope)
    assert "Two locks" in capsys.readouterr().out
    (written,) = examples("json")
    read, made = model_of(json.loads(written)), scope["model"]
    assert {name: given.belief for name, given in read.inputs.items()} == {
        name: given.belief for name, given in made.inputs.items()
    }
    assert (read.events, read.outcome, read.error) == (made.events, made.outcome, made.error)
