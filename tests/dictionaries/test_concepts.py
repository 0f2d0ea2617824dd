"""Concepts that are planted in the codes are found; what is only chosen by luck is not counted."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from tymbal.corpora import CutConfig, Document, PassageStore, Role, Span, cut
from tymbal.dictionaries import ConceptConfig, TopK, evaluate_concepts
from tymbal.dictionaries import concept_counts as counting
from tymbal.dictionaries.bootstrap import Bootstrap
from tymbal.dictionaries.concept_counts import Unit, best_concepts, best_features, outcome, thresholds
from tymbal.dictionaries.concept_labels import Entries, Labels
from tymbal.dictionaries.dictionary import Codes
from tymbal.errors import CorpusError
from tymbal.models import LanguageModel, open_model

TOKENS, FEATURES, CONCEPTS = 600, 12, 5


def entries(dense: Tensor) -> Entries:
    """Dense codes as entries."""
    indices = torch.arange(dense.shape[1]).expand(dense.shape)
    return Entries.joined(
        [Entries.of(Codes(i, v), dense.shape[1]) for i, v in zip(indices.split(250), dense.split(250), strict=True)]
    )


def labels(carried: Tensor) -> Labels:
    """A 0/1 table of tokens by concepts as labels; passages of 20 tokens."""
    where = carried.nonzero()
    return Labels(passage=torch.arange(len(carried)) // 20, token=where[:, 0], concept=where[:, 1])


def by_hand(dense: Tensor, carried: Tensor, cuts: Tensor) -> Tensor:
    """F1 of every concept, feature and level, densely."""
    active = (dense[:, :, None] > cuts).double()
    both = torch.einsum("tfl,tc->cfl", active, carried.double())
    return 2 * both / (active.sum(0) + carried.double().sum(0)[:, None, None]).clamp_min(1)


def drawn(seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    dense = torch.rand(TOKENS, FEATURES, generator=generator) * (
        torch.rand(TOKENS, FEATURES, generator=generator) < 0.3
    )
    return dense, torch.rand(TOKENS, CONCEPTS, generator=generator) < 0.2


def mentions_by_hand(carried: Tensor) -> list[tuple[int, range]]:
    """Each run of tokens of one passage that carry a concept: the concept and its tokens."""
    found = []
    for concept in range(carried.shape[1]):
        begin = None
        for token in range(len(carried) + 1):
            here = token < len(carried) and bool(carried[token, concept])
            if begin is not None and (not here or token % 20 == 0):
                found.append((concept, range(begin, token)))
                begin = None
            if here and begin is None:
                begin = token
    return found


def by_mention(dense: Tensor, carried: Tensor, cuts: Tensor) -> Tensor:
    """The same with recall by mention."""
    active = dense[:, :, None] > cuts
    both = torch.einsum("tfl,tc->cfl", active.double(), carried.double())
    hit = torch.zeros_like(both)
    there = torch.zeros(carried.shape[1])
    for concept, tokens in mentions_by_hand(carried):
        hit[concept] += active[list(tokens)].any(0).double()
        there[concept] += 1
    precision, recall = both / active.sum(0).clamp_min(1), hit / there[:, None, None].clamp_min(1)
    return 2 * precision * recall / (precision + recall).clamp_min(1e-12)


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize(("unit", "dense_f1"), [(Unit.TOKEN, by_hand), (Unit.MENTION, by_mention)])
def test_sparse_counts_give_the_same_best_feature_as_dense_ones(
    small: bool, unit: Unit, dense_f1, monkeypatch: pytest.MonkeyPatch
) -> None:
    if small:  # several blocks of concepts and of pairs
        monkeypatch.setattr(counting, "_MOST_COUNTS", 150)
        monkeypatch.setattr(counting, "_PAIRS_AT_ONCE", 64)
    dense, carried = drawn(0)
    carried[100:115, 3] = True  # a run long enough to matter
    cuts = thresholds(entries(dense))
    kept = torch.arange(CONCEPTS)
    choice = best_features(entries(dense), labels(carried), kept, CONCEPTS, cuts)[unit]
    f1 = dense_f1(dense, carried, cuts)
    highest = f1.flatten(1).max(1).values
    level = (cuts[choice.feature] == choice.threshold[:, None]).long().argmax(1)
    torch.testing.assert_close(f1[kept, choice.feature, level], highest)
    found = outcome(choice, entries(dense), labels(carried), kept, Bootstrap(30, draws=20, seed=0), unit)
    torch.testing.assert_close(found.f1, highest)
    assert found.positives.tolist() == (
        carried.sum(0).tolist()
        if unit is Unit.TOKEN
        else [sum(concept == c for concept, _ in mentions_by_hand(carried)) for c in range(CONCEPTS)]
    )


@pytest.mark.parametrize(("unit", "dense_f1"), [(Unit.TOKEN, by_hand), (Unit.MENTION, by_mention)])
def test_the_best_concept_of_a_feature_is_that_of_dense_counts(
    unit: Unit, dense_f1, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "_MOST_COUNTS", 150)  # several blocks of concepts
    dense, carried = drawn(1)
    carried[100:115, 3] = True
    cuts = thresholds(entries(dense))
    best = best_concepts(entries(dense), labels(carried), torch.arange(CONCEPTS), CONCEPTS, cuts)[unit]
    f1 = dense_f1(dense, carried, cuts)
    torch.testing.assert_close(best.f1, f1.transpose(0, 1).flatten(1).max(1).values)
    level = (cuts == best.threshold[:, None]).long().argmax(1)
    torch.testing.assert_close(f1[best.concept, torch.arange(FEATURES), level], best.f1)


def test_a_feature_that_fires_once_a_name_tells_every_mention_of_it() -> None:
    carried = torch.zeros(TOKENS, 1, dtype=torch.bool)
    dense = torch.zeros(TOKENS, 2)
    for begin in range(0, TOKENS, 20):
        carried[begin + 3 : begin + 7] = True
        dense[begin + 4, 1] = 1.0
    one = torch.arange(1)
    choices = best_features(entries(dense), labels(carried), one, 1, thresholds(entries(dense)))
    f1 = {
        unit: float(outcome(choice, entries(dense), labels(carried), one, Bootstrap(30, draws=9, seed=0), unit).f1)
        for unit, choice in choices.items()
    }
    assert f1 == {Unit.TOKEN: pytest.approx(2 * 0.25 / 1.25), Unit.MENTION: 1.0}


def test_thresholds_are_quantiles_of_active_values() -> None:
    dense = torch.zeros(TOKENS, 3)
    dense[:101, 1] = torch.linspace(1, 2, 101)[torch.randperm(101)]
    torch.testing.assert_close(thresholds(entries(dense))[1], torch.tensor([0.0, 1.25, 1.5, 1.75, 1.9]))
    assert thresholds(entries(dense))[:, 0].tolist() == [0, 0, 0]


def test_a_planted_feature_and_threshold_are_found_with_its_f1() -> None:
    dense, carried = drawn(1)
    carried[:, 2] = False
    carried[:100, 2] = True
    dense[:, 7] = 0
    dense[:80, 7] = 2.0  # finds 80 of 100, and
    dense[200:300, 7] = 1.0  # fires weakly elsewhere
    choice = best_features(entries(dense), labels(carried), torch.arange(5), 5, thresholds(entries(dense)))[Unit.TOKEN]
    assert int(choice.feature[2]) == 7
    assert float(choice.threshold[2]) == 1.0
    bootstrap = Bootstrap(30, draws=200, seed=0)
    found = outcome(choice, entries(dense), labels(carried), torch.arange(5), bootstrap, Unit.TOKEN)
    assert float(found.f1[2]) == pytest.approx(2 * 80 / 180)
    assert float(found.precision[2]) == 1
    assert float(found.recall[2]) == pytest.approx(0.8)
    number = found.number(2)
    assert number.low < number.value < number.high


def test_moving_labels_keeps_how_often_and_in_how_long_runs_they_come() -> None:
    _, carried = drawn(2)
    carried[200:217, 1] = True
    moved = labels(carried).shifted(0)
    assert torch.equal(torch.bincount(moved.concept), carried.sum(0))
    assert (moved.token[1:] >= moved.token[:-1]).all()
    table = torch.zeros_like(carried)
    table[moved.token, moved.concept] = True
    by = next(by for by in range(TOKENS // 4, TOKENS) if torch.equal(table.roll(-by, 0), carried))
    assert TOKENS // 4 <= by < 3 * TOKENS // 4


WORDS = ["cat", "girl", "home", "red", "mom"]


@pytest.fixture(scope="module")
def llama(tiny_llama_folder: Path) -> LanguageModel:
    return open_model(tiny_llama_folder)


@pytest.fixture(scope="module")
def store(llama: LanguageModel, tmp_path_factory: pytest.TempPathFactory) -> PassageStore:
    """Documents of random words, each word annotated as its own concept."""
    generator = torch.Generator().manual_seed(0)
    documents = []
    for number in range(60):
        text, spans = "", []
        for word in torch.randint(len(WORDS), (12,), generator=generator).tolist():
            text += " " if text else ""
            spans.append(Span(len(text), len(text) + len(WORDS[word]), WORDS[word]))
            text += WORDS[word]
        documents.append(Document(text, f"document {number}", tuple(spans)))
    folder = tmp_path_factory.mktemp("store")
    return cut(documents, llama.tokenizer, CutConfig(length=32, heldout=0.9), folder)


def test_words_are_found_at_the_embedding_by_their_own_directions(llama: LanguageModel, store: PassageStore) -> None:
    """A dictionary with one feature a token of the vocabulary reads every word exactly."""
    with torch.no_grad():
        embedding = llama.torch_model.get_input_embeddings().weight.float()
        dictionary = TopK(32, len(embedding), 1)
        dictionary.decoder.copy_(torch.nn.functional.normalize(embedding, dim=1))
        dictionary.encoder.copy_(dictionary.decoder)
    dictionary.requires_grad_(False)
    found = evaluate_concepts(dictionary, llama, "embed", store, config=ConceptConfig(least=5, draws=50))
    assert {score.concept for score in found.by_token.concepts} == set(WORDS)
    assert found.tokens_choosing > found.tokens_measuring > 100
    single = [score for score in found.by_token.concepts if score.concept == "cat"]
    assert single[0].f1.value > 0.6
    for match in (found.by_token, found.by_mention):
        assert match.fair["dictionary"].value > match.fair["shifted"].value
        assert match.mean_f1["dictionary"].value > match.mean_f1["shifted"].value + 0.2
        assert all(score.f1.low <= score.f1.value <= score.f1.high for score in match.concepts)


def test_an_unannotated_corpus_is_refused(llama: LanguageModel, tmp_path: Path) -> None:
    bare = cut([Document("Lily saw a cat.", "a", ())] * 20, llama.tokenizer, CutConfig(length=16), tmp_path)
    with pytest.raises(CorpusError, match="an annotated corpus"):
        evaluate_concepts(TopK(32, 64, 2).requires_grad_(False), llama, "embed", bare)


def test_concepts_on_too_few_tokens_are_refused(llama: LanguageModel, store: PassageStore) -> None:
    config = ConceptConfig(least=100_000)
    with pytest.raises(CorpusError, match="a concept on at least 100000 tokens"):
        evaluate_concepts(TopK(32, 64, 2).requires_grad_(False), llama, "embed", store, (Role.SHOW, Role.SCORE), config)
