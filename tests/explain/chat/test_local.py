"""A chat model on this machine: a tiny random one, which knows nothing and still answers in form."""

import math
from pathlib import Path

import pytest
import torch

from tymbal import open_model
from tymbal.errors import ModelError
from tymbal.explain.chat import Cached, Digits, Fields, LocalModel, Question, Usage, ask
from tymbal.models import LanguageModel

TEMPLATE = (
    "{% for message in messages %}<s>{{ message['role'] }}: {{ message['content'] }}{% endfor %}"
    "{% if add_generation_prompt %} assistant: {% endif %}"
)
FIELDS = Fields(("label", "sentence"), {"category": ("word", "worry", "unclear")}, longest=40)


@pytest.fixture(scope="module")
def chat_model(tiny_llama_folder: Path) -> LanguageModel:
    """The tiny random Llama, with a template and room."""
    model = open_model(tiny_llama_folder)
    model.tokenizer.chat_template = TEMPLATE
    model.torch_model.config.max_position_embeddings = 2048
    return model


def question(form, prompt: str = "the cat was happy") -> Question:
    return Question(instructions="Answer.", prompt=prompt, form=form)


def test_a_model_without_a_template_is_refused_in_one_line(tiny_llama_folder: Path):
    with pytest.raises(ModelError, match=r"expected a chat model in .*; got a model without a chat template; name one"):
        LocalModel(open_model(tiny_llama_folder))


@pytest.mark.parametrize("count", [1, 5])
def test_digits_come_in_form_and_graded_from_a_model_that_knows_no_json(chat_model: LanguageModel, count: int):
    usage = Usage()
    (reply,) = ask(LocalModel(chat_model), [question(Digits(count, 3))], usage)
    assert len(reply.answer.values) == count
    assert reply.answer.graded
    assert all(0 < value < 3 for value in reply.answer.values)
    assert usage.tokens_in > 0
    assert usage.tokens_out > count


def test_the_first_digit_is_the_models_own_expectation(chat_model: LanguageModel):
    client = LocalModel(chat_model)
    asked = question(Digits(1, 9))
    (reply,) = ask(client, [asked])
    before = client._ids(client._prompt(asked)) + client._ids('{"answers": [')
    logits = chat_model.logits(torch.tensor([before]))[0, -1].double()
    digits = torch.tensor([client._ids(str(digit))[0] for digit in range(10)])
    expected = float(logits[digits].softmax(0) @ torch.arange(10.0).double())
    assert reply.answer.values[0] == pytest.approx(expected, abs=1e-4)


def test_texts_come_in_form_or_are_counted_as_failures(chat_model: LanguageModel):
    questions = [question(FIELDS, prompt) for prompt in ("red", "Once upon a time", "cat", "")]
    for reply in ask(LocalModel(chat_model), questions):
        if reply.answer is None:
            assert reply.failures == 2
            assert reply.reason.startswith("no text for")
        else:
            assert reply.answer["category"] in FIELDS.choices["category"]
            assert all(0 < len(reply.answer[name]) <= 40 for name in FIELDS.texts)


def test_a_model_that_ends_at_once_is_a_failure_and_no_text(chat_model: LanguageModel, monkeypatch: pytest.MonkeyPatch):
    client = LocalModel(chat_model)
    monkeypatch.setattr(client, "_ends", set(range(chat_model.vocabulary)))
    (reply,) = ask(client, [question(FIELDS)])
    assert (reply.answer, reply.failures, reply.reason) == (None, 2, "no text for 'label'")


def test_a_prompt_beyond_the_context_is_left_unanswered(chat_model: LanguageModel):
    (reply,) = ask(LocalModel(chat_model), [question(Digits(1), "cat " * 3000)])
    assert reply.unanswered
    assert "too long for the context of 2048" in reply.reason


def test_the_probability_of_a_text_is_the_chain_of_its_tokens(chat_model: LanguageModel):
    client = LocalModel(chat_model)
    whole = client.log_probability("The cat", " was happy")
    ids = [0, *client._ids("The cat")]
    steps = 0.0
    for token in client._ids(" was happy"):
        steps += math.log(float(chat_model.logits(torch.tensor([ids]))[0, -1].double().softmax(0)[token]))
        ids.append(token)
    assert whole == pytest.approx(steps, abs=1e-5)


def test_the_cache_knows_the_models_weights(chat_model: LanguageModel, tmp_path: Path):
    client = Cached(LocalModel(chat_model), tmp_path)
    first, second = Usage(), Usage()
    asked = list(ask(client, [question(Digits(2))], first))
    assert list(ask(client, [question(Digits(2))], second)) == asked
    assert (first.calls, second.calls, second.cached) == (1, 0, 1)
    assert "sha256" in client.request(question(Digits(2)), 0)
