"""A risk model: uncertain inputs, events that depend on each other, and everything that may be wrong with them.

    inputs        what is believed of each quantity, and correlations between the inputs' normal scores
    events        each happens with the probability that one of its cases names; a case may hold under a condition on
                  earlier events only, and where no case holds the event does not happen
    outcome       the condition whose probability is asked for
    structures    other ways to set the model up, each with a weight: they replace inputs, events, correlations
    model error   P = P(X | model right) P(right) + P(X | wrong) P(wrong)
    margins       losses over gains, where no probability is honest: a safety factor and the argument for it

A model may consist of margins alone; then it has no outcome and no probability is ever given.

Sources: Ord, Hillerbrand and Sandberg 2010, "Probing the improbable" (arXiv 0810.5515), for the model-error term.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

from tymbal.errors import TheoryError, listed
from tymbal.theory.risk.conditions import condition
from tymbal.theory.risk.distributions import Distribution, Point, check_probabilities

TOLERANCE = 1e-9
RIGHT = "model_right"
WRONG = "if_wrong"
"""The names under which a what-if changes the model-error term."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """One uncertain quantity."""

    belief: Distribution
    about: str = ""
    source: str = ""


@dataclass(frozen=True)
class Case:
    """Under a condition on earlier events, the input that is the event's probability."""

    probability: str
    given: str = ""


@dataclass(frozen=True)
class Event:
    """Something that happens or not; the first case that holds says how probably."""

    name: str
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Correlation:
    """Between the normal scores of two inputs."""

    first: str
    second: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Structure:
    """One way to set the model up, and how much it is believed; what is None stays as the model has it."""

    name: str
    weight: float
    about: str = ""
    inputs: Mapping[str, Input] = field(default_factory=dict)
    events: tuple[Event, ...] | None = None
    correlations: tuple[Correlation, ...] | None = None
    outcome: str | None = None


@dataclass(frozen=True, kw_only=True)
class ModelError:
    """How probably the model is right, and what is believed of the outcome where it is not."""

    right: Distribution
    if_wrong: Distribution
    argument: str


@dataclass(frozen=True, kw_only=True)
class Margin:
    """A safety factor, loss over gain, and why it should hold: two inputs, or a bound that somebody has argued for."""

    name: str
    argument: str
    loss: str = ""
    gain: str = ""
    at_least: float | None = None
    source: str = ""

    def __post_init__(self) -> None:
        if (self.at_least is None) == (not (self.loss and self.gain)):
            raise TheoryError(
                expected=f"the margin {self.name!r} with either a loss and a gain or a bound",
                got="both or neither",
                do="give one of the two",
            )
        if not self.argument:
            raise TheoryError(
                expected=f"an argument for the margin {self.name!r}", got="none", do="say why the factor holds"
            )


@dataclass(frozen=True, kw_only=True)
class RiskModel:
    """An explicit model of one risk. Raises `TheoryError` where it does not hold together."""

    title: str
    question: str
    inputs: Mapping[str, Input] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    outcome: str = ""
    correlations: tuple[Correlation, ...] = ()
    structures: tuple[Structure, ...] = ()
    error: ModelError | None = None
    margins: tuple[Margin, ...] = ()
    source: str = ""
    thresholds: tuple[float, ...] = ()
    """probabilities of which the report says how much of the distribution lies below"""

    def __post_init__(self) -> None:
        for margin in self.margins:
            for name in (margin.loss, margin.gain):
                self._require(name, self.inputs, f"the margin {margin.name!r}")
        if not self.outcome:
            if not self.margins:
                raise TheoryError(
                    expected="an outcome or a margin", got="neither", do="say what the model is to find out"
                )
            return
        if self.error is None:
            raise TheoryError(
                expected="a term for the model itself being wrong (model_error)",
                got="none",
                do='add {"right": …, "if_wrong": …, "argument": "…"}; a right of 1 claims that it cannot be wrong',
            )
        check_probabilities(RIGHT, self.error.right)
        check_probabilities(WRONG, self.error.if_wrong)
        total = sum(structure.weight for structure in self.structures)
        if self.structures and (abs(total - 1) > TOLERANCE or min(s.weight for s in self.structures) < 0):
            raise TheoryError(
                expected="weights of the structures in [0, 1] that sum to 1",
                got=f"a sum of {total:g}",
                do="divide them by their sum",
            )
        for variant in self.variants():
            variant.check()

    def variants(self) -> tuple["Variant", ...]:
        """Each structure in full, the most believed first; the model itself where there is no other."""
        structures = self.structures or (Structure(name="the model as stated", weight=1.0),)
        full = [
            Variant(
                name=structure.name,
                weight=structure.weight,
                about=structure.about,
                inputs={**self.inputs, **structure.inputs},
                events=self.events if structure.events is None else structure.events,
                correlations=self.correlations if structure.correlations is None else structure.correlations,
                outcome=structure.outcome or self.outcome,
            )
            for structure in structures
        ]
        return tuple(sorted(full, key=lambda variant: -variant.weight))

    def changed(self, values: Mapping[str, float | Distribution]) -> "RiskModel":
        """What if: the model with some inputs moved to another central value, or believed otherwise.

        `model_right` and `if_wrong` change the model-error term. Raises `TheoryError` for a name that is no input.
        """
        known = [*self.inputs, *(name for s in self.structures for name in s.inputs), RIGHT, WRONG]
        for name in values:
            self._require(name, known, "a what-if")

        def moved(name: str, old: Distribution) -> Distribution:
            new = values.get(name)
            return old if new is None else new if isinstance(new, Distribution) else old.moved_to(float(new))

        def all_moved(inputs: Mapping[str, Input]) -> dict[str, Input]:
            return {name: replace(given, belief=moved(name, given.belief)) for name, given in inputs.items()}

        error = self.error and replace(
            self.error, right=moved(RIGHT, self.error.right), if_wrong=moved(WRONG, self.error.if_wrong)
        )
        structures = tuple(replace(structure, inputs=all_moved(structure.inputs)) for structure in self.structures)
        return replace(self, inputs=all_moved(self.inputs), structures=structures, error=error)

    @staticmethod
    def _require(name: str, known: Mapping[str, Input] | list[str], who: str) -> None:
        if name and name not in known:
            raise TheoryError(
                expected=f"an input of the model ({listed(dict.fromkeys(known))})",
                got=f"{name!r} in {who}",
                do="name one of them",
            )


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One structure of a model, with nothing left out."""

    name: str
    weight: float
    about: str
    inputs: Mapping[str, Input]
    events: tuple[Event, ...]
    correlations: tuple[Correlation, ...]
    outcome: str

    def uncertain(self) -> tuple[str, ...]:
        """The inputs that its events use and that are not held to be known, in the order they are used."""
        used = dict.fromkeys(case.probability for event in self.events for case in event.cases)
        return tuple(name for name in used if not self.inputs[name].belief.certain())

    def correlation_matrix(self, names: tuple[str, ...]) -> Float[np.ndarray, "input input"]:
        """Correlations of the normal scores of these inputs."""
        place = {name: number for number, name in enumerate(names)}
        matrix = np.eye(len(names))
        for pair in self.correlations:
            if pair.first in place and pair.second in place:
                one, other = place[pair.first], place[pair.second]
                matrix[one, other] = matrix[other, one] = pair.value
        return matrix

    def check(self) -> None:
        """Raises `TheoryError` where names, probabilities or correlations do not fit."""
        seen: list[str] = []
        for event in self.events:
            for case in event.cases:
                if case.probability not in self.inputs:
                    raise TheoryError(
                        expected=f"an input as the probability of {event.name!r} ({listed(self.inputs)})",
                        got=repr(case.probability),
                        do="name one of them",
                    )
                check_probabilities(case.probability, self.inputs[case.probability].belief)
                condition(case.given, seen)
            seen.append(event.name)
        condition(self.outcome, seen)
        self._check_correlations()

    def _check_correlations(self) -> None:
        for pair in self.correlations:
            unknown = [name for name in (pair.first, pair.second) if name not in self.inputs]
            if unknown or pair.first == pair.second or not -1 < pair.value < 1:
                raise TheoryError(
                    expected="correlations between -1 and 1 of two different inputs",
                    got=f"{pair.first}, {pair.second}: {pair.value:g}",
                    do=f"name two of {listed(self.inputs)}",
                )
        names = tuple(self.inputs)
        least = float(np.linalg.eigvalsh(self.correlation_matrix(names)).min()) if names else 1.0
        if least <= TOLERANCE:
            raise TheoryError(
                expected="a positive definite correlation matrix",
                got=f"an eigenvalue of {least:.3g}: these correlations cannot all hold at once",
                do=f"multiply them by less than {1 / (1 - least):.2f}",
            )


def known(value: float) -> Input:
    """An input that is held to be known."""
    return Input(belief=Point(value))


def chain(*names: str) -> tuple[Event, ...]:
    """Steps that must all happen: each is possible only after all before it; inputs have the events' names."""
    return tuple(Event(name, (Case(name, given=" and ".join(names[:number])),)) for number, name in enumerate(names))
