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
        "BatchTopK Codes ConceptConfig ConceptEvaluation ConceptScore Dictionary Ends Evaluation "
        "EvaluationConfig Finding Gated JumpReLU KINDS LatentScaling Logger Matryoshka MeanAblation Number "
        "Part ReLU Run Scaling SideBySide Splice Target TensorBoard TopK TrainingConfig WeightsAndBiases "
        "ZeroAblation as_jumprelu convert_dictionary draw_curve evaluate evaluate_concepts load_dictionary "
        "require_width train train_many"
    ),
    "tymbal.edits": (
        "EVERYWHERE Ablate CausalTrace Certificate CertificateConfig Clamp Counted Dose DoseConfig "
        "DoseResponse Erase Eraser EraserFitter FitRecord LabelledTokens OracleEraser Patch Project "
        "Propensity QuadraticEraser Reading Scale Score SideEffects Steer SteeringVector Where as_rows biased "
        "carries causal_trace dose_response draw_response feature_vector head_units load_eraser load_vectors "
        "mean_length save_vectors scrub side_effects steering_vector token_bias"
    ),
    "tymbal.explain": (
        "Activity ChatConfig ChatExplainer Evidence ExplainConfig Explainer Explanation ExplanationFolder "
        "Explanations Predicate PredicateConfig PredicateExplainer Subject Text Told TokenExplainer UNCLEAR Window "
        "WindowReader explain_features open_explanations parse_predicate unclear"
    ),
    "tymbal.explain.chat": (
        "Cached Client Completion Digits Endpoint EndpointConfig Fields Form LocalModel Price Question Reply Tally "
        "Unanswered Unreadable Usage ask"
    ),
    "tymbal.explain.judged": (
        "Case Detection Embedding Encoder Fuzzing Intruder JUDGED JUDGES JudgeConfig Panel Rubric ScoreConfig Scorer "
        "Simulation Surprisal Verdict chosen_features identity_of judge_features require_other_judge"
    ),
    "tymbal.models": (
        "ARCHITECTURES Architecture Edit LanguageModel PlacedEdit Site SiteKind TokenPlaces Tokens open_model "
        "parse_site"
    ),
    "tymbal.probes": (
        "Attention Classes Controls DescriptionLength Example LDA LabelConfig LabelledTexts LinearProbe Logistic MLP "
        "MeanDifference Numbers Pooling Probe ProbeConfig ProbeReport ProbeResult READERS Reader Readings Ridge Sample "
        "Solved TransferMatrix concept_texts description_length load_probe probe read read_labels save_probe "
        "save_report solve_logistic statements untrained_copy"
    ),
    "tymbal.serve": "create_app export serve",
    "tymbal.study": "BUNDLED Study StudyConfig StudyFolder conduct_study explained_subject open_study resume_study",
    "tymbal.theory": "",
    "tymbal.theory.modal": (
        "Agent CooperateBot DefectBot Equilibrium FairBot JustBot LIBRARY Match Payoffs PayorBot PayorEBot "
        "PlainPrudentBot Played PrudentBot RejectedError Settled Table Theorem TrollBot TrustingBot "
        "belief_models best_responses check duel equilibria explain frames matches models payoffs payor_lemma "
        "play policy random_agent round_robin settle stubborn table_text tournament transitive"
    ),
    "tymbal.theory.mild": (
        "Actions AdversarySet Budget Census Cone Estimate Histories MDP Maximin Plan Polyhedron Pressure "
        "Quantilal Quantilized RequestWorld Tail Vertices best_of census draw hacking_curve histories keep "
        "maximin per_step quantilal quantilize quantilized random_world read_actions serve timed worst_case"
    ),
    "tymbal.theory.risk": (
        "Assessment Beta Case Correlation Distribution Driver Effort Elicited Estimate Event Input LogNormal "
        "Margin ModelError Point Pooled Pooling RiskModel Sampling Scored Spread Structure Uniform assess "
        "chain classical_model drivers elicited neyman_factor read_model shipped_models what_if write_report"
    ),
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
