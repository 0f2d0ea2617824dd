"""What training a dictionary adds to harvesting, on the bundled model and the bundled world.

Processor seconds of reading 200,000 tokens at the middle block and storing them, and of training on them with a study's
settings: once through, as streamed activations are, and as often as a study of 1.5 million tokens goes through them.
Both in one process, in bfloat16 where the processor has it, as a study does; each training is timed three times, in
turns with the harvest, and the least of each counts.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from report import Line, arguments, show

from tymbal.activations import StoredRows, harvest
from tymbal.corpora import CutConfig, cut
from tymbal.corpora.world import MODEL, bundled_documents
from tymbal.dictionaries import train
from tymbal.models import open_model
from tymbal.study.budget import harvest_config, training_config
from tymbal.study.plan import BUNDLED_TOKENS, StudyConfig, completed

TOKENS, ROUNDS = 200_000, 3
MOST_ADDED = 0.5
"""Goal: processor time of one pass of training over that of the harvest."""


def seconds(call: Callable[[], object]) -> float:
    """Processor seconds of a call, all threads added up."""
    started = time.process_time()
    call()
    return time.process_time() - started


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__)
    model = open_model(MODEL)
    config = completed(StudyConfig(), model)
    assert config.passage_tokens is not None
    assert config.site is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        length = CutConfig(length=config.passage_tokens, tokens=TOKENS)
        passages = cut(bundled_documents(), model.tokenizer, length, folder / "corpus")
        taken: dict[str, list[float]] = {"harvest": [], "train": []}
        passes = training_config(config, round(0.9 * BUNDLED_TOKENS)).epochs
        for number in range(ROUNDS):
            place = folder / str(number)
            taken["harvest"].append(
                seconds(lambda place=place: harvest(model, passages, harvest_config(config), place / "rows"))
            )
            rows = StoredRows(harvest(model, passages, harvest_config(config), place / "rows"), config.site, seed=0)
            once = replace(training_config(config, rows.rows_per_epoch), epochs=1.0)
            taken["train"].append(
                seconds(lambda rows=rows, once=once, place=place: train(rows, once, place / "dictionary"))
            )
    read, trained = (min(taken[name]) for name in ("harvest", "train"))
    scale = 1e6 / passages.tokens()
    show(
        [
            Line(name="harvest", system="tymbal", value=read * scale, unit="CPU µs a token"),
            Line(name="train, one pass", system="tymbal", value=trained * scale, unit="CPU µs a token"),
            Line(name="train over harvest, one pass", system="tymbal", value=trained / read, unit="", goal=MOST_ADDED),
            Line(
                name=f"train over harvest, a study's {passes:.1f} passes",
                system="tymbal",
                value=passes * trained / read,
                unit="",
            ),
        ],
        as_json=options.json,
    )


if __name__ == "__main__":
    main()
