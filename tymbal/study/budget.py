"""What each stage of a study is done with, by the amounts of its corpus and model.

Everything here is a pure function of the completed config and of counts, so that a resumed study asks each stage for
exactly what it asked before.
"""

from tymbal.activations import HarvestConfig
from tymbal.atlas import AtlasConfig
from tymbal.corpora import CutConfig
from tymbal.dictionaries import TrainingConfig
from tymbal.explain import ExplainConfig
from tymbal.study.plan import StudyConfig

MOST_TOKENS = 5_000_000
"""tokens of a corpus that are used unless more are asked for"""
STORED_BYTES = 8 * 10**9
"""activations are stored where they take less than this, and streamed beyond"""
BUFFER_BYTES = 1 << 30
"""size of the mixing buffer of streamed activations"""
STORED_VALUE_BYTES = 2
LARGEST_BATCH = 4096
SMALLEST_STEPS_AN_EPOCH = 16
TRAINED_TOKENS = 6_000_000
"""tokens that training goes through by default"""
MOST_EPOCHS = 12.0


def cut_config(config: StudyConfig) -> CutConfig:
    """How the corpus is cut."""
    assert config.passage_tokens is not None
    return CutConfig(
        length=config.passage_tokens,
        tokens=config.tokens or MOST_TOKENS,
        at_most=config.tokens is None,
        split_by=config.split_by,
        seed=config.seed,
    )


def is_stored(tokens: int, width: int) -> bool:
    """Whether activations of this many tokens are stored (else streamed)."""
    return tokens * width * STORED_VALUE_BYTES < STORED_BYTES


def buffer_rows(width: int) -> int:
    """Rows of the mixing buffer for streamed activations."""
    return BUFFER_BYTES // (width * STORED_VALUE_BYTES)


def harvest_config(config: StudyConfig) -> HarvestConfig:
    """How activations are read."""
    assert config.site is not None
    return HarvestConfig(sites=(config.site,), autocast=bool(config.autocast))


def training_config(config: StudyConfig, rows: int) -> TrainingConfig:
    """How the dictionary is trained on this many rows an epoch; small corpora get smaller batches."""
    assert config.features is not None
    assert config.k is not None
    batch = min(LARGEST_BATCH, 2 ** max(0, (rows // SMALLEST_STEPS_AN_EPOCH).bit_length() - 1))
    return TrainingConfig(
        kind=config.kind,
        features=config.features,
        k=config.k,
        epochs=config.epochs or min(MOST_EPOCHS, max(1.0, TRAINED_TOKENS / rows)),
        batch=batch,
        seed=config.seed,
    )


def atlas_config(config: StudyConfig) -> AtlasConfig:
    """How features are indexed."""
    return AtlasConfig(autocast=bool(config.autocast), seed=config.seed)


def explain_config(config: StudyConfig) -> ExplainConfig:
    """How features are explained."""
    return ExplainConfig(seed=config.seed)
