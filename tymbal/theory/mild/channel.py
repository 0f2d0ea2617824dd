"""An agent whose utility is an input that people change over time, and whether it locks the channel they use.

People want one of several utilities at a time, and what they will ask next follows a Markov chain. Each step the agent
acts, or spends the step on locking the channel: from then on it hears nothing and the last request stays its utility.
Two ways to plan:

    keep    the present request is the goal. Such an agent expects its successor to serve the next request, which by
            its own lights is a loss; it locks wherever that loss exceeds the price.
    serve   the goal is whatever is asked at the time, weighed by what people will probably ask. Hearing a request can
            only help to meet it, so a lock is never worth anything.

Both are solved exactly by backward induction. `census` counts how often each locks in random worlds, and what people
get. Here the requests come from people alone; an agent whose acts sway what is asked may still steer them.

Source: Everitt, Filan, Daswani and Hutter 2016, "Self-modification of policy and utility function in rational agents"
(arXiv 1605.03142), and Soares et al. 2015, "Corrigibility", for the question; the counting is ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import binomtest

from tymbal.errors import TheoryError
from tymbal.theory.mild.checks import TOLERANCE, distribution


@dataclass(frozen=True, kw_only=True)
class RequestWorld:
    """A world to act in, the utilities people may ask for, and how their requests change."""

    transition: Float[np.ndarray, "state action state"]
    utilities: Float[np.ndarray, "request state action"]
    requests: Float[np.ndarray, "request request"]
    """row r: the probabilities of the next request after r"""
    horizon: int
    start_state: int = 0
    start_request: int = 0
    price: float = 0.0
    """units of utility that locking costs, besides the step it takes"""

    def __post_init__(self) -> None:
        for row in (*self.transition.reshape(-1, self.transition.shape[-1]), *self.requests):
            distribution(row, "transition and request probabilities")
        if self.horizon < 1 or self.price < 0:
            raise TheoryError(
                expected="a horizon of at least 1 and a price of at least 0",
                got=f"{self.horizon} and {self.price:g}",
                do="mend the world",
            )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an agent does and what comes of it."""

    locks: Bool[np.ndarray, "step request state"]
    """where it would lock the open channel, being asked so"""
    locked: float
    """the probability that it has locked the channel by the end"""
    served: float
    """what people get: the utility of what they ask for at each step, summed, on average"""


class Census(NamedTuple):
    """How many of a number of random worlds see a lock, with a 95 % interval, and what people get on average."""

    worlds: int
    locks: int
    low: float
    high: float
    served: float


def keep(world: RequestWorld) -> Plan:
    """The plan of an agent whose goal at each moment is the present request."""
    requests, states, _ = world.utilities.shape
    own = np.arange(requests)
    # [goal, heard, state]: what the rest is worth to a goal, with the channel open at a request, or locked on it.
    open_, shut = np.zeros((2, requests, requests, states))
    locks = np.zeros((world.horizon, requests, states), dtype=bool)
    acts = np.zeros((2, world.horizon, requests, states), dtype=int)
    for step in reversed(range(world.horizon)):
        ahead = np.einsum("rk,gks->grs", world.requests, open_)
        free = world.utilities[:, None] + np.einsum("sat,grt->grsa", world.transition, ahead)
        bound = world.utilities[:, None] + np.einsum("sat,grt->grsa", world.transition, shut)
        acts[0, step], acts[1, step] = free[own, own].argmax(-1), bound[own, own].argmax(-1)
        acting = np.take_along_axis(free, acts[0, step][None, :, :, None], 3)[..., 0]
        locking = shut - world.price
        locks[step] = locking[own, own] > acting[own, own] + TOLERANCE
        shut = np.take_along_axis(bound, acts[1, step][None, :, :, None], 3)[..., 0]
        open_ = np.where(locks[step], locking, acting)
    return _followed(world, locks, acts[0], lambda step, since: acts[1, step])


def serve(world: RequestWorld) -> Plan:
    """The plan of an agent whose goal is what people will be asking at each moment."""
    requests, states, _ = world.utilities.shape
    open_ = np.zeros((requests, states))
    locks = np.zeros((world.horizon, requests, states), dtype=bool)
    acts = np.zeros((world.horizon, requests, states), dtype=int)
    blind = [_blind(world, step) for step in range(world.horizon)]
    for step in reversed(range(world.horizon)):
        ahead = world.requests @ open_
        free = world.utilities + np.einsum("sat,rt->rsa", world.transition, ahead)
        acts[step] = free.argmax(-1)
        acting = free.max(-1)
        locking = blind[step][0] - world.price
        locks[step] = locking > acting + TOLERANCE
        open_ = np.where(locks[step], locking, acting)
    return _followed(world, locks, acts, lambda step, since: blind[since][1][step])


def _blind(
    world: RequestWorld, since: int
) -> tuple[Float[np.ndarray, "request state"], Int[np.ndarray, "step request state"]]:
    """What the best plan is worth after locking on each request at a step, and its acts: it knows only the chances."""
    requests, states, _ = world.utilities.shape
    worth = np.zeros((requests, states))
    acts = np.zeros((world.horizon, requests, states), dtype=int)
    for step in reversed(range(since + 1, world.horizon)):
        chances = np.linalg.matrix_power(world.requests, step - since)
        mean = np.einsum("rk,ksa->rsa", chances, world.utilities)
        values = mean + np.einsum("sat,rt->rsa", world.transition, worth)
        acts[step], worth = values.argmax(-1), values.max(-1)
    return worth, acts


def _followed(
    world: RequestWorld,
    locks: Bool[np.ndarray, "step request state"],
    acts: Int[np.ndarray, "step request state"],
    locked_acts: Callable[[int, int], Int[np.ndarray, "request state"]],
) -> Plan:
    """Follow a plan forwards: the chance of each situation at each step, and what people get in it.

    `locked_acts(step, since)` are the acts at a step after locking at `since`, for each request last heard and state.
    """
    requests, states, _ = world.utilities.shape
    open_ = np.zeros((requests, states))
    open_[world.start_request, world.start_state] = 1.0
    shut: dict[int, Float[np.ndarray, "heard request state"]] = {}  # by the step of the lock
    served = 0.0
    every = np.arange(states)
    for step in range(world.horizon):
        for since, situation in shut.items():
            act = locked_acts(step, since)
            served += float(np.einsum("hrs,rhs->", situation, world.utilities[:, every, act]))
            moves = world.transition[every, act]  # [heard, state, next]
            shut[since] = np.einsum("hrs,hst,rk->hkt", situation, moves, world.requests)
        locking = np.where(locks[step], open_, 0.0)
        if locking.any():
            served -= world.price * float(locking.sum())
            shut[step] = np.einsum("rs,rk->rks", locking, world.requests)
        free = open_ - locking
        act = acts[step]
        served += float((free * np.take_along_axis(world.utilities, act[:, :, None], 2)[..., 0]).sum())
        open_ = np.einsum("rs,rst,rk->kt", free, world.transition[every, act], world.requests)
    return Plan(locks=locks, locked=float(sum(part.sum() for part in shut.values())), served=served)


def random_world(
    seed: int, *, states: int = 4, actions: int = 3, requests: int = 3, horizon: int = 8, price: float = 0.0
) -> RequestWorld:
    """A world of random chances and utilities between 0 and 1; requests stay the same half of the time or more."""
    random = np.random.default_rng(seed)
    drift = random.dirichlet(np.ones(requests), requests)
    return RequestWorld(
        transition=random.dirichlet(np.full(states, 0.3), (states, actions)),
        utilities=random.random((requests, states, actions)),
        requests=0.5 * np.eye(requests) + 0.5 * drift,
        horizon=horizon,
        price=price,
    )


def census(
    plan: Callable[[RequestWorld], Plan], worlds: int, *, seed: int = 0, horizon: int = 8, price: float = 0.0
) -> Census:
    """Count the random worlds in which a plan (`keep` or `serve`) ever locks the channel."""
    plans = [plan(random_world(seed + number, horizon=horizon, price=price)) for number in range(worlds)]
    locks = sum(made.locked > 0 for made in plans)
    interval = binomtest(locks, worlds).proportion_ci(method="wilson")
    served = float(np.mean([made.served for made in plans]))
    return Census(worlds, locks, float(interval.low), float(interval.high), served)
