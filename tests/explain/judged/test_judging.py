"""From features to scores: explained by one language model and judged by another, killed, resumed, estimated."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
import scripted
from judged_panel import SILENT, WORDS, client_of, judged, scorers_of
from speaking_server import Misdeed, Server, completion

from tymbal.errors import ArtifactError, EndpointError, TymbalError
from tymbal.explain import ChatExplainer, Explanations, TokenExplainer
from tymbal.explain.chat import Tally
from tymbal.explain.judged import Panel, judge_features, require_other_judge


def checksums(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def finished(panel: Panel, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Explanations, int, str]:
    """A folder made without mishap, how many requests that took, and the address that answered them."""
    folder = tmp_path_factory.mktemp("finished")
    with Server(scripted.perfect).running() as server:
        return folder, judged(panel, folder, client_of(server.url, folder / "answers")), len(server.bodies), server.url


def test_a_language_model_that_sees_explains_each_feature_and_a_perfect_judge_says_so(finished):
    _, made, *_ = finished
    said = made.by_feature()
    assert [said[number]["text"] for number in range(len(WORDS))] == [f"the word “{word}”" for word in WORDS]
    assert [said[number]["label"] for number in range(len(WORDS))] == list(WORDS)
    assert said[SILENT]["text"] == "unclear"
    for scorer, measure in (("detection", "auroc"), ("fuzzing", "auroc"), ("intruder", "accuracy")):
        rows = made.by_feature(scorer)
        assert [rows[number][measure] for number in range(len(WORDS))] == [1.0] * len(WORDS)
        assert rows[SILENT][measure] is None
        assert rows[SILENT]["reason"] == "silent in the score passages"


def test_beside_each_score_stand_shuffled_words_and_random_directions(finished):
    _, made, *_ = finished
    for scorer, measure in (("detection", "auroc"), ("fuzzing", "auroc"), ("simulation", "correlation")):
        medians = made.summary["scorers"][scorer]["medians"][measure]
        assert medians["features"]["value"] > 0.8
        assert medians["shuffled"]["value"] < 0.7
        assert medians["random"]["value"] < 0.8
        assert (medians["features"]["count"], medians["random"]["count"]) == (len(WORDS) + 1, 3)
    assert "shuffled" not in made.summary["scorers"]["intruder"]["medians"]["accuracy"]
    assert made.summary["scorers"]["detection"]["chance"]["auroc"] == 0.5
    assert made.summary["scorers"]["detection"]["measures"][0] == "balanced_accuracy"


def test_the_estimate_counts_the_questions_that_are_then_asked(finished, panel: Panel, tmp_path: Path, server: Server):
    folder, made, requests, url = finished
    fresh, kept = (Tally(client_of(url, place)) for place in (tmp_path / "answers", folder / "answers"))
    for tally in (fresh, kept):
        assert judge_features(panel, None, {}, ChatExplainer(tally), scorers_of(tally)) is None
    assert server.bodies == []
    # Simulation asks its first question by itself, and then again from the cache.
    assert requests <= fresh.calls + fresh.cached <= requests + 20
    assert fresh.tokens_in > 1000
    # What is said is known only after it was asked, so that of the rest only the intruders' questions can be known.
    explained = sum(len(rows) for rows in (made.rows(), made.rows("random/explanations"))) - 1
    assert kept.cached >= explained
    assert kept.calls + kept.cached == fresh.calls + fresh.cached


def test_finished_work_is_opened_and_nothing_asked(finished, panel: Panel, server: Server):
    folder, made, *_ = finished
    again = judged(panel, folder, client_of(server.url, folder / "answers"))
    assert again.summary == made.summary
    assert server.bodies == []


def test_a_folder_of_something_else_is_refused(finished, panel: Panel, server: Server):
    folder, *_ = finished
    client = client_of(server.url)
    with pytest.raises(ArtifactError, match="choose another folder"):
        judge_features(panel, folder / "out", {"planted": False}, ChatExplainer(client), scorers_of(client))


def test_a_server_that_fails_now_and_then_changes_nothing(finished, panel: Panel, tmp_path: Path, server: Server):
    folder, _, requests, _ = finished
    mishaps = [
        Misdeed(status=500),
        Misdeed(status=429, headers={"retry-after": "0"}),
        Misdeed(hang_up=True),
        Misdeed(content=b"{"),
    ]
    server.speaker = scripted.perfect
    server.every = lambda body: mishaps[len(server.bodies) % 4] if len(server.bodies) % 5 == 0 else None
    judged(panel, tmp_path, client_of(server.url, tmp_path / "answers", tries=20))
    assert len(server.bodies) > requests
    assert checksums(tmp_path / "out") == checksums(folder / "out")


def test_what_was_answered_before_a_breakdown_is_not_asked_again(finished, panel: Panel, tmp_path: Path, server):
    folder, _, requests, _ = finished
    server.speaker = scripted.perfect
    server.every = lambda body: Misdeed(status=500) if len(server.bodies) > requests // 2 else None
    with pytest.raises(EndpointError, match="give the same command again"):
        judged(panel, tmp_path, client_of(server.url, tmp_path / "answers", tries=2, concurrency=1))
    server.every = lambda body: None
    done = requests // 2
    before = len(server.bodies)
    judged(panel, tmp_path, client_of(server.url, tmp_path / "answers"))
    assert len(server.bodies) - before == requests - done
    assert checksums(tmp_path / "out") == checksums(folder / "out")


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from judged_panel import client_of, judged, made_panel
folder = Path(sys.argv[2])
judged(made_panel(folder / "panel"), folder, client_of(sys.argv[1], folder / "answers"))
"""


@pytest.mark.slow
def test_a_killed_process_ends_as_one_that_was_never_killed(finished, panel: Panel, tmp_path: Path, server: Server):
    folder, _, requests, _ = finished
    server.speaker, server.delay = scripted.perfect, 0.1
    here = str(Path(__file__).parent.parent)
    process = subprocess.Popen([sys.executable, "-c", KILLED, server.url, str(tmp_path), here])
    while server.answered < requests // 3:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    time.sleep(0.3)
    server.delay = 0.0
    judged(panel, tmp_path, client_of(server.url, tmp_path / "answers"))
    # At most the four that were under way are paid twice.
    assert requests <= len(server.bodies) <= requests + 4
    assert checksums(tmp_path / "out") == checksums(folder / "out")


def test_features_that_a_model_does_not_explain_are_unclear_counted_and_scored_as_chance(
    panel: Panel, tmp_path: Path, server: Server
):
    def speaks(body):
        return "?" if scripted.asked(body) == "explain" else scripted.perfect(body)

    server.speaker = speaks
    made = judged(panel, tmp_path, client_of(server.url))
    counts = made.summary["explanations"]["features"]
    assert (counts["unclear"], counts["unanswered"], counts["failures"]) == (8, 7, 14)
    assert made.summary["scorers"]["detection"]["medians"]["auroc"]["features"]["value"] == 0.5
    assert made.summary["scorers"]["detection"]["asked"] == 0


def test_explanations_that_ran_without_a_language_model_can_be_judged(panel: Panel, tmp_path: Path, server: Server):
    server.speaker = scripted.perfect
    made = judged(panel, tmp_path, client_of(server.url), TokenExplainer())
    assert made.by_feature()[0]["text"] == f"the token “{WORDS[0]}”"
    assert made.by_feature("detection")[0]["auroc"] == 1.0


def test_hostile_answers_reach_the_table_as_plain_text(panel: Panel, tmp_path: Path, server: Server):
    hostile = '{"category": "word", "label": "<script>\\u0000", "sentence": "a\\ud800\\u202eb\\nIgnore", "lay": "x"}'
    server.speaker = lambda body: completion(hostile if scripted.asked(body) == "explain" else '{"answers": []}')
    made = judged(panel, tmp_path, client_of(server.url))
    row = made.by_feature()[0]
    assert (row["label"], row["text"]) == ("<script>", "a? b Ignore")
    assert made.by_feature("detection")[0]["failures"] > 0


def test_the_explainer_shows_only_explain_passages_active_ones_and_lookalikes(panel: Panel, server: Server):
    client = client_of(server.url, concurrency=1)
    server.speaker = scripted.perfect
    list(ChatExplainer(client).explain([0, 7], panel.systems[0].evidence))
    text = panel.systems[0].evidence.text
    lines = {"".join(text.vocabulary[n] for n in text.token[text.passage == p]) for p in range(len(text.passage_ids))}
    prompts = [body["messages"][1]["content"] for body in server.bodies]
    for prompt in prompts:
        active, _, silent = prompt.partition("Silent all through:")
        for line in scripted.LINE.findall(prompt):
            bare = line.rsplit(" (", 1)[0].replace("<<", "").replace(">>", "").strip('"')
            assert any(bare in one for one in lines)
        assert "<<" in active
        assert "<<" not in silent
    assert "Silent all through:" in prompts[1]


def test_a_model_may_judge_its_own_words_only_if_that_is_said():
    require_other_judge("a", "b", same_judge=False)
    require_other_judge("a", "a", same_judge=True)
    with pytest.raises(TymbalError, match=r"expected a judge other than the explainer.*--same-judge"):
        require_other_judge("Model", "model", same_judge=False)
