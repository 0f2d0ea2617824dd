"""The page of one feature: the text on which it fires, how often, how strongly, what it says, what is like it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from tymbal.atlas import Example, FeaturePage
from tymbal.serve import chart
from tymbal.serve.exhibit import Exhibit
from tymbal.serve.notes import FeatureNotes
from tymbal.serve.page import Asked, NothingThereError
from tymbal.serve.pages.address import whole
from tymbal.serve.text import Joiner, direction, tick, tinted

FIRST = 12
"""top examples shown at once; the others unfold"""


class Shown(NamedTuple):
    """An example, ready to be looked at."""

    peak: float
    """the feature's activation at the example's peak"""
    text: Markup
    direction: str
    """`ltr` or `rtl`"""


class Band(NamedTuple):
    """Examples drawn at random from one interval of activation."""

    low: float
    high: float
    words: str
    examples: list[Shown]


def fill_feature(exhibit: Exhibit, asked: Asked) -> dict[str, Any]:
    """All that is known of the feature whose number stands in the path."""
    number = _number(asked.values.get("number", ""), len(exhibit.atlas))
    page, examples = exhibit.shown(number)
    last = len(exhibit.atlas) - 1
    notes = exhibit.notes.of([number]).get(number, FeatureNotes())
    return {
        "notes": notes,
        "vote": notes.votes.get(asked.reader, ""),
        "feature": page,
        "explained": exhibit.explained.get(number),
        "top": [shown_example(example, page.maximum, exhibit.joiner) for example in examples if example.kind == "top"],
        "bands": _bands(examples, page, exhibit.joiner),
        "activations": _activations(page),
        "influence": _influence(exhibit, number, asked),
        "influential": exhibit.influencing.possible and not page.dead,
        "judged": exhibit.judged.get(number, []),
        "first": FIRST,
        "before": number - 1 if number > 0 else None,
        "after": number + 1 if number < last else None,
        "last": last,
    }


def each_feature(exhibit: Exhibit) -> Iterable[dict[str, str]]:
    """The number of each feature."""
    return ({"number": str(number)} for number in range(len(exhibit.atlas)))


def _number(text: str, features: int) -> int:
    number = whole(text)
    if number is not None and number < features:
        return number
    raise NothingThereError(f"There is no feature {text[:40]}; this dictionary has features 0 to {features - 1}.")


def shown_example(example: Example, strongest: float, joiner: Joiner) -> Shown:
    """An example tinted by activation; `strongest` is what is shown darkest."""
    tokens = joiner.joined(example.tokens)
    text = tinted(tokens, example.activations, strongest=strongest, peak=example.peak)
    return Shown(example.activations[example.peak], text, direction(example.tokens))


def _bands(examples: Sequence[Example], page: FeaturePage, joiner: Joiner) -> list[Band]:
    edges = page.quantile_edges
    bands = []
    for index in reversed(range(len(edges) - 1)):
        inside = [shown_example(example, page.maximum, joiner) for example in examples if example.quantile == index]
        if inside:
            bands.append(Band(edges[index], edges[index + 1], _share(index, len(edges) - 1), inside))
    return bands


def _share(index: int, parts: int) -> str:
    part = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 10: "tenth"}.get(parts, f"of {parts} parts")
    if index == parts - 1:
        return f"strongest {part}"
    if index == 0:
        return f"weakest {part}"
    return f"{index + 1} of {parts}, counted from the weakest"


def _influence(exhibit: Exhibit, feature: int, asked: Asked) -> dict[str, Any]:
    """What clamping the feature changes: measured where the address asks for it, else what was found before."""
    if asked.query.get("influence") == "measure" and exhibit.influencing.possible:
        found = exhibit.influencing.measured(feature, exhibit.joiner)
    else:
        found = exhibit.influencing.kept(feature)
    if not found:
        return {}
    charts = {name: _by_dose(found["responses"], name) for name in ("promoted", "kl")}
    return found | {"charts": charts}


def _by_dose(responses: Sequence[Mapping[str, Any]], name: str) -> Markup:
    points = [
        chart.Point(
            f"{one['dose']:g}".replace("-", "−"),
            one[name]["value"],
            one[name]["low"],
            one[name]["high"],
            [one[f"{name}_random"][end] for end in ("low", "high")],
        )
        for one in responses
    ]
    told = {"promoted": "Change of the promoted tokens' log-probability", "kl": "Change of all predictions"}[name]
    return chart.changes(points, describe=f"{told}, by dose", axis="clamped to, in its strongest activation")


def _activations(page: FeaturePage) -> Markup | None:
    bins = len(page.histogram)
    if not bins or page.dead:
        return None
    edges = [page.maximum * edge / bins for edge in range(bins + 1)]
    describe = f"Histogram of activation, 0 to {tick(page.maximum)}, over {page.count:,} tokens where it fires"
    return chart.histogram(edges, page.histogram, describe=describe, axis="activation, where it fires")
