"""The abstract explainer: features in, words out.

Each method is one final class in a file of its own. An explainer sees `Evidence`, which holds what the `explain`
passages tell and nothing of those that score; it never scores itself.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from tymbal.explain.evidence import Evidence
from tymbal.explain.explanation import Explanation


class Explainer(ABC):
    """One way to put features into words."""

    method: ClassVar[str]
    """its name in `config.json` and on the command line"""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """All on which the explanations depend, as JSON values; with another identity a folder is not gone on with."""

    @abstractmethod
    def explain(self, features: Sequence[int], evidence: Evidence) -> Iterator[Explanation]:
        """One explanation of each feature, in the order given, also of those for which nothing is found.

        What it says of a feature does not depend on which others are asked for with it, so that work can be cut into
        units and taken up again.
        """
