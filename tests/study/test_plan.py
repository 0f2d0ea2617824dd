"""What follows from a model where the user leaves it open."""

import dataclasses

import pytest

from tymbal.errors import ModelError
from tymbal.models import open_model
from tymbal.study import StudyConfig, budget
from tymbal.study.plan import completed


@dataclasses.dataclass
class Sizes:
    """As much of a model as the defaults depend on."""

    width: int
    layers: int
    context: int

    name = "sizes"
    device = type("Device", (), {"type": "cpu"})

    def site(self, name: str) -> str:
        return name


@pytest.mark.parametrize(
    ("width", "features", "k"), [(64, 512, 16), (128, 1024, 16), (192, 2048, 16), (384, 4096, 32), (768, 8192, 32)]
)
def test_features_are_the_power_of_two_nearest_ten_times_the_width(width, features, k):
    config = completed(StudyConfig(), Sizes(width, 6, 256))
    assert (config.features, config.k) == (features, k)


@pytest.mark.parametrize(("layers", "site"), [(5, "resid_post.2"), (6, "resid_post.3"), (12, "resid_post.6")])
def test_the_middle_of_the_model_is_read(layers, site):
    assert completed(StudyConfig(), Sizes(64, layers, 256)).site == site


@pytest.mark.parametrize(("context", "length"), [(256, 256), (2048, 2048), (131072, 2048)])
def test_passages_fill_the_context_up_to_about_two_thousand_tokens(context, length):
    assert completed(StudyConfig(), Sizes(64, 6, context)).passage_tokens == length


def test_what_was_said_stays_as_it_was_said():
    asked = StudyConfig(site="mlp_out.0", features=100, k=7, passage_tokens=33, autocast=False)
    assert completed(asked, Sizes(64, 6, 256)) == asked


def test_site_gets_the_name_that_the_model_uses(tiny_llama_folder):
    model = open_model(tiny_llama_folder)
    assert completed(StudyConfig(site="model.layers.1"), model).site == "resid_post.1"


def test_passages_beyond_the_context_are_refused_by_name_of_the_option():
    with pytest.raises(ModelError, match=r"256 tokens.*got 300.*--passage-tokens"):
        completed(StudyConfig(passage_tokens=300), Sizes(64, 6, 256))


def test_k_above_the_default_number_of_features_is_refused():
    with pytest.raises(ModelError, match="--k"):
        completed(StudyConfig(k=600), Sizes(64, 6, 256))


@pytest.mark.parametrize("wrong", [{"k": 0}, {"features": 1}, {"tokens": -5}, {"epochs": 0.0}, {"features": 4, "k": 5}])
def test_sizes_that_cannot_be_meant_are_value_errors(wrong):
    with pytest.raises(ValueError, match="must be"):
        StudyConfig(**wrong)


def test_activations_are_stored_below_eight_gigabytes():
    assert budget.is_stored(5_000_000, 768)
    assert not budget.is_stored(5_000_000, 1024)


@pytest.mark.parametrize("rows", [1, 15, 100, 5_000, 65_535, 65_536, 4_000_000])
def test_training_always_has_a_full_batch_and_at_least_sixteen_steps_where_there_are_rows(rows):
    config = completed(StudyConfig(), Sizes(64, 6, 256))
    training = budget.training_config(config, rows)
    assert 1 <= training.batch <= min(rows, 4096)
    assert training.steps(rows) >= min(16, rows)


def test_default_training_does_not_grow_beyond_one_pass_on_large_corpora():
    config = completed(StudyConfig(), Sizes(64, 6, 256))
    assert budget.training_config(config, 10**9).epochs == 1
