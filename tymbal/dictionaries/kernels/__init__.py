"""Triton kernels for what a training step does with active features alone, on CUDA devices.

`active.py` asks here first; on the CPU, and where Triton is absent, torch's embedding-bag kernel does the same.
"""

from functools import cache
from importlib.util import find_spec

from torch import Tensor

__all__ = ["serves"]


def serves(tensor: Tensor) -> bool:
    """Whether the kernels serve tensors like this one."""
    return tensor.is_cuda and _installed()


@cache
def _installed() -> bool:
    return find_spec("triton") is not None
