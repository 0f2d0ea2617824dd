"""The steer lab: one prompt continued three ways side by side, as it grows.

    plain      the model as it is
    steered    with features clamped or added, or saved vectors added
    control    moved as far at each token, in a random direction

All three are rows of one batch with one seed, so they differ by their edits alone. A thread of its own generates and
holds the model; a reader who is slow or goes away never keeps it from others.
"""

import queue
import re
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from tymbal.edits import ByRow, Clamp, RandomControl, SteeringVector, feature_vector, load_vectors
from tymbal.errors import TymbalError
from tymbal.models import PlacedEdit
from tymbal.serve.subject import Opened, Subject

VECTORS = "vectors"
"""the folder of a study where saved vectors (.gguf, .pt) are looked for"""
COLUMNS = ("plain", "steered", "control")
LONGEST_PROMPT = 4000
MOST_TOKENS = 200
MOST_MOVES = 8
FURTHEST = 1000.0
_FEATURE = re.compile(r"([0-9]{1,9})([=+])(-?[0-9]{1,6}(?:\.[0-9]{1,6})?)")
_VECTOR = re.compile(r"([^/\\:]{1,120}):([a-z_]+\.[0-9]{1,4})\*(-?[0-9]{1,6}(?:\.[0-9]{1,6})?)")


class Way(StrEnum):
    """How a move changes activations."""

    CLAMP = "clamp"
    """a feature's value is set, whether it was active or not"""
    ADD = "add"
    """a feature's direction is added, so many activation units long"""
    VECTOR = "vector"
    """a saved vector is added, so many times"""


@dataclass(frozen=True, kw_only=True)
class Move:
    """One thing that is done to the activations."""

    way: Way
    strength: float
    feature: int = 0
    file: str = ""
    site: str = ""

    def __str__(self) -> str:
        """As it stands in an address: `17=8` clamps, `17+8` adds, `happy.gguf:resid_post.3*2` adds a vector."""
        if self.way is Way.VECTOR:
            return f"{self.file}:{self.site}*{self.strength:g}"
        return f"{self.feature}{'=' if self.way is Way.CLAMP else '+'}{self.strength:g}"


def read_moves(text: str) -> list[Move]:
    """Moves as they stand in an address, separated by spaces or lines.

    Raises `TymbalError` for what cannot be read, or is too much.
    """
    moves = [_move(part) for part in text.split()]
    if len(moves) > MOST_MOVES:
        raise TymbalError(expected=f"at most {MOST_MOVES} moves", got=f"{len(moves)}", do="leave some out")
    return moves


def _move(text: str) -> Move:
    if match := _FEATURE.fullmatch(text):
        way = Way.CLAMP if match[2] == "=" else Way.ADD
        move = Move(way=way, feature=int(match[1]), strength=float(match[3]))
    elif match := _VECTOR.fullmatch(text):
        move = Move(way=Way.VECTOR, file=match[1], site=match[2], strength=float(match[3]))
    else:
        raise TymbalError(
            expected="moves such as 17=8 (clamp), 17+8 (add) or file.gguf:resid_post.3*2 (a saved vector)",
            got=repr(text[:40]),
            do="write them so",
        )
    if abs(move.strength) > FURTHEST:
        raise TymbalError(expected=f"a strength of at most {FURTHEST:g}", got=f"{move.strength:g}", do="lower it")
    return move


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What is to be continued, and how."""

    prompt: str
    moves: Sequence[Move]
    tokens: int = 60
    temperature: float = 0.0
    seed: int = 0

    @classmethod
    def asked(cls, query: Mapping[str, str]) -> "Experiment":
        """Read an address; raises `TymbalError` for what cannot be meant."""
        prompt = query.get("prompt", "").encode("utf-8", "replace").decode()
        if len(prompt) > LONGEST_PROMPT:
            raise TymbalError(
                expected=f"a prompt of at most {LONGEST_PROMPT} characters", got=f"{len(prompt)}", do="shorten it"
            )
        return cls(
            prompt=prompt,
            moves=read_moves(query.get("moves", "")),
            tokens=int(_number(query.get("tokens", "60"), 1, MOST_TOKENS, "tokens")),
            temperature=_number(query.get("temperature", "0"), 0, 5, "a temperature"),
            seed=int(_number(query.get("seed", "0"), 0, 2**31 - 1, "a seed")),
        )


def _number(text: str, least: float, most: float, what: str) -> float:
    if not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,6})?", text) or not least <= float(text) <= most:
        raise TymbalError(expected=f"{what} from {least:g} to {most:g}", got=repr(text[:20]), do="give such a number")
    return float(text)


def saved_vectors(study: Path) -> dict[str, list[SteeringVector]]:
    """The vectors that lie in a study's folder, by file name; those that cannot be read are left out."""
    found: dict[str, list[SteeringVector]] = {}
    for path in sorted((study / VECTORS).glob("*")):
        if path.suffix in (".gguf", ".pt"):
            try:
                found[path.name] = load_vectors(path)
            except TymbalError:
                continue
    return found


def edits_of(moves: Sequence[Move], opened: Opened, study: Path) -> list[PlacedEdit]:
    """The moves as edits; raises `TymbalError` for a feature or vector that is not there."""
    vectors = saved_vectors(study) if any(move.way is Way.VECTOR for move in moves) else {}
    return [_edit(move, opened, vectors) for move in moves]


def _edit(move: Move, opened: Opened, vectors: Mapping[str, list[SteeringVector]]) -> PlacedEdit:
    if move.way is Way.VECTOR:
        for vector in vectors.get(move.file, []):
            if vector.site == move.site:
                return vector.steer(move.strength)
        raise TymbalError(
            expected=f"a vector of {move.site} in the study's folder {VECTORS}/{move.file}",
            got="none",
            do="save it there: tymbal.edits.save_vectors",
        )
    if move.feature >= opened.dictionary.features:
        raise TymbalError(
            expected=f"a feature from 0 to {opened.dictionary.features - 1}", got=f"{move.feature}", do="name another"
        )
    if move.way is Way.CLAMP:
        return Clamp(opened.dictionary, feature=move.feature, value=move.strength)
    return feature_vector(opened.dictionary, move.feature).steer(move.strength)


def generated(experiment: Experiment, opened: Opened, study: Path) -> Iterator[dict[str, str]]:
    """The texts of the three columns after each token; edits apply until the last."""
    edits = edits_of(experiment.moves, opened, study)
    rows = [
        ByRow([None, edit, RandomControl(edit, seed=experiment.seed + number)]) for number, edit in enumerate(edits)
    ]
    with opened.model.edited(*rows):
        grown = opened.model.stream_all(
            [experiment.prompt] * len(COLUMNS),
            max_new_tokens=experiment.tokens,
            temperature=experiment.temperature,
            seed=experiment.seed,
        )
        for texts in grown:
            yield {name: text[len(experiment.prompt) :] for name, text in zip(COLUMNS, texts, strict=True)}


@dataclass
class Growth:
    """An experiment that runs in a thread of its own."""

    experiment: Experiment
    subject: Subject
    study: Path
    _told: "queue.SimpleQueue[dict[str, Any] | None]" = field(default_factory=queue.SimpleQueue)
    _unwanted: threading.Event = field(default_factory=threading.Event)

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """`{"texts": ...}` after each token, then `{"done": true}`; `{"error": line}` where it cannot go on.

        The thread stops at the next token when nobody listens any more.
        """
        threading.Thread(target=self._run, daemon=True).start()
        listen = partial(anyio.to_thread.run_sync, self._told.get, abandon_on_cancel=True)
        try:
            while (event := await listen()) is not None:
                yield event
        finally:
            self._unwanted.set()

    def _run(self) -> None:
        try:
            with self.subject.at_work() as opened:
                for texts in generated(self.experiment, opened, self.study):
                    if self._unwanted.is_set():
                        return
                    self._told.put({"texts": texts})
            self._told.put({"done": True})
        except TymbalError as error:
            self._told.put({"error": str(error)})
        except Exception:
            self._told.put({"error": "expected the model to go on; got a fault of our own; see the server's log"})
            raise
        finally:
            self._told.put(None)
