"""A grammar that writes annotated text, reads it back, and knows how probable it is.

A grammar is a tree of nodes. Each node can be *written* (choices drawn from a seeded generator) and *read* (every way
in which it could have written what stands on the page). Bindings made on the way (`person`, `town`) are visible to all
later nodes, so that a text stays true to the world's facts: a definite clause grammar (Pereira & Warren 1980) with
probabilities. Reading sums over all derivations, so `log_probability` of a text is exact also where two
derivations write the same words.

Templates keep forms legible: `"{person} [lives|dwells] in {home}."` has slots in braces and alternatives in brackets.
The last of five or more alternatives is never used in the training split, so that phrases exist which no trained model
has seen.
"""

from tymbal.corpora.world.grammar.derivation import NOVEL, TRAIN, Claim, Page, Pen, Reading, Scope
from tymbal.corpora.world.grammar.structure import (
    HELD_OUT_FROM,
    Choice,
    Node,
    Option,
    Repeated,
    Said,
    Sequenced,
    Some,
    Text,
    matched,
)
from tymbal.corpora.world.grammar.telling import Bound, Drawn, Implied, Marked, Picked, Recalled, Told
from tymbal.corpora.world.grammar.values import Distribution, Names, Numbers

__all__ = [
    "HELD_OUT_FROM",
    "NOVEL",
    "TRAIN",
    "Bound",
    "Choice",
    "Claim",
    "Distribution",
    "Drawn",
    "Implied",
    "Marked",
    "Names",
    "Node",
    "Numbers",
    "Option",
    "Page",
    "Pen",
    "Picked",
    "Reading",
    "Recalled",
    "Repeated",
    "Said",
    "Scope",
    "Sequenced",
    "Some",
    "Text",
    "Told",
    "matched",
]
