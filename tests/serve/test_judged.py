"""What judges said of explanations is read with chance, median and failures, and stands in a lay sentence."""

from pathlib import Path

import pyarrow as pa

from tymbal.explain import Explanation, ExplanationFolder
from tymbal.explain.tables import EXPLANATIONS_SCHEMA
from tymbal.serve.judged import Line, judged_scores

SCHEMA = pa.schema([("feature", pa.int32()), ("auroc", pa.float64()), ("failures", pa.int32())])


def test_scores_of_every_finished_folder_are_read_by_feature(tmp_path: Path) -> None:
    work = ExplanationFolder.begin(_begun(tmp_path / "judged" / "model-by-judge"), {})
    said = [Explanation(feature=feature, text=f"words {feature}", kind="token").to_row() for feature in (3, 5)]
    said[0]["lay"] = "It fires on <b>bold</b> words."
    work.write("explanations", 0, said, EXPLANATIONS_SCHEMA)
    work.write("detection", 0, [{"feature": 3, "auroc": 0.8, "failures": 2}], SCHEMA)
    told = {"measures": ["auroc"], "chance": {"auroc": 0.5}, "medians": {"auroc": {"features": {"value": 0.7}}}}
    work.seal({"explainer": {"model": "m"}}, {"scorers": {"detection": told}})
    _begun(tmp_path / "judged" / "unfinished")
    found = judged_scores(tmp_path)
    assert set(found) == {3, 5}
    (one,) = found[3]
    assert (one.lay, one.text, one.explainer) == ("It fires on <b>bold</b> words.", "words 3", "m")
    assert one.lines == [Line("detection", "auroc", 0.8, 0.5, 0.7, 2)]
    (other,) = found[5]
    assert (other.lay, other.lines) == ("words 5", [])


def test_a_study_without_judges_has_none(tmp_path: Path) -> None:
    assert judged_scores(tmp_path) == {}


def _begun(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
