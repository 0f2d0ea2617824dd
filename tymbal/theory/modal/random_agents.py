"""Random agents, to try statements about all agents on."""

from random import Random

from tymbal.theory.modal.agent import Agent


def random_agent(random: Random, *, boxes: int = 4, depth: int = 3) -> Agent:
    """An agent with at most so many distinct boxes, nested at most so deep, that speaks of me and them."""
    made: list[tuple[str, int]] = []
    for _ in range(random.randint(1, boxes)):
        inner = [box for box in made if box[1] < depth]
        chosen = [("them", 0), *random.sample([("me", 0), *inner], random.randint(0, min(2, 1 + len(inner))))]
        made.append((f"[]{_joined(random, [text for text, _ in chosen])}", 1 + max(nested for _, nested in chosen)))
    return Agent(_joined(random, [text for text, _ in random.sample(made, random.randint(1, len(made)))]))


def _joined(random: Random, parts: list[str]) -> str:
    """The parts, some of them negated, joined by random signs."""
    signed = [("~" if random.random() < 0.4 else "") + part for part in parts]
    random.shuffle(signed)
    text = signed[0]
    for part in signed[1:]:
        text = f"({text} {random.choice(('&', '|', '->', '<->'))} {part})"
    return text
