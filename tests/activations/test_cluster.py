"""A harvest by workers of a Ray cluster, here one on this machine: the same bytes as by one process."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from tymbal.activations import ActivationStore, HarvestConfig, harvest_on_cluster
from tymbal.corpora import PassageStore
from tymbal.errors import ArtifactError, MissingExtraError
from tymbal.models import LanguageModel

RAY = find_spec("ray") is not None
with_ray = pytest.mark.skipif(not RAY, reason="needs ray: pip install 'tymbal[cluster]'")


def _checksums(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Two workers on this machine."""
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield
    ray.shutdown()


@with_ray
@pytest.mark.usefixtures("cluster")
@pytest.mark.filterwarnings("default")  # those of Ray are not ours
def test_workers_make_the_store_that_one_process_makes(
    model: LanguageModel, passages: PassageStore, config: HarvestConfig, store: ActivationStore, tmp_path: Path
) -> None:
    told: list[tuple[int, int, str]] = []
    harvest_on_cluster(model, passages, config, tmp_path, progress=lambda *now: told.append(now), workers=2)
    assert _checksums(tmp_path) == _checksums(store.folder)
    assert told[-1] == (store.rows, store.rows, "tokens")


@with_ray
@pytest.mark.usefixtures("cluster")
@pytest.mark.filterwarnings("default")
def test_a_damaged_shard_alone_is_made_anew(
    model: LanguageModel, passages: PassageStore, config: HarvestConfig, store: ActivationStore, tmp_path: Path
) -> None:
    harvest_on_cluster(model, passages, config, tmp_path, workers=2)
    shards = sorted(tmp_path.glob("shard-*"))
    shards[1].write_bytes(shards[1].read_bytes()[:-9])
    before = [path.stat().st_mtime_ns for path in shards]
    mended = harvest_on_cluster(model, passages, config, tmp_path, workers=2).mended
    assert [damage.path for damage in mended] == [shards[1]]
    after = [path.stat().st_mtime_ns for path in shards]
    assert [old == new for old, new in zip(before, after, strict=True)] == [
        number != 1 for number in range(len(shards))
    ]
    assert _checksums(tmp_path) == _checksums(store.folder)


@with_ray
@pytest.mark.filterwarnings("default")
def test_another_harvest_is_refused_before_any_worker_starts(
    model: LanguageModel, passages: PassageStore, config: HarvestConfig, store: ActivationStore
) -> None:
    with pytest.raises(ArtifactError, match="activations with another harvest"):
        harvest_on_cluster(model, passages, replace(config, batch_tokens=100), store.folder, workers=2)


@pytest.mark.skipif(RAY, reason="ray is installed")
def test_without_ray_the_extra_is_named(
    model: LanguageModel, passages: PassageStore, config: HarvestConfig, tmp_path: Path
) -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'tymbal\[cluster\]'"):
        harvest_on_cluster(model, passages, config, tmp_path, workers=2)
