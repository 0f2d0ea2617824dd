"""The forms of text that the world writes: a builder for each, and how often it is drawn."""

from collections.abc import Callable
from typing import NamedTuple

from tymbal.corpora.world.forms import (
    biography,
    chronicle,
    dialogue,
    letter,
    listing,
    program,
    question,
    record,
    request,
    statement,
    story,
    travel,
)
from tymbal.corpora.world.grammar import Node
from tymbal.corpora.world.speech import Speech


class Form(NamedTuple):
    """How a form is built in one language, and its weight among the forms."""

    build: Callable[[Speech], Node]
    weight: float


FORMS: dict[str, Form] = {
    "biography": Form(biography.build, 0.13),
    "chronicle": Form(chronicle.build, 0.07),
    "dialogue": Form(dialogue.build, 0.05),
    "letter": Form(letter.build, 0.06),
    "list": Form(listing.build, 0.04),
    "program": Form(program.build, 0.05),
    "question": Form(question.build, 0.18),
    "record": Form(record.build, 0.1),
    "request": Form(request.build, 0.07),
    "statement": Form(statement.build, 0.12),
    "story": Form(story.build, 0.06),
    "travel": Form(travel.build, 0.07),
}

__all__ = ["FORMS", "Form"]
