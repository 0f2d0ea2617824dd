"""Risk models as JSON files, and those that come with Tymbal.

    {"title", "question", "source", "thresholds": [..],
     "inputs": {name: {"beta": {"mean", "concentration"}, "about", "source"}},
     "chain": [event, ..]  or  "events": [{"name", "cases": [{"p": input, "if": condition}]}],
     "outcome": condition, "correlations": [[input, input, value]],
     "structures": [{"name", "weight", "about", + any of inputs, chain, events, correlations, outcome}],
     "model_error": {"right": belief, "if_wrong": belief, "argument"},
     "margins": [{"name", "argument", "loss", "gain" or "at_least", "source"}]}

A belief is a number, or one of {"point"}, {"beta": {"mean", "concentration"}}, {"uniform": [low, high]},
{"lognormal": {"median", "q95"}}, {"quantiles": {"0.05": …}}, with "positive": true for quantities that are no
probability, {"experts": {name: probability}, "pooling": method, "prior"}.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tymbal.errors import TheoryError, listed
from tymbal.theory.risk.distributions import Beta, Distribution, LogNormal, Point, Pooled, Uniform, elicited
from tymbal.theory.risk.model import Case, Correlation, Event, Input, Margin, ModelError, RiskModel, Structure, chain
from tymbal.theory.risk.pooling import Pooling

SHIPPED = Path(__file__).parent / "models"
BELIEFS = ("point", "beta", "uniform", "lognormal", "quantiles", "experts")
KEYS = (
    "title", "question", "source", "thresholds", "inputs", "chain", "events", "outcome", "correlations", "structures",
    "model_error", "margins",
)  # fmt: skip


def shipped_models() -> tuple[str, ...]:
    """The names of the models that come with Tymbal."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.json")))


def read_model(where: str | Path) -> RiskModel:
    """A model from a JSON file, or by the name of one that comes with Tymbal.

    Raises `TheoryError` for what cannot be read and for what is no model.
    """
    named = SHIPPED / f"{where}.json"
    path = named if str(where) in shipped_models() else Path(where)
    if not path.exists():
        raise TheoryError(
            expected=f"a model's JSON file, or one of {listed(shipped_models())}", got=str(where), do="check the name"
        )
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise TheoryError(expected=f"JSON in {path}", got=str(error), do="mend that place") from error
    if not isinstance(given, Mapping):
        raise TheoryError(expected=f"a model in {path}", got=type(given).__name__, do="write it as an object")
    return model_of(given)


def model_of(given: Mapping[str, Any]) -> RiskModel:
    """A model from what JSON gives."""
    _known(given, KEYS, "the model")
    try:
        return RiskModel(
            title=str(given["title"]),
            question=str(given["question"]),
            source=str(given.get("source", "")),
            thresholds=tuple(float(value) for value in given.get("thresholds", ())),
            inputs=_inputs(given),
            events=_events(given) or (),
            outcome=str(given.get("outcome", "")),
            correlations=_correlations(given) or (),
            structures=tuple(_structure(part) for part in given.get("structures", ())),
            error=_error(given["model_error"]) if "model_error" in given else None,
            margins=tuple(_margin(part) for part in given.get("margins", ())),
        )
    except KeyError as error:
        raise TheoryError(expected=f"the entry {error} in the model", got="none", do="add it") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise TheoryError(
            expected="a model as docs/theory_risk.md describes it", got=f"something else ({error})", do="mend the file"
        ) from error


def belief_of(given: Any, what: str) -> Distribution:
    """A belief from what JSON gives; a bare number is held to be known."""
    if isinstance(given, bool) or not isinstance(given, Mapping):
        if isinstance(given, int | float) and not isinstance(given, bool):
            return Point(float(given))
        raise _no_belief(what, repr(given))
    kinds = [kind for kind in BELIEFS if kind in given]
    if len(kinds) != 1:
        raise _no_belief(what, listed(given))
    value = given[kinds[0]]
    match kinds[0]:
        case "point":
            return Point(float(value))
        case "beta":
            return Beta(centre=float(value["mean"]), concentration=float(value["concentration"]))
        case "uniform":
            return Uniform(low=float(value[0]), high=float(value[1]))
        case "lognormal":
            return LogNormal(median=float(value["median"]), high=float(value["q95"]))
        case "quantiles":
            pairs = [(float(level), float(number)) for level, number in value.items()]
            return elicited(pairs, positive=bool(given.get("positive", False)))
        case _:
            pooling = Pooling(method=given.get("pooling", "geometric odds"), prior=float(given.get("prior", 0.5)))
            return Pooled(experts={name: float(number) for name, number in value.items()}, pooling=pooling)


def what_if(changes: Iterable[str]) -> dict[str, float | Distribution]:
    """Changes for `RiskModel.changed` from `name=0.2` or `name={"uniform": [0.1, 0.3]}`.

    Raises `TheoryError` for what is neither.
    """
    found: dict[str, float | Distribution] = {}
    for change in changes:
        name, sign, value = change.partition("=")
        try:
            given = json.loads(value)
        except json.JSONDecodeError:
            given = None
        if not sign or given is None:
            raise TheoryError(
                expected="a what-if such as timelines=0.5 or 'timelines={\"uniform\": [0.3, 0.7]}'",
                got=change,
                do="write it so",
            )
        belief = belief_of(given, repr(name))
        found[name.strip()] = belief.value if isinstance(belief, Point) and not isinstance(given, Mapping) else belief
    return found


def _no_belief(what: str, got: str) -> TheoryError:
    return TheoryError(
        expected=f"one belief about {what}: a number or one of {listed(BELIEFS)}", got=got, do="give exactly one"
    )


def _inputs(given: Mapping[str, Any]) -> dict[str, Input]:
    return {
        name: Input(
            belief=belief_of(value, repr(name)),
            about=str(value.get("about", "")) if isinstance(value, Mapping) else "",
            source=str(value.get("source", "")) if isinstance(value, Mapping) else "",
        )
        for name, value in given.get("inputs", {}).items()
    }


def _events(given: Mapping[str, Any]) -> tuple[Event, ...] | None:
    if "chain" in given:
        return chain(*given["chain"])
    if "events" not in given:
        return None
    return tuple(
        Event(event["name"], tuple(Case(case["p"], given=case.get("if", "")) for case in event["cases"]))
        for event in given["events"]
    )


def _correlations(given: Mapping[str, Any]) -> tuple[Correlation, ...] | None:
    if "correlations" not in given:
        return None
    return tuple(Correlation(first, second, float(value)) for first, second, value in given["correlations"])


def _structure(given: Mapping[str, Any]) -> Structure:
    _known(
        given,
        ("name", "weight", "about", "inputs", "chain", "events", "correlations", "outcome"),
        f"the structure {given.get('name', '')!r}",
    )
    return Structure(
        name=str(given["name"]),
        weight=float(given["weight"]),
        about=str(given.get("about", "")),
        inputs=_inputs(given),
        events=_events(given),
        correlations=_correlations(given),
        outcome=given.get("outcome"),
    )


def _margin(given: Mapping[str, Any]) -> Margin:
    _known(given, ("name", "argument", "loss", "gain", "at_least", "source"), f"the margin {given.get('name', '')!r}")
    return Margin(
        name=str(given["name"]),
        argument=str(given["argument"]),
        loss=str(given.get("loss", "")),
        gain=str(given.get("gain", "")),
        at_least=float(given["at_least"]) if "at_least" in given else None,
        source=str(given.get("source", "")),
    )


def _error(given: Mapping[str, Any]) -> ModelError:
    return ModelError(
        right=belief_of(given["right"], "the model being right"),
        if_wrong=belief_of(given["if_wrong"], "the outcome if the model is wrong"),
        argument=str(given["argument"]),
    )


def _known(given: Mapping[str, Any], keys: tuple[str, ...], what: str) -> None:
    unknown = [key for key in given if key not in keys]
    if unknown:
        raise TheoryError(expected=f"entries of {what} among {listed(keys)}", got=listed(unknown), do="leave that out")
