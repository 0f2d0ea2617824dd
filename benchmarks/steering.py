"""CPU time of generating text under three edits, beside plain generation.

Greedy generation of 24 tokens with the bundled world model, one row and a padded batch of 8; the edits add a vector at
three sites, or are of three kinds. The calls take turns in one process.
"""

from collections.abc import Iterator

import torch
from report import Line, arguments, cpu_seconds, one_thread, ratio_of_least, show

from tymbal.corpora.world import MODEL
from tymbal.edits import Ablate, Erase, EraserFitter, Steer
from tymbal.models import LanguageModel, PlacedEdit, open_model

ROUNDS, TOKENS = 15, 24
PROMPTS = ["Dear", "In the year", "The town of", "My friend", "Who lives in", "Yesterday", "A letter from", "She was"]


def edits(model: LanguageModel) -> dict[str, list[PlacedEdit]]:
    """Three vectors, and three different edits."""
    generator = torch.Generator().manual_seed(0)
    sites = ("resid_post.1", "resid_post.2", "resid_post.3")
    vectors = 0.1 * torch.randn(3, model.width, generator=generator)
    x, labels = torch.randn(2000, model.width, generator=generator), torch.arange(2000) % 2
    eraser = EraserFitter(model.width, 2).update(x, labels).fit()
    steering: list[PlacedEdit] = [Steer(vector, site=site) for vector, site in zip(vectors, sites, strict=True)]
    mixed: list[PlacedEdit] = [
        steering[0],
        Ablate.directions(vectors[1:2], site=sites[1]),
        Erase(eraser, site=sites[2]),
    ]
    return {"three vectors": steering, "vector, ablated direction, erased concept": mixed}


def measure(model: LanguageModel, prompts: list[str], what: str) -> Iterator[Line]:
    """The lines of one batch."""
    # Nothing here may end early, or the ratio would be that of the lengths.
    model.torch_model.generation_config.eos_token_id = -1  # pyright: ignore[reportOptionalMemberAccess]

    def plain() -> object:
        return model.generate_all(prompts, max_new_tokens=TOKENS)

    def under(given: list[PlacedEdit]) -> object:
        with model.edited(*given):
            return model.generate_all(prompts, max_new_tokens=TOKENS)

    kinds = edits(model)
    calls = {"plain": plain} | {name: (lambda given=given: under(given)) for name, given in kinds.items()}
    seconds = cpu_seconds(calls, ROUNDS)
    for name in kinds:
        value = ratio_of_least(seconds, name, "plain")
        yield Line(name=f"{name}, {what}", system="tymbal", value=value, unit="x plain generation", goal=1.10)


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__)
    one_thread()
    model = open_model(MODEL)
    for prompts, what in ((PROMPTS[:1], "one row"), (PROMPTS, "8 rows, padded")):
        show(list(measure(model, prompts, what)), as_json=options.json)


if __name__ == "__main__":
    main()
