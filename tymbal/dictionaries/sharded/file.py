"""One safetensors file written by many processes, each its own rows, so that no process ever holds a whole tensor.

A safetensors file is eight bytes that say how long the header is, the header (JSON: each tensor's type, shape and place)
and the numbers, tensor after tensor, row after row. A part of a tensor's rows is therefore one run of bytes, which its
rank writes where it belongs. The file's folder must be one that all processes see.

Source of the format: huggingface/safetensors, its README.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.tensor import DTensor, Shard

from tymbal import artifact
from tymbal.artifact import TEMPORARY_SUFFIX

TYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
}


def write_together(path: Path, tensors: Mapping[str, DTensor]) -> str:
    """Write tensors atomically, every rank its part; returns the file's SHA-256, on rank 0 alone (elsewhere "")."""
    header, places = _laid_out(tensors)
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:
            file.write(header)
            file.truncate(len(header) + sum(tensor.numel() * tensor.element_size() for tensor in tensors.values()))
        dist.barrier()
        _write_own(temporary, tensors, places)
        dist.barrier()

    if dist.get_rank() == 0:
        checksum = artifact.write_atomically(path, write)
    else:
        checksum = ""
        dist.barrier()
        _write_own(temporary, tensors, places)
        dist.barrier()
    dist.barrier()
    return checksum


def _laid_out(tensors: Mapping[str, DTensor]) -> tuple[bytes, dict[str, int]]:
    """The file's first bytes, and where each tensor's numbers begin."""
    # The widest numbers come first, so that all lie at multiples of their size.
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    entries, places, start = {}, {}, 0
    for name in names:
        tensor = tensors[name]
        stop = start + tensor.numel() * tensor.element_size()
        entries[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, stop]}
        places[name], start = start, stop
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    header = len(text).to_bytes(8, "little") + text
    return header, {name: len(header) + place for name, place in places.items()}


def _write_own(path: Path, tensors: Mapping[str, DTensor], places: Mapping[str, int]) -> None:
    """Write the rows that this rank holds, where no rank before it holds the same."""
    with open(path, "rb+") as file:
        for name, tensor in tensors.items():
            rows_axis, features_axis = tensor.device_mesh.get_coordinate() or (0, 0)
            cut = isinstance(tensor.placements[1], Shard)
            if rows_axis == 0 and (cut or features_axis == 0):
                own = tensor.to_local().detach().cpu().contiguous()
                file.seek(places[name] + features_axis * own.numel() * own.element_size() * cut)
                file.write(_bytes(own))
        file.flush()
        os.fsync(file.fileno())


def _bytes(tensor: Tensor) -> memoryview:
    return memoryview(np.ascontiguousarray(tensor.reshape(-1).view(torch.uint8).numpy()))
