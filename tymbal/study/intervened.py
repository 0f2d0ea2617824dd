"""A study's features clamped, to see whether the output changes as their explanations say; made once, in its folder."""

from contextlib import closing

from tymbal.explain import Explanations, InterventionConfig, intervene, open_explanations
from tymbal.explain.intervention import INTERVENTION
from tymbal.study.folder import StudyFolder
from tymbal.study.journal import Display, Silence
from tymbal.study.study import Study, explained_subject


def intervened(study: Study, *, display: Display | None = None) -> Explanations:
    """Try every explanation that names the next token; what was made before is opened as it is."""
    said = open_explanations(study.explanations).rows()
    config = InterventionConfig(seed=study.question["config"]["seed"])
    subject = explained_subject(study)
    with (
        StudyFolder(study.folder).locked(),
        closing(subject.atlas),
        (display or Silence()).stage(INTERVENTION) as progress,
    ):
        return intervene(subject, said, study.folder / INTERVENTION, config, progress)
