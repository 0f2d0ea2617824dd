"""Triton's interpreter stands in for a GPU; it must be asked for before Triton is imported."""

import os
import sys
from importlib.util import find_spec

import pytest
import torch

INTERPRETED = not torch.cuda.is_available()
if INTERPRETED and "triton" not in sys.modules:
    os.environ["TRITON_INTERPRET"] = "1"


@pytest.fixture(scope="session", autouse=True)
def triton() -> None:
    """Skips where Triton is absent, or was imported without its interpreter."""
    if find_spec("triton") is None:
        pytest.skip("needs triton: pip install 'tymbal[gpu]'")
    if INTERPRETED and os.environ.get("TRITON_INTERPRET") != "1":
        pytest.skip("triton was imported before its interpreter was asked for")


@pytest.fixture
def device() -> str:
    """Where the kernels run: the interpreter takes tensors of the CPU."""
    return "cpu" if INTERPRETED else "cuda"
