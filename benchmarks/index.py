"""What indexing a dictionary's features takes, beside harvest and encoding alone, and beside SAEDashboard.

An index is all of `build_atlas`: one pass through the model, sparse codes on disk, statistics, examples, neighbours,
output tokens, map, labels. Harvest and encoding alone is the same pass, nothing kept. Model and text are the bundled
ones; the dictionary is random, k 32 (no part of an index takes note of what features mean). CPU time, one thread.

Part of an index goes with the tokens and part, such as the map, with the features. So two sizes are measured, and the
size asked for is on the line through both: those numbers are marked "extrapolated". SAEDashboard goes through the model
once for each batch of features (256, its default) and then looks at each feature on all tokens: it is given few tokens
and two numbers of features in one batch. What a batch takes is multiplied by the tokens; what a feature takes is not,
though much of it grows with them too, so that its time is rather too short. That both index the same is checked by the
share of tokens on which features are active. Memory is the peak of a process of its own.

    .venv/bin/python benchmarks/index.py [--json] [--full]
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from report import Line, note, one_thread, parser, show
from torch import Tensor

from tymbal import artifact
from tymbal.activations import HarvestConfig, stream
from tymbal.atlas import AtlasConfig, build_atlas
from tymbal.corpora import HELD_OUT, CutConfig, PassageStore, cut
from tymbal.corpora.world import MODEL, bundled_documents
from tymbal.dictionaries import TopK, convert_dictionary
from tymbal.dictionaries.baselines import random_dictionary
from tymbal.models import LanguageModel, open_model
from tymbal.study.plan import StudyConfig, completed

SITE, LENGTH, K = "resid_post.3", 256, 32
FEATURES, TOKENS = 4096, 1_000_000
SIZES = (1 << 17, 3 << 17)
"""tokens that are measured; both more than co-activation is counted on, from where on memory should not grow"""
FULL_FEATURES, FULL_TOKENS = 32_768, 10_000_000
FULL_SIZES = (1 << 20, 3 << 20)
GOAL, GOAL_GROWTH, GOAL_PEER = 1.3, 1.10, 0.1
PEER = Path(__file__).parent.parent / ".venv-peers-old" / "bin" / "python"
PEER_TOKENS, PEER_FEATURES, PEER_BATCH = 1 << 13, (2, 8, 40), 256
"""of the numbers of features the first only warms up"""
ALIKE = 1e-3
"""by which the shares of tokens on which a feature is active may differ: rounding moves features across k"""


class Seconds(NamedTuple):
    """CPU seconds at one number of tokens."""

    tokens: int
    whole: float
    alone: float


def on_line(first: tuple[float, float], second: tuple[float, float], at: float) -> float:
    """The value at a place on the line through two points."""
    slope = (second[1] - first[1]) / (second[0] - first[0])
    return second[1] + slope * (at - second[0])


def the_dictionary(model: LanguageModel, store: PassageStore, features: int) -> TopK:
    """A random dictionary, fitted to some activations."""
    reading = HarvestConfig(sites=(SITE,), dtype="float32")
    batch = next(iter(stream(model, store.passages(HELD_OUT, 0, 64), reading)))
    rows = batch.activations[SITE][~batch.special]
    return random_dictionary(TopK(model.width, features, K, site=SITE), rows, seed=0)


def config(model: LanguageModel) -> AtlasConfig:
    """As a study asks for it, with shards small enough for memory to show what grows."""
    return AtlasConfig(autocast=bool(completed(StudyConfig(), model).autocast), shard_tokens=1 << 15)


def cut_text(model: LanguageModel, tokens: int, folder: Path) -> PassageStore:
    """So many tokens of the bundled text, all of it held out."""
    return cut(bundled_documents(), model.tokenizer, CutConfig(length=LENGTH, tokens=tokens, heldout=1.0), folder)


def seconds_of(model: LanguageModel, store: PassageStore, features: int, folder: Path) -> Seconds:
    """An index, and harvest and encoding alone."""
    dictionary, how = the_dictionary(model, store, features), config(model)
    reading = HarvestConfig(sites=(SITE,), batch_tokens=how.batch_tokens, dtype="float32", autocast=how.autocast)
    begun = time.process_time()
    with torch.inference_mode():
        for batch in stream(model, store.passages(HELD_OUT), reading):
            dictionary.encode(batch.activations[SITE][~batch.special])
    alone = time.process_time() - begun
    begun = time.process_time()
    build_atlas(dictionary, model, SITE, store, folder, how).close()
    return Seconds(store.tokens(), time.process_time() - begun, alone)


def child(corpus: Path, out: Path, features: int) -> None:
    """Index, and print seconds and this process's peak memory in MB."""
    one_thread()
    found = seconds_of(open_model(MODEL), PassageStore.open(corpus), features, out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**found._asdict(), "peak": peak}))


def tymbal_lines(folder: Path, sizes: tuple[int, int], features: int, tokens: int) -> Iterator[Line]:
    """Time and memory at two sizes, and what follows for the size asked for."""
    model = open_model(MODEL)
    found = []
    for size in sizes:
        cut_text(model, size, folder / f"corpus-{size}")
        command = [sys.executable, __file__, "--child", folder / f"corpus-{size}", folder / f"out-{size}", features]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    small, large = found
    for one in found:
        of = f"{one['tokens']:,} tokens x {features:,} features"
        yield Line(name=f"index, {of}, CPU", system="tymbal", value=one["whole"], unit="s")
        yield Line(name=f"harvest and encode alone, {of}, CPU", system="tymbal", value=one["alone"], unit="s")
    each = {
        name: on_line((small["tokens"], small[name]), (large["tokens"], large[name]), tokens)
        for name in ("whole", "alone")
    }
    asked = f"{tokens:,} tokens x {features:,} features (extrapolated)"
    yield Line(name=f"index, {asked}, CPU", system="tymbal", value=each["whole"], unit="s")
    ratio = each["whole"] / each["alone"]
    yield Line(name=f"index, {asked}", system="tymbal", value=ratio, unit="x harvest and encode", goal=GOAL)
    growth = large["peak"] / small["peak"]
    name = f"peak memory of an index, {large['tokens'] / small['tokens']:.0f}x the tokens"
    yield Line(name=name, system="tymbal", value=growth, unit="x", goal=GOAL_GROWTH)
    yield from peer_lines(folder, model, features, tokens, each["whole"])


def peer_lines(folder: Path, model: LanguageModel, features: int, tokens: int, ours: float) -> Iterator[Line]:
    """SAEDashboard on the same model, text and dictionary."""
    if not PEER.exists():
        note("left out: SAEDashboard, which needs `make peers`")
        return
    store = cut_text(model, PEER_TOKENS, folder / "peer")
    # It takes rows of one length: the passages run together, cut evenly.
    flat = torch.from_numpy(np.concatenate([passage.tokens for passage in store.passages(HELD_OUT)]))
    rows = flat[: len(flat) // LENGTH * LENGTH].reshape(-1, LENGTH)
    artifact.write_tensors(folder / "tokens.safetensors", {"tokens": rows.int()})
    dictionary = the_dictionary(model, store, features)
    dictionary.save(folder / "dictionary")
    convert_dictionary(folder / "dictionary", folder / "saelens", "saelens")
    job = {
        "model": str(MODEL),
        "tokens": str(folder / "tokens.safetensors"),
        "dictionary": str(folder / "saelens"),
        "hook_point": f"blocks.{SITE.rpartition('.')[2]}.hook_resid_post",
        "features": PEER_FEATURES,
    }
    artifact.write_json(folder / "job.json", job)
    script = Path(__file__).parent / "peers" / "index_saedashboard.py"
    done = subprocess.run([PEER, script, folder / "job.json"], capture_output=True, text=True, check=False)
    if done.returncode:
        note(f"SAEDashboard: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
        return
    found = json.loads(done.stdout.splitlines()[-1])
    few, many = ((number, found["seconds"][str(number)]) for number in PEER_FEATURES[1:])
    feature = (many[1] - few[1]) / (many[0] - few[0])
    batch = max(0.0, few[1] - few[0] * feature)
    share = tokens / rows.numel()
    theirs = share * -(-features // PEER_BATCH) * batch + features * feature
    asked = f"{tokens:,} tokens x {features:,} features (extrapolated)"
    peer = f"SAEDashboard {version_of_peer()}"
    ours_active = active_shares(model, dictionary, rows)[: len(found["density"])]
    apart = float((ours_active - torch.tensor(found["density"])).abs().max())
    note(f"SAEDashboard indexes {'the same' if apart <= ALIKE else 'something else'}: densities differ by {apart:.1e}")
    note(f"SAEDashboard, {rows.numel():,} tokens: {feature:.2f} s a feature, {batch:.2f} s a batch of features")
    yield Line(name=f"index, {asked}, CPU", system=peer, value=theirs, unit="s")
    yield Line(name=f"index, {asked}", system="tymbal", value=ours / theirs, unit="x SAEDashboard", goal=GOAL_PEER)


def active_shares(model: LanguageModel, dictionary: TopK, rows: Int[Tensor, "row token"]) -> Float[Tensor, " feature"]:
    """The share of tokens on which each feature is active."""
    with torch.inference_mode():
        codes = dictionary.encode(model.read(rows.long(), [SITE])[SITE].flatten(0, 1))
    active = codes.indices[codes.values > 0]
    return torch.bincount(active, minlength=dictionary.features) / rows.numel()


def version_of_peer() -> str:
    """Of the package in its own environment."""
    asked = "from importlib.metadata import version; print(version('sae-dashboard'))"
    return subprocess.run([PEER, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--full", action="store_true", help="10 million tokens x 32k features, which takes hours")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        lines = list(tymbal_lines(Path(name), SIZES, FEATURES, TOKENS))
        if chosen.full:
            lines += tymbal_lines(Path(name) / "full", FULL_SIZES, FULL_FEATURES, FULL_TOKENS)
        show(lines, as_json=chosen.json)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
