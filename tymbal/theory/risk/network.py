"""The exact probability of each event and of the outcome at given inputs: every way things can go is followed."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from tymbal.errors import TheoryError
from tymbal.theory.risk.conditions import condition
from tymbal.theory.risk.model import Variant

WAYS = 4_096
"""Ways that things can go which are followed at most."""


class Probabilities(NamedTuple):
    """Of the outcome, and of each event, at each point."""

    outcome: Float[np.ndarray, " point"]
    events: dict[str, Float[np.ndarray, " point"]]


def probabilities(variant: Variant, values: Mapping[str, Float[np.ndarray, " point"]]) -> Probabilities:
    """Follow the events in their order; a way that cannot happen is dropped."""
    ways: list[tuple[dict[str, bool], Float[np.ndarray, " point"]]] = [({}, np.ones(_points(values)))]
    marginals = {}
    for event in variant.events:
        cases = [(condition(case.given, list(marginals)), case.probability) for case in event.cases]
        going = []
        marginals[event.name] = np.zeros(_points(values))
        for happened, chance in ways:
            named = next((name for holds, name in cases if holds(happened)), None)
            if named is None:
                going.append(({**happened, event.name: False}, chance))
                continue
            both = chance * values[named]
            marginals[event.name] += both
            going += [({**happened, event.name: True}, both), ({**happened, event.name: False}, chance - both)]
        if len(going) > WAYS:
            raise TheoryError(
                expected=f"events that can go at most {WAYS:,} ways",
                got=f"more, at {event.name!r}",
                do="join some of the events",
            )
        ways = going
    holds = condition(variant.outcome, list(marginals))
    outcome = sum((chance for happened, chance in ways if holds(happened)), np.zeros(_points(values)))
    return Probabilities(outcome, marginals)


def _points(values: Mapping[str, Float[np.ndarray, " point"]]) -> int:
    return len(next(iter(values.values())))
