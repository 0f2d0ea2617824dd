"""What `tymbal analyse` left in a study, and what it says in plain words."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tymbal import artifact
from tymbal.errors import ArtifactError

ANALYSES = "analyses"
ANALYSIS, PASSAGES = "analysis.json", "passages.json"
_NEEDED = ("name", "question", "findings", "sample", "columns", "rows")


def analyses(folder: Path) -> dict[str, dict[str, Any]]:
    """The finished analyses of a study, by the name of their folder; one that cannot be read is left out."""
    found = {}
    for path in sorted((folder / ANALYSES).glob(f"*/{ANALYSIS}")):
        try:
            value = artifact.read_json(path)
        except ArtifactError:
            continue
        if isinstance(value, dict) and all(key in value for key in _NEEDED):
            found[path.parent.name] = value
    return found


def passages(folder: Path) -> list[dict[str, Any]]:
    """The passages in several languages that a feature lights, by concept; empty where there are none."""
    path = folder / ANALYSES / "languages" / PASSAGES
    found = artifact.read_json(path) if path.exists() else []
    return found if isinstance(found, list) else []


def kind_of(analysis: Mapping[str, Any]) -> str:
    """`universality`, `splitting`, `automata`, `across`, `geometry`; or the name of one that is not known."""
    if "true place" in analysis["columns"]:
        return "geometry"  # which is called by its family
    return str(analysis["name"]).split("-")[0]


def plainly(analysis: Mapping[str, Any]) -> str:
    """What an analysis found, in a sentence for a reader who knows no statistics; empty for one that is not known."""
    say = _SENTENCES.get(kind_of(analysis))
    try:
        return say(analysis) if say else ""
    except (KeyError, IndexError, StopIteration, TypeError, ValueError):
        return ""  # of another version: its numbers are shown all the same


def _share(finding: Mapping[str, Any]) -> str:
    return f"{round(100 * finding['value'])} in 100"


def _beside(finding: Mapping[str, Any]) -> str:
    return _share(next(iter(finding["baselines"].values())))


def _universality(analysis: Mapping[str, Any]) -> str:
    found = next(one for name, one in analysis["findings"].items() if name.startswith("found again"))
    count = analysis["sample"]["features"]
    return (
        f"Of {count:,} features that fire often enough to judge, {_share(found)} come again in the other dictionary: "
        f"some feature there fires on the same text. By chance it would be {_beside(found)}."
    )


def _splitting(analysis: Mapping[str, Any]) -> str:
    found = analysis["findings"]["small features with at least two children"]
    return (
        f"{_share(found)} features of this dictionary are told apart by the larger one: two or more features there "
        f"fire within what one fires on here. By chance it would be {_beside(found)}."
    )


def _automata(analysis: Mapping[str, Any]) -> str:
    sample = analysis["sample"]
    return (
        f"{sample['edges']:,} times a feature makes the model write a token that sets off another feature; in text "
        f"that was moved along, {sample['edges in moved text']:,} times. Followed one after the other they make chains."
    )


def _across(analysis: Mapping[str, Any]) -> str:
    kind = str(analysis["name"]).removeprefix("across-").removesuffix("s")
    found = analysis["findings"][f"concepts with one feature in every {kind}"]
    count = analysis["sample"]["concepts"]
    return (
        f"Of {count:,} concepts, {_share(found)} have one feature that fires on most of their mentions in every "
        f"{kind}. The best single token does so for {_beside(found)}."
    )


def _geometry(analysis: Mapping[str, Any]) -> str:
    return (
        f"Each of the {len(analysis['rows']):,} points is one member of the family, where the features that tell them "
        "put it. If the picture looks like the truth, near members lie near each other."
    )


_SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "universality": _universality,
    "splitting": _splitting,
    "automata": _automata,
    "across": _across,
    "geometry": _geometry,
}
