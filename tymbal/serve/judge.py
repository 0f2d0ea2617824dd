"""What the world's parser says of a text that the bundled model has written: its language and form, and its facts.

A judgement is exact: every statement of a text of the world is compared with the facts. It is made only for the bundled
model's own weights, as no other model speaks of this world.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tymbal import artifact
from tymbal.corpora import world

LONGEST = 2000
"""characters that are parsed"""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A text, as the world knows it."""

    readable: bool
    """whether it is a text of this world, as far as it goes"""
    language: str = ""
    form: str = ""
    right: int = 0
    """statements that are true"""
    wrong: int = 0
    complete: bool = False
    """whether it comes to an end"""


class Judge:
    """Judges texts of the bundled model; silent about those of any other."""

    def __init__(self, model: Any) -> None:
        """`model` is the identity of the model that writes, as a study records it; None where it records none."""
        known = model.get("weights_sha256") if isinstance(model, Mapping) else None
        self.speaks = known is not None and known == _bundled()

    def opening(self) -> str:
        """How a text of the world begins that says of whom it tells; empty for another model."""
        if not self.speaks:
            return ""
        text = _world().document(0, seed=world.DOCUMENT_SEED, language="en", form="biography").text
        return text.partition(". ")[0] + "."

    def judged(self, text: str) -> Judgement | None:
        """What the world says of the text; None for another model's."""
        if not self.speaks:
            return None
        parse = _world().parse(text[:LONGEST], partial=True)
        if parse is None:
            return Judgement(readable=False)
        right = sum(claim.true for claim in parse.claims)
        return Judgement(
            readable=True,
            language=parse.language,
            form=parse.form,
            right=right,
            wrong=len(parse.claims) - right,
            complete=parse.complete,
        )


@cache
def _world() -> world.GeneratedWorld:
    return world.generate_world(0)


@cache
def _bundled() -> str:
    """What identifies the bundled model's weights."""
    return artifact.file_checksum(world.MODEL / "model.safetensors")
