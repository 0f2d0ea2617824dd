"""`tymbal erase`: take a concept out of a model's activations, and prove that it is gone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import OmitArgPrefixes, Positional, arg

from tymbal.cli.concept_options import ConceptOptions
from tymbal.edits.erasing import ErasureConfig
from tymbal.study.plan import BUNDLED


@dataclass(frozen=True, kw_only=True)
class Options:
    """Fit an eraser of a concept at one site, and certify it on texts that were held out.

    Writes the eraser and its certificate: whether a linear probe still reads the concept, how large the edit is beside
    the smallest possible one, what it costs other text. Where erasure cannot be shown, it says why and writes nothing.
    """

    model: Annotated[Positional[str], arg(metavar="[MODEL]")] = BUNDLED
    """a Hugging Face model: local folder or hub id; 'bundled' is the small one that comes with Tymbal"""
    of: Annotated[ConceptOptions, OmitArgPrefixes] = field(default_factory=ConceptOptions)
    """whose labels"""
    config: Annotated[ErasureConfig, OmitArgPrefixes] = field(default_factory=ErasureConfig)
    """where and how"""
    unrelated: Annotated[Path | None, arg(metavar="FILE")] = None
    """text to measure the loss on, one text a line; the held-out texts themselves unless given"""
    out: Annotated[Path, arg(metavar="DIR")] = Path("eraser")
    """the folder to write to"""


def main(arguments: Sequence[str]) -> None:
    """Parse, erase, write, print the certificate and where it lies."""
    options = tyro.cli(Options, args=arguments, prog="tymbal erase")
    options.of.require_one("tymbal erase")

    from tymbal.cli.steer import lines_of
    from tymbal.edits import erase
    from tymbal.study.sources import open_subject

    texts = options.of.texts(options.config.seed)
    unrelated = None if options.unrelated is None else lines_of(options.unrelated)
    erasure = erase(open_subject(options.model, "cpu"), texts, options.config, unrelated=unrelated)
    erasure.save(options.out)
    print(f"{erasure.concept} at {erasure.site}\n{erasure.certificate}")
    print(f"{options.out}/: eraser/, certificate.txt, certificate.json")
