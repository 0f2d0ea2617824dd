"""The public names of each package, pinned: a name that comes or goes is a change for the user."""

from importlib import import_module
from inspect import isclass, isfunction

import pytest

NAMES = {
    "tymbal": "__version__ load_dictionary open_atlas open_model",
    "tymbal.activations": (
        "ActivationStore Batch HarvestConfig Moments Progress RowIds RowSelection RowSource StoredRows "
        "StreamedRows harvest harvest_on_cluster stream"
    ),
    "tymbal.analyses": (
        "Analysis Annotated Coded Passage Subject across automata draw_across draw_correlations draw_shape geometry "
        "labels_of lit read_coded read_passages save_analysis splitting true_places universality world_passages"
    ),
    "tymbal.atlas": (
        "ActiveFeature Atlas AtlasConfig Cluster CodeShard CodeStore CompletenessBin ConceptRow Contrast "
        "ContrastConfig ContrastedFeature Example FeatureFilter FeaturePage FeatureRow FeatureText MapPoint "
        "Neighbour PromptReading TokenWeight build_atlas completeness_bins contrast index_codes open_atlas read_prompt "
        "special_tokens"
    ),
    "tymbal.cli": "COMMANDS Command main",
    "tymbal.corpora": (
        "CutConfig Document HELD_OUT Passage PassageStore Role Span TextConfig cut places read_documents"
    ),
    "tymbal.corpora.othello": (
        "Boards CENTRE NAMES OthelloTraining PLIES SQUARES Trace choices draw_games flipped moves_of opening play "
        "squares texts_of trace"
    ),
    "tymbal.corpora.pretraining": (
        "Batch BatchLoss BatchSource Interval PADDING Progress Recipe State TRAINING claim new_llama ratio "
        "read_model require_torch train write_model"
    ),
    "tymbal.corpora.world": (
        "Claim DOCUMENT_SEED GeneratedWorld MODEL NOVEL Parse TRAIN World WorldCorpus WorldDocument "
        "bundled_documents generate_world make"
    ),
    "tymbal.dictionaries": (
        "BatchTopK Codes ConceptConfig ConceptEvaluation ConceptScore Descent Dictionary Ends Evaluation "
        "EvaluationConfig Finding Gated JumpReLU KINDS LatentScaling Logger Matryoshka MeanAblation Number "
        "Objective Part ReLU Revival Run Scaling SideBySide Splice Target TensorBoard TopK TrainingConfig "
        "WeightsAndBiases ZeroAblation as_jumprelu convert_dictionary draw_curve evaluate evaluate_concepts "
        "load_dictionary require_width train train_many"
    ),
    "tymbal.dictionaries.sharded": "Sharding train_sharded",
    "tymbal.edits": (
        "Ablate AddedVectors Aim AnswerOdds Attribution AttributionConfig ByRow CausalConfig CausalScore CausalTrace "
        "Certificate CertificateConfig Clamp ClampedFeatures Counted Dose DoseConfig DoseResponse EVERYWHERE Erase "
        "Eraser EraserFitter Erasure ErasureConfig FeatureAt FeatureShare FitConfig FitRecord Influence "
        "InfluenceConfig LabelledTokens OracleEraser OutputToken Patch Project Propensity QuadraticEraser "
        "RandomControl Reading Scale Score SearchConfig SideEffects SpanLikelihood Steer SteeringVector Treatment "
        "Tried Where Written as_rows attribute behaviour biased carries causal_score causal_trace dose_response "
        "draw_causal draw_response erase feature_vector fitted_vector head_units influence load_eraser load_vectors "
        "mean_length of_divergence probe_vector probed_causal_score save_vectors scrub search side_effects "
        "steering_vector token_bias word_bias world_aim written_vector"
    ),
    "tymbal.edits.replications": "EXPERIMENTS Flips Reading Trial Turning Way draw_flips",
    "tymbal.explain": (
        "Activity ChatConfig ChatExplainer Evidence ExplainConfig Explainer Explanation ExplanationFolder "
        "Explanations Predicate PredicateConfig PredicateExplainer Subject Text Told TokenExplainer UNCLEAR Window "
        "WindowReader InterventionConfig explain_features intervene open_explanations parse_predicate unclear"
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
    "tymbal.probes.replications": "EXPERIMENTS Page ReplicationConfig replicate",
    "tymbal.safety": (
        "BOARD_FOLDER BoardConfig ContrastConcept Ladder STEPS Step open_board read_concepts safety_board save_board "
        "world_concepts"
    ),
    "tymbal.serve": "NeuronpediaConfig create_app export export_neuronpedia serve",
    "tymbal.study": (
        "BUNDLED Study StudyConfig StudyFolder conduct_study explained_subject finished_twin intervened open_study "
        "resume_study untrained_twin"
    ),
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
