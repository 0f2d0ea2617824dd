"""Templates: the words of a form in one language, as text with slots and alternatives.

    template("{person} [lives|dwells|has a house] in {home}.", {"person": …, "home": …})

`{name}` is a slot, `[a|b|]` one of several alternatives (an empty one too), nested as one likes. Every alternative
weighs the same; of five or more, the last is held out of the training split.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from tymbal.corpora.world.grammar import HELD_OUT_FROM, Choice, Node, Option, Sequenced, Text

_TOKEN = re.compile(r"\{(\w+)\}|([\[\]|])|([^\[\]|{}]+)")


def template(text: str, slots: Mapping[str, Node]) -> Node:
    """The node of a template; raises `ValueError` for an unknown slot or an unclosed bracket."""
    reader = _Template(text, slots)
    node = reader.sequence()
    if reader.rest:
        raise ValueError(f"expected balanced brackets; got {reader.rest[0]!r} in {text!r}; close or open it")
    return node


def one_of(templates: Iterable[str | Node], slots: Mapping[str, Node] | None = None) -> Node:
    """One of several templates or nodes, equally likely; of five or more, the last is held out of training."""
    return alternatives([t if isinstance(t, Node) else template(t, slots or {}) for t in templates])


def alternatives(nodes: Sequence[Node]) -> Node:
    """One of these nodes; of five or more, the last is held out of the training split."""
    if len(nodes) == 1:
        return nodes[0]
    last = len(nodes) - 1
    return Choice([Option(node, 1.0, index == last >= HELD_OUT_FROM - 1) for index, node in enumerate(nodes)])


class _Template:
    def __init__(self, text: str, slots: Mapping[str, Node]) -> None:
        self.text = text
        self.slots = slots
        self.rest = list(self._pieces())

    def _pieces(self) -> Iterable[tuple[str, str]]:
        end = 0
        for match in _TOKEN.finditer(self.text):
            if match.start() != end:
                break
            end = match.end()
            slot, bracket, words = match.groups()
            yield ("slot", slot) if slot else ("bracket", bracket) if bracket else ("words", words)
        if end != len(self.text):
            raise ValueError(f"expected slots as {{name}}; got {self.text[end:]!r} in {self.text!r}; close the brace")

    def sequence(self) -> Node:
        parts: list[Node] = []
        while self.rest and self.rest[0] not in (("bracket", "|"), ("bracket", "]")):
            kind, value = self.rest.pop(0)
            if kind == "words":
                parts.append(Text(value))
            elif kind == "bracket":
                parts.append(self._choice())
            elif value in self.slots:
                parts.append(self.slots[value])
            else:
                raise ValueError(f"expected a slot among {sorted(self.slots)}; got {value!r}; name one of them")
        return parts[0] if len(parts) == 1 else Sequenced(parts)

    def _choice(self) -> Node:
        nodes = [self.sequence()]
        while self.rest and self.rest[0] == ("bracket", "|"):
            self.rest.pop(0)
            nodes.append(self.sequence())
        if not self.rest:
            raise ValueError(f"expected ] at the end of a choice; got the end of {self.text!r}; close it")
        self.rest.pop(0)
        return alternatives(nodes)
