"""Each scorer against judges of known worth, over HTTP."""

import json
import re
from typing import Any

import numpy as np
import pytest
import scripted
import torch
from judged_panel import SILENT, WORDS, client_of
from speaking_server import Misdeed, Server, completion

from tymbal.explain.chat import Client
from tymbal.explain.judged import (
    JUDGES,
    Detection,
    Embedding,
    Encoder,
    Fuzzing,
    Intruder,
    Panel,
    Rubric,
    ScoreConfig,
    Simulation,
    Surprisal,
)
from tymbal.explain.judged.measures import CONTRASTS

CONFIG = ScoreConfig(draws=50)
RIGHT = {number: f"the word “{word}”" for number, word in enumerate(WORDS)}
WRONG = {number: f"the word “{WORDS[number - 1]}”" for number in range(len(WORDS))}
"""each feature with another's explanation"""


def verdicts(scorer, panel: Panel, words: dict[int, str]):
    cases = panel.cases(panel.systems[0], words, scorer.config)
    return list(scorer.score([case for case in cases if case.feature in words]))


@pytest.mark.parametrize("kind", [Detection, Fuzzing])
def test_a_perfect_judge_gives_1_and_wrong_words_give_no_more_than_chance(kind, server: Server, panel: Panel):
    server.speaker = scripted.perfect
    for verdict in verdicts(kind(client_of(server.url), CONFIG), panel, RIGHT):
        # A word that fires wherever it stands leaves no hard negatives to detection.
        known = CONTRASTS[:2] if kind is Detection else CONTRASTS
        assert [verdict.values[name].value for name in known] == [1.0] * len(known)
        assert verdict.failures == 0
        assert verdict.asked >= 5
    for verdict in verdicts(kind(client_of(server.url), CONFIG), panel, WRONG):
        assert verdict.values["auroc"].value < 0.75


@pytest.mark.parametrize("kind", [Detection, Fuzzing])
@pytest.mark.parametrize("digit", [0, 9])
def test_a_judge_that_always_says_the_same_gives_one_half(kind, digit: int, server: Server, panel: Panel):
    server.speaker = scripted.constant(digit)
    for verdict in verdicts(kind(client_of(server.url), CONFIG), panel, RIGHT):
        assert verdict.values["balanced_accuracy"].value == pytest.approx(0.5)
        assert verdict.values["auroc"].value == pytest.approx(0.5)


@pytest.mark.parametrize("kind", [Detection, Fuzzing])
def test_a_coin_gives_about_one_half_and_an_interval_that_holds_it(kind, server: Server, panel: Panel):
    server.speaker = scripted.coin
    found = [verdict.values["auroc"] for verdict in verdicts(kind(client_of(server.url), CONFIG), panel, RIGHT)]
    assert np.mean([number.value for number in found]) == pytest.approx(0.5, abs=0.15)
    assert sum(number.low <= 0.5 <= number.high for number in found) >= len(found) - 1


@pytest.mark.parametrize("kind", [Detection, Fuzzing])
def test_a_judge_that_says_the_opposite_gives_0(kind, server: Server, panel: Panel):
    server.speaker = scripted.mirrored
    for verdict in verdicts(kind(client_of(server.url), CONFIG), panel, RIGHT):
        assert verdict.values["balanced_accuracy"].value == 0.0
        assert verdict.values["auroc"].value == 0.0


def test_hard_negatives_of_detection_are_texts_with_the_same_words_where_the_feature_is_silent(panel: Panel):
    from tymbal.explain.judged.detection import items

    (case,) = [case for case in panel.cases(panel.systems[0], {}, CONFIG) if case.feature == len(WORDS) + 1]
    shown = items(case, CONFIG)
    hard = [item for item in shown if item.hard]
    assert len(hard) == CONFIG.hard
    assert all(sum(item.window.activations) == 0 for item in hard)
    assert all(item.window.tokens[item.window.centre] in case.fires_on for item in hard)
    assert all(sum(item.window.activations) > 0 for item in shown if item.active)


def test_simulation_by_a_judge_that_knows_correlates_and_one_that_says_the_same_does_not(server: Server, panel: Panel):
    server.speaker = scripted.perfect
    for verdict in verdicts(Simulation(client_of(server.url), CONFIG), panel, RIGHT):
        # Activations vary from one hit to the next, which no rule about words can foresee.
        assert verdict.values["correlation"].value > 0.8
        assert verdict.values["r2"].value < verdict.values["correlation"].value
    server.speaker = scripted.constant(9)
    for verdict in verdicts(Simulation(client_of(server.url), CONFIG), panel, RIGHT):
        assert verdict.values["correlation"].value == 0.0
        assert verdict.values["r2"].value < 0


def test_simulation_of_equal_activations_is_perfect_in_r2_too(server: Server, panel: Panel):
    server.speaker = scripted.perfect
    scorer = Simulation(client_of(server.url), CONFIG)
    case = panel.cases(panel.systems[0], RIGHT, CONFIG)[0]
    activity = case.windows.activity
    values = np.where(activity.values > 0, np.float32(2.0), np.float32(0.0))
    level = type(activity)(tokens=activity.tokens, starts=activity.starts, rows=activity.rows, values=values)
    windows = type(case.windows)(text=case.windows.text, activity=level)
    (verdict,) = scorer.score([case._replace(windows=windows, highest=2.0)])
    assert verdict.values["correlation"].value == pytest.approx(1.0)
    assert verdict.values["r2"].value == pytest.approx(1.0)


def test_simulation_is_not_had_from_a_judge_without_log_probabilities_and_asks_once(server: Server, panel: Panel):
    def plain(body):
        return b'{"choices": [{"message": {"content": "{\\"answers\\": %s}"}}]}' % (
            str([0] * len(scripted.texts(body["messages"][1]["content"]))).encode()
        )

    server.speaker = plain
    found = verdicts(Simulation(client_of(server.url), CONFIG), panel, RIGHT)
    assert len(server.bodies) == 1
    assert all(verdict.values == {"correlation": None, "r2": None} for verdict in found)
    assert all("log-probabilities" in verdict.reason for verdict in found)


def test_the_intruder_is_found_by_a_judge_that_sees_and_by_one_in_five_otherwise(server: Server, panel: Panel):
    server.speaker = scripted.perfect
    for verdict in verdicts(Intruder(client_of(server.url), CONFIG), panel, RIGHT):
        assert verdict.values["accuracy"].value == 1.0
        assert verdict.asked == 6
    server.speaker = scripted.coin
    found = verdicts(Intruder(client_of(server.url), ScoreConfig(silent=60, draws=50)), panel, RIGHT)
    assert np.mean([verdict.values["accuracy"].value for verdict in found]) == pytest.approx(0.2, abs=0.1)


def test_the_rubric_is_3_in_every_interval_where_all_fits_and_0_where_nothing_does(server: Server, panel: Panel):
    server.speaker = scripted.perfect
    for verdict in verdicts(Rubric(client_of(server.url), CONFIG), panel, RIGHT):
        values = {name: number.value for name, number in verdict.values.items()}
        assert values.pop("silent") == 0.0
        assert set(values.values()) == {3.0}
    for verdict in verdicts(Rubric(client_of(server.url), CONFIG), panel, WRONG):
        assert verdict.values["rubric"].value == 0.0


@pytest.mark.parametrize("name", [name for name in JUDGES if name != "surprisal"])
def test_what_a_judge_does_not_answer_is_counted_and_scored_as_chance(name: str, server: Server, panel: Panel):
    server.every = lambda body: Misdeed(content=completion("I would rather not."))
    for verdict in verdicts(JUDGES[name](client_of(server.url), CONFIG), panel, {0: RIGHT[0]}):
        assert verdict.failures == 2 * verdict.asked > 0
        assert verdict.reason == "no JSON object"
        main, chance = next(iter(JUDGES[name].measures.items()))
        assert verdict.values[main].value == pytest.approx(1.5 if chance is None else chance)


def test_one_failure_among_many_answers_leaves_the_rest_and_is_counted(server: Server, panel: Panel):
    server.speaker = scripted.perfect
    server.misdeeds = [Misdeed(status=400, content=b"refused")]
    (verdict,) = verdicts(Detection(client_of(server.url, concurrency=1), CONFIG), panel, {0: RIGHT[0]})
    assert verdict.failures == 1
    assert "400 refused" in verdict.reason
    assert 0.8 < verdict.values["balanced_accuracy"].value < 1.0


def test_no_passage_that_explains_is_ever_shown_to_a_judge(server: Server, panel: Panel):
    server.speaker = scripted.perfect
    explain = panel.systems[0].evidence.text
    score = panel.text
    assert not set(explain.passage_ids.tolist()) & set(score.passage_ids.tolist())
    for kind in (Detection, Fuzzing, Rubric, Intruder):
        verdicts(kind(client_of(server.url), CONFIG), panel, RIGHT)
    lines = {
        "".join(score.vocabulary[n] for n in score.token[score.passage == p]) for p in range(len(score.passage_ids))
    }
    shown = [text for body in server.bodies for text in scripted.texts(body["messages"][1]["content"])]
    assert len(shown) > 100
    for text in shown:
        bare = text.replace("<<", "").replace(">>", "")
        assert any(bare in line for line in lines)


def test_the_order_of_texts_tells_nothing(panel: Panel, server: Server):
    def falling(body) -> str:
        return json.dumps({"answers": list(range(len(scripted.texts(body["messages"][1]["content"])), 0, -1))})

    server.speaker = falling
    found = verdicts(Detection(client_of(server.url), CONFIG), panel, RIGHT)
    assert np.mean([verdict.values["auroc"].value for verdict in found]) == pytest.approx(0.5, abs=0.12)


class Knowing(Client):
    """Finds a text likelier by one nat when the word that it was told of is in it."""

    model, concurrency = "knowing", 1

    def request(self, *asked: Any) -> dict[str, Any]:
        raise AssertionError(f"it is to be asked nothing, and not {asked}")

    complete = request

    def log_probability(self, context: str, text: str) -> float | None:
        told = scripted.WORD.search(context)
        return -float(len(text)) + (told is not None and told[1] in text)

    def identity(self) -> dict[str, Any]:
        return {}

    def alive(self) -> bool:
        return True

    def stop(self) -> None:
        pass


def test_surprisal_tells_by_what_the_explanation_makes_likelier(panel: Panel, server: Server):
    for verdict in verdicts(Surprisal(Knowing(), CONFIG), panel, RIGHT):
        assert verdict.values["auroc"].value == 1.0
    for verdict in verdicts(Surprisal(Knowing(), CONFIG), panel, WRONG):
        assert verdict.values["auroc"].value < 0.8
    for verdict in verdicts(Surprisal(client_of(server.url), CONFIG), panel, RIGHT):
        assert verdict.values["auroc"] is None
        assert verdict.reason == "the judge does not tell how likely a given text is"
    assert server.bodies == []


def test_embedding_tells_by_nearness_to_the_explanation(panel: Panel):
    def place(texts):
        """Each text by which of the words are in it."""
        words = [[float(word in re.findall(r"\w+", text)) for word in WORDS] for text in texts]
        return torch.nn.functional.normalize(torch.tensor(words), dim=1)

    for verdict in verdicts(Embedding(Encoder(place, {}), CONFIG), panel, RIGHT):
        assert verdict.values["auroc"].value == 1.0
    for verdict in verdicts(Embedding(Encoder(place, {}), CONFIG), panel, WRONG):
        assert verdict.values["auroc"].value < 0.8
    for verdict in verdicts(Embedding(Encoder(lambda texts: torch.ones(len(texts), 1), {}), CONFIG), panel, RIGHT):
        assert verdict.values["auroc"].value == 0.5


def test_a_feature_that_is_never_active_has_no_windows(panel: Panel):
    (case,) = [case for case in panel.cases(panel.systems[0], {}, CONFIG) if case.feature == SILENT]
    assert case.windows.sampled(SILENT, 12) == case.windows.strongest(SILENT, 12) == []
    assert len(case.windows.silent(SILENT, 12)) == 12
