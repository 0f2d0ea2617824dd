"""`tymbal theory quantilize`: a mild policy over a table of actions, with its certificate."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from tymbal.theory.mild import Actions, Maximin

SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Options:
    """Choose among actions mildly: the policy of the best worst case, and the adversary's utility that proves it."""

    table: Annotated[Positional[Path], arg(metavar="FILE")]
    """actions as CSV with the columns action, base (a probability) and utility"""
    q: float = 0.1
    """no action becomes more than 1/q times as likely as the base makes it; 1 is the base itself"""
    budget: float | None = None
    """instead of q: the hidden cost, in units of utility, that the base would pay on average at most"""
    picture: Annotated[Path | None, arg(metavar="FILE")] = None
    """also draw it, as SVG"""


def main(arguments: Sequence[str]) -> None:
    """Parse, solve, print the table."""
    options = tyro.cli(Options, args=arguments, prog="tymbal theory quantilize")

    from tymbal.theory.mild import Budget, Cone, draw, maximin, read_actions

    actions = read_actions(options.table)
    adversary = (
        Cone(actions.base, q=options.q) if options.budget is None else Budget(actions.base, budget=options.budget)
    )
    found = maximin(actions.utility, adversary)
    print("\n".join(_lines(actions, found)))
    if options.picture is not None:
        draw(options.picture, actions.names, actions.base, actions.utility, found)
        print(f"picture  {options.picture}")


def _lines(actions: "Actions", found: "Maximin") -> list[str]:
    order = (-actions.utility).argsort(kind="stable")
    shown = order[:SHOWN]
    width = max(6, *(len(actions.names[place]) for place in shown))
    lines = [f"{'action':<{width}} {'base':>9} {'policy':>9} {'utility':>10} {'adversary':>10}"]
    for place in shown:
        lines.append(
            f"{actions.names[place]:<{width}} {actions.base[place]:>9.4f} {found.policy[place]:>9.4f} "
            f"{actions.utility[place]:>10.4g} {found.adversary[place]:>10.4g}"
        )
    if len(order) > SHOWN:
        lines.append(f"… and {len(order) - SHOWN:,} actions of lower utility")
    return [
        *lines,
        "",
        f"value   {found.value:.6g} at the worst; the base gets {actions.base @ actions.utility:.6g} as given",
        f"proof   under the adversary's utility no action is worth more (gap {abs(found.gap):.1e})",
    ]
