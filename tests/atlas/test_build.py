import dataclasses
import hashlib
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import word, write_synthetic_atlas

import tymbal
from tymbal.atlas import Atlas, AtlasConfig, build_atlas
from tymbal.atlas.build import index_codes
from tymbal.corpora import CutConfig, Document, PassageStore, Role, Span, cut
from tymbal.dictionaries import TopK
from tymbal.errors import ArtifactError, CorpusError, ModelError
from tymbal.models import LanguageModel

STORY = "Once upon a time a little girl named Lily saw a big red cat. The cat was happy. Lily ran to the café. "
CONFIG = AtlasConfig(examples=4, quantile_examples=2, before=5, after=3, shard_tokens=600, layout="pca")


def _documents() -> list[Document]:
    texts = [STORY[start:] + STORY[:start] for start in range(0, len(STORY), 3)]
    return [Document(text, "made up", (Span(text.index("cat"), text.index("cat") + 3, "cat"),)) for text in texts]


def _dictionary(model: LanguageModel, *, features: int = 48, seed: int = 0) -> TopK:
    torch.manual_seed(seed)
    dictionary = TopK(model.width, features, 4, site="resid_post.1")
    with torch.no_grad():
        dictionary.decoder.copy_(torch.nn.functional.normalize(torch.randn(features, model.width), dim=1))
        dictionary.encoder.copy_(dictionary.decoder)
        dictionary.encoder_bias[:2] = -1e6
    return dictionary


@pytest.fixture(scope="module")
def llama(tiny_llama_folder: Path) -> LanguageModel:
    return tymbal.open_model(tiny_llama_folder)


@pytest.fixture(scope="module")
def store(llama: LanguageModel, tmp_path_factory: pytest.TempPathFactory) -> PassageStore:
    return cut(
        iter(_documents()), llama.tokenizer, CutConfig(length=40, heldout=0.8), tmp_path_factory.mktemp("corpus")
    )


@pytest.fixture(scope="module")
def atlas(llama: LanguageModel, store: PassageStore, tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    return build_atlas(_dictionary(llama), llama, "resid_post.1", store, tmp_path_factory.mktemp("atlas"), CONFIG)


def _checksums(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_an_atlas_says_what_the_dictionary_does_on_each_held_out_token(
    atlas: Atlas, llama: LanguageModel, store: PassageStore
) -> None:
    """Every number again by brute force, one passage at a time, without any of the atlas's own steps."""
    dictionary = _dictionary(llama)
    counts, total, rows = np.zeros(48, dtype=int), np.zeros(48), 0
    by_passage: dict[int, np.ndarray] = {}
    for passage in store.passages((Role.EXPLAIN, Role.SCORE, Role.SHOW)):
        read = llama.read(torch.from_numpy(passage.tokens.astype(np.int64))[None], ["resid_post.1"])["resid_post.1"][0]
        codes = dictionary.encode(read)
        dense = torch.zeros(len(read), 48).scatter_add_(1, codes.indices, codes.values).detach().numpy()
        dense[passage.special] = 0
        by_passage[passage.id] = dense
        counts += (dense > 0).sum(axis=0)
        total += dense.sum(axis=0)
        rows += int((~passage.special).sum())
    assert atlas.overview()["tokens"] == rows
    for row in atlas.features(limit=48):
        assert abs(row.count - counts[row.feature]) <= 1
        assert row.density == row.count / rows
        assert row.dead == (counts[row.feature] == 0)
        assert row.mean * row.count == pytest.approx(total[row.feature], rel=1e-3)
    for role in ("explain", "score", "show"):
        for example in atlas.examples(7, role):
            passage = store[example.passage]
            assert passage.role.name.lower() == role
            begin = example.position - example.peak
            window = slice(begin, begin + len(example.tokens))
            assert example.tokens == llama.running_text(passage.tokens[window].tolist())
            np.testing.assert_allclose(
                example.activations, by_passage[example.passage][window, 7], rtol=1e-3, atol=1e-4
            )
            assert not passage.special[window].any()


def test_dead_features_are_off_the_map_and_have_no_examples(atlas: Atlas) -> None:
    page = atlas.feature(0)
    assert page.dead
    assert (page.x, page.y, page.cluster) == (None, None, None)
    assert page.quantile_edges == []
    assert atlas.examples(0) == []
    assert 0 not in [point.feature for point in atlas.map()]


def test_output_tokens_are_those_of_the_models_own_head(atlas: Atlas, llama: LanguageModel) -> None:
    effect = llama.output_directions(_dictionary(llama).decoder[9:10].detach())[0]
    page = atlas.feature(9)
    assert page.promoted is not None
    assert page.suppressed is not None
    assert page.promoted[0].token == llama.token_text([int(effect.argmax())])[0]
    assert page.suppressed[0].weight == pytest.approx(float(effect.min()), rel=1e-5)


def test_concepts_of_annotated_text_reach_the_features(atlas: Atlas) -> None:
    assert atlas.concepts() == ["cat"]
    best = max((row for row in atlas.features(limit=48) if row.concept), key=lambda row: row.concept_f1 or 0)
    page = atlas.feature(best.feature)
    assert page.concept_precision is not None
    assert page.concept_recall is not None
    harmonic = 2 * page.concept_precision * page.concept_recall / (page.concept_precision + page.concept_recall)
    assert page.concept_f1 == pytest.approx(harmonic)


def test_two_builds_have_the_same_bytes(
    atlas: Atlas, llama: LanguageModel, store: PassageStore, tmp_path: Path
) -> None:
    build_atlas(_dictionary(llama), llama, "resid_post.1", store, tmp_path, CONFIG)
    assert _checksums(tmp_path) == _checksums(atlas.folder)


@pytest.mark.parametrize("left", ["some codes", "all codes", "some tables", "damaged codes", "a damaged table"])
def test_a_build_that_was_stopped_ends_as_one_that_was_not(
    atlas: Atlas, llama: LanguageModel, store: PassageStore, tmp_path: Path, left: str
) -> None:
    expected = _checksums(atlas.folder)
    shards = sorted(name for name in expected if name.endswith(".safetensors"))
    assert len(shards) > 2
    read: list[int] = []
    build_atlas(_dictionary(llama), llama, "resid_post.1", store, tmp_path, CONFIG)
    unsealed = left != "a damaged table"
    tables = [name for name in expected if name.endswith(".parquet")]
    gone = {
        "some codes": [*shards[1:], *tables, "overview.json"],
        "all codes": [*tables, "overview.json"],
        "some tables": [*tables[:1], "overview.json"],
        "damaged codes": [],
        "a damaged table": [],
    }[left] + ["manifest.json"] * unsealed
    for name in gone:
        (tmp_path / name).unlink()
    if left.startswith(("damaged", "a damaged")):
        path = tmp_path / (shards[1] if left == "damaged codes" else "examples/part-00000.parquet")
        path.write_bytes(path.read_bytes()[:-5])
    build_atlas(
        _dictionary(llama),
        llama,
        "resid_post.1",
        store,
        tmp_path,
        CONFIG,
        lambda done, _all, unit: read.append(done) if unit == "tokens" else None,
    )
    assert read[-1] == sum(store.tokens(role) for role in (Role.EXPLAIN, Role.SCORE, Role.SHOW))
    assert _checksums(tmp_path) == expected


def test_a_finished_atlas_is_opened_and_not_made_again(atlas: Atlas, llama: LanguageModel, store: PassageStore) -> None:
    calls: list[int] = []
    before = (atlas.folder / "features/part-00000.parquet").stat().st_mtime_ns
    build_atlas(
        _dictionary(llama), llama, "resid_post.1", store, atlas.folder, CONFIG, lambda done, *_: calls.append(done)
    )
    assert calls == []
    assert (atlas.folder / "features/part-00000.parquet").stat().st_mtime_ns == before


def test_the_atlas_of_another_dictionary_is_not_overwritten(
    atlas: Atlas, llama: LanguageModel, store: PassageStore
) -> None:
    with pytest.raises(ArtifactError, match="another model, dictionary"):
        build_atlas(_dictionary(llama, seed=1), llama, "resid_post.1", store, atlas.folder, CONFIG)


def test_an_unknown_site_leaves_nothing_behind(llama: LanguageModel, store: PassageStore, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"resid_post\.99"):
        build_atlas(_dictionary(llama), llama, "resid_post.99", store, tmp_path / "new", CONFIG)
    assert not (tmp_path / "new").exists()


def test_text_without_held_out_passages_is_refused(llama: LanguageModel, tmp_path: Path) -> None:
    store = cut(iter(_documents()), llama.tokenizer, CutConfig(length=40, heldout=0.0), tmp_path / "corpus")
    with pytest.raises(CorpusError, match="held-out"):
        build_atlas(_dictionary(llama), llama, "resid_post.1", store, tmp_path / "atlas", CONFIG)


def test_an_encoder_has_an_atlas_without_output_tokens(tiny_bert_folder: Path, tmp_path: Path) -> None:
    model = tymbal.open_model(tiny_bert_folder)
    store = cut(iter(_documents()), model.tokenizer, CutConfig(length=30, heldout=0.9), tmp_path / "corpus")
    atlas = build_atlas(_dictionary(model), model, "resid_post.1", store, tmp_path / "atlas", CONFIG)
    page = atlas.feature(5)
    assert (page.promoted, page.suppressed) == (None, None)
    assert not any(token in ("[CLS]", "[SEP]") for example in atlas.examples(5) for token in example.tokens)


def test_words_planted_one_a_feature_come_back_exactly(tmp_path: Path) -> None:
    """Feature j is active on token j alone: densities, labels and examples have one right answer."""
    from tymbal.atlas import CodeShard, CodeStore
    from tymbal.atlas.assembly import TextSource
    from tymbal.atlas.codes import Rows

    features, passages, length = 12, 90, 36
    generator = np.random.default_rng(0)
    tokens = generator.integers(0, features - 1, passages * length)
    values = generator.permutation(1 + np.arange(passages * length, dtype=np.float32))[:, None]
    ids = np.repeat(np.arange(passages), length)
    rows = Rows(tokens, ids, np.tile(np.arange(length), passages), 1 + ids % 3)
    codes = CodeStore.begin(tmp_path / "codes", {})
    codes.write(0, CodeShard.from_rows(tokens[:, None], values, rows, features))

    def read(tokens: Sequence[int]) -> list[str]:
        return [word(token) for token in tokens]

    text = TextSource(read, read)
    decoder = torch.eye(features) + 0.01 * torch.arange(features)[:, None]
    atlas = index_codes(codes, decoder, tmp_path, AtlasConfig(examples=5, quantile_examples=0, layout="pca"), text=text)
    for row in atlas.features(limit=features):
        mine = tokens == row.feature
        assert row.density == mine.mean()
        assert row.count == mine.sum()
        assert row.dead == (row.feature == features - 1)
        if row.dead:
            continue
        assert row.label == f"▸ {word(row.feature).strip()}"
        assert row.mean == values[mine].mean(dtype=np.float64)
        assert row.maximum == values[mine].max()
        for role, name in enumerate(("explain", "score", "show")):
            best = [
                values[mine & (ids == passage)].max(initial=0) for passage in range(passages) if passage % 3 == role
            ]
            found = [example.activations[example.peak] for example in atlas.examples(row.feature, name)]
            assert found == sorted(best, reverse=True)[:5]
        assert atlas.feature(row.feature).by_coactivation == []


KILLED = """
    import os, sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from tymbal import artifact
    left = int(sys.argv[3])
    replace = os.replace
    def counted(source, target):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
        replace(source, target)
    os.replace = counted
    from synthetic import write_synthetic_atlas
    write_synthetic_atlas(Path(sys.argv[1]), features=24, passages=60)
"""


@pytest.mark.parametrize("writes", [6])
def test_killed_while_writing_and_run_again_gives_the_same_bytes(tmp_path: Path, writes: int) -> None:
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path / "killed"), str(Path(__file__).parent)]
    killed = subprocess.run([*command, str(writes)], capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr.decode()
    write_synthetic_atlas(tmp_path / "killed", features=24, passages=60)
    write_synthetic_atlas(tmp_path / "whole", features=24, passages=60)
    assert _checksums(tmp_path / "killed") == _checksums(tmp_path / "whole")


def test_a_dictionary_that_is_never_active_has_an_atlas_all_the_same(
    llama: LanguageModel, store: PassageStore, tmp_path: Path
) -> None:
    dictionary = _dictionary(llama)
    with torch.no_grad():
        dictionary.encoder_bias.fill_(-1e6)
    atlas = build_atlas(dictionary, llama, "resid_post.1", store, tmp_path, CONFIG)
    assert atlas.overview()["dead"] == 48
    assert atlas.map() == []
    assert atlas.examples(3) == []
    assert atlas.feature(3).label == "—"


def test_sinks_are_left_out_of_the_count(
    llama: LanguageModel, store: PassageStore, atlas: Atlas, tmp_path: Path
) -> None:
    config = dataclasses.replace(CONFIG, sink=3)
    fewer = build_atlas(_dictionary(llama), llama, "resid_post.1", store, tmp_path, config)
    held_out = list(store.passages((Role.EXPLAIN, Role.SCORE, Role.SHOW)))
    left_out = sum(int((~passage.special[:3]).sum()) for passage in held_out)
    assert fewer.overview()["tokens"] == atlas.overview()["tokens"] - left_out
    assert min(example.position for example in fewer.examples(7)) >= 3
