"""Tokens of a text, as the model's own fast tokenizer gives them, and the special tokens it puts around a text.

What stands around every passage is read off the tokenizer: a probe is encoded with its post-processor, and whatever
that adds in front (BOS, CLS) and behind (SEP, EOS) is put around each passage. A tokenizer that knows a BOS token but
adds none (GPT-2, Pythia) gets none: its model was trained on texts that begin without.

Control tokens that the text itself spells out (`</s>`, `<|endoftext|>`) become the token, as the tokenizer has it,
and count as special too; the token for unknown text does not.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Int32
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase

from tymbal.errors import CorpusError

_PROBE = "a"


class Pieces(NamedTuple):
    """The tokens of one text, without those put around it."""

    ids: Int32[np.ndarray, " token"]
    starts: Int32[np.ndarray, " token"] | None
    """First character of each token; None when offsets were not asked for."""
    ends: Int32[np.ndarray, " token"] | None
    """Character behind each token."""


class TextTokenizer:
    """A private copy of a fast tokenizer, with neither truncation nor padding."""

    before: tuple[int, ...]
    """Ids put in front of every passage."""
    after: tuple[int, ...]
    """Ids put behind every passage."""
    sha256: str
    """Checksum of the tokenizer's own JSON."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase | Tokenizer) -> None:
        backend = tokenizer if isinstance(tokenizer, Tokenizer) else getattr(tokenizer, "backend_tokenizer", None)
        if not isinstance(backend, Tokenizer):
            raise CorpusError(
                expected="a fast tokenizer (one with a tokenizer.json)",
                got=type(tokenizer).__name__,
                do="convert it with transformers' AutoTokenizer",
            )
        self._backend = Tokenizer.from_str(backend.to_str())
        self._backend.no_truncation()
        self._backend.no_padding()
        description = self._backend.to_str()
        self.sha256 = hashlib.sha256(description.encode()).hexdigest()
        self.before, self.after = self._around()
        self._control = np.array(sorted(self._control_ids(json.loads(description)["model"])), dtype=np.int32)

    def _around(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        probe = self._backend.encode(_PROBE)
        added = np.array(probe.special_tokens_mask, dtype=bool)
        content = np.flatnonzero(~added)
        if not len(content):
            raise CorpusError(
                expected=f"tokens for the text {_PROBE!r}", got="none from this tokenizer", do="check the tokenizer"
            )
        return tuple(probe.ids[: content[0]]), tuple(probe.ids[content[-1] + 1 :])

    def _control_ids(self, model: dict[str, Any]) -> set[int]:
        unknown = {model.get("unk_token")}
        if model.get("unk_id") is not None:
            unknown.add(model["vocab"][model["unk_id"]][0])
        added = self._backend.get_added_tokens_decoder()
        return {index for index, token in added.items() if token.special and token.content not in unknown}

    def encode(self, texts: Sequence[str], *, offsets: bool) -> list[Pieces]:
        """The tokens of each text; `offsets` gives the characters each token stands for."""
        batch = list(texts)
        if not offsets:
            encodings = self._backend.encode_batch_fast(batch, add_special_tokens=False)
            return [Pieces(np.array(encoding.ids, dtype=np.int32), None, None) for encoding in encodings]
        pieces = []
        for encoding in self._backend.encode_batch(batch, add_special_tokens=False):
            ranges = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
            pieces.append(Pieces(np.array(encoding.ids, dtype=np.int32), ranges[:, 0], ranges[:, 1]))
        return pieces

    def control(self, ids: Int32[np.ndarray, " token"]) -> Bool[np.ndarray, " token"]:
        """Which of these tokens are control tokens."""
        return np.isin(ids, self._control)
