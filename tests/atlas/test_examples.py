from pathlib import Path

import numpy as np
import pytest
from planted import dense_shard, shard_of

from tymbal.atlas import AtlasConfig, CodeStore
from tymbal.atlas.examples import TOP, ExampleFinder, Places
from tymbal.atlas.statistics import Statistics
from tymbal.atlas.windows import WindowReader, Windows


def _index(folder: Path, shards: list, config: AtlasConfig) -> tuple[ExampleFinder, WindowReader, Places]:
    store = CodeStore.begin(folder, {})
    statistics = Statistics(shards[0].features)
    for number, shard in enumerate(shards):
        store.write(number, shard)
        statistics.update(shard)
    finder = ExampleFinder(statistics.fit(config.quantiles), config)
    for number, shard in enumerate(store.shards()):
        finder.update(number, shard)
    reader = WindowReader(store, config)
    return finder, reader, finder.chosen(0, shards[0].features, reader.passage_of)


def _corpus(*, passages: int, length: int, features: int, vocabulary: int, seed: int) -> tuple[np.ndarray, ...]:
    generator = np.random.default_rng(seed)
    values = dense_shard(rows=passages * length, features=features, seed=seed)
    tokens = generator.integers(0, vocabulary, passages * length)
    return values, np.repeat(np.arange(passages), length), tokens


def _window(row: int, passages: np.ndarray, config: AtlasConfig) -> slice:
    inside = np.flatnonzero(passages == passages[row])
    return slice(max(inside[0], row - config.before), min(inside[-1], row + config.after) + 1)


@pytest.mark.parametrize("seed", range(4))
def test_top_examples_are_the_highest_peaks_one_a_passage_no_text_twice(tmp_path: Path, seed: int) -> None:
    config = AtlasConfig(examples=4, quantile_examples=0, before=2, after=1)
    # Few tokens and short windows: the same text comes up again and again, within a role and between roles.
    values, passages, tokens = _corpus(passages=45, length=9, features=3, vocabulary=3, seed=seed)
    cut = 20 * 9
    parts = [slice(0, cut), slice(cut, None)]
    shards = [shard_of(values[part], passages=passages[part], tokens=tokens[part]) for part in parts]
    _, _, chosen = _index(tmp_path, shards, config)
    for feature in range(3):
        taken: set[tuple[int, ...]] = set()
        for role in range(3):
            best = []
            for passage in range(45):
                rows = np.flatnonzero(passages == passage)
                if passage % 3 == role and values[rows, feature].max() > 0:
                    best.append(int(rows[values[rows, feature].argmax()]))
            best.sort(key=lambda row: (-values[row, feature], row))
            texts = [tuple(tokens[_window(row, passages, config)]) for row in best]
            # The reservoir holds half as many again as are shown, of distinct text within the role.
            distinct = [row for place, row in enumerate(best) if texts.index(texts[place]) == place][:6]
            expected = [row for row in distinct if tuple(tokens[_window(row, passages, config)]) not in taken]
            taken |= {tuple(tokens[_window(row, passages, config)]) for row in distinct}
            mine = (chosen.feature == feature) & (chosen.role == role)
            found = (chosen.row[mine] + cut * chosen.shard[mine]).tolist()
            assert found == expected[:4]
            assert chosen.rank[mine].tolist() == list(range(len(found)))


def test_no_passage_and_no_text_serves_a_feature_twice_in_any_role(tmp_path: Path) -> None:
    config = AtlasConfig(examples=6, quantiles=3, quantile_examples=3, before=3, after=2)
    values, passages, tokens = _corpus(passages=120, length=20, features=5, vocabulary=2, seed=1)
    shards = [shard_of(values, passages=passages, tokens=tokens)]
    _, reader, chosen = _index(tmp_path, shards, config)
    windows = reader.windows(chosen)
    assert (chosen.interval != TOP).sum() > 50
    for feature in range(5):
        mine = np.flatnonzero(chosen.feature == feature)
        ids = [int(windows.passage[one]) for one in mine]
        texts = [windows.tokens[windows.starts[one] : windows.starts[one + 1]].tobytes() for one in mine]
        assert len(set(ids)) == len(ids)
        assert len(set(texts)) == len(texts)
        assert all(passage % 3 == chosen.role[one] for passage, one in zip(ids, mine, strict=True))


def test_sampled_examples_lie_in_their_interval_and_are_peaks(tmp_path: Path) -> None:
    config = AtlasConfig(examples=2, quantiles=4, quantile_examples=4, before=4, after=4)
    values, passages, tokens = _corpus(passages=300, length=16, features=2, vocabulary=50, seed=2)
    finder, _, chosen = _index(tmp_path, [shard_of(values, passages=passages, tokens=tokens)], config)
    edges = finder._statistics.quantile_edges
    sampled = np.flatnonzero(chosen.interval != TOP)
    assert len(sampled) == 2 * 3 * 4 * 4
    for one in sampled:
        row, feature, interval = chosen.row[one], chosen.feature[one], chosen.interval[one]
        assert edges[feature, interval] <= values[row, feature] <= edges[feature, interval + 1]
        near = values[_window(row, passages, config), feature]
        place = int(row - _window(row, passages, config).start)
        before, after = near[:place], near[place + 1 :]
        assert not before.any() or before[before > 0][-1] < near[place]
        assert not after.any() or after[after > 0][0] <= near[place]


def test_sampling_is_even_over_passages(tmp_path: Path) -> None:
    config = AtlasConfig(examples=1, quantiles=1, quantile_examples=4, before=0, after=0)
    features, passages = 400, np.repeat(np.arange(60), 2)
    values = np.ones((120, features), dtype=np.float32)
    _, _, chosen = _index(tmp_path, [shard_of(values, passages=passages)], config)
    sampled = chosen.interval != TOP
    # Each feature draws 4 of the 20 passages of a role, of which the first serves as its top example.
    times = np.bincount(passages[chosen.row[sampled]], minlength=60)
    assert sampled.sum() == features * 3 * 4
    expected = features * 4 / 19
    assert np.abs(times[3:] - expected).max() < 5 * np.sqrt(expected)


def test_windows_hold_the_features_activations_and_stay_in_the_passage(tmp_path: Path) -> None:
    config = AtlasConfig(examples=5, before=6, after=3)
    values, passages, tokens = _corpus(passages=30, length=11, features=4, vocabulary=1000, seed=5)
    parts = [slice(0, 110), slice(110, 330)]
    shards = [shard_of(values[part], passages=passages[part], tokens=tokens[part]) for part in parts]
    _, reader, chosen = _index(tmp_path, shards, config)
    windows: Windows = reader.windows(chosen)
    for one in range(len(chosen.row)):
        row = int(chosen.row[one] + 110 * chosen.shard[one])
        window, mine = _window(row, passages, config), slice(windows.starts[one], windows.starts[one + 1])
        np.testing.assert_array_equal(windows.tokens[mine], tokens[window])
        np.testing.assert_array_equal(windows.activations[mine], values[window, chosen.feature[one]])
        assert windows.peak[one] == row - window.start
        assert windows.passage[one] == passages[row]
        assert windows.position[one] == 1 + row % 11


def test_the_histogram_counts_every_active_token(tmp_path: Path) -> None:
    values, passages, tokens = _corpus(passages=30, length=11, features=4, vocabulary=9, seed=6)
    finder, _, _ = _index(tmp_path, [shard_of(values, passages=passages, tokens=tokens)], AtlasConfig())
    for feature in range(4):
        active = values[values[:, feature] > 0, feature]
        expected, _ = np.histogram(active, 24, (0, active.max()))
        assert np.abs(np.cumsum(finder.histogram[feature]) - np.cumsum(expected)).max() <= 1
        assert finder.histogram[feature].sum() == len(active)
