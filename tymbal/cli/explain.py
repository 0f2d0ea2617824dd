"""`tymbal explain`: what a study's features fire on, and how well that holds on other passages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import OmitArgPrefixes, Positional, arg

from tymbal.cli.chat_options import ChatOptions
from tymbal.study.shelf import last_study


@dataclass(frozen=True, kw_only=True)
class Options:
    """Say what the features of a study fire on, and how well that holds on passages that took no part in finding it.

    The predicate explainer is used: no language model, no network. Of a study that is explained already the table is
    printed again; one that is not is gone on with, as by `tymbal study --resume`. With --explainer or --judge a
    language model speaks of some features, or judges what is said of them; what was answered is kept, and the same
    command goes on where it was stopped.
    """

    folder: Annotated[Positional[Path | None], arg(metavar="[STUDY]")] = None
    """the study's folder; None: the last study of this folder"""
    features: Annotated[tuple[int, ...], arg(metavar="N ...")] = ()
    """print the explanations of these features, instead of ten drawn at random; with a language model: ask of these"""
    untrained: bool = False
    """study an untrained copy of the model in the same way, once, and print how its features fare beside the model's"""
    intervene: bool = False
    """clamp each feature of which the next token is said, once, and print whether the output changes as is said"""
    chat: Annotated[ChatOptions, OmitArgPrefixes] = field(default_factory=ChatOptions)
    """the language models, if any"""


def main(arguments: Sequence[str]) -> None:
    """Parse, explain what is not explained yet, print the summary and some explanations."""
    options = tyro.cli(Options, args=arguments, prog="tymbal explain")
    folder = options.folder or last_study()

    from tymbal.cli.display import Display
    from tymbal.cli.explanations import show_explanations, show_intervention
    from tymbal.explain import open_explanations
    from tymbal.study import finished_twin, intervened, resume_study, untrained_twin

    study = resume_study(folder, display=Display())
    twin = untrained_twin(study, display=Display()) if options.untrained else finished_twin(study)
    if options.chat.asks:
        from tymbal.cli.judging import judge_study

        judge_study(study, options.features, options.chat)
        return
    beside = None if twin is None else open_explanations(twin.explanations)
    show_explanations(open_explanations(study.explanations), options.features, untrained=beside)
    if options.intervene:
        show_intervention(intervened(study, display=Display()))
