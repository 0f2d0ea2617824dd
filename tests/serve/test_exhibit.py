"""What a feature is said to tell."""

import pytest

from tymbal.atlas import FeatureRow
from tymbal.serve.exhibit import told


def row(concept: str | None, f1: float | None) -> FeatureRow:
    """A feature with this nearest concept."""
    return FeatureRow(
        feature=0,
        label="",
        top_tokens=[],
        density=0.1,
        count=1,
        dead=False,
        maximum=1.0,
        mean=1.0,
        cluster=None,
        x=None,
        y=None,
        concept=concept,
        concept_f1=f1,
    )


@pytest.mark.parametrize(("concept", "f1", "said"), [("cat", 0.6, "cat"), ("cat", 0.05, ""), (None, None, "")])
def test_the_nearest_concept_is_told_only_where_it_is_near(concept: str | None, f1: float | None, said: str) -> None:
    assert told(row(concept, f1)) == said
