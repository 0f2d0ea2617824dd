"""A tiny random Llama, opened, and a random dictionary of it."""

from pathlib import Path

import pytest
import torch

from tymbal.dictionaries import TopK
from tymbal.models import LanguageModel, open_model


@pytest.fixture(scope="session")
def model(tiny_llama_folder: Path) -> LanguageModel:
    """Width 32, 4 layers, 4 heads, context 64."""
    opened = open_model(tiny_llama_folder)
    with torch.no_grad():
        # Large enough that attention is far from uniform and that greedy choices have a margin.
        for parameter in opened.torch_model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(8)
    return opened


@pytest.fixture
def dictionary(model: LanguageModel) -> TopK:
    """64 features of `resid_post.1`, 8 of them active."""
    made = TopK(32, 64, 8, site="resid_post.1")
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        made.encoder.copy_(torch.randn(64, 32, generator=generator))
        made.decoder.copy_(torch.nn.functional.normalize(torch.randn(64, 32, generator=generator), dim=1))
    made.model = dict(model.identity)
    return made.requires_grad_(False)
