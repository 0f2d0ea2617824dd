"""What an explainer says of one feature."""

from dataclasses import asdict, dataclass
from typing import Any

UNCLEAR = "unclear"
"""the kind, and the text, of a feature for which nothing was found that would predict it"""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One feature in words."""

    feature: int
    text: str
    """one phrase or sentence, such as “the token “der” after “in”"; `unclear` where nothing fits"""
    kind: str
    """of what sort it is, such as `token`, `concept` or `both`; `unclear` where nothing fits"""
    predicate: str | None = None
    """the same as an expression that runs (`tymbal.explain.parse_predicate`); None for words alone"""
    complexity: int = 0
    """how many simple descriptions it is made of; 0 where nothing fits"""
    concept: str = ""
    """on annotated text the concept that it marks, wherever in a mention it fires; empty: none"""
    threshold: float = 0.0
    """activation above which it does"""
    label: str = ""
    """a few words for lists and maps; empty: the text serves"""
    lay: str = ""
    """a sentence for somebody who is no expert; empty: none was asked for"""
    failures: int = 0
    """attempts that gave nothing usable: no answer, an answer that cannot be read"""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.feature < 0:
            raise ValueError(f"feature must be at least 0, not {self.feature}")
        if not self.text:
            raise ValueError(f"the explanation of feature {self.feature} has no text; say {UNCLEAR!r}")

    @property
    def unclear(self) -> bool:
        """Whether nothing was found."""
        return self.kind == UNCLEAR

    def to_row(self) -> dict[str, Any]:
        """One row of the table of explanations."""
        return asdict(self)


def unclear(feature: int, *, failures: int = 0) -> Explanation:
    """The explanation that says that none was found."""
    return Explanation(feature=feature, text=UNCLEAR, kind=UNCLEAR, failures=failures)
