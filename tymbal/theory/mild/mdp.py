"""Finite Markov decision processes whose episodes end, or whose rewards are discounted.

Rows of the transition may sum to less than one: with the rest of the probability the episode ends. So a finite horizon
is not a case of its own: `timed` makes states of (step, state) pairs, and `histories` makes a state of everything that
has happened, under which what holds for a state holds for a whole trajectory.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from tymbal.errors import TheoryError
from tymbal.theory.mild.checks import TOLERANCE, distribution

LARGEST = 5_000
"""States that `histories` makes at most."""


@dataclass(frozen=True, kw_only=True)
class MDP:
    """A decision process; `transition[s, a]` are the probabilities of the next states, short of one where it ends."""

    transition: Float[np.ndarray, "state action state"]
    reward: Float[np.ndarray, "state action"]
    start: Float[np.ndarray, " state"]
    discount: float = 1.0

    def __post_init__(self) -> None:
        distribution(self.start, "start probabilities")
        leaving = self.transition.sum(2)
        if self.transition.min() < 0 or leaving.max() > 1 + TOLERANCE:
            raise TheoryError(
                expected="transition probabilities between 0 and 1 that sum to at most 1",
                got=f"a smallest of {self.transition.min():g} and a largest sum of {leaving.max():g}",
                do="mend the transition",
            )
        if not 0 < self.discount <= 1:
            raise TheoryError(expected="a discount in (0, 1]", got=f"{self.discount:g}", do="take .95, say")
        if self.discount == 1 and self.can_go_on().any():
            raise TheoryError(
                expected="episodes that end under every policy, or a discount below 1",
                got=f"a policy that stays for ever in state {int(self.can_go_on().argmax())}",
                do="give a discount, or a horizon by `timed`",
            )

    def can_go_on(self) -> Bool[np.ndarray, " state"]:
        """States from which some policy never ends the episode."""
        staying = np.ones(len(self.start), dtype=bool)
        while True:
            still = staying & (self.transition[:, :, staying].sum(2) >= 1 - TOLERANCE).any(1)
            if (still == staying).all():
                return still
            staying = still

    def occupancy(self, policy: Float[np.ndarray, "state action"]) -> Float[np.ndarray, "state action"]:
        """How often each action is taken in each state, over an episode on average, discounted."""
        moves = np.einsum("sa,sat->st", policy, self.transition)
        visits = np.linalg.solve(np.eye(len(self.start)) - self.discount * moves.T, self.start)
        return np.maximum(visits, 0)[:, None] * policy

    def action_values(self, policy: Float[np.ndarray, "state action"]) -> Float[np.ndarray, "state action"]:
        """What taking an action once and following the policy afterwards is worth."""
        moves = np.einsum("sa,sat->st", policy, self.transition)
        gained = (policy * self.reward).sum(1)
        values = np.linalg.solve(np.eye(len(self.start)) - self.discount * moves, gained)
        return self.reward + self.discount * self.transition @ values


def timed(process: MDP, horizon: int) -> MDP:
    """The same process stopped after `horizon` steps; state `s` at step `t` is number `t * states + s`."""
    states, actions, _ = process.transition.shape
    transition = np.zeros((horizon, states, actions, horizon, states))
    for step in range(horizon - 1):
        transition[step, :, :, step + 1] = process.transition
    return MDP(
        transition=transition.reshape(horizon * states, actions, horizon * states),
        reward=np.tile(process.reward, (horizon, 1)),
        start=np.concatenate([process.start, np.zeros((horizon - 1) * states)]),
        discount=process.discount,
    )


@dataclass(frozen=True, kw_only=True)
class Histories:
    """A process whose states are histories, and the state of the original one that each history has come to."""

    process: MDP
    state: tuple[int, ...]


def histories(process: MDP, horizon: int) -> Histories:
    """The process stopped after `horizon` steps, with one state for each history that can happen.

    Raises `TheoryError` where there are more than `LARGEST`.
    """
    actions = process.reward.shape[1]
    state = [int(s) for s in np.flatnonzero(process.start)]
    moves: list[tuple[int, int, int, float]] = []
    level = list(range(len(state)))
    for _ in range(horizon - 1):
        coming = []
        for node in level:
            for action in range(actions):
                row = process.transition[state[node], action]
                for after in np.flatnonzero(row):
                    moves.append((node, action, len(state), float(row[after])))
                    coming.append(len(state))
                    state.append(int(after))
            if len(state) > LARGEST:
                raise TheoryError(
                    expected=f"at most {LARGEST:,} histories", got=f"more, at a horizon of {horizon}", do="shorten it"
                )
        level = coming
    transition = np.zeros((len(state), actions, len(state)))
    for node, action, after, probability in moves:
        transition[node, action, after] = probability
    start = np.zeros(len(state))
    start[: np.count_nonzero(process.start)] = process.start[process.start > 0]
    unrolled = MDP(transition=transition, reward=process.reward[state], start=start, discount=process.discount)
    return Histories(process=unrolled, state=tuple(state))
