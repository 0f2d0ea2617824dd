"""The recipe of the bundled model: a small Llama trained on the generated world's text.

1. A byte-level BPE is trained on the world's first documents; digits are tokens of their own.
2. Documents are generated shard by shard, one shard ahead of training, each between BOS and EOS in a row of its own:
   what a model's loss is compared with is the probability of one document from its beginning.
3. Muon (Jordan et al. 2024; rates scaled as by Liu et al. 2025, arXiv 2502.16982) for the matrices of the blocks,
   AdamW for the rest, with warm-up, a constant rate and a linear decay at the end (Hu et al. 2024, arXiv 2404.06395),
   so that a run may be lengthened from any checkpoint of its constant phase and ends as the longer run would have.

Everything is a function of the configuration: a killed run resumes from its last checkpoint with the same batches.
"""

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tymbal import artifact
from tymbal.corpora.world.batches import CONTEXT, PADDING, DocumentBatches
from tymbal.corpora.world.generated import GeneratedWorld, generate_world
from tymbal.corpora.world.loss import BatchLoss
from tymbal.corpora.world.recipe import WorldTraining
from tymbal.errors import ArtifactError, TrainingError

BOS, EOS, PAD = "<s>", "</s>", "<pad>"
CHECKPOINT = "checkpoint.safetensors"
TRAINING = "training.json"
OLDEST_TORCH = (2, 13)
"""for training alone; to read the model any torch does that Tymbal runs with"""
Progress = Callable[[int, int, str], None]


def train_tokenizer(world: GeneratedWorld, documents: int, vocabulary: int = 2_048) -> PreTrainedTokenizerFast:
    """A byte-level BPE of this many entries, trained on the world's first documents."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[BOS, EOS, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((world.document(index).text for index in range(documents)), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS, pad_token=PAD, model_max_length=CONTEXT
    )


def new_model(vocabulary: int, seed: int) -> LlamaForCausalLM:
    """The untrained model: about 3 million parameters."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=6,
        num_attention_heads=6,
        num_key_value_heads=6,
        max_position_embeddings=CONTEXT,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
    )
    return LlamaForCausalLM(config)


class _State(NamedTuple):
    step: int
    tokens: int
    shard: int
    batch: int


def train_world_model(config: WorldTraining, folder: Path, progress: Progress | None = None) -> Path:
    """Train, or go on training, the world's model in `folder`; returns the Hugging Face folder of its fp16 weights.

    Raises `TrainingError` when the loss is not finite or torch is too old for the recipe, `ArtifactError` when the
    folder holds another recipe.
    """
    _require_torch()
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, config)
    tokenizer = _tokenizer(folder, config)
    model = new_model(len(tokenizer), config.seed)
    torch.nn.Module.to(model, config.device)
    optimisers = _optimisers(model, config)
    state = _resume(folder, model, optimisers)
    loss_of = BatchLoss(model, config.batch_tokens, compiled=config.compiled)
    batches = DocumentBatches(folder, config)(state.shard, state.batch)
    began = time.monotonic()
    log = open(folder / "log.jsonl", "a", encoding="utf-8")  # noqa: SIM115 - closed below, also after an error
    try:
        for batch in batches:
            if state.tokens >= config.tokens:
                break
            loss = _step(loss_of, optimisers, batch.tokens.to(config.device), _schedule(state, config))
            read = int((batch.tokens != PADDING).sum())
            state = _State(state.step + 1, state.tokens + read, batch.shard, batch.number + 1)
            if not math.isfinite(loss):
                raise TrainingError(
                    expected="a finite loss",
                    got=f"{loss} at step {state.step}",
                    do=f"resume from the checkpoint in {folder} with a lower --learning-rate",
                )
            if state.step % 10 == 0:
                entry = {"step": state.step, "tokens": state.tokens, "loss": loss, "seconds": time.monotonic() - began}
                log.write(json.dumps(entry) + "\n")
                log.flush()
            if state.step % config.checkpoint_steps == 0:
                _checkpoint(folder, model, optimisers, state)
            if progress:
                progress(min(state.tokens, config.tokens), config.tokens, "tokens")
    finally:
        log.close()
        batches.close()
    return _finish(folder, model, tokenizer, config, state)


def _require_torch() -> None:
    installed = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    if installed < OLDEST_TORCH:
        raise TrainingError(
            expected="torch {}.{} or newer, whose Muon and compiler the recipe uses".format(*OLDEST_TORCH),
            got=torch.__version__,
            do="pip install --upgrade torch",
        )


def _claim(folder: Path, config: WorldTraining) -> None:
    """Refuse a folder of another recipe; only the length of the run may change."""
    path = folder / "recipe.json"
    recipe = asdict(config)
    if path.exists():
        known = artifact.read_json(path)
        fixed = {name for name in recipe if name not in ("tokens", "decay", "device", "checkpoint_steps", "compiled")}
        changed = sorted(name for name in fixed if known.get(name) != recipe[name])
        if changed:
            raise ArtifactError(
                expected=f"the recipe of {folder}", got=f"another {changed[0]}", do="give another --out or keep it"
            )
    artifact.write_json(path, recipe)


def _tokenizer(folder: Path, config: WorldTraining) -> PreTrainedTokenizerFast:
    if not (folder / "tokenizer.json").exists():
        train_tokenizer(generate_world(config.seed), config.shard_documents).save_pretrained(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


def _optimisers(model: LlamaForCausalLM, config: WorldTraining) -> dict[str, torch.optim.Optimizer]:
    """Muon for the blocks' matrices, AdamW for the embedding and the gains of the norms."""
    matrices = [p for p in model.model.layers.parameters() if p.ndim > 1]
    known = set(matrices)
    others = [p for p in model.parameters() if p not in known]
    return {
        "muon": torch.optim.Muon(
            matrices, lr=config.matrix_rate, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw"
        ),
        "adamw": torch.optim.AdamW(others, lr=config.learning_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
    }


def _schedule(state: _State, config: WorldTraining) -> float:
    """The share of the full rate at this point of the run."""
    warm = min(1.0, (state.step + 1) / config.warmup_steps)
    left = (config.tokens - state.tokens) / max(1.0, config.decay * config.tokens)
    return warm * min(1.0, max(left, 0.0))


def _step(loss_of: BatchLoss, optimisers: Mapping[str, torch.optim.Optimizer], batch: Tensor, share: float) -> float:
    """One step on one batch at this share of the full rates; returns the mean loss in nats a token."""
    loss = loss_of(batch)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(loss_of.model.parameters(), 1.0)
    for optimiser in optimisers.values():
        for group in optimiser.param_groups:
            group["lr"] = optimiser.defaults["lr"] * share
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    return float(loss.detach())


def _checkpoint(
    folder: Path, model: LlamaForCausalLM, optimisers: Mapping[str, torch.optim.Optimizer], state: _State
) -> None:
    tensors = {f"model.{name}": parameter.detach().cpu() for name, parameter in model.named_parameters()}
    for kind, optimiser in optimisers.items():
        for index, entry in optimiser.state_dict()["state"].items():
            tensors |= {f"{kind}.{index}.{name}": torch.as_tensor(value).cpu() for name, value in entry.items()}
    artifact.write_tensors(folder / CHECKPOINT, tensors, {name: str(value) for name, value in state._asdict().items()})


def _resume(folder: Path, model: LlamaForCausalLM, optimisers: Mapping[str, torch.optim.Optimizer]) -> _State:
    from safetensors import safe_open

    if not (folder / CHECKPOINT).exists():
        return _State(0, 0, 0, 0)
    tensors = artifact.read_tensors(folder / CHECKPOINT)
    with safe_open(folder / CHECKPOINT, "pt") as file:
        state = _State(*(int(file.metadata()[name]) for name in _State._fields))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[f"model.{name}"])
    for kind, optimiser in optimisers.items():
        known = optimiser.state_dict()
        for name, tensor in tensors.items():
            if name.startswith(f"{kind}."):
                _, index, field = name.split(".")
                known["state"].setdefault(int(index), {})[field] = tensor
        optimiser.load_state_dict(known)
    return state


def _finish(
    folder: Path,
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    config: WorldTraining,
    state: _State,
) -> Path:
    """Write the weights as fp16, with the recipe beside them."""
    out = folder / "model"
    torch.nn.Module.to(model.eval(), "cpu", torch.float16)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    recipe = {**asdict(config), "tokens": state.tokens, "steps": state.step}
    artifact.write_json(out / TRAINING, {"recipe": recipe, "provenance": artifact.provenance()})
    return out
