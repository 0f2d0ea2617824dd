"""What a step of the ladder found, in a sentence for a reader who knows no statistics; made from its numbers alone."""

from collections.abc import Mapping
from typing import Any

from tymbal.safety.steps import CAUSAL, FOUND, PROBED, RANDOM, SHUFFLED, SPECIFIC, STEPS

ASKED = {
    FOUND: "Is there a feature that tells texts with it from texts without?",
    SPECIFIC: "Is it silent elsewhere?",
    CAUSAL: "Does pushing it make the model write so?",
    PROBED: "Does it tell them as well as a reader trained for nothing else?",
}


def stands(ladder: Mapping[str, Any]) -> str:
    """Where a concept ends, in a few words."""
    level = int(ladder["level"])
    return "not found" if not level else ", ".join(STEPS[:level])


def said(step: Mapping[str, Any]) -> str:
    """One sentence on one step of a board's JSON."""
    if not step.get("finding"):
        return f"Not asked: {step.get('why') or 'nothing to ask'}."
    return _SAID[step["name"]](step)


def _found(step: Mapping[str, Any]) -> str:
    right = round(100 * step["finding"]["value"])
    chance = round(100 * step["finding"]["baselines"][SHUFFLED]["high"])
    opening = f"Shown a text with it and one without, the best feature points to the right one {right} times in 100"
    if not step["holds"]:
        return f"{opening}. That is too little, or no more than chance or random directions reach: it is not found."
    random = step["finding"]["baselines"][RANDOM]["value"]
    also = ""
    if random >= step["finding"]["low"]:
        also = f" The best of as many random directions does as well ({round(100 * random)} times): it is easily told."
    return f"{opening}; features chosen for shuffled labels do so at most about {chance} times.{also}"


def _specific(step: Mapping[str, Any]) -> str:
    share = round(100 * step["finding"]["value"])
    end = "it is its own" if step["holds"] else "it fires on much else"
    return f"Were half of all texts about it, {share} in 100 texts on which the feature fires would be: {end}."


def _causal(step: Mapping[str, Any]) -> str:
    if step["finding"]["low"] <= 0:
        return "Turning it up and down does not reliably change how likely the model finds texts with it."
    doses = sorted(step["details"]["doses"], key=lambda dose: dose["dose"])
    raises, lowers = doses[-1]["low"] > 0, doses[0]["high"] < 0
    up = (
        "Turning it up makes texts with it likelier than texts without"
        if raises
        else "Turning it up makes texts with it no likelier"
    )
    down = "turning it down makes them less likely" if lowers else "turning it down does not make them less likely"
    beside = "more than others do" if step["holds"] else "but other features or directions do as much"
    effect = f"{up}; {down}" if raises or lowers else "Texts with it are likelier with it turned up than down"
    return f"{effect}: {beside}."


def _probed(step: Mapping[str, Any]) -> str:
    own, probe = (f"{step['details'][which]['value']:.3f}" for which in ("feature", "probe"))
    beside = f"(AUROC {own} against {probe})"
    if step["holds"]:
        return f"The one feature does at least as well as a probe trained on such texts {beside}."
    return f"The one feature is not shown to do as well as a probe trained on such texts {beside}."


_SAID = {FOUND: _found, SPECIFIC: _specific, CAUSAL: _causal, PROBED: _probed}
