"""`tymbal theory duel`: two agents that can read each other, and why they do what they do."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, arg


@dataclass(frozen=True, kw_only=True)
class Options:
    """Let two agents play the prisoner's dilemma, each knowing the other's formula, and say in words why it ends so.

    An agent is a name, such as FairBot or PrudentBot, or a formula: `[]them(me)` cooperates if it can prove that the
    other cooperates with it. me, them: the two actions; [] provable, [1] provable in PA+1; ~ & | -> <-> true false;
    them(DefectBot): what the other does to DefectBot.
    """

    left: Annotated[Positional[str], arg(metavar="AGENT")]
    """a name or a formula"""
    right: Annotated[Positional[str], arg(metavar="AGENT")]
    """a name or a formula"""
    certificate: Annotated[Path | None, arg(metavar="FILE")] = None
    """write the derivation and the countermodels here, as JSON that tymbal/theory/modal/checker.py reads"""


def main(arguments: Sequence[str]) -> None:
    """Parse, play, print the outcome and its reason."""
    options = tyro.cli(Options, args=arguments, prog="tymbal theory duel")

    from tymbal.theory.modal import duel, explain

    match = duel(options.left, options.right)
    print(explain(match))
    if options.certificate is not None:
        match.write_certificate(options.certificate)
        print(options.certificate)
