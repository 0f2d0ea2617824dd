"""What an explainer may see of a dictionary's features: the `explain` passages, and no other.

Passages that score an explanation must not have served to find it. So explainers are not given an atlas or a store of
codes, which hold all uses side by side, but this view of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tymbal.atlas import Atlas, CodeStore, Example, TokenWeight
from tymbal.atlas.build import Annotations
from tymbal.corpora import Role
from tymbal.explain.activity import Activity
from tymbal.explain.text import Text

MOST_TOKENS = 1 << 18
Spell = Callable[[Sequence[int]], list[str]]
"""each token's text by itself (`LanguageModel.token_text`)"""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The `explain` side of an atlas."""

    text: Text
    """the tokens of the `explain` passages"""
    activity: Activity
    """how strongly each feature is active on each of these tokens"""
    atlas: Atlas | None = None
    """None for codes alone, such as those of a baseline: then there are no examples and no output tokens"""

    @classmethod
    def of(
        cls,
        codes: CodeStore,
        spell: Spell,
        *,
        annotations: Annotations | None = None,
        atlas: Atlas | None = None,
        tokens: int = MOST_TOKENS,
    ) -> "Evidence":
        """What a store of codes, and the atlas made from it, have of `explain` passages, at most `tokens` tokens."""
        text = Text.of(codes, Role.EXPLAIN, spell, annotations, tokens)
        return cls(text=text, activity=Activity.of(codes, Role.EXPLAIN, tokens), atlas=atlas)

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
