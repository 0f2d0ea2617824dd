"""What each kind of dictionary makes of the same activations: stories260K, `resid_post.2`, TinyStories.

2,048 features, k 16, three passes over about 0.4 million tokens in batches of 4,096, everything else by default.
Judged on the last 20,000 tokens, which none was trained on.

    fvu         Σ|x - x̂|² / Σ|x - mean|², fp64, model's units, 0 is perfect
    l0          active features a token
    dead        share of features that never fire on 100 tokens a feature: those, and some that they were trained on
    shrinkage   length of what features write over what it should be, 1 is right
    seconds     CPU time of training
"""

import tempfile
import time
from pathlib import Path
from typing import get_args

from jaxtyping import Float
from report import Line, arguments, note, show
from rows import Rows, enough, silent, unexplained
from torch import Tensor

from tymbal.activations import HarvestConfig, StoredRows, harvest
from tymbal.corpora import CutConfig, TextConfig, cut, read_documents
from tymbal.dictionaries import Dictionary, TrainingConfig, train
from tymbal.dictionaries.config import Kind
from tymbal.models import open_model

SITE, TEXT = "resid_post.2", "text/tinystories_v1_train_first1097.txt"
HELD_OUT = 20_000
MOST_DEAD = 0.01


def activations(real: Path, folder: Path) -> Float[Tensor, "row width"]:
    """All rows of the site, shuffled."""
    model = open_model(real / "models/stories260K")
    documents = read_documents([str(real / TEXT)], TextConfig(separator=r"(?<!\n)\n(?!\n)"))
    passages = cut(documents, model.tokenizer, CutConfig(length=128, tokens=600_000, at_most=True), folder / "corpus")
    source = StoredRows(harvest(model, passages, HarvestConfig(sites=(SITE,)), folder / "rows"), SITE, seed=0)
    return source.batch(0, source.rows_per_epoch)


def judged(
    dictionary: Dictionary, rows: Float[Tensor, "row width"], seen: Float[Tensor, "more width"], seconds: float
) -> list[Line]:
    """The numbers of one kind, on rows that it was not trained on, and of what is dead also on others."""
    codes = dictionary.encode(rows)
    exact, made = rows.double(), dictionary.decode(codes).double()
    bias = dictionary.decoder_bias.double()
    shrinkage = (made - bias).square().sum() / ((made - bias) * (exact - bias)).sum()
    dead = silent(dictionary, enough(rows, seen, dictionary.features))
    name, l0 = dictionary.kind, codes.l0().double().mean()
    return [
        Line(name=f"{name}: fvu", system="tymbal", value=unexplained(made, rows), unit="share"),
        Line(name=f"{name}: l0", system="tymbal", value=float(l0), unit="features a token"),
        Line(name=f"{name}: dead", system="tymbal", value=dead, unit="share", goal=MOST_DEAD),
        Line(name=f"{name}: shrinkage", system="tymbal", value=float(shrinkage), unit="share"),
        Line(name=f"{name}: seconds", system="tymbal", value=seconds, unit="s CPU"),
    ]


def main() -> None:
    """Train and judge each kind."""
    options = arguments(__doc__)
    if options.real is None:
        note("left out: needs --real, the folder of real models and text")
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = activations(options.real, Path(folder))
        for kind in get_args(Kind):
            config = TrainingConfig(kind=kind, features=2048, k=16, epochs=3.0)
            started = time.process_time()
            seen, held_out = rows[:-HELD_OUT], rows[-HELD_OUT:]
            dictionary = train(Rows(seen), config, Path(folder) / kind)
            show(judged(dictionary, held_out, seen, time.process_time() - started), as_json=options.json)


if __name__ == "__main__":
    main()
