"""The policy that does best when an adversary may change the utility, with proof.

    maximin(utility, set)  =  argmax over policies p of  min over changes d in the set of  E_p[utility + d]

Whoever proposes a single action meets a utility that spikes down exactly there; a spread of actions smooths the spikes
out. The proof is the adversary's own utility: it lies in the set, and no action is worth more than the value under it,
so no policy can be promised more, while the policy is worth at least the value under every utility of the set.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from tymbal.theory.mild.checks import Numbers, distribution, require_same_length, vector


@dataclass(frozen=True, kw_only=True)
class Maximin:
    """A policy, what it is worth at the worst, and the utility with which the adversary holds every policy to that."""

    policy: Float[np.ndarray, " action"]
    value: float
    adversary: Float[np.ndarray, " action"]

    @property
    def gap(self) -> float:
        """How much more than `value` some policy might be promised; 0 up to rounding."""
        return float(self.adversary.max()) - self.value


class AdversarySet(ABC):
    """A convex set of changes `d` that an adversary may make to a utility: it becomes `utility + d`."""

    actions: int

    @abstractmethod
    def solve(self, utility: Float[np.ndarray, " action"]) -> Maximin:
        """The maximin policy for this utility."""

    @abstractmethod
    def worst(self, policy: Float[np.ndarray, " action"], utility: Float[np.ndarray, " action"]) -> float:
        """What a policy is worth at the worst; -inf where it can be made arbitrarily bad."""


def maximin(utility: Numbers, adversary: AdversarySet) -> Maximin:
    """The policy of the best worst case over a set of utilities, its value and the adversary's utility.

    Raises `TheoryError` for a utility of another length and for a set that leaves no policy a finite worst case.
    """
    worth = vector(utility, "utilities")
    require_same_length(worth, adversary.actions, "utilities, as many as the set has actions")
    return adversary.solve(worth)


def worst_case(policy: Numbers, utility: Numbers, adversary: AdversarySet) -> float:
    """What any policy is worth at the worst over a set of utilities; -inf where that has no bound."""
    chosen, worth = distribution(policy, "policy probabilities"), vector(utility, "utilities")
    require_same_length(worth, adversary.actions, "utilities, as many as the set has actions")
    require_same_length(chosen, adversary.actions, "policy probabilities, as many as the set has actions")
    return adversary.worst(chosen, worth)
