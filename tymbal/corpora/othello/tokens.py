"""Games as tokens, one a move, after a token that begins the game.

A game that ends on a board with empty squares ends with `</s>`; on a full board nothing can follow.
"""

import numpy as np
from jaxtyping import Bool, Int, UInt64
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from tymbal.corpora.othello.board import CENTRE, NAMES, PLIES, SQUARES, squares
from tymbal.corpora.othello.games import NONE, Moves, trace
from tymbal.corpora.pretraining import PADDING

BOS, EOS, PAD, UNKNOWN = "<s>", "</s>", "<pad>", "<unk>"
SPECIAL = (BOS, EOS, PAD, UNKNOWN)
PLAYED = tuple(square for square in range(SQUARES) if square not in CENTRE)
"""The squares that moves can name, in the order of their tokens."""
VOCABULARY = len(SPECIAL) + len(PLAYED)
CONTEXT = PLIES + 1

_TOKEN = np.full(SQUARES + 1, PADDING)  # the last entry is for a move after the end
_TOKEN[list(PLAYED)] = np.arange(len(SPECIAL), VOCABULARY)


def tokens_of(moves: Moves) -> Int[np.ndarray, "game token"]:
    """Games as token ids from BOS to EOS, padded on the right with -1; as wide as a game of all squares."""
    rows = np.full((len(moves), CONTEXT), PADDING)
    rows[:, 0] = SPECIAL.index(BOS)
    rows[:, 1:] = _TOKEN[moves]
    lengths = (moves != NONE).sum(1)
    early = np.flatnonzero(lengths < PLIES)
    rows[early, lengths[early] + 1] = SPECIAL.index(EOS)
    return rows


def token_mask(moves: UInt64[np.ndarray, "*axes"]) -> Bool[np.ndarray, "*axes vocabulary"]:
    """Sets of squares as sets of tokens: whether each token names a member."""
    mask = np.zeros((*moves.shape, VOCABULARY), bool)
    mask[..., len(SPECIAL) :] = squares(moves)[..., list(PLAYED)]
    return mask


def choices_of(moves: Moves) -> Bool[np.ndarray, "game token vocabulary"]:
    """For each token of `tokens_of(moves)` but the last, the tokens that may follow it, each with the same chance.

    They are the legal moves, or EOS where the game ends early; none after the end.
    """
    mask = token_mask(trace(moves).choices)[:, :-1]
    game, place = (tokens_of(moves)[:, 1:] == SPECIAL.index(EOS)).nonzero()
    mask[game, place, SPECIAL.index(EOS)] = True
    return mask


def game_tokenizer() -> PreTrainedTokenizerFast:
    """One token a move, told apart by spaces."""
    entries = {name: number for number, name in enumerate((*SPECIAL, *(NAMES[square] for square in PLAYED)))}
    tokenizer = Tokenizer(models.WordLevel(entries, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        unk_token=UNKNOWN,
        model_max_length=CONTEXT,
    )
