"""How single tokens read in text, from the kind of tokenizer.

The tokenizer's own decoder says how its pieces are written (the `decoder` field of a `tokenizer.json`): byte-level
pieces spell bytes by printable stand-ins (GPT-2's table: printable Latin-1 stands for itself, the other 68 bytes for
U+0100 upwards), SentencePiece-style pieces write a space as "▁" and single bytes as "<0x0A>". Other pieces stand as
they are.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from transformers import PreTrainedTokenizerFast

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


def token_text(tokenizer: PreTrainedTokenizerFast, ids: Sequence[int]) -> list[str]:
    """Each token as it reads in text; a fragment of a character reads "�"."""
    steps = set(_decoder_types(tokenizer))
    added = tokenizer.added_tokens_decoder
    pieces = tokenizer.convert_ids_to_tokens(list(ids))
    return [
        added[token].content if token in added else _read(piece or "", steps)
        for token, piece in zip(ids, pieces, strict=True)
    ]


def _read(piece: str, steps: set[str]) -> str:
    if "ByteLevel" in steps:
        return bytes(_BYTE_OF[character] for character in piece if character in _BYTE_OF).decode("utf-8", "replace")
    if "ByteFallback" in steps and (match := _BYTE.fullmatch(piece)):
        return bytes([int(match[1], 16)]).decode("utf-8", "replace")
    if steps & {"Metaspace", "Replace"}:
        return piece.replace("▁", " ")
    return piece


def _decoder_types(tokenizer: PreTrainedTokenizerFast) -> Iterator[str]:
    decoder: Any = tokenizer.backend_tokenizer.decoder
    if decoder is None:
        return
    description: dict[str, Any] = json.loads(decoder.__getstate__())
    yield from (step["type"] for step in description.get("decoders", [description]))


def _byte_table() -> dict[str, int]:
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {chr(byte): byte for byte in printable}
    return table | {chr(256 + place): byte for place, byte in enumerate(others)}


_BYTE_OF = _byte_table()
