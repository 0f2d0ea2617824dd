"""The recipe of the bundled model: a small Llama trained on the generated world's text.

1. A byte-level BPE is trained on the world's first documents; digits are tokens of their own.
2. Documents are generated shard by shard, one shard ahead of training, each between BOS and EOS in a row of its own:
   what a model's loss is compared with is the probability of one document from its beginning.
3. AdamW with warm-up, a constant rate and a linear decay at the end (Hu et al. 2024, arXiv 2404.06395), so that a run
   may be lengthened from any checkpoint of its constant phase and ends as the longer run would have.

Everything is a function of the configuration: a killed run resumes from its last checkpoint with the same batches.
"""

import json
import math
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tymbal import artifact
from tymbal.corpora.world.generated import GeneratedWorld, generate_world
from tymbal.corpora.world.recipe import WorldTraining
from tymbal.errors import ArtifactError, TrainingError

BOS, EOS, PAD = "<s>", "</s>", "<pad>"
CHECKPOINT = "checkpoint.safetensors"
TRAINING = "training.json"
CONTEXT = 256
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
    # On CPU the plain attention trains half as fast again as the fused one at these lengths.
    config._attn_implementation = "eager"
    return LlamaForCausalLM(config)


class _Shard(NamedTuple):
    """Tokenised documents, end to end; `starts` has one entry more than there are documents."""

    tokens: np.ndarray
    starts: np.ndarray


def _write_shard(folder: Path, seed: int, shard: int, documents: int) -> Path:
    path = folder / f"documents-{shard:05d}.npz"
    if path.exists():
        return path
    world = generate_world(seed)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    texts = [world.document(index).text for index in range(shard * documents, (shard + 1) * documents)]
    rows = [[*encoding.ids, 1][:CONTEXT] for encoding in tokenizer.encode_batch(texts)]
    starts = np.cumsum([0, *map(len, rows)])

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:
            np.savez(file, tokens=np.concatenate(rows).astype(np.int16), starts=starts)

    artifact.write_atomically(path, write)
    return path


class DocumentBatches:
    """Batches of whole documents, padded on the right; a function of configuration and position alone."""

    def __init__(self, folder: Path, config: WorldTraining) -> None:
        self.folder = folder
        self.config = config

    def __call__(self, shard: int, skip: int) -> Generator[tuple[int, int, Tensor], None, None]:
        """Batches from number `skip` of this shard on, for ever: shard, number, token ids with -1 as padding."""
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            coming = self._ask(pool, shard)
            while True:
                ready, coming = coming, None
                path = ready.result()
                coming = self._ask(pool, shard + 1)
                for number, batch in enumerate(self._cut(_read_shard(path), shard)):
                    if number >= skip:
                        yield shard, number, batch
                path.unlink()
                shard, skip = shard + 1, 0

    def _ask(self, pool: ProcessPoolExecutor, shard: int) -> "Future[Path]":
        config = self.config
        return pool.submit(_write_shard, self.folder, config.seed, shard, config.shard_documents)

    def _cut(self, shard: _Shard, ordinal: int) -> Iterator[Tensor]:
        """Documents of like length together, so that little is padding; batches in random order."""
        generator = np.random.default_rng([self.config.seed, ordinal])
        lengths = np.diff(shard.starts)
        by_length = np.lexsort((generator.random(len(lengths)), lengths))
        groups, group = [], []
        for document in by_length:
            if group and lengths[document] * (len(group) + 1) > self.config.batch_tokens:
                groups.append(group)
                group = []
            group.append(document)
        groups.append(group)
        for index in generator.permutation(len(groups)):
            rows = groups[index]
            batch = np.full((len(rows), max(lengths[row] for row in rows)), -1, dtype=np.int64)
            for place, row in enumerate(rows):
                batch[place, : lengths[row]] = shard.tokens[shard.starts[row] : shard.starts[row + 1]]
            yield torch.from_numpy(batch)


def _read_shard(path: Path) -> _Shard:
    with np.load(path, allow_pickle=False) as file:
        return _Shard(file["tokens"], file["starts"])


class _State(NamedTuple):
    step: int
    tokens: int
    shard: int
    batch: int


def train_world_model(config: WorldTraining, folder: Path, progress: Progress | None = None) -> Path:
    """Train, or go on training, the world's model in `folder`; returns the Hugging Face folder of its fp16 weights.

    Raises `TrainingError` when the loss is not finite, `ArtifactError` when the folder holds another recipe.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, config)
    tokenizer = _tokenizer(folder, config)
    model = new_model(len(tokenizer), config.seed)
    torch.nn.Module.to(model, config.device)
    optimiser = _optimiser(model, config)
    state = _resume(folder, model, optimiser)
    batches = DocumentBatches(folder, config)(state.shard, state.batch)
    began = time.monotonic()
    log = open(folder / "log.jsonl", "a", encoding="utf-8")  # noqa: SIM115 - closed below, also after an error
    try:
        for shard, number, batch in batches:
            if state.tokens >= config.tokens:
                break
            loss = _step(model, optimiser, batch.to(config.device), _rate(state, config))
            state = _State(state.step + 1, state.tokens + int((batch >= 0).sum()), shard, number + 1)
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
                _checkpoint(folder, model, optimiser, state)
            if progress:
                progress(min(state.tokens, config.tokens), config.tokens, "tokens")
    finally:
        log.close()
        batches.close()
    return _finish(folder, model, tokenizer, config, state)


def _claim(folder: Path, config: WorldTraining) -> None:
    """Refuse a folder of another recipe; only the length of the run may change."""
    path = folder / "recipe.json"
    recipe = asdict(config)
    if path.exists():
        known = artifact.read_json(path)
        fixed = {name for name in recipe if name not in ("tokens", "decay", "device", "checkpoint_steps")}
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


def _optimiser(model: LlamaForCausalLM, config: WorldTraining) -> torch.optim.AdamW:
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.95), fused=True)


def _rate(state: _State, config: WorldTraining) -> float:
    warm = min(1.0, (state.step + 1) / config.warmup_steps)
    left = (config.tokens - state.tokens) / max(1.0, config.decay * config.tokens)
    return config.learning_rate * warm * min(1.0, max(left, 0.0))


def _step(model: LlamaForCausalLM, optimiser: torch.optim.AdamW, batch: Tensor, rate: float) -> float:
    """One step on one batch; returns the mean loss in nats a token."""
    for group in optimiser.param_groups:
        group["lr"] = rate
    loss = next_token_loss(model, batch).mean()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return float(loss.detach())


def next_token_loss(model: LlamaForCausalLM, batch: Tensor, *, autocast: bool = True) -> Tensor:
    """Loss in nats at each real token after the first, as one vector; padding is -1 and stands on the right.

    Causal attention never looks right, so padding needs no mask.
    """
    inputs = batch[:, :-1].clamp(min=0)
    precision: AbstractContextManager[Any] = (
        torch.autocast(batch.device.type, dtype=torch.bfloat16) if autocast else nullcontext()
    )
    with precision:
        hidden = model.model(input_ids=inputs, use_cache=False).last_hidden_state
        real = batch[:, 1:] >= 0
        logits = model.lm_head(hidden[real])
    return torch.nn.functional.cross_entropy(logits.float(), batch[:, 1:][real], reduction="none")


def _checkpoint(folder: Path, model: LlamaForCausalLM, optimiser: torch.optim.AdamW, state: _State) -> None:
    tensors = {f"model.{name}": parameter.detach().cpu() for name, parameter in model.named_parameters()}
    for index, entry in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": torch.as_tensor(value).cpu() for name, value in entry.items()}
    artifact.write_tensors(folder / CHECKPOINT, tensors, {name: str(value) for name, value in state._asdict().items()})


def _resume(folder: Path, model: LlamaForCausalLM, optimiser: torch.optim.AdamW) -> _State:
    from safetensors import safe_open

    if not (folder / CHECKPOINT).exists():
        return _State(0, 0, 0, 0)
    tensors = artifact.read_tensors(folder / CHECKPOINT)
    with safe_open(folder / CHECKPOINT, "pt") as file:
        state = _State(*(int(file.metadata()[name]) for name in _State._fields))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[f"model.{name}"])
    known = optimiser.state_dict()
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
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
    model.config._attn_implementation = "sdpa"
    torch.nn.Module.to(model.eval(), "cpu", torch.float16)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    recipe = {**asdict(config), "tokens": state.tokens, "steps": state.step}
    artifact.write_json(out / TRAINING, {"recipe": recipe, "provenance": artifact.provenance()})
    return out
