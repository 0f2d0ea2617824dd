"""The recipe of the Othello model: a small Llama trained on games of random legal moves (Li et al. 2023).

It is told nothing of boards. With `chances` the loss at each move is the mean over every legal move, instead of that of
the one move drawn: the same on average, without the noise of the draw, so that far fewer games are enough.

Beside it, by the same recipe on the same games, a model of one layer is trained: it cannot work out a board step by
step, so what it also does proves no board.
"""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import torch
from transformers import LlamaForCausalLM

from tymbal.corpora.othello.board import PLIES
from tymbal.corpora.othello.games import draw_games
from tymbal.corpora.othello.recipe import HEAD, OthelloTraining
from tymbal.corpora.othello.tokens import CONTEXT, VOCABULARY, choices_of, game_tokenizer, tokens_of
from tymbal.corpora.pretraining import Batch, Progress, claim, new_llama, require_torch, train, write_model

SHARD_BATCHES = 32
"""Batches whose games are drawn at once."""
ONE_LAYER = "one_layer"
"""The folder of the control, beside `model`."""


class GameBatches:
    """Batches of whole games, a row each, drawn as they are needed; a function of recipe and position alone."""

    def __init__(self, recipe: OthelloTraining) -> None:
        self.rows = recipe.batch_tokens // PLIES
        self.seed = recipe.seed
        self.chances = recipe.chances

    def __call__(self, shard: int, skip: int) -> Generator[Batch, None, None]:
        """Batches from number `skip` of this shard on, for ever."""
        while True:
            games = draw_games(SHARD_BATCHES * self.rows, seed=[self.seed, shard])
            for number in range(skip, SHARD_BATCHES):
                moves = games[number * self.rows : (number + 1) * self.rows]
                choices = torch.from_numpy(choices_of(moves)) if self.chances else None
                yield Batch(shard, number, torch.from_numpy(tokens_of(moves)), choices)
            shard, skip = shard + 1, 0


def new_model(recipe: OthelloTraining) -> LlamaForCausalLM:
    """The untrained model: 1.6 million parameters as the recipe stands."""
    hidden = 32 * round(recipe.width / 12)  # 8/3 of the width, as in the Llamas
    heads = recipe.width // HEAD
    return new_llama(
        VOCABULARY,
        width=recipe.width,
        hidden=hidden,
        layers=recipe.layers,
        heads=heads,
        context=CONTEXT,
        seed=recipe.seed,
    )


def train_othello_model(recipe: OthelloTraining, folder: Path, progress: Progress | None = None) -> Path:
    """Train, or go on training, the model and its control; returns the Hugging Face folder of the model.

    Raises `TrainingError` when the loss is not finite or torch is too old, `ArtifactError` when the folder holds
    another recipe.
    """
    require_torch()
    model = _trained(recipe, folder, progress)
    said = progress and (lambda done, total, _: progress(done, total, "tokens, one layer"))
    _trained(replace(recipe, layers=1), folder / ONE_LAYER, said)
    return model


def _trained(recipe: OthelloTraining, folder: Path, progress: Progress | None) -> Path:
    claim(folder, recipe)
    model = new_model(recipe)
    state = train(model, recipe, GameBatches(recipe), folder, progress)
    return write_model(folder, model, game_tokenizer(), recipe, state)
