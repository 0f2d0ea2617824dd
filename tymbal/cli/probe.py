"""`tymbal probe`: read a concept from every layer of a model, beside the controls."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import OmitArgPrefixes, Positional, arg

from tymbal.cli.concept_options import ConceptOptions
from tymbal.probes.probing import ProbeConfig
from tymbal.study.plan import BUNDLED


@dataclass(frozen=True, kw_only=True)
class Options:
    """Read a concept from a model's activations, and hold the score against its controls.

    Writes a table, a picture of the score by layer, the probe of the best layer and the finding. Labels come from a
    file (--labels) or are a concept of the generated world (--concept). Of a concept that shows in what the model says
    the causal score is measured too: does moving activations along the probe's direction change that?
    """

    model: Annotated[Positional[str], arg(metavar="[MODEL]")] = BUNDLED
    """a Hugging Face model: local folder or hub id; 'bundled' is the small one that comes with Tymbal"""
    of: Annotated[ConceptOptions, OmitArgPrefixes] = field(default_factory=ConceptOptions)
    """whose labels"""
    config: Annotated[ProbeConfig, OmitArgPrefixes] = field(default_factory=ProbeConfig)
    """what is read and how it is judged"""
    toward: str | None = None
    """the class to move toward for the causal score; None: the second of two, else the most frequent"""
    prompts: int = 64
    """held-out texts that the causal score is measured on; 0 for no causal score"""
    out: Annotated[Path, arg(metavar="DIR")] = Path("probes")
    """the folder to write to"""


def main(arguments: Sequence[str]) -> None:
    """Parse, probe, write table, picture, probe and finding; print the table and where they lie."""
    options = tyro.cli(Options, args=arguments, prog="tymbal probe")
    options.of.require_one("tymbal probe")

    from tymbal.artifact import write_json, write_text
    from tymbal.cli.display import Display
    from tymbal.edits import draw_causal, probed_causal_score
    from tymbal.errors import TymbalError
    from tymbal.probes import probe, save_report
    from tymbal.probes.pictures import draw_scores, draw_transfer
    from tymbal.probes.table import report_table
    from tymbal.study.sources import open_subject

    texts = options.of.texts(options.config.seed)
    model = open_subject(options.model, "cpu")
    with Display().stage("probe") as progress:
        report = probe(model, texts, options.config, progress)
    save_report(report, options.out)
    table = report_table(report)
    write_text(options.out / "table.md", table + "\n")
    draw_scores(report, options.out / "scores.svg")
    transfer = report.best.controls.transfer
    if len(transfer.names) > 1:
        draw_transfer(transfer, f"{report.concept}, {report.best.site}", options.out / "transfer.svg")
    print(table)
    if options.of.concept is not None and options.prompts:
        try:
            score = probed_causal_score(model, report, texts, toward=options.toward, prompts=options.prompts)
        except TymbalError as error:
            print(f"\nno causal score: {error}")
        else:
            draw_causal(score, f"{report.concept}, {score.site}", options.out / "causal.svg")
            write_json(options.out / "causal.json", score.as_json())
            print(f"\n{score}")
    print(f"\n{options.out}/: table.md, scores.svg, finding.json, probe/ ({report.best.site})")
