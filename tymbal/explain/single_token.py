"""The plainest explainer: the one token that agrees best with the feature. What every other has to beat."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, final

import numpy as np

from tymbal.explain.agreement import kappa
from tymbal.explain.evidence import Evidence
from tymbal.explain.explainer import Explainer
from tymbal.explain.explanation import Explanation, unclear
from tymbal.explain.kinds import KINDS
from tymbal.explain.predicate import Simple


@final
class TokenExplainer(Explainer):
    """Names one token, however little it tells; unclear only where the feature never fires."""

    method: ClassVar[str] = "token"

    def identity(self) -> dict[str, Any]:
        """The method; it has no settings."""
        return {"method": self.method}

    def explain(self, features: Sequence[int], evidence: Evidence) -> Iterator[Explanation]:
        """The best token of each feature."""
        text = evidence.text
        sizes = np.bincount(text.token, minlength=len(text.vocabulary))
        for feature in features:
            rows, values = evidence.activity.of_feature(feature)
            if not len(rows):
                yield unclear(feature)
                continue
            met, place = np.unique(text.token[rows], return_inverse=True)
            weights = np.bincount(place, values / values.mean())
            agreed = kappa(weights, np.bincount(place), sizes[met], 1, len(rows), len(text))
            token = Simple(KINDS["token"], (text.vocabulary[met[agreed.argmax()]],))
            yield Explanation(
                feature=feature, text=token.words(), kind=token.kind, predicate=token.expression(), complexity=1
            )
