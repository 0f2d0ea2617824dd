"""What an explainer may see of a dictionary's features: the `explain` passages, and no other.

Passages that score an explanation must not have served to find it. So explainers are not given an atlas or a store of
codes, which hold all uses side by side, but this view of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tymbal.atlas import Atlas, CodeStore, Example, TokenWeight
from tymbal.atlas.build import Annotations
from tymbal.corpora import Role
from tymbal.explain.activity import Activity
from tymbal.explain.text import Text

MOST_TOKENS = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The `explain` side of an atlas."""

    codes: CodeStore
    spell: Callable[[Sequence[int]], list[str]]
    """each token's text by itself (`LanguageModel.token_text`)"""
    annotations: Annotations | None = None
    """concepts of annotated text"""
    atlas: Atlas | None = None
    """None for codes alone, such as those of a baseline: then there are no examples and no output tokens"""
    tokens: int = MOST_TOKENS
    """tokens read of the passages at most"""

    @cached_property
    def text(self) -> Text:
        """The tokens of the `explain` passages."""
        return Text.of(self.codes, Role.EXPLAIN, self.spell, self.annotations, self.tokens)

    @cached_property
    def activity(self) -> Activity:
        """How strongly each feature is active on each of these tokens."""
        return Activity.of(self.codes, Role.EXPLAIN, self.tokens)

    def examples(self, feature: int) -> list[Example]:
        """A feature's examples from `explain` passages: the top ones, then the sampled by interval of activation."""
        return self.atlas.examples(feature, "explain") if self.atlas is not None else []

    def near_misses(self, feature: int, neighbours: int = 4) -> list[Example]:
        """Top examples, from `explain` passages, of the features that point most nearly the same way."""
        if self.atlas is None:
            return []
        near = self.atlas.feature(feature).by_cosine[:neighbours]
        return [example for one in near for example in self.examples(one.feature) if example.kind == "top"]

    def promoted(self, feature: int) -> list[TokenWeight]:
        """Output tokens that the feature makes likelier; empty where the model has no head."""
        return (self.atlas.feature(feature).promoted or []) if self.atlas is not None else []
