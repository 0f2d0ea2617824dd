"""An atlas of hostile text, a study around it, the app on a real port, the export, and Chromium."""

import json
import random
import shutil
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import torch
import uvicorn

from tymbal.atlas import AtlasConfig, CodeShard, CodeStore, index_codes
from tymbal.atlas.assembly import TextSource
from tymbal.atlas.build import CODES, Annotations
from tymbal.atlas.codes import Rows
from tymbal.edits import SteeringVector, save_vectors
from tymbal.serve import create_app, export
from tymbal.study import StudyConfig, conduct_study

from .findings import write_findings

SIZES = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
FEATURES, DEAD, PASSAGES, LENGTH, SLOTS = 72, 2, 180, 64, 4
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    '"><img src=x onerror=alert(3)>',
    " ‮evil⁦",
    "\x00NUL\x00",
    "\n\n",
    "]]>-->{{ 7*7 }}{% raw %}",
    "x" * 5000,
    " שלום",
    "' onmouseover='alert(4)",
    "\u2028line",
    "&lt;b&gt;",
)
EVALUATION = {
    "passages": 60,
    "tokens": 3840,
    "failures": 0,
    "findings": {
        "fvu": {
            "value": 0.206,
            "low": 0.199,
            "high": 0.214,
            "unit": "share of the variance",
            "better": "lower",
            "baselines": {
                "random dictionary": {"value": 1.31, "low": 1.3, "high": 1.32},
                "PCA with k components": {"value": 0.43, "low": 0.42, "high": 0.44},
            },
        },
        "l0": {"value": 16.04, "low": 15.9, "high": 16.1, "unit": "features a token", "better": "", "baselines": {}},
        "l0.p05": {"value": 6.0, "low": 5.0, "high": 7.0, "unit": "features a token", "better": "", "baselines": {}},
        "l0.p95": {"value": 31.0, "low": 30.0, "high": 32.0, "unit": "features a token", "better": "", "baselines": {}},
        "loss": {
            "value": 2.51,
            "low": 2.41,
            "high": 2.61,
            "unit": "nats a prediction",
            "better": "lower",
            "baselines": {"zero ablation": {"value": 8.1, "low": 8.0, "high": 8.2}},
        },
        "recovered.mean": {
            "value": 0.94,
            "low": 0.93,
            "high": 0.95,
            "unit": "share of the loss",
            "better": "higher",
            "baselines": {"random dictionary": {"value": 0.2, "low": 0.1, "high": 0.3}},
        },
        "dead": {
            "value": 2.0,
            "low": 0.0,
            "high": 2.0,
            "unit": "features",
            "better": "lower",
            "baselines": {"random dictionary": {"value": 0.0, "low": 0.0, "high": 0.0}},
        },
        "<b>odd</b>": {"value": 31.5, "low": 30.9, "high": 32.2},
    },
    "concepts": {
        "by_mention": {
            "fair": {
                "dictionary": {"value": 31.0, "low": 28.0, "high": 33.0},
                "random": {"value": 2.0, "low": 1.0, "high": 3.0},
            },
            "mean_f1": {
                "dictionary": {"value": 0.61, "low": 0.6, "high": 0.62},
                "shifted": {"value": 0.04, "low": 0.03, "high": 0.05},
            },
            "concepts": [
                {
                    "concept": "<i>even</i>",
                    "count": 40,
                    "feature": 4,
                    "f1": {"value": 0.97, "low": 0.95, "high": 0.99},
                    "random": 0.2,
                    "shifted": 0.1,
                },
                {
                    "concept": "rare.‮thing",
                    "count": 3,
                    "feature": 5,
                    "f1": {"value": 0.2, "low": 0.1, "high": 0.3},
                    "random": 0.6,
                    "shifted": 0.1,
                },
            ],
        },
    },
}


def token_text(token: int) -> str:
    """Hostile text for the first tokens, words of letters for the others."""
    return HOSTILE[token] if token < len(HOSTILE) else f" word{chr(97 + token % 26)}{token}"


def write_hostile_atlas(folder: Path) -> None:
    """Feature j is active on token j, less so on the three before it; the last `DEAD` features never are."""
    store = CodeStore.begin(folder / CODES, {"hostile": True})
    generator = np.random.default_rng(0)
    ids, rows = np.arange(PASSAGES), PASSAGES * LENGTH
    tokens = (FEATURES * generator.random(rows) ** 1.5).astype(np.int64)
    indices = (tokens[:, None] + np.arange(SLOTS)) % FEATURES
    values = generator.gamma(4.0, 0.5, (rows, SLOTS)) * 2.0 ** -np.arange(SLOTS)
    values[indices >= FEATURES - DEAD] = 0
    described = Rows(
        tokens, np.repeat(ids, LENGTH), np.tile(np.arange(1, LENGTH + 1), PASSAGES), np.repeat(1 + ids % 3, LENGTH)
    )
    store.write(0, CodeShard.from_rows(indices, values.astype(np.float32), described, FEATURES))
    seeded = torch.Generator().manual_seed(0)
    groups = 6 * torch.randn(6, 16, generator=seeded)
    decoder = groups.repeat(FEATURES // 6, 1) + torch.randn(FEATURES, 16, generator=seeded)
    decoder = torch.nn.functional.normalize(decoder, dim=1)
    vocabulary = torch.randn(FEATURES, 16, generator=seeded)

    def read(tokens: Sequence[int]) -> list[str]:
        return [token_text(int(token)) for token in tokens]

    text = TextSource(read, read, lambda rows: rows @ vocabulary.T)
    annotations = Annotations(
        ["<i>even</i>", "odd"], lambda passage: (np.arange(1, LENGTH, 5), np.full(13, passage % 2))
    )
    index_codes(
        store,
        decoder,
        folder,
        AtlasConfig(layout="pca", examples=16, quantile_examples=2),
        text=text,
        annotations=annotations,
        about={"model": "hostile/<u>model</u>", "site": "resid_post.0", "dictionary": {"kind": "made up"}},
    )


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study: an atlas of hostile text, its evaluation, its question, a safety board, analyses."""
    folder = tmp_path_factory.mktemp("study")
    write_hostile_atlas(folder / "atlas")
    (folder / "evaluation.json").write_text(json.dumps(EVALUATION))
    (folder / "study.json").write_text(json.dumps({"corpus": ["<s>corpus</s>.txt"], "model": "m"}))
    write_findings(folder, HOSTILE)
    return folder


@pytest.fixture(scope="session")
def bare(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The atlas alone."""
    folder = tmp_path_factory.mktemp("bare") / "atlas"
    shutil.copytree(study / "atlas", folder)
    return folder


WORDS = "once upon a time a little girl named lily saw a big red cat and the cat was happy and she ran home to her mom"


@pytest.fixture(scope="session")
def living(tiny_llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole study of a tiny model, which pages can open: 32 features of `resid_post.1`, two saved vectors."""
    folder = tmp_path_factory.mktemp("living")
    draw = random.Random(0)
    lines = (" ".join(draw.choices(WORDS.split(), k=draw.randrange(20, 40))) + "." for _ in range(150))
    corpus = folder / "words.txt"
    corpus.write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = StudyConfig(site="resid_post.1", features=32, k=4, epochs=2.0, separator="\n", autocast=False)
    conduct_study(str(tiny_llama_folder), [str(corpus)], config, out=folder / "study")
    vectors = [SteeringVector(direction=torch.ones(32), site=site) for site in ("resid_post.1", "resid_post.2")]
    (folder / "study" / "vectors").mkdir()
    save_vectors(folder / "study" / "vectors" / "ones.gguf", vectors)
    return folder / "study"


@contextmanager
def answering(folder: Path) -> Iterator[str]:
    """The address of an app, answering on a real port while the block lasts."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(folder), log_level="error", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture(scope="session")
def lively(living: Path) -> Iterator[str]:
    """The address of the app of the study that can be opened."""
    with answering(living) as address:
        yield address


@pytest.fixture(scope="session")
def live(study: Path) -> Iterator[str]:
    """The address of the app, answering on a real port."""
    with answering(study) as address:
        yield address


@pytest.fixture(scope="session")
def exported(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of the exported pages."""
    return export(study, tmp_path_factory.mktemp("exported")).parent


@pytest.fixture(params=["desk"])
def page(request: pytest.FixtureRequest, chromium: Any) -> Iterator[Any]:
    """A page that fails the test on any error, dialog, or request to another place."""
    context = chromium.new_context(viewport=SIZES[request.param], has_touch=request.param == "phone")
    page = context.new_page()
    wrong: list[str] = []

    def only_here(route: Any) -> None:
        here = urlsplit(route.request.url)
        if here.scheme in ("file", "data") or here.hostname == "127.0.0.1":
            route.continue_()
        else:
            wrong.append(f"request to {route.request.url}")
            route.abort()

    context.route("**/*", only_here)
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.set_default_timeout(60_000)
    yield page
    context.close()
    assert wrong == []
