"""The page that lists features: filter, sort, search, turn pages. All of its state stands in its address.

Live, each state is a query answered by the atlas, so the page works without a script; exported, the first page is
drawn here and `explore.js` answers from `data/features.js` with the same columns.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tymbal.atlas import FeatureFilter, FeatureRow
from tymbal.serve.exhibit import Exhibit
from tymbal.serve.page import Asked
from tymbal.serve.pages.address import whole

ROWS = 50
LONGEST_SEARCH = 200
SHARES = {"0.0001": "0.01 %", "0.001": "0.1 %", "0.01": "1 %", "0.1": "10 %"}


class Order(NamedTuple):
    """A column by which features can be sorted."""

    column: str
    word: str
    descending: bool
    """which way it is sorted at first"""
    hint: str


ORDERS = (
    Order("feature", "Number", False, "the feature's number in the dictionary"),
    Order("label", "Fires on", False, "the tokens that make it fire most, until it is explained"),
    Order("density", "How often", True, "share of tokens on which it fires"),
    Order("maximum", "Strongest", True, "its largest activation"),
    Order("mean", "Typical", True, "its mean activation where it fires"),
    Order(
        "explanation_auroc", "Words hold", True, "how well the words for it hold on other text (AUROC): 1 is perfect"
    ),
    Order(
        "explanation_correlation",
        "Correlation",
        True,
        "of what the words foretell with the activation itself, on the same text: 1 is perfect, 0 none",
    ),
    Order("concept_f1", "Concept F1", True, "how well it tells an annotated concept: 1 is perfect"),
)


@dataclass(frozen=True, kw_only=True)
class State:
    """What the reader asked for; unusable values are dropped, never refused."""

    search: str = ""
    cluster: int | None = None
    at_least: str = ""
    at_most: str = ""
    show: str = "alive"
    order: str = "density"
    descending: bool = True
    page: int = 1

    @classmethod
    def asked(cls, query: Mapping[str, str]) -> "State":
        """Read the address."""
        orders = {order.column: order for order in ORDERS}
        order = orders.get(query.get("sort", ""), orders["density"])
        direction = query.get("dir", "")
        return cls(
            search=query.get("q", "").strip()[:LONGEST_SEARCH],
            cluster=whole(query.get("cluster", "")),
            at_least=query.get("min", "") if query.get("min") in SHARES else "",
            at_most=query.get("max", "") if query.get("max") in SHARES else "",
            show=query.get("show", "") if query.get("show") in ("alive", "dead", "all") else "alive",
            order=order.column,
            descending=order.descending if direction not in ("asc", "desc") else direction == "desc",
            page=max(whole(query.get("page", "")) or 1, 1),
        )

    def query(self, **changes: Any) -> dict[str, Any]:
        """The address of this state with some of it changed; what is usual is left out."""
        full = {
            "q": self.search,
            "cluster": self.cluster,
            "min": self.at_least,
            "max": self.at_most,
            "show": "" if self.show == "alive" else self.show,
            "sort": self.order,
            "dir": "desc" if self.descending else "asc",
            "page": "" if self.page == 1 else self.page,
        }
        return full | changes

    def filter(self) -> FeatureFilter:
        """The same as a question to the atlas."""
        return FeatureFilter(
            min_density=float(self.at_least) if self.at_least else None,
            max_density=float(self.at_most) if self.at_most else None,
            dead={"alive": False, "dead": True}.get(self.show),
            cluster=self.cluster,
            search=self.search or None,
        )


def fill_explore(exhibit: Exhibit, asked: Asked) -> dict[str, Any]:
    """One page of features in the state that the address asks for."""
    atlas, state = exhibit.atlas, State.asked(asked.query)
    where = state.filter()
    found = atlas.count(where)
    last = max(math.ceil(found / ROWS), 1)
    number = min(state.page, last)
    rows = atlas.features(where, order=state.order, descending=state.descending, limit=ROWS, offset=(number - 1) * ROWS)
    return {
        "state": state,
        "rows": rows,
        "notes": exhibit.notes.of(row.feature for row in rows),
        "found": found,
        "number": number,
        "last": last,
        "first_row": (number - 1) * ROWS + 1 if found else 0,
        "last_row": min(number * ROWS, found),
        "orders": _orders(exhibit),
        "clusters": atlas.clusters(),
        "shares": SHARES,
        "blank": _BLANK,
    }


def _orders(exhibit: Exhibit) -> list[Order]:
    """The columns that this exhibit has something to show in."""
    said = ("explanation_auroc", "explanation_correlation")
    absent = {"concept_f1": not exhibit.concepts} | dict.fromkeys(said, not exhibit.explained)
    return [order for order in ORDERS if not absent.get(order.column)]


_BLANK = FeatureRow(
    feature=0,
    label="",
    top_tokens=[],
    density=0.0,
    count=0,
    dead=False,
    maximum=0.0,
    mean=0.0,
    cluster=None,
    x=None,
    y=None,
    concept=None,
    concept_f1=None,
)
