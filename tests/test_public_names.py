"""The public names of each package, pinned: a name that comes or goes is a change for the user."""

from importlib import import_module
from inspect import isclass, isfunction

import pytest

NAMES = {
    "tymbal": "__version__ load_dictionary open_atlas open_model",
    "tymbal.activations": (
        "ActivationStore Batch HarvestConfig Moments Progress RowIds RowSelection RowSource StoredRows "
        "StreamedRows harvest stream"
    ),
    "tymbal.atlas": (
        "Atlas AtlasConfig Cluster CodeShard CodeStore Example FeatureFilter FeaturePage FeatureRow MapPoint "
        "Neighbour TokenWeight build_atlas index_codes open_atlas"
    ),
    "tymbal.cli": "COMMANDS Command main",
    "tymbal.corpora": (
        "CutConfig Document HELD_OUT Passage PassageStore Role Span TextConfig cut places read_documents"
    ),
    "tymbal.corpora.world": (
        "Claim DOCUMENT_SEED GeneratedWorld MODEL NOVEL Parse TRAIN World WorldCorpus WorldDocument "
        "bundled_documents generate_world make"
    ),
    "tymbal.dictionaries": (
        "BatchTopK Codes ConceptConfig ConceptEvaluation ConceptScore Dictionary Evaluation EvaluationConfig "
        "Finding KINDS MeanAblation Number Splice TopK TrainingConfig ZeroAblation evaluate evaluate_concepts "
        "load_dictionary require_width train"
    ),
    "tymbal.models": "ARCHITECTURES Architecture Edit LanguageModel Site SiteKind Tokens open_model parse_site",
    "tymbal.probes": (
        "Attention Classes Controls DescriptionLength Example LDA LabelConfig LabelledTexts LinearProbe Logistic MLP "
        "MeanDifference Numbers Pooling Probe ProbeConfig ProbeReport ProbeResult READERS Reader Readings Ridge Sample "
        "Solved TransferMatrix concept_texts description_length load_probe probe read read_labels save_probe "
        "save_report solve_logistic statements untrained_copy"
    ),
    "tymbal.serve": "create_app export serve",
    "tymbal.study": "BUNDLED Study StudyConfig StudyFolder conduct_study open_study resume_study",
}


@pytest.mark.parametrize("package", NAMES)
def test_public_names_are_these(package):
    assert sorted(import_module(package).__all__) == sorted(NAMES[package].split())


@pytest.mark.parametrize("package", NAMES)
def test_every_public_name_is_there_and_documented(package):
    module = import_module(package)
    for name in module.__all__:
        value = getattr(module, name)
        if isclass(value) or isfunction(value):
            assert value.__doc__, name
