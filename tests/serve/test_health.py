"""The health table shows every finding, known or not."""

from tymbal.serve.health import concept_findings, findings, sample, told_concepts
from tymbal.serve.text import numeral


def test_a_finding_keeps_its_interval_baselines_and_sample_size() -> None:
    record = {
        "unit": "share",
        "value": 0.2,
        "low": 0.1,
        "high": 0.3,
        "n": 7,
        "baselines": {"zero_ablation": {"value": 0.9}, "mean": 1},
    }
    (finding,) = findings({"health": {"something_new": record}})
    assert (finding.value, finding.low, finding.high, finding.n) == (0.2, 0.1, 0.3, 7)
    assert finding.baselines == {"zero ablation": 0.9, "mean": 1.0}
    assert finding.words.name == "health, something new"
    assert finding.picture is not None


def test_what_is_no_finding_is_passed_over() -> None:
    assert findings({"seed": 3, "note": {"text": "x"}, "bad": {"value": "high"}, "nan": {"value": float("nan")}}) == []


def test_a_number_that_is_no_share_has_no_picture() -> None:
    (finding,) = findings({"findings": {"l0": {"value": 31.5, "unit": "features a token"}}})
    assert finding.picture is None
    assert finding.low is None


def test_quantiles_are_told_in_the_line_they_belong_to() -> None:
    evaluation = {"findings": {"l0": {"value": 16.0}, "l0.p05": {"value": 4.0}, "l0.p95": {"value": 31.0}}}
    (finding,) = findings(evaluation)
    assert "4 (5 %), 31 (95 %)" in finding.words.meaning


def test_counts_are_written_without_decimals_and_the_sample_in_words() -> None:
    evaluation = {"passages": 94, "failures": 0, "findings": {"dead": {"value": 12.0, "low": 9.4, "unit": "features"}}}
    (finding,) = findings(evaluation)
    assert numeral(finding.low, finding.decimals) == "9"
    assert sample(evaluation) == "Measured on 94 held-out passages, 0 passages that failed and were left out."


def test_concepts_that_were_not_measured_are_passed_over() -> None:
    for evaluation in ({}, {"concepts": {"not_measured": "too few"}}):
        assert concept_findings(evaluation) == []
        assert told_concepts(evaluation) == []
