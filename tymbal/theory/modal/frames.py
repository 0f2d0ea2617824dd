"""Weaker logics by brute force: every model of two agents on every small Kripke frame.

In GL every system of guarded equations has one solution. In K, where all that is known of a world is which worlds it
thinks possible, there may be several: a pair of FairBots in a world that sees itself may as well both defect, each
waiting for the other. A pair of Payor agents cannot. `stubborn` finds the worlds of defection, if there are any. The
same holds where a box means "with at least this probability", for Payor's lemma needs no more (see `payor`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product

from tymbal.theory.modal.formula import Action, Formula, boxes, where

Frame = tuple[tuple[int, ...], ...]
"""For each world the worlds that it sees."""
LOOP: Frame = ((0,),)
"""One world that sees itself: whatever is believed there is so."""
Number = int | Fraction
Beliefs = Sequence[Sequence[Number]]
"""For each world the probabilities that it gives to all worlds."""
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
    """Every way to let actions be taken in worlds so that all the equations hold in all worlds of the frame."""
    seen = [sum(1 << there for there in sees) for sees in frame]
    return _models(equations, len(frame), lambda world, inside: inside & seen[world] == seen[world])


def belief_models(equations: Mapping[Action, Formula], beliefs: Beliefs, threshold: Number) -> Iterator[Model]:
    """The same where `[]p` means that p has at least this probability in the eyes of the world."""

    def believed(world: int, inside: int) -> bool:
        return sum(weight for there, weight in enumerate(beliefs[world]) if inside >> there & 1) >= threshold

    return _models(equations, len(beliefs), believed)


def stubborn(equations: Mapping[Action, Formula], frame: Frame) -> Model | None:
    """A model on the frame in which somebody defects somewhere; None where all models are of cooperation."""
    return next((model for model in models(equations, frame) if not all(map(all, model.values()))), None)


def _models(equations: Mapping[Action, Formula], worlds: int, believed: Callable[[int, int], bool]) -> Iterator[Model]:
    """`believed(world, inside)`: whether a box is true in a world, where its body is true in the worlds `inside`."""
    found, everywhere = boxes(equations.values()), (1 << worlds) - 1
    for chosen in product(range(1 << worlds), repeat=len(equations)):
        known: dict[Formula, int] = dict(zip(equations, chosen, strict=True))
        for box in found:  # inner before outer
            inside = where(box.body, known, everywhere)
            known[box] = sum(1 << world for world in range(worlds) if believed(world, inside))
        if all(where(formula, known, everywhere) == known[action] for action, formula in equations.items()):
            yield {action: tuple(bool(known[action] >> world & 1) for world in range(worlds)) for action in equations}
