"""`tymbal world make | train | card`: text about the generated world, the model trained on it, and what it knows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import OmitArgPrefixes, Positional, arg

from tymbal.corpora.world import WorldCorpus
from tymbal.corpora.world.recipe import WorldTraining


@dataclass(frozen=True, kw_only=True)
class Make:
    """Write the world's facts and annotated documents about it; the same options give the same bytes."""

    out: Annotated[Path, arg(metavar="DIR")]
    """the folder to write to, new or empty"""
    config: Annotated[WorldCorpus, OmitArgPrefixes] = field(default_factory=WorldCorpus)
    """which world, and how much text about it"""


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train the world's model, or go on with a training that was stopped in the same folder."""

    out: Annotated[Path, arg(metavar="DIR")]
    """the folder to work in; the model comes to lie in OUT/model"""
    config: Annotated[WorldTraining, OmitArgPrefixes] = field(default_factory=WorldTraining)
    """how the model is trained"""


@dataclass(frozen=True, kw_only=True)
class Card:
    """Measure what a model knows of the world, beside the floor and the baselines; write its model card."""

    model: Annotated[Positional[Path], arg(metavar="DIR")]
    """the model's folder, as `tymbal world train` wrote it; the card is written there"""
    documents: int = 2_000
    """documents read, of each split"""
    samples: int = 200
    """texts drawn from the model"""


def make(arguments: Sequence[str]) -> None:
    """Parse, write the corpus, print where it lies."""
    options = tyro.cli(Make, args=arguments, prog="tymbal world make")

    from tymbal.cli.display import Display
    from tymbal.corpora import world

    with Display().stage("world") as progress:
        print(world.make(options.config, options.out, progress))


def train(arguments: Sequence[str]) -> None:
    """Parse, train, print where the model lies; an interrupt says how to go on."""
    options = tyro.cli(Train, args=arguments, prog="tymbal world train")

    from tymbal.cli.display import Display
    from tymbal.corpora.world.training import train_world_model

    try:
        with Display().stage("train") as progress:
            print(train_world_model(options.config, options.out, progress))
    except KeyboardInterrupt as error:
        error.add_note(f"go on with the same command and --out {options.out}")
        raise


def card(arguments: Sequence[str]) -> None:
    """Parse, measure, write the card, print where it lies."""
    options = tyro.cli(Card, args=arguments, prog="tymbal world card")

    from tymbal.cli.display import Display
    from tymbal.corpora.world.card import measure, write_card

    with Display().stage("card") as progress:
        found = measure(options.model, documents=options.documents, samples=options.samples, progress=progress)
    write_card(options.model, found)
    print(options.model / "README.md")
