"""How a model of Othello plays: its card, with controls beside each number.

1. Games that it was not trained on are read (`Role.SHOW`), and at every move that is still to be made its first choice,
   its probabilities and its first N choices, N being the number of legal moves, are held against the rules.
2. The loss stands beside the exact floor: the mean of ln(legal moves), since every legal move is as likely.
3. Beside it the same of the model of one layer, of an untrained copy, and of a player who takes any empty square.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from transformers import LlamaForCausalLM

from tymbal import artifact
from tymbal.corpora.othello.board import SQUARES, squares
from tymbal.corpora.othello.games import Moves, draw_games, trace
from tymbal.corpora.othello.tokens import token_mask, tokens_of
from tymbal.corpora.othello.training import ONE_LAYER
from tymbal.corpora.pretraining import TRAINING, Interval, ratio, read_model
from tymbal.corpora.roles import Role

SEED = 1
ITSELF = "this model"
BATCH = 250  # games
LEARNT = {
    "chances": "at each move from the chances of all that may come next.",
    "moves": "at each move from the one that came next.",
}
Logits = Float[Tensor, "game state vocabulary"]


@dataclass(frozen=True, kw_only=True)
class Play:
    """How one model plays, over all moves of all games."""

    legal: Interval
    """share of moves at which its first choice is legal"""
    mass: Interval
    """its probability of all legal moves together"""
    wrong: Interval
    """among its first N choices, N the number of legal moves: those not legal, and the legal ones that are not there"""
    loss: Interval
    """nats a move"""
    excess: Interval
    """loss above the floor, paired by game"""
    parameters: int


@dataclass(frozen=True, kw_only=True)
class Card:
    """A model's play beside its controls."""

    floor: float
    """nats a move: no model can do better on average"""
    empty: Interval
    """share of legal moves among empty squares"""
    models: dict[str, Play]
    """by name: the model, one layer, untrained"""


def measure(folder: Path, *, games: int = 1_000) -> Card:
    """The card of the model in `folder`, a Hugging Face folder that `tymbal othello train` wrote.

    Raises `ArtifactError` for another folder.
    """
    model = read_model(folder)
    moves = draw_games(games, seed=SEED, role=Role.SHOW)
    told = trace(moves)
    choices = token_mask(told.choices)
    counts = choices.sum(-1)
    models = {ITSELF: _play(model, moves, choices)}
    one_layer = folder.parent / ONE_LAYER / "model"
    if one_layer.is_dir():
        models["one layer"] = _play(read_model(one_layer), moves, choices)
    torch.manual_seed(0)
    models["untrained"] = _play(LlamaForCausalLM(model.config).eval(), moves, choices)
    empty = SQUARES - squares(told.own | told.other).sum(-1)
    return Card(
        floor=float(np.log(counts[counts > 0]).mean()),
        empty=ratio(counts.sum(1), np.where(counts > 0, empty, 0).sum(1)),
        models=models,
    )


def wrong_choices(logits: Float[Tensor, "row vocabulary"], choices: Bool[Tensor, "row vocabulary"]) -> Tensor:
    """Of the first N choices, N the number of legal moves: how many are not legal, and how many legal ones lack.

    The two are equal, so the number is even. Source: Li et al. 2023, "Emergent World Representations", section 4.2.
    """
    rank = logits.argsort(dim=1, descending=True, stable=True).argsort(1)
    first = rank < choices.sum(1, keepdim=True)
    return (first != choices).sum(1)


@torch.inference_mode()
def _logits(model: LlamaForCausalLM, moves: Moves) -> Logits:
    tokens = torch.from_numpy(tokens_of(moves)).clamp(min=0)
    return torch.cat([model(input_ids=part, use_cache=False).logits for part in tokens.split(BATCH)])


def _play(model: LlamaForCausalLM, moves: Moves, choices: Bool[np.ndarray, "game state vocabulary"]) -> Play:
    logits = _logits(model, moves)
    allowed = torch.from_numpy(choices)
    asked = allowed.any(-1)
    logs = logits.double().log_softmax(-1)
    targets = torch.from_numpy(tokens_of(moves))[:, 1:].clamp(min=0)
    losses = -logs[:, :-1].gather(-1, targets[..., None])[..., 0] * asked[:, :-1]
    first = allowed.gather(-1, logits.argmax(-1, keepdim=True))[..., 0]
    mass = (logs.exp() * allowed).sum(-1)
    wrong = wrong_choices(logits.flatten(0, 1), allowed.flatten(0, 1)).view_as(asked)
    floor = torch.where(asked, allowed.sum(-1).clamp(min=1).double().log(), 0.0)
    counted = asked.sum(1).numpy()

    def mean(values: Tensor) -> Interval:
        return ratio((values * asked[:, : values.shape[1]]).sum(1).numpy(), counted)

    return Play(
        legal=mean(first),
        mass=mean(mass),
        wrong=mean(wrong),
        loss=mean(losses),
        excess=mean(losses - floor[:, :-1]),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
    )


def write_card(folder: Path, card: Card) -> None:
    """`card.json` and a model card in prose (`README.md`) beside the model's weights."""
    artifact.write_json(folder / "card.json", asdict(card))
    artifact.write_text(folder / "README.md", describe(folder, card))


def describe(folder: Path, card: Card) -> str:
    """The card as Markdown."""
    recipe = artifact.read_json(folder / TRAINING)["recipe"]
    play = card.models[ITSELF]
    lines = [
        "# A model of Othello on six by six squares",
        "",
        f"A Llama of {play.parameters:,} parameters (width {recipe['width']}, {recipe['layers']} layers), trained on",
        f"{recipe['tokens']:,} tokens ({recipe['steps']:,} steps) of games of random legal moves, "
        + LEARNT["chances" if recipe.get("chances") else "moves"],
        "It was told nothing of the board. Made by `tymbal othello train`, measured by `tymbal othello card` on games",
        "whose board after eight moves occurs in no game of training.",
        "",
        play_table(card),
        "",
    ]
    return "\n".join(lines)


def play_table(card: Card) -> str:
    """How the model and its controls play, as Markdown."""
    head = ("", "parameters", "first choice legal", "probability of legal moves", "wrong among the first N", "excess")
    lines = [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *(_row(name, found) for name, found in card.models.items()),
        f"| any empty square | | {card.empty.value:.4f} | {card.empty.value:.4f} | | |",
        "",
        "Wrong among the first N, the number of legal moves: choices that are not legal, and legal ones that are",
        f"missing. Excess: loss above the floor of {card.floor:.4f} nats a move, the mean of ln(legal moves).",
        f"Intervals are 95 % bootstraps over games; {card.models[ITSELF].legal.n:,} moves.",
    ]
    return "\n".join(lines)


def _row(name: str, play: Play) -> str:
    numbers = ((play.legal, 4), (play.mass, 4), (play.wrong, 3), (play.excess, 4))
    cells = " | ".join(f"{n.value:.{digits}f} [{n.low:.{digits}f}, {n.high:.{digits}f}]" for n, digits in numbers)
    return f"| {name} | {play.parameters:,} | {cells} |"
