"""A made-up corpus in words, and features whose truth is a rule about these words, plus noise."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tymbal.atlas import CodeShard, CodeStore
from tymbal.atlas.build import Annotations
from tymbal.atlas.codes import Rows

TEXT = (
    "the a of in on red green blue house horse cat dog bird runs running walked walks talked unhappy undo unfair use "
    "Anna Bert Cora North lives works sleeps 1 2 12 47 . , and or but"
)
WORDS = tuple(TEXT.split())
ANIMALS = ("horse", "cat", "dog", "bird")
QUOTES = ("“", "”")
VOCABULARY = [*(word if word in ".," else f" {word}" for word in WORDS), *(f" {mark}" for mark in QUOTES)]
NUMBER = {text.strip(): number for number, text in enumerate(VOCABULARY)}
PASSAGES, LENGTH = 240, 40

Passage = list[str]
Rule = Callable[[Passage, int], bool]


def spell(ids: Sequence[int]) -> list[str]:
    """The text of each token."""
    return [VOCABULARY[token] for token in ids]


def passages(seed: int = 0) -> list[Passage]:
    """Random words; one passage in four has a quotation; a third of the others say the same again."""
    generator = np.random.default_rng(seed)
    made = []
    for number in range(PASSAGES):
        passage = [WORDS[place] for place in generator.integers(len(WORDS), size=LENGTH)]
        for place in range(1, LENGTH - 1):
            if generator.random() < 0.08:
                passage[place : place + 2] = ["lives", "in"]
        if number % 4 == 0:
            begin = int(generator.integers(5, 20))
            passage[begin], passage[begin + 12] = QUOTES
        elif number % 3 == 0:
            passage[26:38] = passage[4:16]
        made.append(passage)
    return made


def concept_tokens(made: list[Passage], passage: int) -> tuple[np.ndarray, np.ndarray]:
    """Animals and whatever stands right after one are a mention of `animal.NAME`; names are `person.NAME`."""
    places, concepts = [], []
    for place, word in enumerate(made[passage]):
        if word in ANIMALS:
            for more in range(2):
                if place + more < LENGTH and (more == 0 or made[passage][place + more] not in ANIMALS):
                    places.append(place + more + 1)
                    concepts.append(ANIMALS.index(word))
        if word in ("Anna", "Bert", "Cora"):
            places.append(place + 1)
            concepts.append(4 + ("Anna", "Bert", "Cora").index(word))
    order = np.lexsort((concepts, places))
    return np.array(places, dtype=np.int64)[order], np.array(concepts, dtype=np.int64)[order]


CONCEPTS = [*(f"animal.{name}" for name in ANIMALS), "person.Anna", "person.Bert", "person.Cora"]


def annotations(made: list[Passage]) -> Annotations:
    """The concepts of these passages."""
    return Annotations(CONCEPTS, lambda passage: concept_tokens(made, passage))


def truth(made: list[Passage], rules: Sequence[Rule]) -> np.ndarray:
    """Which rule holds for which token, token by rule."""
    return np.array([[rule(passage, place) for rule in rules] for passage in made for place in range(LENGTH)])


def store_of(folder: Path, made: list[Passage], values: np.ndarray, shards: int = 2) -> CodeStore:
    """Codes of these values, token by feature; passages serve explain, score and show in turn."""
    store = CodeStore.begin(folder, {"planted": True, "site": "resid_post.0"})
    tokens = np.array([NUMBER[word] for passage in made for word in passage])
    for number, ids in enumerate(np.array_split(np.arange(len(made)), shards)):
        rows = slice(int(ids[0]) * LENGTH, (int(ids[-1]) + 1) * LENGTH)
        described = Rows(
            tokens[rows],
            np.repeat(ids, LENGTH),
            np.tile(np.arange(1, LENGTH + 1), len(ids)),
            np.repeat(1 + ids % 3, LENGTH),
        )
        indices = np.tile(np.arange(values.shape[1]), (len(ids) * LENGTH, 1))
        store.write(number, CodeShard.from_rows(indices, values[rows].astype(np.float32), described, values.shape[1]))
    return store


def noisy(holds: np.ndarray, seed: int = 0, miss: float = 0.05, alarm: float = 0.002) -> np.ndarray:
    """Activations of features that mostly hold to the truth."""
    generator = np.random.default_rng(seed)
    active = np.where(holds, generator.random(holds.shape) > miss, generator.random(holds.shape) < alarm)
    return active * generator.gamma(4.0, 0.5, holds.shape)
