"""A result comes with its controls, and the controls show what they are there to show."""

import dataclasses
from math import erf

import pytest
import torch
from planted_rows import normal_rows, readings

from tymbal.errors import ProbeError
from tymbal.probes import Classes, Controls, Logistic, MeanDifference, ProbeResult
from tymbal.probes.control_task import control_target
from tymbal.probes.judging import Judge, Judgement
from tymbal.probes.splits import grouped_split

QUICK = Judgement(draws=100, permutations=99, seed=0)
NAMES = ("no", "yes")
SITE = "resid_post.0"


def judged(found, reader=None, untrained=None):
    judge = Judge(reader or MeanDifference(), found, grouped_split(found.groups, 0.3, 0), QUICK)
    shared = {"bag of tokens": judge.bag_of_tokens(), "position": judge.position()}
    noise = torch.randn(found.activations[SITE].shape, generator=torch.Generator().manual_seed(9))
    return judge.result(SITE, noise if untrained is None else untrained, shared)[0]


def test_a_planted_direction_beats_every_control() -> None:
    x, ids = normal_rows(1600, gap=2.0)
    found = readings(x, Classes(ids, NAMES), groups=torch.arange(1600), types=torch.arange(1600) % 40)
    result = judged(found)
    controls = result.controls
    assert result.score.low < (1 + erf(1.0)) / 2 < result.score.high
    assert controls.untrained.low < 0.5 < controls.untrained.high
    assert (controls.bag_of_tokens.value, controls.position.value) == (0.5, 0.5)
    assert controls.control_task.low < 0.55
    assert controls.selectivity.low > 0.2
    assert controls.p_value == 0.01
    assert controls.description.saved.low > 0.2
    assert result.sample.train_groups + result.sample.held_out_groups == 1600


def test_a_reader_that_remembers_tokens_has_no_selectivity() -> None:
    # Rows are one-hot tokens, labels belong to tokens: right everywhere, and so are the control task's labels.
    generator = torch.Generator().manual_seed(0)
    types = torch.randint(0, 16, (1200,), generator=generator)
    label = torch.arange(16) % 2
    x = torch.nn.functional.one_hot(types, 16).float() + 0.01 * torch.randn(1200, 16, generator=generator)
    found = readings(x, Classes(label[types], NAMES), groups=torch.arange(1200), types=types)
    result = judged(found, Logistic())
    assert result.score.value > 0.99
    assert result.controls.control_task.value > 0.99
    assert abs(result.controls.selectivity.value) < 0.02


def test_selectivity_is_paired_with_the_score() -> None:
    x, ids = normal_rows(600, gap=1.0)
    found = readings(x, Classes(ids, NAMES), groups=torch.arange(600), types=torch.arange(600) % 30)
    controls = judged(found).controls
    assert controls.selectivity.low <= controls.selectivity.value <= controls.selectivity.high


def test_where_there_is_nothing_the_score_is_chance() -> None:
    x, ids = normal_rows(800, gap=0.0)
    result = judged(readings(x, Classes(ids, NAMES), groups=torch.arange(800), types=torch.arange(800)), Logistic())
    assert result.score.low < 0.5 < result.score.high
    assert result.controls.p_value > 0.01


def test_transfer_tells_data_sets_that_share_a_direction_from_those_that_do_not() -> None:
    x, ids = normal_rows(1800, gap=3.0)
    datasets = torch.arange(1800) // 2 % 3
    x[datasets == 1, 2] *= -1  # the second says the same with the opposite sign
    x[datasets == 2] = x[datasets == 2][:, torch.tensor([2, 1, 0, *range(3, 16)])]  # the third along another unit
    found = readings(x, Classes(ids, NAMES), groups=torch.arange(1800), types=torch.arange(1800), datasets=datasets)
    matrix = [[number.value for number in row] for row in judged(found).controls.transfer.scores]
    assert min(matrix[0][0], matrix[1][1], matrix[2][2]) > 0.95
    assert max(matrix[0][1], matrix[1][0]) < 0.05
    assert 0.3 < matrix[0][2] < 0.7


def test_a_result_cannot_be_made_without_any_of_its_controls() -> None:
    for kind in (Controls, ProbeResult):
        for field in dataclasses.fields(kind):
            assert field.default is dataclasses.MISSING, field.name
            assert field.default_factory is dataclasses.MISSING, field.name
    with pytest.raises(TypeError, match="controls"):
        ProbeResult(site=SITE, reader="ridge", pooling="last", score=None, validated=0.0, sample=None)


def test_one_class_on_a_side_is_refused_by_name() -> None:
    x, ids = normal_rows(40, gap=1.0)
    alone = Classes(torch.zeros_like(ids), NAMES)
    with pytest.raises(ProbeError, match=r"each of them among the training rows; got none of yes"):
        judged(readings(x, alone, groups=torch.arange(40), types=torch.arange(40)))


def test_the_control_task_gives_every_token_one_label() -> None:
    types = torch.randint(0, 30, (500,), generator=torch.Generator().manual_seed(0))
    drawn = control_target(Classes(torch.arange(500) % 3, ("a", "b", "c")), types, seed=0)
    for kind in types.unique():
        assert len(drawn.ids[types == kind].unique()) == 1
    again = control_target(Classes(torch.arange(500) % 3, ("a", "b", "c")), types, seed=1)
    assert not torch.equal(drawn.ids, again.ids)
