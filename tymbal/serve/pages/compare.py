"""Two dictionaries side by side: who has a partner in the other, who stands alone, and each pair's text.

`/compare/12-40` shows feature 12 of this study beside feature 40 of the other one; either number may be missing.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tymbal.atlas import FeatureFilter, FeatureRow
from tymbal.serve import health
from tymbal.serve.comparison import PARTNER, Partner
from tymbal.serve.exhibit import ROLE, Exhibit
from tymbal.serve.page import Asked, NothingThereError
from tymbal.serve.pages.analyses import correlations
from tymbal.serve.pages.feature import Shown, shown_example

LINES = 30
"""of each list"""
EXAMPLES = 8
_PAIR = re.compile(r"([0-9]{0,9})-([0-9]{0,9})")


class Line(NamedTuple):
    """A feature and its counterpart."""

    pair: str
    label: str
    feature: int
    other: int
    other_label: str
    correlation: float | None


class Side(NamedTuple):
    """One feature of a pair, ready to be looked at."""

    title: str
    row: FeatureRow
    words: str
    examples: list[Shown]
    here: bool


def has_comparison(exhibit: Exhibit) -> bool:
    """Whether there is another dictionary to compare with."""
    return exhibit.comparison is not None


def fill_compare(exhibit: Exhibit, asked: Asked) -> dict[str, Any]:
    """Counts, statistics side by side, the closest pairs and those alone."""
    del asked
    comparison = exhibit.comparison
    assert comparison is not None
    here, there = comparison.partners, comparison.backward
    lists = _lists(exhibit)
    return {
        "one": _title(exhibit),
        "other": _title(exhibit.other),
        "told": [_told("Features here, sought there", comparison.here)]
        + ([_told("Features there, sought here", comparison.there)] if comparison.there else []),
        "picture": correlations([partner.correlation for partner in here.values()]),
        "partner": PARTNER,
        "pairs": lists["pairs"],
        "alone": lists["here"],
        "alone_there": lists["there"],
        "counts": {
            "here": (sum(one.close for one in here.values()), len(here)),
            "there": (sum(one.close for one in there.values()), len(there)),
        },
        "statistics": _statistics(exhibit),
    }


def each_pair(exhibit: Exhibit) -> Iterable[dict[str, str]]:
    """The pairs that the page of comparison links to."""
    lists = _lists(exhibit)
    return ({"pair": pair} for pair in dict.fromkeys(line.pair for lines in lists.values() for line in lines))


def fill_pair(exhibit: Exhibit, asked: Asked) -> dict[str, Any]:
    """One pair."""
    text = asked.values.get("pair", "")
    match = _PAIR.fullmatch(text) if text.isascii() else None
    other = exhibit.other
    sides = [
        _side(shown, int(number), here=shown is exhibit)
        for shown, number in zip((exhibit, other), match.groups() if match else (), strict=False)
        if shown is not None and number and int(number) < len(shown.atlas)
    ]
    if match is None or not sides:
        raise NothingThereError(f"There is no pair {text[:40]}.")
    partner = None
    if exhibit.comparison is not None and match[1]:
        partner = exhibit.comparison.partners.get(int(match[1]))
    known = partner is not None and match[2] == str(partner.other)
    return {"sides": sides, "partner": partner if known else None, "other_there": other is not None}


def _told(title: str, analysis: Mapping[str, Any]) -> tuple[str, list[health.Finding]]:
    return title, health.named(analysis["findings"])


def _title(exhibit: Exhibit | None) -> str:
    """Model, site and size, since two dictionaries of one site differ in nothing else."""
    return "the other dictionary" if exhibit is None else f"{exhibit.title}, {len(exhibit.atlas):,} features"


def _lists(exhibit: Exhibit) -> dict[str, list[Line]]:
    """The closest pairs, and those of each side that have no partner, the most frequent first."""
    comparison = exhibit.comparison
    assert comparison is not None
    names = {int(row[0]): (str(row[1]), str(row[3])) for row in comparison.here["rows"]}
    # An analysis may lie in a folder whose dictionary is another by now.
    inside = [one for one in comparison.partners.values() if one.feature < len(exhibit.atlas)]
    close = sorted(inside, key=lambda one: (-one.correlation, one.feature))
    pairs = [_line(one, names) for one in close if one.close][:LINES]
    alone = _alone(exhibit, comparison.partners)
    here = [_line(comparison.partners[feature], names) for feature in alone]
    there: list[Line] = []
    if exhibit.other is not None and comparison.there:
        names = {int(row[0]): (str(row[1]), str(row[3])) for row in comparison.there["rows"]}
        lines = [_line(comparison.backward[feature], names) for feature in _alone(exhibit.other, comparison.backward)]
        there = [line._replace(pair=f"{line.other}-{line.feature}") for line in lines]
    return {"pairs": pairs, "here": here, "there": there}


def _line(partner: Partner, names: Mapping[int, tuple[str, str]]) -> Line:
    own, other = names[partner.feature]
    pair = f"{partner.feature}-{partner.other}"
    return Line(pair, own, partner.feature, partner.other, other, partner.correlation)


def _alone(exhibit: Exhibit, partners: Mapping[int, Partner]) -> list[int]:
    """Judged features without a partner, those that fire most often first."""
    rows = exhibit.atlas.features(FeatureFilter(dead=False), order="density", descending=True, limit=len(exhibit.atlas))
    return [row.feature for row in rows if row.feature in partners and not partners[row.feature].close][:LINES]


def _statistics(exhibit: Exhibit) -> list[tuple[str, str, list[float | None], int]]:
    """Each number of the dictionaries' health that either has, side by side."""
    sides = [one for one in (exhibit, exhibit.other) if one is not None]
    found = [
        {one.words.name: one for one in (*health.findings(side.evaluation), *health.concept_findings(side.evaluation))}
        for side in sides
    ]
    names = dict.fromkeys(name for side in found for name in side)
    lines = []
    for name in names:
        ones = [side.get(name) for side in found]
        known = next(one for one in ones if one is not None)
        lines.append((name, known.words.meaning, [None if one is None else one.value for one in ones], known.decimals))
    return lines


def _side(shown: Exhibit, feature: int, *, here: bool) -> Side:
    row = shown.atlas.rows([feature])[feature]
    examples = [one for one in shown.atlas.examples(feature, ROLE) if one.kind == "top"][:EXAMPLES]
    explained = shown.explained.get(feature)
    words = explained.text if explained is not None and not explained.unclear else ""
    return Side(_title(shown), row, words, [shown_example(one, row.maximum, shown.joiner) for one in examples], here)
