"""The loss of a small Llama on a batch, computed for speed on a CPU; the model stays as the library has it.

1. Weights are copied to bf16 once a step, and those that read the same input are joined: one product for queries, keys
   and values, one for gate and up. The model's own parameters stay as they are, and gradients flow back to them.
2. Every layer but attention sees one flat row of tokens of fixed length, so its kernels have one shape for all batches.
3. Between the products, arithmetic is fused by `torch.compile` where a C++ compiler is found; elsewhere it runs as it
   stands, with the same result up to rounding.
"""

import warnings
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from transformers import LlamaForCausalLM

from tymbal.corpora.pretraining.batch import PADDING

_HALF = torch.bfloat16


class _Layer(NamedTuple):
    """A block's weights; the matrices in bf16, ready to be multiplied from the right."""

    attention_norm: Tensor
    qkv: Tensor
    out: Tensor
    mlp_norm: Tensor
    gate_up: Tensor
    down: Tensor


class BatchLoss:
    """Mean loss in nats over the real tokens of a batch of documents, padded on the right with -1.

    Where the choices of the next token are given, the loss is the mean over them: that of a drawn token on average,
    without the noise of the draw.

    `length`: tokens of the flat row; a batch of `rows` by `width + 1` ids must fit, `rows * width <= length`.
    Causal attention never looks right, so padding needs no mask.
    """

    def __init__(self, model: LlamaForCausalLM, length: int, *, compiled: bool) -> None:
        self.model = model
        self.length = length
        self._weights = dict(model.named_parameters())
        fuse: Callable[..., Callable[..., Tensor]] = _fuse if compiled and can_compile() else lambda function: function
        self._read = fuse(_read)
        self._attend = fuse(partial(_attend, heads=model.config.num_attention_heads))
        self._write = fuse(_write)
        self._mean_loss = fuse(_mean_loss)
        self._mean_loss_of_choices = fuse(_mean_loss_of_choices)

    def __call__(self, batch: Tensor, choices: Tensor | None = None) -> Tensor:
        rows, width = batch.shape[0], batch.shape[1] - 1
        spare = self.length - rows * width
        if spare < 0:
            raise ValueError(f"expected a batch of at most {self.length} tokens; got {rows} by {width}; cut it")
        tokens = functional.pad(batch[:, :-1].reshape(-1), (0, spare)).clamp(min=0)
        epsilon = self.model.config.rms_norm_eps
        embedding = self._weights["model.embed_tokens.weight"]
        stream = functional.embedding(tokens, embedding)
        cosine, sine = self._rotation(width, batch.device)
        for number in range(self.model.config.num_hidden_layers):
            layer = self._layer(number)
            qkv = self._read(stream, layer.attention_norm, layer.qkv, epsilon)
            heads = self._attend(qkv[: rows * width].view(rows, width, -1), cosine, sine).view(rows * width, -1)
            stream = self._write(stream, functional.pad(heads, (0, 0, 0, spare)), *layer[2:], epsilon)
        norm = self._weights["model.norm.weight"]
        if choices is not None:
            allowed = functional.pad(choices.flatten(0, 1), (0, 0, 0, spare))
            return self._mean_loss_of_choices(stream, norm, embedding, allowed, epsilon)
        targets = functional.pad(batch[:, 1:].reshape(-1), (0, spare), value=PADDING)
        return self._mean_loss(stream, norm, embedding, targets, epsilon)

    def _layer(self, number: int) -> _Layer:
        def weight(name: str) -> Tensor:
            return self._weights[f"model.layers.{number}.{name}.weight"]

        def half(*names: str) -> Tensor:
            return torch.cat([weight(name) for name in names]).to(_HALF).t()

        return _Layer(
            weight("input_layernorm"),
            half("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
            half("self_attn.o_proj"),
            weight("post_attention_layernorm"),
            half("mlp.gate_proj", "mlp.up_proj"),
            half("mlp.down_proj"),
        )

    def _rotation(self, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Cosine and sine of each position's angles, half a head wide (Su et al. 2021, arXiv 2104.09864)."""
        inverse = self.model.get_buffer("model.rotary_emb.inv_freq").to(device)
        angles = torch.outer(torch.arange(width, device=device).float(), inverse)
        return angles.cos(), angles.sin()


def _normed(stream: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    return (stream * torch.rsqrt(stream.pow(2).mean(-1, keepdim=True) + epsilon) * weight).to(_HALF)


def _read(stream: Tensor, norm: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    return _normed(stream, norm, epsilon) @ weight


def _attend(qkv: Tensor, cosine: Tensor, sine: Tensor, *, heads: int) -> Tensor:
    """Causal attention within each row: bf16 in and out, rotation and softmax in fp32."""
    rows, width, _ = qkv.shape
    query, key, value = qkv.view(rows, width, 3, heads, -1).permute(2, 0, 3, 1, 4).contiguous().unbind(0)
    scores = (_rotated(query, cosine, sine) @ _rotated(key, cosine, sine).transpose(-1, -2)).float()
    later = torch.full((width, width), -torch.inf, device=qkv.device).triu(1)
    weights = torch.softmax(scores * query.shape[-1] ** -0.5 + later, -1).to(_HALF)
    return (weights @ value).transpose(1, 2).reshape(rows, width, -1)


def _rotated(heads: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    near, far = heads.float().unflatten(-1, (2, -1)).unbind(-2)
    return torch.stack((near * cosine - far * sine, far * cosine + near * sine), -2).flatten(-2).to(_HALF)


def _write(
    stream: Tensor, heads: Tensor, out: Tensor, norm: Tensor, gate_up: Tensor, down: Tensor, epsilon: float
) -> Tensor:
    stream = stream + heads @ out
    gate, up = (_normed(stream, norm, epsilon) @ gate_up).float().chunk(2, -1)
    return stream + (functional.silu(gate) * up).to(_HALF) @ down


def _mean_loss(stream: Tensor, norm: Tensor, embedding: Tensor, targets: Tensor, epsilon: float) -> Tensor:
    logits = _normed(stream, norm, epsilon) @ embedding.to(_HALF).t()
    return functional.cross_entropy(logits.float(), targets, ignore_index=PADDING)


def _mean_loss_of_choices(stream: Tensor, norm: Tensor, embedding: Tensor, allowed: Tensor, epsilon: float) -> Tensor:
    logits = (_normed(stream, norm, epsilon) @ embedding.to(_HALF).t()).float()
    count = allowed.sum(-1)
    losses = torch.logsumexp(logits, -1) - (logits * allowed).sum(-1) / count.clamp(min=1)
    asked = count > 0
    return (losses * asked).sum() / asked.sum()


def _fuse(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    # One kernel a shape: kernels for any shape run three times slower, and training has few shapes.
    # (The stubs of torch 2.13 do not know `recompile_limit` yet.)
    return torch.compile(function, dynamic=False, recompile_limit=64)  # pyright: ignore[reportCallIssue]


def can_compile() -> bool:
    """Whether `torch.compile` works here: it needs a C++ compiler and Python's headers on a CPU."""
    try:
        with warnings.catch_warnings(action="ignore"):
            torch.compile(torch.sin, dynamic=False)(torch.zeros(2))
    except Exception:
        return False
    return True
