"""`tymbal othello train | card`: a model of the game of Othello, and how it plays."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import OmitArgPrefixes, Positional, arg

from tymbal.corpora.othello import OthelloTraining


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a model on random games of 6x6 Othello, and a control of one layer, or go on with a stopped training."""

    out: Annotated[Path, arg(metavar="DIR")]
    """the folder to work in; the model comes to lie in OUT/model, the control in OUT/one_layer/model"""
    config: Annotated[OthelloTraining, OmitArgPrefixes] = field(default_factory=OthelloTraining)
    """how the models are trained"""


@dataclass(frozen=True, kw_only=True)
class Card:
    """Measure how a model plays, beside its controls, on games that it was not trained on; write its model card."""

    model: Annotated[Positional[Path], arg(metavar="DIR")]
    """the model's folder, as `tymbal othello train` wrote it; the card is written there"""
    games: int = 1_000
    """games read"""


def train(arguments: Sequence[str]) -> None:
    """Parse, train, measure, print where the model lies; an interrupt says how to go on."""
    options = tyro.cli(Train, args=arguments, prog="tymbal othello train")

    from tymbal.cli.display import Display
    from tymbal.corpora.othello.card import measure, write_card
    from tymbal.corpora.othello.training import train_othello_model

    try:
        with Display().stage("train") as progress:
            model = train_othello_model(options.config, options.out, progress)
    except KeyboardInterrupt as error:
        error.add_note(f"go on with the same command and --out {options.out}")
        raise
    write_card(model, measure(model))
    print(model)


def card(arguments: Sequence[str]) -> None:
    """Parse, measure, write the card, print where it lies."""
    options = tyro.cli(Card, args=arguments, prog="tymbal othello card")

    from tymbal.corpora.othello.card import measure, write_card

    write_card(options.model, measure(options.model, games=options.games))
    print(options.model / "README.md")
