"""Training of a small Llama from nothing, on a CPU.

Muon (Jordan et al. 2024; rates scaled as by Liu et al. 2025, arXiv 2502.16982) for the matrices of the blocks, AdamW
for the rest, with warm-up, a constant rate and a linear decay at the end (Hu et al. 2024, arXiv 2404.06395), so that a
run may be lengthened from any checkpoint of its constant phase and ends as the longer run would have.

Everything is a function of the recipe: a killed run resumes from its last checkpoint with the same batches.
"""

import json
import math
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tymbal import artifact
from tymbal.corpora.pretraining.batch import PADDING, Batch, BatchSource
from tymbal.corpora.pretraining.checkpoints import Optimisers, State, read_checkpoint, write_checkpoint
from tymbal.corpora.pretraining.loss import BatchLoss
from tymbal.corpora.pretraining.recipe import Recipe
from tymbal.errors import TrainingError

TRAINING = "training.json"
OLDEST_TORCH = (2, 13)
"""for training alone; to read the model any torch does that Tymbal runs with"""
LOGGED_STEPS = 10
Progress = Callable[[int, int, str], None]


def require_torch() -> None:
    """Raise `TrainingError` for a torch that is too old for the recipe."""
    installed = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    if installed < OLDEST_TORCH:
        raise TrainingError(
            expected="torch {}.{} or newer, whose Muon and compiler the recipe uses".format(*OLDEST_TORCH),
            got=torch.__version__,
            do="pip install --upgrade torch",
        )


def new_llama(
    vocabulary: int, *, width: int, hidden: int, layers: int, heads: int, context: int, seed: int
) -> LlamaForCausalLM:
    """An untrained Llama, its unembedding tied; `hidden` units in the MLPs. Tokens 0, 1, 2: begin, end, padding."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=context,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
    )
    return LlamaForCausalLM(config)


def train(
    model: LlamaForCausalLM, recipe: Recipe, batches_from: BatchSource, folder: Path, progress: Progress | None = None
) -> State:
    """Train the model, or go on from the last checkpoint in `folder`; returns what the run has done.

    Raises `TrainingError` when the loss is not finite.
    """
    torch.nn.Module.to(model, recipe.device)
    optimisers = _optimisers(model, recipe)
    state = read_checkpoint(folder, model, optimisers)
    loss_of = BatchLoss(model, recipe.batch_tokens, compiled=recipe.compiled)
    began = time.monotonic()
    with (
        open(folder / "log.jsonl", "a", encoding="utf-8") as log,
        closing(batches_from(state.shard, state.batch)) as batches,
    ):
        for batch in batches:
            if state.tokens >= recipe.tokens:
                break
            loss = _step(loss_of, optimisers, batch, _schedule(state, recipe))
            read = int((batch.tokens != PADDING).sum())
            state = State(state.step + 1, state.tokens + read, batch.shard, batch.number + 1)
            _require_finite(loss, state, folder)
            if state.step % LOGGED_STEPS == 0:
                entry = {"step": state.step, "tokens": state.tokens, "loss": loss, "seconds": time.monotonic() - began}
                log.write(json.dumps(entry) + "\n")
                log.flush()
            if state.step % recipe.checkpoint_steps == 0:
                write_checkpoint(folder, model, optimisers, state)
            if progress:
                progress(min(state.tokens, recipe.tokens), recipe.tokens, "tokens")
    return state


def write_model(
    folder: Path, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, recipe: Recipe, state: State
) -> Path:
    """Write `folder/model`: the weights as fp16, the tokenizer, and the recipe beside them."""
    out = folder / "model"
    torch.nn.Module.to(model.eval(), "cpu", torch.float16)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    done = {**asdict(recipe), "tokens": state.tokens, "steps": state.step}
    artifact.write_json(out / TRAINING, {"recipe": done, "provenance": artifact.provenance()})
    return out


def read_model(folder: Path) -> LlamaForCausalLM:
    """The model that `write_model` wrote, in fp32; raises `ArtifactError` for another folder."""
    artifact.read_json(folder / TRAINING)
    model = LlamaForCausalLM(LlamaConfig.from_pretrained(folder))
    weights = artifact.read_tensors(folder / "model.safetensors")
    _, unknown = model.load_state_dict(weights, strict=False)  # the tied unembedding is not among them
    assert not unknown
    return model.eval()


def _require_finite(loss: float, state: State, folder: Path) -> None:
    if not math.isfinite(loss):
        raise TrainingError(
            expected="a finite loss",
            got=f"{loss} at step {state.step}",
            do=f"resume from the checkpoint in {folder} with a lower --learning-rate",
        )


def _optimisers(model: LlamaForCausalLM, recipe: Recipe) -> Optimisers:
    """Muon for the blocks' matrices, AdamW for the embedding and the gains of the norms."""
    matrices = [p for p in model.model.layers.parameters() if p.ndim > 1]
    known = set(matrices)
    others = [p for p in model.parameters() if p not in known]
    return {
        "muon": torch.optim.Muon(
            matrices, lr=recipe.matrix_rate, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw"
        ),
        "adamw": torch.optim.AdamW(others, lr=recipe.learning_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
    }


def _schedule(state: State, recipe: Recipe) -> float:
    """The share of the full rate at this point of the run."""
    warm = min(1.0, (state.step + 1) / recipe.warmup_steps)
    left = (recipe.tokens - state.tokens) / max(1.0, recipe.decay * recipe.tokens)
    return warm * min(1.0, max(left, 0.0))


def _step(loss_of: BatchLoss, optimisers: Optimisers, batch: Batch, share: float) -> float:
    """One step on one batch at this share of the full rates; returns the mean loss in nats a token."""
    device = loss_of.model.device
    loss = loss_of(batch.tokens.to(device), None if batch.choices is None else batch.choices.to(device))
    loss.backward()
    torch.nn.utils.clip_grad_norm_(loss_of.model.parameters(), 1.0)
    for optimiser in optimisers.values():
        for group in optimiser.param_groups:
            group["lr"] = optimiser.defaults["lr"] * share
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    return float(loss.detach())
