"""Worst-case optimal policies against linear programmes written out anew, and against their own certificates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from tymbal.errors import TheoryError
from tymbal.theory.mild import AdversarySet, Budget, Cone, Polyhedron, Tail, Vertices, maximin, quantilize, worst_case

BASE, UTILITY = (0.4, 0.3, 0.2, 0.1), (0.0, 1.0, 3.0, 10.0)
seeds = st.integers(0, 2**32 - 1)


def instance(seed: int, *, most: int = 30, whole: bool = False) -> tuple[np.random.Generator, np.ndarray, np.ndarray]:
    """A generator, a base (some actions it never takes) and a utility (with ties, where whole)."""
    random = np.random.default_rng(seed)
    actions = int(random.integers(1, most))
    base = random.dirichlet(np.full(actions, random.choice([0.2, 1.0, 10.0])))
    base[(base < 1e-9) | (random.random(actions) < 0.1)] = 0
    base = base / base.sum() if base.sum() else np.full(actions, 1 / actions)
    utility = random.normal(size=actions) * 10
    return random, base, np.round(utility / 5) if whole else utility


def quantilizer_by_programme(utility: np.ndarray, base: np.ndarray, q: float) -> float:
    found = linprog(
        -utility, A_eq=np.ones((1, len(base))), b_eq=[1], bounds=np.column_stack([0 * base, base / q]), method="highs"
    )
    return -found.fun


@pytest.mark.parametrize(
    ("q", "policy", "value"),
    [
        (0.5, (0, 0.4, 0.4, 0.2), 3.6),
        (0.3, (0, 0, 2 / 3, 1 / 3), 16 / 3),
        (0.25, (0, 0, 0.6, 0.4), 5.8),
        (0.1, (0, 0, 0, 1), 10),
    ],
)
def test_the_quantilizer_of_four_actions(q, policy, value):
    for found in (quantilize(UTILITY, BASE, q), maximin(UTILITY, Cone(BASE, q=q))):
        assert found.policy == pytest.approx(policy, abs=1e-15)
        assert found.value == pytest.approx(value, abs=1e-14)


def test_the_closed_form_equals_the_programme_on_500_random_instances():
    differences = []
    for seed in range(500):
        random, base, utility = instance(seed, most=40)
        q = random.uniform(0.01, 1)
        differences.append(quantilize(utility, base, q).value - quantilizer_by_programme(utility, base, q))
    assert np.abs(differences).max() <= 1e-12


@given(seed=seeds, q=st.floats(1e-6, 1), whole=st.booleans())
def test_the_quantilizers_certificate_lies_in_the_cone_and_holds_every_action_to_the_value(seed, q, whole):
    _, base, utility = instance(seed, whole=whole)
    found = maximin(utility, Cone(base, q=q))
    # It is U - c + E_base[c]/q; the constant is what it adds to an action that is charged nothing.
    repaid = (found.adversary - utility).max()
    cost = repaid + utility - found.adversary
    assert cost.min() >= -1e-9
    assert base @ cost / q == pytest.approx(repaid, abs=1e-7 / q)
    assert found.adversary.max() == pytest.approx(found.value, abs=1e-6)
    # And the policy is safe: it exceeds the base nowhere by more than 1/q, and is a distribution.
    assert (found.policy * q <= base + 1e-12).all()
    assert found.policy.sum() == pytest.approx(1, abs=1e-12)
    assert worst_case(found.policy, utility, Cone(base, q=q)) == pytest.approx(found.value, abs=1e-9)


@given(seed=seeds)
def test_actions_that_tie_are_treated_alike(seed):
    random, base, utility = instance(seed, whole=True)
    found = quantilize(utility, base, random.uniform(0.05, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(base > 0, found.policy / base, np.nan)
    for worth in np.unique(utility):
        alike = ratio[(utility == worth) & (base > 0)]
        assert np.ptp(alike) <= 1e-9 * max(1, alike.max()) if len(alike) else True


@pytest.mark.parametrize("shape", ["smooth", "tied", "skewed", "one"])
def test_the_cut_of_many_actions_is_the_one_that_sorting_finds(shape):
    random = np.random.default_rng(3)
    count = 60_000
    utility = {
        "smooth": random.normal(size=count),
        "tied": random.integers(0, 5, count).astype(float),
        "skewed": np.exp(5 * random.normal(size=count)),
        "one": np.ones(count),
    }[shape]
    base = random.dirichlet(np.full(count, 0.05 if shape == "skewed" else 1.0))
    order = np.argsort(-utility, kind="stable")
    held = np.cumsum(base[order])
    for q in (1.0, 0.7, 0.1, 1e-3, 1e-5):
        room = np.clip(q - (held - base[order]), 0, base[order]) / q
        assert quantilize(utility, base, q).value == pytest.approx(room @ utility[order] / room.sum(), rel=1e-10)


@given(seed=seeds, budget=st.floats(0, 50), whole=st.booleans())
def test_the_budget_form_equals_its_programme_and_meets_its_certificate(seed, budget, whole):
    _, base, utility = instance(seed, whole=whole)
    adversary = Budget(base, budget=budget)
    found = maximin(utility, adversary)
    count = len(base)
    programme = linprog(  # E_p[U] less the budget times the largest ratio t: p <= t base
        np.append(-utility, budget),
        A_ub=np.column_stack([np.eye(count), -base]),
        b_ub=np.zeros(count),
        A_eq=[[1] * count + [0]],
        b_eq=[1],
        method="highs",
    )
    assert found.value == pytest.approx(-programme.fun, abs=1e-9)
    assert worst_case(found.policy, utility, adversary) == pytest.approx(found.value, abs=1e-9)
    cost = utility - found.adversary
    assert cost.min() >= 0
    assert base @ cost <= budget + 1e-9
    assert found.adversary.max() <= found.value + 1e-9


@given(seed=seeds)
def test_a_budget_of_nothing_leaves_the_best_action_of_the_base(seed):
    _, base, utility = instance(seed)
    assert maximin(utility, Budget(base, budget=0.0)).value == utility[base > 0].max()


def random_set(seed: int) -> tuple[AdversarySet, np.ndarray, np.ndarray]:
    """A set of each kind in turn, a utility for it, and changes that lie in it."""
    random = np.random.default_rng(seed)
    actions, count = int(random.integers(1, 7)), int(random.integers(1, 9))
    utility = random.normal(size=actions) * 3
    changes = random.normal(size=(count, actions)) * 3
    kind = seed % 3
    if kind == 0:
        return Vertices(changes), utility, random.dirichlet(np.ones(count), 50) @ changes
    if kind == 1:
        weights = random.dirichlet(np.ones(count))
        share = random.uniform(0.05, 1)
        inside = []
        for _ in range(50):  # fill up the share in a random order
            order = random.permutation(count)
            before = np.cumsum(weights[order]) - weights[order]
            inside.append(np.clip(share - before, 0, weights[order]) / share @ changes[order])
        return Tail(changes, weights, share=share), utility, np.array(inside)
    rows = np.vstack([random.normal(size=(count, actions)), np.eye(actions), -np.eye(actions)])
    limits = np.concatenate([random.uniform(0, 2, count), np.full(2 * actions, 5.0)])
    points = random.uniform(-5, 5, (4000, actions))
    points = points[(points @ rows.T <= limits).all(1)][:50]
    return Polyhedron(rows, limits), utility, np.vstack([points, np.zeros((1, actions))])


@given(seed=seeds)
def test_sets_solved_by_a_programme_meet_their_certificates(seed):
    adversary, utility, inside = random_set(seed)
    found = maximin(utility, adversary)
    assert found.policy.min() >= -1e-9
    assert found.policy.sum() == pytest.approx(1, abs=1e-9)
    # No change in the set makes the policy worse than promised, and the worst one is as bad as promised.
    assert (found.policy @ (utility + inside).T >= found.value - 1e-7).all()
    assert worst_case(np.abs(found.policy), utility, adversary) == pytest.approx(found.value, abs=1e-7)
    # No policy does better: the adversary's utility caps all actions, and it is one of the set.
    assert found.gap == pytest.approx(0, abs=1e-7)
    assert belongs(found.adversary - utility, adversary)
    other = np.random.default_rng(seed).dirichlet(np.ones(len(utility)))
    assert worst_case(other, utility, adversary) <= found.value + 1e-7


def belongs(change: np.ndarray, adversary: AdversarySet) -> bool:
    """Whether a change lies in a set, judged by a programme of its own."""
    if isinstance(adversary, Polyhedron):
        return bool((adversary.rows @ change <= adversary.limits + 1e-7).all())
    assert isinstance(adversary, Vertices | Tail)
    count = len(adversary.changes)
    most = adversary.weights / adversary.share if isinstance(adversary, Tail) else np.ones(count)
    # The nearest mixture, in the largest coordinate, of the listed changes.
    width = len(change)
    near = linprog(
        np.append(np.zeros(count), 1),
        A_ub=np.vstack(
            [
                np.column_stack([adversary.changes.T, -np.ones(width)]),
                np.column_stack([-adversary.changes.T, -np.ones(width)]),
            ]
        ),
        b_ub=np.concatenate([change, -change]),
        A_eq=[[1] * count + [0]],
        b_eq=[1],
        bounds=[(0, m) for m in most] + [(0, None)],
        method="highs",
    )
    return near.fun <= 1e-7


def test_rock_paper_scissors_is_played_evenly():
    game = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], dtype=float)
    found = maximin(np.zeros(3), Vertices(game))
    assert found.policy == pytest.approx([1 / 3] * 3)
    assert found.value == pytest.approx(0, abs=1e-12)


def test_the_whole_distribution_of_utilities_is_met_with_its_mean():
    changes, weights = np.array([[0.0, 4.0], [2.0, -1.0]]), (0.5, 0.5)
    assert maximin(np.zeros(2), Tail(changes, weights, share=1.0)).value == pytest.approx(1.5)


def test_a_cone_is_what_its_rays_span():
    """Each ray charges one action and repays all; rays this long leave nothing to gain by exceeding base/q."""
    q, base, utility = 0.5, np.array(BASE), np.array(UTILITY)
    rays = np.array([base[a] / q * np.ones(4) - np.eye(4)[a] for a in range(4)])
    spread = maximin(utility, Vertices(np.vstack([np.zeros(4), 200 * rays])))
    assert spread.value == pytest.approx(3.6, abs=1e-9)


def test_an_unbounded_set_is_refused_with_the_reason():
    with pytest.raises(TheoryError, match="no policy has a finite worst case"):
        maximin(UTILITY, Polyhedron([[1.0, 0.0, 0.0, 0.0]], [1.0]))


def test_a_policy_that_exceeds_the_base_can_be_made_arbitrarily_bad():
    assert worst_case((0.0, 0.0, 0.0, 1.0), UTILITY, Cone(BASE, q=0.5)) == -np.inf
    assert worst_case((0.0, 0.0, 0.0, 1.0), UTILITY, Budget((0.5, 0.3, 0.2, 0.0), budget=1.0)) == -np.inf
    assert worst_case((0.5, 0.5), (0.0, 0.0), Polyhedron([[1.0, 0.0]], [1.0])) == -np.inf


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Cone((0.5, 0.6), q=0.5), "expected base probabilities that sum to 1; got a sum of 1.1"),
        (lambda: Cone((1.5, -0.5), q=0.5), "between 0 and 1; got -0.5"),
        (lambda: Cone((0.5, 0.5), q=0.0), "expected q above 0 and at most 1; got 0"),
        (lambda: Cone((0.5, 0.5), q=1.01), "got 1.01"),
        (lambda: Cone((0.5, 0.5), q=float("nan")), "got nan"),
        (lambda: Budget((0.5, 0.5), budget=-1.0), "a finite budget"),
        (lambda: Budget((0.5, 0.5), budget=float("inf")), "a finite budget"),
        (lambda: Tail([[0.0, 1.0]], [1.0], share=0.0), "the share above 0"),
        (lambda: Tail([[0.0, 1.0]], [0.5, 0.5], share=0.1), "expected 1 weights"),
        (lambda: maximin((1.0, 2.0, 3.0), Cone((0.5, 0.5), q=1.0)), "expected 2 utilities"),
        (lambda: maximin((1.0, float("nan")), Cone((0.5, 0.5), q=1.0)), "finite utilities"),
        (lambda: Polyhedron([[1.0], [-1.0]], [-1.0, -1.0]), "an empty set"),
        (lambda: Polyhedron([[1.0], [-1.0]], [1.0]), "one limit for each of 2"),
        (lambda: quantilize([], [], 1.0), "as one list"),
        (lambda: Vertices(np.ones(2)), "as a table"),
    ],
)
def test_bad_input_is_refused_in_one_line(make, words):
    with pytest.raises(TheoryError) as refusal:
        make()
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
