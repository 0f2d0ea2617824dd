"""How tokens read in text, singly or one after the other, from the kind of tokenizer.

The tokenizer's own decoder says how its pieces are written (the `decoder` field of a `tokenizer.json`): byte-level
pieces spell bytes by printable stand-ins (GPT-2's table: printable Latin-1 stands for itself, the other 68 bytes for
U+0100 upwards), SentencePiece-style pieces write a space as "▁" and single bytes as "<0x0A>". Other pieces stand as
they are.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from transformers import PreTrainedTokenizerFast

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


def token_text(tokenizer: PreTrainedTokenizerFast, ids: Sequence[int]) -> list[str]:
    """Each token as it reads by itself; a fragment of a character reads "�"."""
    return [spelled.decode("utf-8", "replace") for spelled in _spelled(tokenizer, ids)]


def running_text(tokenizer: PreTrainedTokenizerFast, ids: Sequence[int]) -> list[str]:
    """Each token as it reads after those before it; joined, they are the text.

    A character spelled by several tokens stands whole at the first of them and leaves the others empty. Bytes that are
    no character read "�".
    """
    parts = _spelled(tokenizer, ids)
    owner = [number for number, part in enumerate(parts) for _ in part]
    texts = [""] * len(parts)
    place = 0
    for character, size in _characters(b"".join(parts)):
        texts[owner[place]] += character
        place += size
    return texts


def _spelled(tokenizer: PreTrainedTokenizerFast, ids: Sequence[int]) -> list[bytes]:
    """What each token adds to a text, in UTF-8."""
    steps = set(_decoder_types(tokenizer))
    added = tokenizer.added_tokens_decoder
    pieces = tokenizer.convert_ids_to_tokens(list(ids))
    return [
        added[token].content.encode() if token in added else _bytes(piece or "", steps)
        for token, piece in zip(ids, pieces, strict=True)
    ]


def _bytes(piece: str, steps: set[str]) -> bytes:
    if "ByteLevel" in steps:
        return bytes(_BYTE_OF[character] for character in piece if character in _BYTE_OF)
    if "ByteFallback" in steps and (match := _BYTE.fullmatch(piece)):
        return bytes([int(match[1], 16)])
    if steps & {"Metaspace", "Replace"}:
        return piece.replace("▁", " ").encode()
    return piece.encode()


def _characters(spelled: bytes) -> Iterator[tuple[str, int]]:
    """Characters and how many bytes each takes; a byte that belongs to none is "�"."""
    place = 0
    while place < len(spelled):
        for size in (1, 2, 3, 4):
            with suppress(UnicodeDecodeError):
                yield spelled[place : place + size].decode(), size
                place += size
                break
        else:
            yield "�", 1
            place += 1


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
