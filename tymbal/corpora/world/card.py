"""What a model trained on the world knows: its card, with the floor and the baselines beside each number.

1. Loss on documents it has not seen, beside the exact floor (the generator's own log-probability of the same
   documents) and uni- and bigram models; the interval of the difference is a bootstrap over documents.
2. Recall of facts: at the first place where a document states a fact, does the model's first choice spell the value?
   Places where the text may as well go on with other words (an answer that could be a whole sentence) are left out.
   Told apart for people seen often, seldom, and never told of (a control: there it can only guess).
3. Speech: texts sampled from the model, read back by the world's parser, by language and form.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerFast

from tymbal import artifact
from tymbal.corpora.pretraining import TRAINING, Interval, ratio, read_model
from tymbal.corpora.world.batches import CONTEXT
from tymbal.corpora.world.forms.question import LABELS
from tymbal.corpora.world.generated import GeneratedWorld, WorldDocument, generate_world
from tymbal.corpora.world.grammar import NOVEL, TRAIN

HELD_OUT_SEED = 2  # documents of seed 0 are trained on, those of seed 1 are studied
OFTEN = 250  # people who take about 60 % of all mentions
RECALLED = ("home", "profession", "born", "friend", "employer", "animal")
BATCH = 64  # documents
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, kw_only=True)
class Card:
    """All that is measured of a world model; losses in nats a token, the end of text counted."""

    loss: Interval
    floor: float
    excess: Interval
    """loss minus floor, paired by document"""
    unigram: float
    bigram: float
    novel_excess: Interval
    """the same difference on documents with wordings and facts that training never shows"""
    recall: dict[str, dict[str, Interval]]
    """top-1 recall by attribute and by how often the person is spoken of: often, seldom, untold"""
    excess_by: dict[str, Interval]
    """loss minus floor by language and form"""
    speech: dict[str, Interval]
    """share of sampled texts that the world's parser can read, by language; `faithful`: that say nothing false"""


class _Read(NamedTuple):
    """One document as the model read it."""

    document: WorldDocument
    tokens: list[int]
    offsets: list[tuple[int, int]]
    losses: np.ndarray  # at each token after BOS, EOS last
    hits: np.ndarray  # whether the model's first choice was that token
    floor: float


def measure(
    folder: Path,
    *,
    documents: int = 2_000,
    samples: int = 200,
    counted: int = 20_000,
    progress: Progress | None = None,
) -> Card:
    """The card of the model in `folder`, a Hugging Face folder that `tymbal world train` wrote.

    `documents` a split are read, `samples` texts drawn, and the n-grams counted on `counted` training documents.
    """
    world = generate_world(0)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = read_model(folder)
    seen = _read(world, model, tokenizer, TRAIN, documents, progress)
    novel = _read(world, model, tokenizer, NOVEL, documents, progress)
    unigram, bigram = _ngram_losses(world, tokenizer, seen, counted)
    return Card(
        loss=ratio([read.losses.sum() for read in seen], [float(len(read.losses)) for read in seen]),
        floor=sum(read.floor for read in seen) / sum(len(read.losses) for read in seen),
        excess=_excess(seen),
        unigram=unigram,
        bigram=bigram,
        novel_excess=_excess(novel),
        recall=_recall(world, seen, novel),
        excess_by=_excess_by(seen),
        speech=_speech(world, model, tokenizer, samples),
    )


def _read(
    world: GeneratedWorld,
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    split: str,
    documents: int,
    progress: Progress | None,
) -> list[_Read]:
    reads: list[_Read] = []
    for start in range(0, documents, BATCH):
        batch = [
            world.document(i, split=split, seed=HELD_OUT_SEED) for i in range(start, min(start + BATCH, documents))
        ]
        encoded = tokenizer(
            [document.text for document in batch], return_offsets_mapping=True, truncation=True, max_length=CONTEXT - 1
        )
        rows = [[*ids, 1] for ids in encoded["input_ids"]]
        padded = torch.full((len(rows), max(map(len, rows))), -1)
        for place, row in enumerate(rows):
            padded[place, : len(row)] = torch.tensor(row)
        losses, hits = _losses(model, padded)
        for document, row, offsets, loss, hit in zip(batch, rows, encoded["offset_mapping"], losses, hits, strict=True):
            floor = -world.log_probability(document.text, split=split)
            reads.append(_Read(document, row, offsets, loss, hit, floor))
        if progress:
            progress(len(reads), documents, "documents")
    return reads


@torch.inference_mode()
def _losses(model: LlamaForCausalLM, batch: Tensor) -> tuple[list[np.ndarray], list[np.ndarray]]:
    logits = model(input_ids=batch[:, :-1].clamp(min=0), use_cache=False).logits
    losses = (
        torch.nn.functional.cross_entropy(logits.transpose(1, 2), batch[:, 1:].clamp(min=0), reduction="none")
        .double()
        .numpy()
    )
    hits = (logits.argmax(-1) == batch[:, 1:]).numpy()
    lengths = (batch >= 0).sum(1) - 1
    return (
        [row[:length] for row, length in zip(losses, lengths, strict=True)],
        [row[:length] for row, length in zip(hits, lengths, strict=True)],
    )


def _excess(reads: Sequence[_Read]) -> Interval:
    return ratio([read.losses.sum() - read.floor for read in reads], [float(len(read.losses)) for read in reads])


def _excess_by(reads: Sequence[_Read]) -> dict[str, Interval]:
    groups: dict[str, list[_Read]] = {}
    for read in reads:
        groups.setdefault(f"language.{read.document.language}", []).append(read)
        groups.setdefault(f"form.{read.document.form}", []).append(read)
    return {name: _excess(group) for name, group in sorted(groups.items())}


def _ngram_losses(
    world: GeneratedWorld, tokenizer: PreTrainedTokenizerFast, reads: Sequence[_Read], documents: int
) -> tuple[float, float]:
    """Losses of uni- and bigram models counted on training documents; the bigram backs off by Witten-Bell (1991)."""
    size = len(tokenizer)
    pairs = np.zeros((size, size))
    for start in range(0, documents, 1_000):
        texts = [world.document(i).text for i in range(start, min(start + 1_000, documents))]
        for ids in tokenizer(texts, truncation=True, max_length=CONTEXT - 1)["input_ids"]:
            row = np.array([*ids, 1])
            np.add.at(pairs, (row[:-1], row[1:]), 1)
    single = (pairs.sum(0) + 1) / (pairs.sum() + size)
    followers = (pairs > 0).sum(1, keepdims=True)
    double = (pairs + np.maximum(followers, 1) * single) / (pairs.sum(1, keepdims=True) + np.maximum(followers, 1))
    before = np.concatenate([read.tokens[:-1] for read in reads])
    after = np.concatenate([read.tokens[1:] for read in reads])
    return float(-np.log(single[after]).mean()), float(-np.log(double[before, after]).mean())


def _recall(world: GeneratedWorld, seen: Sequence[_Read], novel: Sequence[_Read]) -> dict[str, dict[str, Interval]]:
    weights = np.array(world.facts.person_weight)
    often = set(np.argsort(-weights)[:OFTEN].tolist())
    asked: dict[tuple[str, str], list[bool]] = {}
    for read, untold in [*((read, False) for read in seen), *((read, True) for read in novel)]:
        for person, attribute, right in _answers(read):
            if (person in world.facts.untold) == untold:
                tier = "untold" if untold else "often" if person in often else "seldom"
                asked.setdefault((attribute, tier), []).append(right)
    return {
        attribute: {
            tier: ratio(np.array(answers, dtype=float), np.ones(len(answers)))
            for tier in ("often", "seldom", "untold")
            if (answers := asked.get((attribute, tier)))
        }
        for attribute in RECALLED
    }


def _answers(read: _Read) -> list[tuple[int, str, bool]]:
    """Each fact of a person that the document states for the first time: person, attribute, whether it was foreseen."""
    told = [claim for claim in read.document.claims if claim.attribute != "gender"]
    spans = [span for span in read.document.spans if span.concept.startswith("attribute.")]
    open_answers = tuple(f"\n{answer}" for _, answer in LABELS[read.document.language])
    answers = []
    for claim, span in zip(told, spans, strict=True):
        kind, _, person = claim.subject.partition(".")
        value = read.document.text[span.start : span.end]
        before = read.document.text[: span.start]
        first = value not in before and not before.endswith(open_answers)
        if kind == "person" and claim.attribute in RECALLED and claim.true and not claim.denied and first:
            inside = [i for i, (start, end) in enumerate(read.offsets) if start < span.end and end > span.start]
            # Token i is foreseen from those before it: position i - 1 of losses and hits.
            answers.append((int(person), claim.attribute, bool(read.hits[[i - 1 for i in inside]].all())))
    return answers


@torch.inference_mode()
def _speech(
    world: GeneratedWorld, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, samples: int
) -> dict[str, Interval]:
    """Texts sampled at temperature 1 from the beginning, as the parser reads them."""
    torch.manual_seed(0)
    start = torch.zeros((samples, 1), dtype=torch.long)
    made = model.generate(  # pyright: ignore[reportAttributeAccessIssue]
        start,
        attention_mask=torch.ones_like(start),
        do_sample=True,
        top_k=0,
        max_new_tokens=254,
        pad_token_id=2,
        eos_token_id=1,
    )
    parses = [world.parse(text) for text in tokenizer.batch_decode(made, skip_special_tokens=True)]
    shares = {
        "readable": ratio(np.array([parse is not None for parse in parses], dtype=float), np.ones(samples)),
        "faithful": ratio(
            np.array([bool(parse and parse.faithful) for parse in parses], dtype=float), np.ones(samples)
        ),
    }
    read = [parse for parse in parses if parse]
    for name in sorted({parse.language for parse in read}):
        faithful = [parse.faithful for parse in read if parse.language == name]
        shares[f"faithful among readable, language.{name}"] = ratio(
            np.array(faithful, dtype=float), np.ones(len(faithful))
        )
    return shares


def write_card(folder: Path, card: Card) -> None:
    """`card.json` and a model card in prose (`README.md`) beside the model's weights."""
    artifact.write_json(folder / "card.json", asdict(card))
    artifact.write_text(folder / "README.md", describe(folder, card))


def describe(folder: Path, card: Card) -> str:
    """The card as Markdown."""
    recipe = artifact.read_json(folder / TRAINING)["recipe"]
    tokens, steps = recipe["tokens"], recipe["steps"]
    lines = [
        "# The bundled world model",
        "",
        "A Llama of 3,049,920 parameters (width 192, 6 layers, 6 heads, context 256, 2,048-token BPE), trained",
        f"on {tokens:,} tokens ({steps:,} steps) of text about world 0, in English, German, French and Spanish.",
        "It is made to be looked into: every fact that it can know is listed in the world. It speaks of nothing else.",
        "",
        "Made by `tymbal world train`, measured by `tymbal world card`, on documents that it was not trained on.",
        "",
        "| loss, nats a token | |",
        "|---|---|",
        f"| floor: the generator itself, exact | {card.floor:.3f} |",
        f"| this model | {card.loss.said(3)} |",
        f"| above the floor | {card.excess.said(3)} |",
        f"| above the floor, novel wordings and facts | {card.novel_excess.said(3)} |",
        f"| bigrams | {card.bigram:.3f} |",
        f"| unigrams | {card.unigram:.3f} |",
        "",
        f"Top-1 recall of a fact where a text first states it; often: the {OFTEN} people most spoken of; untold: those",
        "training never told of (a control: the model can only guess). Short answers, which could as well have begun a",
        "whole sentence, are not counted.",
        "",
        "| fact | often | seldom | untold |",
        "|---|---|---|---|",
    ]
    for attribute, tiers in card.recall.items():
        cells = " | ".join(tiers[tier].said(2) if tier in tiers else "–" for tier in ("often", "seldom", "untold"))
        lines.append(f"| {attribute} | {cells} |")
    lines += ["", "| above the floor, nats a token | |", "|---|---|"]
    lines += [f"| {name} | {interval.said(3)} |" for name, interval in card.excess_by.items()]
    lines += ["", "| texts sampled from the model, share | |", "|---|---|"]
    lines += [f"| {name} | {interval.said(2)} |" for name, interval in card.speech.items()]
    lines += ["", "Intervals are 95 % bootstraps over documents; n counts tokens, facts or texts.", ""]
    return "\n".join(lines)
