"""Edits hold inside Inspect: an evaluation that runs the Hugging Face model sees the edited one."""

from pathlib import Path

import pytest
import torch

from tymbal.edits import Steer
from tymbal.models import LanguageModel, open_model

inspect_ai = pytest.importorskip("inspect_ai", reason="needs inspect_ai: pip install inspect_ai accelerate")

PROMPT = "Once upon a time"
TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}"


@pytest.mark.filterwarnings("default")  # what Inspect's own imports warn of is not ours
def test_an_evaluation_sees_the_edited_model(tiny_llama_folder: Path, tmp_path):
    from inspect_ai import Task
    from inspect_ai import eval as evaluate
    from inspect_ai.dataset import Sample
    from inspect_ai.model import GenerateConfig, get_model
    from inspect_ai.scorer import includes
    from inspect_ai.solver import generate

    opened = open_model(tiny_llama_folder)
    config = GenerateConfig(max_tokens=8, do_sample=False)
    judged = get_model(
        "hf/tiny", model_path=str(tiny_llama_folder), device="cpu", chat_template=TEMPLATE, config=config
    )
    judged.api.model = opened.torch_model  # Inspect runs the very module that the edits are attached to
    task = Task(dataset=[Sample(input=PROMPT, target="x")], solver=generate(), scorer=includes())
    steer = Steer(30 * torch.randn(32, generator=torch.Generator().manual_seed(0)), site="resid_post.1")

    def said() -> str:
        log = evaluate(task, model=judged, log_dir=str(tmp_path), display="none")[0]
        assert log.status == "success", log.error
        return log.samples[0].output.completion

    plain = said()
    with opened.edited(steer):
        steered = said()
        expected = _continued(opened)
    assert steered == expected
    assert steered != plain == said() == _continued(opened)


def _continued(model: LanguageModel) -> str:
    return model.generate(PROMPT, max_new_tokens=8).removeprefix(PROMPT)
