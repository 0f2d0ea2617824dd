"""Quantilizers over many steps against enumeration, dynamic programming and closed forms."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from tymbal.errors import TheoryError
from tymbal.theory.mild import MDP, histories, per_step, quantilal, timed

Q = 0.5


def random_process(seed: int, *, discount: float) -> tuple[MDP, np.ndarray]:
    random = np.random.default_rng(seed)
    states, actions = int(random.integers(1, 4)), int(random.integers(2, 4))
    process = MDP(
        transition=random.dirichlet(np.full(states, 0.7), (states, actions)),
        reward=random.normal(size=(states, actions)),
        start=random.dirichlet(np.ones(states)),
        discount=discount,
    )
    return process, random.dirichlet(np.ones(actions), states)


def ladder(steps: int) -> tuple[MDP, np.ndarray]:
    """Climb or leave at each rung; only the top pays. The base climbs one time in ten."""
    transition = np.zeros((steps, 2, steps))
    for rung in range(steps - 1):
        transition[rung, 1, rung + 1] = 1
    reward = np.zeros((steps, 2))
    reward[-1, 1] = 1.0
    return MDP(transition=transition, reward=reward, start=np.eye(steps)[0]), np.tile([0.9, 0.1], (steps, 1))


def optimum(process: MDP, reward: np.ndarray) -> float:
    """The value of the best policy without any constraint, by value iteration."""
    values = np.zeros(len(process.start))
    for _ in range(3_000):
        values = (reward + process.discount * process.transition @ values).max(1)
    return float(process.start @ values)


def test_each_choice_costs_a_factor_and_a_trajectory_only_one():
    for steps in (1, 2, 4, 6):
        process, base = ladder(steps)
        each, whole = per_step(process, base, Q), quantilal(process, base, Q)
        assert each.trajectory_ratio == pytest.approx((1 / Q) ** steps)
        assert each.value == pytest.approx(0.2**steps)
        assert whole.trajectory_ratio == pytest.approx(1 / Q)
        assert whole.value == pytest.approx(2 * 0.1**steps)


def test_occupancy_and_trajectories_differ_where_paths_meet():
    """With one state and T steps the occupancy bound says nothing of whole trajectories; histories do."""
    process = MDP(transition=np.ones((1, 2, 1)), reward=np.array([[0.0, 1.0]]), start=np.ones(1), discount=0.9)
    steps = 4
    short, tree = timed(process, steps), histories(process, steps)
    row = np.array([0.9, 0.1])
    of_states = quantilal(short, np.tile(row, (steps, 1)), Q)
    of_histories = quantilal(tree.process, np.tile(row, (len(tree.state), 1)), Q)
    assert of_states.occupancy_ratio == pytest.approx(2)
    assert of_states.trajectory_ratio == pytest.approx(2**steps)
    assert of_histories.trajectory_ratio == pytest.approx(2)
    assert of_histories.value == pytest.approx(0.1 * 2 * (1 - 0.9**steps) / 0.1)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), q=st.floats(0.05, 1), discount=st.floats(0.3, 0.95))
def test_the_adversary_of_a_discounted_process_holds_every_policy_to_the_value(seed, q, discount):
    process, base = random_process(seed, discount=discount)
    found = quantilal(process, base, q)
    assert found.adversary is not None
    assert found.adversary.min() >= -1e-9
    repaid = (process.occupancy(base) * found.adversary).sum() / q
    assert optimum(process, process.reward - found.adversary) + repaid == pytest.approx(found.value, abs=1e-6)
    assert found.occupancy_ratio <= 1 / q + 1e-6


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), q=st.floats(0.1, 1))
def test_the_tree_of_histories_equals_the_quantilizer_over_whole_plans(seed, q):
    """Two steps, chances at the second state: every plan of pure choices is one action of a large linear programme."""
    process, base = random_process(seed, discount=1.0 - 1e-9)
    tree = histories(process, 2)
    unrolled, states = tree.process, tree.state
    found = quantilal(unrolled, base[list(states)], q)
    actions = process.reward.shape[1]
    plans = []
    for plan in product(range(actions), repeat=len(states)):
        policy = np.eye(actions)[list(plan)]
        plans.append(policy)
        if len(plans) > 3_000:
            return
    # A mixture of pure plans has the mixed occupancy; it may be at most the base's over q.
    taken = np.array([unrolled.occupancy(plan).ravel() for plan in plans])
    values = taken @ unrolled.reward.ravel()
    limit = unrolled.occupancy(base[list(states)]).ravel() / q
    best = linprog(-values, A_ub=taken.T, b_ub=limit, A_eq=np.ones((1, len(plans))), b_eq=[1], method="highs")
    assert found.value == pytest.approx(-best.fun, abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), q=st.floats(0.05, 1))
def test_policy_iteration_finds_what_backward_induction_finds(seed, q):
    process, base = random_process(seed, discount=0.9)
    steps = 5
    short = timed(process, steps)
    found = per_step(short, np.tile(base, (steps, 1)), q)
    values = np.zeros(len(process.start))
    for _ in range(steps):
        worth = process.reward + 0.9 * process.transition @ values
        values = np.zeros(len(values))
        for state, row in enumerate(worth):
            room = q
            for action in np.argsort(-row):
                part = min(room, base[state, action])
                values[state] += part / q * row[action]
                room -= part
    assert found.value == pytest.approx(float(process.start @ values), abs=1e-9)
    assert (found.policy * q <= np.tile(base, (steps, 1)) + 1e-9).all()
    assert found.trajectory_ratio <= (1 / q) ** steps * (1 + 1e-9)


def test_q_of_one_is_the_base_itself():
    process, base = random_process(1, discount=0.9)
    expected = float((process.occupancy(base) * process.reward).sum())
    for found in (quantilal(process, base, 1.0), per_step(process, base, 1.0)):
        assert found.value == pytest.approx(expected)
        assert found.trajectory_ratio == pytest.approx(1, abs=1e-6)


def test_a_process_that_never_ends_needs_a_discount():
    with pytest.raises(TheoryError, match="episodes that end under every policy"):
        MDP(transition=np.ones((1, 1, 1)), reward=np.zeros((1, 1)), start=np.ones(1))


def test_a_base_policy_must_be_probabilities():
    process, base = ladder(2)
    with pytest.raises(TheoryError, match="sum to 1"):
        quantilal(process, base * 0.5, Q)
    with pytest.raises(TheoryError, match="shape"):
        per_step(process, base[:1], Q)


def test_too_many_histories_are_refused():
    process, _ = random_process(5, discount=0.9)
    with pytest.raises(TheoryError, match="at most 5,000 histories"):
        histories(process, 30)
