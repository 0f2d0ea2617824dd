"""CPU time of generating text under three edits, beside plain generation, and beside steering-vectors.

Greedy generation of 24 tokens with the bundled world model, one row and a padded batch of 8; the edits add a vector at
three sites, or are of three kinds. The calls take turns in one process. steering-vectors, where it is installed in
.venv-peers-old, adds the same three vectors to the same model under transformers' own `generate`, in a process of its
own; its ratio is that to the same `generate` without vectors.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import torch
from report import Line, arguments, cpu_seconds, note, one_thread, ratio_of_least, show

from tymbal.corpora.world import MODEL
from tymbal.edits import Ablate, Erase, EraserFitter, Steer
from tymbal.models import LanguageModel, PlacedEdit, open_model

ROUNDS, TOKENS = 15, 24
PEER_PYTHON = Path(__file__).parent.parent / ".venv-peers-old" / "bin" / "python"
PEER = """
import sys, time, torch
from importlib.metadata import version
from steering_vectors import SteeringVector
from transformers import AutoModelForCausalLM, AutoTokenizer
torch.set_num_threads(1)
folder, rounds, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
model = AutoModelForCausalLM.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
given = tokenizer(sys.argv[4:], return_tensors="pt", padding=True, return_token_type_ids=False)
vectors = 0.1 * torch.randn(3, model.config.hidden_size, generator=torch.Generator().manual_seed(0))
steering = SteeringVector({layer + 1: vector for layer, vector in enumerate(vectors)})
def generate():
    model.generate(**given, max_new_tokens=count, min_new_tokens=count, do_sample=False)
def steered():
    with steering.apply(model):
        generate()
least = {generate: float("inf"), steered: float("inf")}
for number in range(rounds + 1):
    for call in (list(least) if number % 2 else list(least)[::-1]):
        start = time.process_time()
        call()
        if number:
            least[call] = min(least[call], time.process_time() - start)
print(version("steering-vectors"), least[generate], least[steered])
"""
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


def peer(prompts: list[str], what: str) -> Iterator[Line]:
    """The line of steering-vectors, if it is installed and runs."""
    if not PEER_PYTHON.exists():
        return note("left out: steering-vectors, which is not installed in .venv-peers-old")
    command = [str(PEER_PYTHON), "-c", PEER, str(MODEL), str(ROUNDS), str(TOKENS), *prompts]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return note(f"left out: steering-vectors, which failed: {done.stderr.strip().splitlines()[-1]}")
    version, plain, steered = done.stdout.split()
    unit = "x plain generation"
    value = float(steered) / float(plain)
    yield Line(name=f"three vectors, {what}", system=f"steering-vectors {version}", value=value, unit=unit)


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__)
    one_thread()
    model = open_model(MODEL)
    for prompts, what in ((PROMPTS[:1], "one row"), (PROMPTS, "8 rows, padded")):
        show(list(measure(model, prompts, what)), as_json=options.json)
        show(list(peer(prompts, what)), as_json=options.json)


if __name__ == "__main__":
    main()
