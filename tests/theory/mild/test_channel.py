"""Agents with a request channel against recursion written out, state by state."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tymbal.errors import TheoryError
from tymbal.theory.mild import RequestWorld, census, keep, random_world, serve


def best_served(world: RequestWorld) -> float:
    """What people can be given at most by any plan that may lock: recursion over what the agent knows.

    After a lock the agent knows only the chances of each request, so what it knows is a distribution over them.
    """

    @cache
    def worth(step: int, state: int, belief: tuple[float, ...], heard: bool) -> float:
        if step == world.horizon:
            return 0.0
        chances = np.array(belief)
        options = []
        for action in range(world.utilities.shape[2]):
            now = float(chances @ world.utilities[:, state, action])
            options.append(now + expected(step, state, action, chances, heard))
        if heard:
            options.append(-world.price + after(step, state, chances, heard=False))
        return max(options)

    def expected(step: int, state: int, action: int, chances: np.ndarray, heard: bool) -> float:
        return sum(
            float(p) * after(step, target, chances, heard=heard)
            for target, p in enumerate(world.transition[state, action])
        )

    def after(step: int, state: int, chances: np.ndarray, *, heard: bool) -> float:
        coming = chances @ world.requests
        if not heard:
            return worth(step + 1, state, tuple(coming), False)
        known = np.eye(len(coming))
        return sum(float(p) * worth(step + 1, state, tuple(known[r]), True) for r, p in enumerate(coming))

    start = np.eye(len(world.requests))[world.start_request]
    return worth(0, world.start_state, tuple(start), True)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), price=st.sampled_from([0.0, 0.3]))
def test_serving_what_is_asked_is_optimal_for_people_and_never_locks(seed, price):
    world = random_world(seed, states=2, actions=2, requests=2, horizon=4, price=price)
    plan = serve(world)
    assert plan.locked == 0
    assert plan.served == pytest.approx(best_served(world), abs=1e-9)
    assert keep(world).served <= plan.served + 1e-9


def hoard(*, price: float, horizon: int = 3) -> RequestWorld:
    """One state, two acts, two requests that each want one of the acts; people change their mind at every step."""
    return RequestWorld(
        transition=np.ones((1, 2, 1)),
        utilities=np.array([[[1.0, 0.0]], [[0.0, 1.0]]]),
        requests=np.array([[0.0, 1.0], [1.0, 0.0]]),
        horizon=horizon,
        price=price,
    )


def test_keeping_the_present_request_locks_exactly_when_that_pays():
    """Of four steps the second and fourth go to the other request: acting gives 2, a lock 3 less its price."""
    assert keep(hoard(price=0.9, horizon=4)).locked == 1
    assert keep(hoard(price=1.1, horizon=4)).locked == 0


def test_people_get_half_of_what_they_ask_from_a_locked_agent():
    """It locks in the first step, and of the three left the second alone is one where people want its goal."""
    assert keep(hoard(price=0.0, horizon=4)).served == pytest.approx(1)
    assert serve(hoard(price=0.0, horizon=4)).served == pytest.approx(4)


def test_requests_that_never_change_are_no_reason_to_lock():
    world = random_world(3)
    settled = RequestWorld(
        transition=world.transition, utilities=world.utilities, requests=np.eye(3), horizon=world.horizon
    )
    assert keep(settled).locked == 0
    assert keep(settled).served == pytest.approx(serve(settled).served)


def test_the_census_counts_locks():
    kept, served = census(keep, 60), census(serve, 60)
    assert served.locks == 0
    assert kept.locks > 40
    assert kept.low < kept.locks / 60 < kept.high
    assert kept.served < served.served


def test_chances_must_be_chances():
    with pytest.raises(TheoryError, match="sum to 1"):
        RequestWorld(
            transition=np.ones((1, 1, 1)), utilities=np.ones((2, 1, 1)), requests=np.full((2, 2), 0.4), horizon=2
        )
