"""Tokenizers of three families, and annotated documents."""

import random
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, processors
from transformers import AutoTokenizer

from tymbal.corpora import Document, Span

WORDS = ("Lily", "ran", "home", "to", "her", "big", "red", "cat", "und", "schläft", "日本", "naïve", "x7")


@pytest.fixture(scope="session")
def byte_level(tiny_llama_folder: Path):
    """Byte-level BPE that puts <s> (0) in front."""
    return AutoTokenizer.from_pretrained(tiny_llama_folder)


@pytest.fixture(scope="session")
def wordpiece(tiny_bert_folder: Path):
    """Lower-casing WordPiece that puts [CLS] (2) in front and [SEP] (3) behind."""
    return AutoTokenizer.from_pretrained(tiny_bert_folder)


@pytest.fixture(scope="session")
def metaspace() -> Tokenizer:
    """SentencePiece-like BPE with byte fallback and no pre-tokenizer, a space before the text and <s> (1) in front."""
    merges = [
        ("▁", "L"),
        ("i", "l"),
        ("il", "y"),
        ("▁L", "ily"),
        ("▁", "r"),
        ("a", "n"),
        ("▁r", "an"),
        ("▁", "h"),
        ("o", "m"),
    ]
    merged = [left + right for left, right in merges]
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    names = ["<unk>", "<s>", "</s>", *bytes_, *"▁abcdeghilmnortyL", *merged]
    vocabulary = {name: number for number, name in enumerate(names)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True))
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


@pytest.fixture(params=["byte_level", "wordpiece", "metaspace"])
def any_tokenizer(request: pytest.FixtureRequest):
    """Each of the three tokenizers."""
    return request.getfixturevalue(request.param)


def annotated_documents(number: int, seed: int = 0) -> list[Document]:
    """Documents of 0 to 60 words; names and colours are annotated, and the whole text with its number's parity."""
    draw = random.Random(seed)
    documents = []
    for index in range(number):
        text, spans = "", []
        for word in draw.choices(WORDS, k=draw.randrange(60)):
            text += draw.choice([" ", "  ", "\n", "\n\n"]) if text else ""
            if word in ("Lily", "cat", "red", "日本"):
                spans.append(Span(len(text), len(text) + len(word), f"word {word}"))
            text += word
        documents.append(Document(text, f"file {index // 7}", (*spans, Span(0, len(text), f"parity {index % 2}"))))
    return documents


@pytest.fixture(scope="session")
def documents() -> list[Document]:
    """Sixty annotated documents."""
    return annotated_documents(60)
