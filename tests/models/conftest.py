"""A tiny random model of every architecture, as a folder, opened by Tymbal and by transformers alone."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging as transformers_logging

from tymbal.models import LanguageModel, open_model

WINDOW = 5
_SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    # Large enough that attention is far from uniform, so that leaks and wrong windows show.
    "initializer_range": 0.2,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 2,
}
_GROUPED = {"num_key_value_heads": 2, "head_dim": 8}
_LAYER_TYPES = {"sliding_window": WINDOW, "layer_types": ["sliding_attention", "full_attention"] * 2}
_GEMMA: dict[str, Any] = {**_GROUPED, **_LAYER_TYPES, "query_pre_attn_scalar": 8, "tie_word_embeddings": True}
_VISION = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("gpt2", {}),
    "gpt_neox": ("gpt_neox", {}),
    "gpt_neox-sequential": ("gpt_neox", {"use_parallel_residual": False}),
    "llama": ("llama", _GROUPED),
    "mistral": ("mistral", {**_GROUPED, "sliding_window": WINDOW}),
    "mistral-whole": ("mistral", {**_GROUPED, "sliding_window": None}),
    "qwen2": ("qwen2", {"num_key_value_heads": 2, "use_sliding_window": True, **_LAYER_TYPES}),
    "qwen2-whole": ("qwen2", {"num_key_value_heads": 2}),
    "qwen3": ("qwen3", {**_GROUPED, "use_sliding_window": True, **_LAYER_TYPES}),
    "gemma2": ("gemma2", _GEMMA),
    "gemma3_text": ("gemma3_text", _GEMMA),
    "gemma3": ("gemma3", {"text_config": {**_SIZES, **_GEMMA}, "vision_config": _VISION, "mm_tokens_per_image": 4}),
    "phi3": ("phi3", {"num_key_value_heads": 2, "sliding_window": WINDOW}),
    "olmo2": ("olmo2", {"num_key_value_heads": 2}),
    "bert": ("bert", {}),
}
CAUSAL = [variant for variant in VARIANTS if variant != "bert"]


@dataclass(frozen=True)
class Tiny:
    """One model twice: opened by Tymbal, and loaded by transformers alone."""

    model: LanguageModel
    plain: PreTrainedModel
    folder: Path

    @property
    def text_part(self) -> Any:
        """The plain model's bare backbone."""
        return self.plain.get_submodule(self.model.architecture.backbone)


def _save(variant: str, folder: Path, tokenizer_folder: Path) -> None:
    model_type, differences = VARIANTS[variant]
    vocabulary = {"vocab_size": 300}
    sizes = {} if model_type == "gemma3" else {**_SIZES, **vocabulary}
    if model_type == "gemma3":
        differences = {**differences, "text_config": {**differences["text_config"], **vocabulary}}
    config = AutoConfig.for_model(model_type, **(sizes | differences))
    kind = AutoModel if model_type == "bert" else AutoModelForCausalLM
    torch.manual_seed(0)
    model = kind.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                # Norm weights of exactly one and biases of exactly zero would hide mistakes.
                parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    for path in tokenizer_folder.glob("tokenizer*"):
        shutil.copy(path, folder)


def _plain(folder: Path, model: LanguageModel) -> PreTrainedModel:
    kind = AutoModelForCausalLM if model.causal else AutoModel
    transformers_logging.disable_progress_bar()
    return kind.from_pretrained(folder, attn_implementation=model.attention).eval()


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """On a busy machine two threads wait for one another at every tiny product: 100 times slower than one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tiny(tiny_llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Tiny]:
    """`tiny(variant, attention=None)`: the tiny model of this variant."""
    made: dict[tuple[str, str | None], Tiny] = {}
    folders: dict[str, Path] = {}

    def make(variant: str, attention: str | None = None) -> Tiny:
        if variant not in folders:
            folders[variant] = tmp_path_factory.mktemp(variant)
            _save(variant, folders[variant], tiny_llama_folder)
        if (variant, attention) not in made:
            model = open_model(folders[variant], attention=attention)
            made[variant, attention] = Tiny(model, _plain(folders[variant], model), folders[variant])
        return made[variant, attention]

    return make


def hook_count(model: LanguageModel) -> int:
    """Hooks on all modules of the model."""
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.torch_model.modules())


@pytest.fixture(params=list(VARIANTS))
def any_tiny(request: pytest.FixtureRequest, tiny: Callable[..., Tiny]) -> Tiny:
    """Each variant in turn."""
    return tiny(request.param)


@pytest.fixture(params=CAUSAL)
def causal_tiny(request: pytest.FixtureRequest, tiny: Callable[..., Tiny]) -> Tiny:
    """Each variant that predicts the next token."""
    return tiny(request.param)


@pytest.fixture
def ids() -> torch.Tensor:
    """Two rows of 12 tokens, longer than the sliding windows."""
    return torch.randint(3, 300, (2, 12), generator=torch.Generator().manual_seed(1))
