"""`tymbal study`: from a model and a corpus to an atlas, in a folder that can be resumed."""

import dataclasses
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import OmitArgPrefixes, Positional, arg

from tymbal.study.plan import BUNDLED, StudyConfig


@dataclass(frozen=True, kw_only=True)
class Options:
    """Open a model, find its features on a corpus, index and explain them.

    The stages are cut, harvest, train, evaluate, index and explain. A study that was interrupted or killed goes on with
    `tymbal study --resume DIR`, and ends as if nothing had happened.
    """

    model: Annotated[Positional[str], arg(metavar="[MODEL]")] = BUNDLED
    """a Hugging Face model: local folder or hub id; 'bundled' is the small one that comes with Tymbal"""
    corpus: Annotated[tuple[str, ...], arg(metavar="TEXT ...")] = (BUNDLED,)
    """text: files (.txt, .jsonl, .parquet), folders, globs, hf:NAME; 'bundled' is the generated world"""
    config: Annotated[StudyConfig, OmitArgPrefixes] = field(default_factory=StudyConfig)
    """what is asked of the model and the corpus"""
    out: Annotated[Path | None, arg(metavar="DIR")] = None
    """the study's folder; None: studies/MODEL-SITE"""
    resume: Annotated[Path | None, arg(metavar="DIR")] = None
    """go on with the study in this folder; all else stands there"""


def main(arguments: Sequence[str]) -> None:
    """Parse, conduct or resume the study, print its summary and how to open the atlas."""
    options = tyro.cli(Options, args=arguments, prog="tymbal study")
    if options.resume is not None and options != dataclasses.replace(Options(), resume=options.resume):
        print("tymbal study: --resume takes no other option; all else stands in the folder", file=sys.stderr)
        raise SystemExit(2)

    # What cuBLAS needs to be deterministic, for a study on a GPU; it is read when the first matrix is multiplied.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

    from tymbal.cli.display import Display
    from tymbal.cli.summary import summarise
    from tymbal.study import conduct_study, resume_study

    display = Display()
    if options.resume is not None:
        study = resume_study(options.resume, display=display)
    else:
        study = conduct_study(options.model, options.corpus, options.config, out=options.out, display=display)
    summarise(study)
