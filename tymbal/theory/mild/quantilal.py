"""Quantilizers over many steps: the quantilal policy of a decision process, and the quantilizer applied at each step.

`quantilal` bounds how often a state and action occur over the episode: occupancy at most `1/q` times the base's. That
is the worst-case optimum when a hidden cost adds up along the episode, and a linear programme over occupancies. On
`histories(process, horizon)` a state is a whole trajectory, so that no trajectory becomes more than `1/q` times as
likely. `per_step` bounds each choice on its own, so that a trajectory of T steps may become `(1/q)**T` times as likely.

Source: Kosoy 2018, "Quantilal control for finite MDPs".
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import sparse

from tymbal.errors import TheoryError
from tymbal.theory.mild.checks import TOLERANCE, require_share
from tymbal.theory.mild.mdp import MDP
from tymbal.theory.mild.programme import maximise
from tymbal.theory.mild.quantilizer import top_share


@dataclass(frozen=True, kw_only=True)
class Quantilal:
    """A policy of a decision process, its value, and how much likelier than the base it makes things."""

    policy: Float[np.ndarray, "state action"]
    value: float
    occupancy_ratio: float
    """the largest ratio of its occupancy of a state and action to the base's"""
    trajectory_ratio: float
    """the largest ratio of a trajectory's probability under it to that under the base; may be infinite"""
    adversary: Float[np.ndarray, "state action"] | None = None
    """the hidden cost that holds every policy to `value`, where one was computed"""


def quantilal(process: MDP, base: Float[np.ndarray, "state action"], q: float) -> Quantilal:
    """The best policy that takes no action in any state more than `1/q` times as often as the base policy.

    Its certificate: with the reward `r - adversary`, repaid by `E_base[adversary] / q`, no policy is worth more.
    """
    base, q = _policy(process, base), require_share(q, "q")
    states, actions = process.reward.shape
    taken = process.occupancy(base)
    leave = sparse.kron(sparse.eye(states), np.ones((1, actions)))
    arrive = process.discount * sparse.csr_array(process.transition.reshape(states * actions, states)).T
    found = maximise(
        process.reward.ravel(),
        equal=sparse.csr_array(leave - arrive),
        to=process.start,
        bounds=np.column_stack([np.zeros(states * actions), taken.ravel() / q]),
    )
    assert found is not None, "the base itself is feasible"
    occupancy = np.maximum(found.variables.reshape(states, actions), 0)
    visits = occupancy.sum(1, keepdims=True)
    policy = np.where(visits > 0, occupancy / np.where(visits > 0, visits, 1), base)
    return _judged(process, policy, base, found.prices_upper.reshape(states, actions))


def per_step(process: MDP, base: Float[np.ndarray, "state action"], q: float) -> Quantilal:
    """The best policy among those that quantilize each single choice: `policy <= base / q` in every state.

    Found by policy iteration, whose improvement step is the one-step quantilizer.
    """
    base, q = _policy(process, base), require_share(q, "q")
    policy = base
    while True:
        worth = process.action_values(policy)
        better = np.array([top_share(*rows, q).policy for rows in zip(worth, base, strict=True)])
        gained = ((better - policy) * worth).sum(1)
        if gained.max() <= 1e-12 * max(1.0, float(np.abs(worth).max())):
            return _judged(process, policy, base, None)
        policy = better


def _judged(
    process: MDP,
    policy: Float[np.ndarray, "state action"],
    base: Float[np.ndarray, "state action"],
    adversary: Float[np.ndarray, "state action"] | None,
) -> Quantilal:
    occupancy, usual = process.occupancy(policy), process.occupancy(base)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(occupancy > TOLERANCE, occupancy / usual, 0.0)
    return Quantilal(
        policy=policy,
        value=float((occupancy * process.reward).sum()),
        occupancy_ratio=float(ratios.max()),
        trajectory_ratio=trajectory_ratio(process, policy, base),
        adversary=adversary,
    )


def trajectory_ratio(
    process: MDP, policy: Float[np.ndarray, "state action"], base: Float[np.ndarray, "state action"]
) -> float:
    """How much likelier than under the base the policy makes a trajectory at most; infinite where that has no bound.

    The chances of the process cancel: what is left is the product of the choices' ratios along the best path.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(policy > 0, policy / base, 0.0)
    ends = (process.transition.sum(2) < 1 - TOLERANCE) | (process.discount < 1)
    reachable = process.transition > 0
    best = np.zeros(len(process.start))
    for _ in range(len(best) + 1):
        beyond = np.where(reachable, best, 0.0).max(2)
        fresh = (ratio * np.maximum(beyond, ends)).max(1)
        if np.allclose(fresh, best, rtol=1e-12, atol=0):
            return float(fresh[process.start > 0].max())
        best = fresh
    return np.inf


def _policy(process: MDP, policy: Float[np.ndarray, "state action"]) -> Float[np.ndarray, "state action"]:
    if policy.shape != process.reward.shape:
        raise TheoryError(
            expected=f"a base policy of the shape {process.reward.shape}",
            got=str(policy.shape),
            do="give one probability for each state and action",
        )
    if policy.min() < 0 or np.abs(policy.sum(1) - 1).max() > TOLERANCE:
        raise TheoryError(
            expected="a base policy whose rows are probabilities that sum to 1",
            got=f"sums from {policy.sum(1).min():g} to {policy.sum(1).max():g}, a smallest of {policy.min():g}",
            do="divide each row by its sum",
        )
    return policy / policy.sum(1, keepdims=True)
