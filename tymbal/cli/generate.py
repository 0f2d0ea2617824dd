"""`tymbal generate`: a model continues a text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import tyro
from tyro.conf import Positional, arg


@dataclass(frozen=True, kw_only=True)
class Options:
    """Let a model continue a text."""

    model: Annotated[Positional[str], arg(metavar="MODEL")]
    """a Hugging Face model: local folder or hub id; 'bundled' is the one that comes with Tymbal"""
    prompt: Annotated[Positional[str], arg(metavar="PROMPT")]
    """the text to continue"""
    tokens: int = 80
    """new tokens at most"""
    temperature: float = 0.0
    """0 takes the likeliest token each time; above, tokens are drawn"""
    seed: int = 0
    """of the draws"""
    device: str = "cpu"
    """where to compute: cpu or cuda"""


def main(arguments: Sequence[str]) -> None:
    """Parse, generate, print the prompt and its continuation."""
    options = tyro.cli(Options, args=arguments, prog="tymbal generate")

    from tymbal.study.sources import open_subject

    model = open_subject(options.model, options.device)
    text = model.generate(
        options.prompt, max_new_tokens=options.tokens, temperature=options.temperature, seed=options.seed
    )
    print(text)
