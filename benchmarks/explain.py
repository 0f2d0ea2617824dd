"""How long the predicate explainer takes, and how well what it says holds, on a study that is there already.

The study named by --study, or else the last one in studies/, is explained anew into a temporary folder: all features,
the baselines too. CPU time is that of all threads; divided by two it is at best the wall time on two idle cores. The
goal on concepts is for the bundled model on the bundled world.

    .venv/bin/python benchmarks/explain.py [--json] [--study DIR]
"""

import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from report import Line, note, one_thread, parser, show

from tymbal import artifact
from tymbal.atlas import open_atlas
from tymbal.corpora import PassageStore
from tymbal.dictionaries import load_dictionary
from tymbal.errors import ArtifactError
from tymbal.explain import Evidence, ExplainConfig, PredicateExplainer, Subject, explain_features
from tymbal.study import open_study
from tymbal.study.health import told_concepts
from tymbal.study.shelf import last_study
from tymbal.study.sources import open_subject

GOAL_SECONDS = 240.0
"""processor seconds for 2,048 features: two minutes on two cores"""
GOAL_MISSED = 0.1
"""concepts that are not named, of those with a feature of F1 >= 0.8"""
OF_FEATURES = 2048


def main() -> None:
    """Explain a study's features anew, print how long it took and how well it holds."""
    options = parser(__doc__)
    options.add_argument("--study", type=Path, default=None, help="a study's folder; the last one unless given")
    chosen = options.parse_args()
    one_thread()
    try:
        study = open_study(chosen.study or last_study())
    except ArtifactError as error:
        note(f"left out: {error}")
        return
    model = open_subject(study.question["model"], study.question["config"]["device"])
    with closing(open_atlas(study.atlas)) as atlas, tempfile.TemporaryDirectory() as folder:
        subject = Subject(
            atlas=atlas,
            dictionary=load_dictionary(study.folder / "dictionary"),
            model=model,
            store=PassageStore.open(study.folder / "corpus"),
        )
        begun = time.process_time()
        evidence = Evidence.of(subject.codes, model.token_text, annotations=subject.annotations)
        list(PredicateExplainer().explain(range(len(atlas)), evidence))
        search = time.process_time() - begun
        told = told_concepts(artifact.read_json(study.folder / "evaluation.json"))
        begun = time.process_time()
        summary = explain_features(subject, Path(folder) / "out", ExplainConfig(), told=told).summary
        whole = time.process_time() - begun
        lines = [
            Line(
                name=f"explaining {OF_FEATURES:,} features, CPU",
                system="tymbal",
                value=search * OF_FEATURES / len(atlas),
                unit="s",
                goal=GOAL_SECONDS,
            ),
            Line(name=f"{len(atlas):,} features and baselines, scored, CPU", system="tymbal", value=whole, unit="s"),
            *_quality(summary),
        ]
    show(lines, as_json=chosen.json)


def _quality(summary: dict[str, Any]) -> list[Line]:
    lines = []
    for system, found in summary["systems"].items():
        for measure in ("auroc", "correlation", "hard_auroc"):
            medians = found["medians"][measure]
            for who in ("explanation", "token") if system == "features" else ("explanation",):
                name = f"{measure} of {who}s, {system}: median"
                lines.append(Line(name=name, system="tymbal", value=medians[who]["value"] or 0.0, unit=""))
    for unit, found in summary["naming"].items():
        name = f"concepts with a feature, by {unit}: share not named"
        goal = GOAL_MISSED if unit == "mention" else None
        lines.append(Line(name=name, system="tymbal", value=1 - found["value"], unit="", goal=goal))
    return lines


if __name__ == "__main__":
    main()
