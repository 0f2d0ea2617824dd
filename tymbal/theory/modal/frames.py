"""Weaker logics by brute force: every model of two agents on every small Kripke frame.

In GL every system of guarded equations has one solution. In K, where all that is known of a world is which worlds it
thinks possible, there may be several: a pair of FairBots in a world that sees itself may as well both defect, each
waiting for the other. A pair of Payor agents cannot. `stubborn` finds the worlds of defection, if there are any.
"""

from collections.abc import Iterator, Mapping
from itertools import product

from tymbal.theory.modal.formula import Action, Box, Formula, boxes, holds

Frame = tuple[tuple[int, ...], ...]
"""For each world the worlds that it sees."""
LOOP: Frame = ((0,),)
"""One world that sees itself: whatever is believed there is so."""
Model = Mapping[Action, tuple[bool, ...]]
"""For each action the worlds in which it is taken."""


def frames(worlds: int) -> Iterator[Frame]:
    """All frames on this many worlds, 2 ** worlds ** 2 of them."""
    seen = [tuple(w for w in range(worlds) if chosen >> w & 1) for chosen in range(2**worlds)]
    yield from product(seen, repeat=worlds)


def transitive(frame: Frame) -> bool:
    """Whether a world sees all that those see which it sees: frames of K4."""
    return all(far in sees for sees in frame for near in sees for far in frame[near])


def models(equations: Mapping[Action, Formula], frame: Frame) -> Iterator[Model]:
    """Every way to let actions be taken in worlds so that all the equations hold in all worlds."""
    found, names = boxes(equations.values()), tuple(equations)
    patterns = list(product((False, True), repeat=len(frame)))
    for chosen in product(patterns, repeat=len(names)):
        model = dict(zip(names, chosen, strict=True))
        proved = [dict[Box, bool]() for _ in frame]
        taken = [{name: model[name][world] for name in names} for world in range(len(frame))]
        for box in found:  # inner before outer
            inside = [holds(box.body, taken[world], proved[world]) for world in range(len(frame))]
            for world, sees in enumerate(frame):
                proved[world][box] = all(inside[there] for there in sees)
        if all(
            holds(formula, taken[world], proved[world]) == taken[world][name]
            for world in range(len(frame))
            for name, formula in equations.items()
        ):
            yield model


def stubborn(equations: Mapping[Action, Formula], frame: Frame) -> Model | None:
    """A model on the frame in which somebody defects somewhere; None where all models are of cooperation."""
    return next((model for model in models(equations, frame) if not all(map(all, model.values()))), None)
