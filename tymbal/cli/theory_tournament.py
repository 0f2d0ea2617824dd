"""`tymbal theory tournament`: every agent against every one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, arg


@dataclass(frozen=True, kw_only=True)
class Options:
    """Let agents play each other, itself included, and print who cooperates with whom; each outcome is certified."""

    agents: Annotated[Positional[tuple[str, ...]], arg(metavar="AGENT")] = (
        "CooperateBot",
        "DefectBot",
        "FairBot",
        "PrudentBot",
        "PayorBot",
        "PayorEBot",
    )
    """names or formulas, as in `tymbal theory duel`"""
    cost: str | None = None
    """print the equilibria too, where each level of nested proofs costs this much, such as 0.1 or 1/10 (payoffs 2 where
    both cooperate, 1 where both defect, 3 and 0 where one exploits the other)"""
    picture: Annotated[Path | None, arg(metavar="FILE")] = None
    """write the table as a picture (SVG)"""


def main(arguments: Sequence[str]) -> None:
    """Parse, play, print the table and the equilibria."""
    options = tyro.cli(Options, args=arguments, prog="tymbal theory tournament")

    from tymbal.theory.modal import equilibria, payoffs, table_text, tournament
    from tymbal.theory.modal.words import equilibria_text

    table = tournament(options.agents)
    for match in table.matches.values():
        match.verified()
    print(table_text(table))
    print(f"The independent checker accepts the certificates of all {len(table.matches)} matches.")
    if options.cost is not None:
        print("\n" + equilibria_text(equilibria(payoffs(table, options.cost))))
    if options.picture is not None:
        from tymbal.theory.modal.picture import draw_tournament

        draw_tournament(table, options.picture)
        print(options.picture)
