"""A chat model on this machine, opened like any other model, that can only answer what can be read.

The prompt goes through the model's own chat template. The answer is put together part by part: what the form fixes is
fed to the model and not left to it, of a choice the likeliest option is taken, and free text ends at a quotation mark,
a line's end or its most tokens. So even a model that knows no JSON answers in form; what it leaves empty is a failure.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.errors import ModelError
from tymbal.explain.chat.client import Client, Completion, Question, Unanswered
from tymbal.explain.chat.forms import Choice, Free
from tymbal.models import LanguageModel
from tymbal.models.cache import cache_name


@final
class LocalModel(Client):
    """A causal model with a chat template."""

    concurrency = 1

    def __init__(self, model: LanguageModel) -> None:
        if not model.causal or not model.tokenizer.chat_template:
            what = "a model without a chat template" if model.causal else "an encoder"
            raise ModelError(
                expected=f"a chat model in {model.name}", got=what, do="name one that was tuned for conversation"
            )
        self.model = model.name
        self._model = model
        self._ends = set(model.tokenizer.all_special_ids)

    def request(self, question: Question, attempt: int) -> dict[str, Any]:
        """The model, what it reads, and the form."""
        return {
            **self.identity(),
            "prompt": self._prompt(question),
            "schema": question.form.schema(),
            "attempt": attempt,
        }

    @torch.no_grad()
    def complete(self, question: Question, attempt: int) -> Completion:  # noqa: ARG002
        """Answer part by part; raises `Unanswered` for a prompt beyond the model's context."""
        prompt = self._ids(self._prompt(question))
        if len(prompt) + question.form.most_tokens > self._model.context:
            raise Unanswered(f"a prompt of {len(prompt)} tokens, too long for the context of {self._model.context}")
        answer = _Answer(self._model, self._ends)
        answer.feed(prompt)
        for part in question.form.parts():
            if isinstance(part, Choice):
                answer.choose({option: self._ids(option) for option in part.options})
            elif isinstance(part, Free):
                answer.write(part.most_tokens)
            else:
                answer.say(part, self._ids(part))
        return Completion(
            text="".join(answer.texts),
            alternatives=answer.alternatives or None,
            tokens_in=len(prompt),
            tokens_out=answer.length - len(prompt),
        )

    @torch.no_grad()
    def log_probability(self, context: str, text: str) -> float | None:
        """Of a text after a context, in nats; raises `Unanswered` beyond the model's context."""
        first: Any = self._model.tokenizer.bos_token_id
        begin, rest = self._ids(context), self._ids(text)
        ids = [*([] if first is None else [first]), *begin, *rest]
        if len(ids) > self._model.context:
            raise Unanswered(f"a text of {len(ids)} tokens, beyond the context of {self._model.context}")
        if not rest or len(ids) == len(rest):
            raise Unanswered("no text, or none before it")
        logits = self._model.logits(torch.tensor([ids]))[0, -len(rest) - 1 : -1].double()
        chosen = torch.tensor(rest, device=logits.device).unsqueeze(1)
        return float(logits.log_softmax(-1).gather(1, chosen).sum())

    def identity(self) -> dict[str, Any]:
        """The model, with its checksums."""
        told = json.dumps(self._model.identity, sort_keys=True, default=str)
        return {"client": "local", "model": self.model, "sha256": hashlib.sha256(told.encode()).hexdigest()}

    def alive(self) -> bool:
        """Always."""
        return True

    def stop(self) -> None:
        """Nothing waits."""

    def _prompt(self, question: Question) -> str:
        # Some templates know no system role, so that the instructions go before the prompt.
        said = [{"role": "user", "content": f"{question.instructions}\n\n{question.prompt}"}]
        prompt: Any = self._model.tokenizer.apply_chat_template(said, add_generation_prompt=True, tokenize=False)
        return prompt

    def _ids(self, text: str) -> list[int]:
        encoded: Any = self._model.tokenizer(text, add_special_tokens=False, verbose=False)
        return encoded["input_ids"]


class _Answer:
    """An answer that is being put together, with the model's cache."""

    def __init__(self, model: LanguageModel, ends: set[int]) -> None:
        self.texts: list[str] = []
        self.alternatives: list[dict[str, float]] = []
        self.length = 0
        self._model, self._ends = model, ends
        self._cache: Any = None
        self._next: Float[Tensor, " vocabulary"] | None = None

    def feed(self, ids: Sequence[int]) -> None:
        """Let the model read tokens."""
        if not ids:
            return
        name = cache_name(self._model.torch_model)
        given = torch.tensor([list(ids)], device=self._model.device)
        step: Any = self._model.torch_model(input_ids=given, **{name: self._cache}, use_cache=True, logits_to_keep=1)
        self._cache, self._next = step[name], step.logits[0, -1].float()
        self.length += len(ids)

    def say(self, text: str, ids: Sequence[int]) -> None:
        """Put down a text that stands fixed."""
        self.texts.append(text)
        self.feed(ids)

    def choose(self, options: dict[str, list[int]]) -> None:
        """Put down the likeliest option, token by token; note what single digits would have had."""
        left, at = options, 0
        while len(left) > 1:
            branches = {ids[at] for ids in left.values() if len(ids) > at}
            if len(branches) > 1:
                chances = self._log_chances()
                if all(len(option) == 1 for option in left) and len(branches) == len(left):
                    self.alternatives.append({option: float(chances[ids[at]]) for option, ids in left.items()})
                taken = max(sorted(branches), key=lambda token: float(chances[token]))
            elif branches:
                taken = branches.pop()
            else:
                break
            left = {option: ids for option, ids in left.items() if len(ids) > at and ids[at] == taken}
            self.feed([taken])
            at += 1
        option, ids = next(iter(left.items()))
        self.texts.append(option)
        self.feed(ids[at:])

    def write(self, most_tokens: int) -> None:
        """Put down free text, the likeliest token each time."""
        written: list[int] = []
        while len(written) < most_tokens:
            token = int(self._log_chances().argmax())
            spelled = self._model.token_text([token])[0]
            if token in self._ends or '"' in spelled or "\n" in spelled:
                break
            written.append(token)
            self.feed([token])
        text = "".join(self._model.running_text(written))
        self.texts.append(json.dumps(text.encode("utf-8", "replace").decode("utf-8"), ensure_ascii=False)[1:-1])

    def _log_chances(self) -> Float[Tensor, " vocabulary"]:
        assert self._next is not None
        chances = self._next.log_softmax(-1).cpu()
        if not math.isfinite(float(chances.amax())):
            raise Unanswered("infinity or NaN among the logits")
        return chances
