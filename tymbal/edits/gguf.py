"""GGUF, as far as control vectors need it: key-values, and tensors of fp32 or fp16.

The layout, little-endian: magic, version 3, number of tensors, number of key-values; the key-values; name, shape
(innermost first), type and offset of each tensor; padding to the alignment; the tensors, each padded to it.

Source: the specification in ggml's docs/gguf.md.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tymbal import artifact
from tymbal.errors import ArtifactError

MAGIC, VERSION, ALIGNMENT = b"GGUF", 3, 32
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY, _UINT32 = 8, 9, 4
_TENSORS: dict[int, Any] = {0: np.dtype("<f4"), 1: np.dtype("<f2")}
Values = dict[str, Any]
Tensors = dict[str, NDArray[np.float32]]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def take(self, form: str) -> Any:
        """The next number of this struct format."""
        (value,) = struct.unpack_from("<" + form, self.data, self.place)
        self.place += struct.calcsize("<" + form)
        return value

    def text(self) -> str:
        """The next string."""
        length = self.take("Q")
        if self.place + length > len(self.data):
            raise struct.error("a string that goes beyond the end")
        self.place += length
        return self.data[self.place - length : self.place].decode()

    def value(self, kind: int) -> Any:
        """The next value of this kind."""
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            inner, count = self.take("I"), self.take("Q")
            return [self.value(inner) for _ in range(count)]
        return self.take(_NUMBERS[kind])


def read_gguf(path: Path) -> tuple[Values, Tensors]:
    """Key-values and tensors of a file; raises `ArtifactError` for one that is missing, damaged or of another kind."""
    try:
        return _parsed(path.read_bytes())
    except FileNotFoundError as error:
        raise ArtifactError(expected=f"a file {path}", got="none", do="check its name") from error
    except (struct.error, KeyError, ValueError, UnicodeDecodeError, OverflowError, MemoryError) as error:
        raise ArtifactError(
            expected=f"a GGUF file (version 2 or 3, tensors of fp32 or fp16) in {path}",
            got=f"{type(error).__name__} ({error})",
            do="export it again",
        ) from error


def _parsed(data: bytes) -> tuple[Values, Tensors]:
    if data[:4] != MAGIC:
        raise ValueError("another magic number")
    reader = _Reader(data)
    reader.place = 4
    if (version := reader.take("I")) not in (2, VERSION):
        raise ValueError(f"version {version}")
    tensors, values = reader.take("Q"), reader.take("Q")
    found = {}
    for _ in range(values):
        name = reader.text()
        found[name] = reader.value(reader.take("I"))
    infos = []
    for _ in range(tensors):
        name = reader.text()
        shape = [reader.take("Q") for _ in range(reader.take("I"))]
        infos.append((name, shape[::-1], _TENSORS[reader.take("I")], reader.take("Q")))
    alignment = found.get("general.alignment", ALIGNMENT)
    start = -(-reader.place // alignment) * alignment
    return found, {name: _tensor(data, start + offset, shape, dtype) for name, shape, dtype, offset in infos}


def _tensor(data: bytes, place: int, shape: list[int], dtype: Any) -> NDArray[np.float32]:
    count = int(np.prod(shape))
    return np.frombuffer(data, dtype, count, place).astype(np.float32).reshape(shape)


def write_gguf(path: Path, values: Mapping[str, str | int], tensors: Mapping[str, NDArray[np.float32]]) -> None:
    """Write strings, unsigned numbers and fp32 tensors, atomically."""
    parts = [MAGIC, struct.pack("<IQQ", VERSION, len(tensors), len(values))]
    for key, value in values.items():
        kind, body = (_STRING, _text(value)) if isinstance(value, str) else (_UINT32, struct.pack("<I", value))
        parts += [_text(key), struct.pack("<I", kind), body]
    offset, bodies = 0, []
    for name, tensor in tensors.items():
        body = np.ascontiguousarray(tensor, "<f4").tobytes()
        shape = tensor.shape[::-1]
        parts += [_text(name), struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, offset)]
        bodies.append(body + bytes(-len(body) % ALIGNMENT))
        offset += len(bodies[-1])
    head = b"".join(parts)
    whole = b"".join([head, bytes(-len(head) % ALIGNMENT), *bodies])
    artifact.write_atomically(path, lambda temporary: temporary.write_bytes(whole))


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<Q", len(encoded)) + encoded
