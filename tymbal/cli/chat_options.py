"""Which language models `tymbal explain` asks, and at what price."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

PREDICATE = "predicate"


@dataclass(frozen=True, kw_only=True)
class ChatOptions:
    """Language models that explain and judge."""

    explainer: Annotated[str, arg(metavar="predicate|URL|MODEL")] = PREDICATE
    """who explains: predicates, an OpenAI-compatible address such as http://localhost:8000/v1, or a local chat model"""
    model: str | None = None
    """the explainer's name at its address"""
    judge: Annotated[str | None, arg(metavar="URL|MODEL")] = None
    """who judges, likewise; None: no language model does"""
    judge_model: str | None = None
    """the judge's name at its address"""
    same_judge: bool = False
    """let a model judge its own words"""
    scorers: tuple[Literal["detection", "fuzzing", "simulation", "intruder", "rubric", "surprisal"], ...] = (
        "detection",
        "fuzzing",
        "simulation",
        "intruder",
        "rubric",
    )
    """how the judge scores; surprisal needs a local model"""
    encoder: Path | None = None
    """folder of a sentence encoder for the embedding score; None: all-MiniLM-L6-v2 where it is installed"""
    count: int = 32
    """features drawn at random, where none are named"""
    baseline: int = 16
    """random directions explained and judged beside them"""
    dry_run: bool = False
    """say how many questions that takes, and what they cost, and ask none"""
    price_in: float | None = None
    """price of a million tokens read by the explainer, in any currency"""
    price_out: float | None = None
    """of a million tokens written by it"""
    judge_price_in: float | None = None
    """of a million tokens read by the judge"""
    judge_price_out: float | None = None
    """of a million tokens written by it"""
    key_from: str = "TYMBAL_KEY"
    """environment variable that holds the explainer's key, if it needs one"""
    judge_key_from: str = "TYMBAL_JUDGE_KEY"
    """environment variable that holds the judge's key"""
    concurrency: int = 8
    """questions under way at once"""
    timeout: float = 120.0
    """seconds to wait for one answer"""
    thinking_tokens: int = 0
    """tokens that a model at an address may think aloud before its answer"""
    json_schema: bool = True
    """send the form of the answer as a JSON schema; some servers refuse that"""
    log_probabilities: bool = True
    """ask the judge for log-probabilities; some servers refuse that"""
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """the name by which the server knows the most tokens of an answer"""
    device: str = "cpu"
    """where local models compute: cpu or cuda"""

    @property
    def asks(self) -> bool:
        """Whether a language model or an encoder is to be used."""
        return self.explainer != PREDICATE or self.judge is not None or self.encoder is not None
