"""Judge a dictionary on held-out passages.

1. A first pass takes the mean and covariance of the site's activations, for ablation and for the linear baseline.
2. A second pass runs each batch unedited, then with the dictionary's reconstruction spliced in, with a random
   dictionary's, with zero and with the mean; sums are kept for each passage.
3. Every number is a function of those sums, with a 95 % interval from resampled passages.

Special tokens (BOS, CLS, SEP) are measured nowhere and left as they are by every edit.

    fraction of variance unexplained   Σ|x - x̂|² / Σ|x - mean of the same tokens|², 0 is perfect
    loss recovered                     (ablated loss - spliced loss) / (ablated loss - plain loss), 1 is perfect
    shrinkage                          Σ|x̂ - b|² / Σ(x̂ - b)·(x - b), b the decoder bias; 1 is none, below 1 too short
    dead, dense                        features that never fire, or fire on more than 10 % of tokens

A transcoder is read at one site and judged at the one it writes.

Sources: Bricken et al. 2023, "Towards Monosemanticity" (loss recovered); Gao et al. 2024, section 4; Rajamanoharan et
al. 2024, "Improving Dictionary Learning with Gated Sparse Autoencoders", section 4.2 (shrinkage).
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from tymbal.activations import HarvestConfig, Moments, Progress, stream
from tymbal.corpora import Passage
from tymbal.dictionaries.baselines import Subspace, random_dictionary
from tymbal.dictionaries.bootstrap import Bootstrap
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.edits import Read
from tymbal.dictionaries.files import require_width
from tymbal.dictionaries.findings import BothFiring, Finding, findings
from tymbal.dictionaries.firing import Firing
from tymbal.dictionaries.held_out import HeldOutBatch, batches, sample
from tymbal.dictionaries.measures import Columns, Rows, Systems, add_embeddings, add_predictions, add_reconstruction
from tymbal.dictionaries.units import FIRST_ROWS
from tymbal.errors import ArtifactError
from tymbal.models import LanguageModel

MOST_LOGITS = 1 << 25
"""At most this many logits (tokens × vocabulary) in one batch: 128 MiB in fp32, a few of which are held."""


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """How a dictionary is judged."""

    tokens: int = 200_000
    """Held-out tokens at most; a seeded sample of passages where there are more."""
    batch_tokens: int = 4096
    """Tokens in one forward pass, padding included."""
    dense: float = 0.1
    """A feature that fires on more than this share of tokens is dense."""
    draws: int = 1000
    """Resamples of the passages for each interval."""
    seed: int = 0
    """Seed of the sample, the resamples and the random dictionary."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How good a dictionary is on held-out passages."""

    dictionary: dict[str, Any]
    """The dictionary's configuration: kind, sizes, site, model."""
    settings: EvaluationConfig
    passages: int
    tokens: int
    """Ordinary tokens measured."""
    spared: int
    """Special tokens: left out of every number, left as they are by every edit."""
    predictions: int
    """Next-token predictions counted; 0 for an encoder."""
    failures: int
    """Passages whose sums are not finite; they are left out of every number."""
    findings: dict[str, Finding]
    """By name: l0, l0.p50 and other quantiles, fvu, loss…, kl, recovered…, cosine…, dead, dense."""

    def to_json(self) -> dict[str, Any]:
        """The same as plain dictionaries and numbers."""
        return asdict(self)


def evaluate(
    dictionary: Dictionary,
    model: LanguageModel,
    site: str,
    passages: Iterable[Passage],
    config: EvaluationConfig = EvaluationConfig(),
    progress: Progress | None = None,
) -> Evaluation:
    """Judge a dictionary at a site of its model on passages that it was not trained on.

    Raises `ArtifactError` where its width is not the model's, `ModelError` for an unknown site, `CorpusError` where
    there is no ordinary token.
    """
    site, written = model.site(site), _written_site(dictionary, model, site)
    require_width(dictionary, model.width)
    taken = sample(passages, config.tokens, config.seed)
    spared = int(sum(passage.special.sum() for passage in taken))
    total = 2 * sum(len(passage.tokens) for passage in taken)
    systems = _systems(dictionary, model, (site, written), taken, config, _after(progress, 0, total))
    columns, firing = Columns(len(taken)), BothFiring(Firing(dictionary.features), Firing(dictionary.features))
    report = _after(progress, total // 2, total)
    done = 0
    for batch in batches(taken, min(config.batch_tokens, max(1, MOST_LOGITS // model.vocabulary))):
        _measure(model, batch, systems, columns, firing)
        done += int(batch.tokens.mask.sum())
        report(done)
    whole = _whole_passages(columns)
    if not bool(whole.any()):
        raise ArtifactError(
            expected="a dictionary whose reconstructions are finite",
            got=f"NaN or infinity in all {len(taken)} passages",
            do="train it again",
        )
    sums = {name: column[whole] for name, column in columns.sums.items()}
    return Evaluation(
        dictionary=dictionary.config(),
        settings=config,
        passages=len(taken),
        tokens=int(sums["tokens"].sum()),
        spared=spared,
        predictions=int(sums["predictions"].sum()) if model.causal else 0,
        failures=len(taken) - int(whole.sum()),
        findings=findings(
            sums, firing, Bootstrap(int(whole.sum()), draws=config.draws, seed=config.seed), config.dense
        ),
    )


def _written_site(dictionary: Dictionary, model: LanguageModel, site: str) -> str:
    """Where the dictionary writes; raises `ArtifactError` for what cannot be put back into the model at one site."""
    if dictionary.ends.parts:
        raise ArtifactError(
            expected="a dictionary of one site",
            got=f"a crosscoder of {len(dictionary.ends.parts)}",
            do="judge it by LatentScaling and its reconstruction of each site",
        )
    target = dictionary.ends.target
    if target is not None and target.site is None:
        raise ArtifactError(
            expected="a transcoder that names the site it writes",
            got="one that does not",
            do="train it with a site in its Target",
        )
    return site if target is None or target.site is None else model.site(target.site)


def _after(progress: Progress | None, before: int, total: int) -> Callable[[int], None]:
    return lambda done: progress(before + done, total, "tokens") if progress is not None else None


def _systems(
    dictionary: Dictionary,
    model: LanguageModel,
    sites: tuple[str, str],
    passages: list[Passage],
    config: EvaluationConfig,
    report: Callable[[int], None],
) -> Systems:
    read, written = sites
    harvest = HarvestConfig(sites=tuple(dict.fromkeys(sites)), batch_tokens=config.batch_tokens, dtype="float32")
    moments, first, done = Moments(model.width), [], 0
    for batch in stream(model, passages, harvest):
        rows = batch.activations[written][~batch.special]
        moments.update(rows)
        if sum(map(len, first)) < FIRST_ROWS:
            first.append(rows if read == written else torch.cat([batch.activations[read][~batch.special], rows], dim=1))
        done += len(batch.tokens)
        report(done)
    random = random_dictionary(dictionary, torch.cat(first)[:FIRST_ROWS], config.seed)
    return Systems(
        read_site=read,
        site=written,
        dictionary=dictionary,
        random=random,
        subspace=Subspace(moments.mean, moments.covariance, random.places),
        mean=moments.mean.float(),
    )


@torch.no_grad()
def _measure(model: LanguageModel, batch: HeldOutBatch, systems: Systems, columns: Columns, firing: BothFiring) -> None:
    read, written = Read(systems.read_site), Read(systems.site)
    with model.edited(read, written):
        plain = model.logits(batch.tokens) if model.causal else model.pooled(batch.tokens)
    ordinary = ~batch.spared
    assert read.seen is not None
    assert written.seen is not None
    here = ordinary.to(read.seen.device)
    rows = Rows(read.seen[here].float(), written.seen[here].float())
    passage = batch.numbers[ordinary.nonzero()[:, 0]]
    codes = add_reconstruction(columns, systems, rows, passage)
    firing.dictionary.add(codes.dictionary, passage)
    firing.random.add(codes.random, passage)
    add = add_predictions if model.causal else add_embeddings
    add(columns, model, batch, systems.edits(batch.spared), plain)


def _whole_passages(columns: Columns) -> Tensor:
    whole = torch.ones(columns.passages, dtype=torch.bool)
    for column in columns.sums.values():
        whole &= torch.isfinite(column.reshape(columns.passages, -1)).all(1)
    return whole
