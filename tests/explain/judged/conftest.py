"""Features that fire on one word each, in a made-up corpus; a server for judges."""

from collections.abc import Iterator

import numpy as np
import pytest
from planted import noisy, passages, spell, store_of, truth
from speaking_server import Server

from tymbal.corpora import Role
from tymbal.explain import Activity, Evidence, Text
from tymbal.explain.chat import Cached, Endpoint, EndpointConfig
from tymbal.explain.explaining import System
from tymbal.explain.judged import Panel

WORDS = ("cat", "blue", "works", "12", "unfair", "Anna")
SILENT, EVERYWHERE = len(WORDS), len(WORDS) + 1
"""a feature that never fires, and one that fires on random tokens"""
TOKENS = 1 << 18


@pytest.fixture(scope="session")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    """The features, and random directions that fire anywhere."""
    made = passages()
    holds = truth(made, [lambda passage, place, word=word: passage[place] == word for word in WORDS])
    anywhere = np.random.default_rng(3).random((len(holds), 4)) < 0.02
    values = np.concatenate([noisy(holds, miss=0, alarm=0), np.zeros((len(holds), 1)), anywhere[:, :1] * 1.0], axis=1)
    systems = []
    for name, codes in (("features", values), ("random", anywhere[:, 1:] * 1.0)):
        store = store_of(tmp_path_factory.mktemp(name), made, codes)
        evidence = Evidence.of(store, spell)
        score = Activity.of(store, Role.SCORE, TOKENS)
        systems.append(System(name, range(codes.shape[1]), evidence, score))
    return Panel(systems, Text.of(store, Role.SCORE, spell, None, TOKENS))


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(lambda body: "").running() as running:
        yield running


def client_of(server: Server, folder=None, **more):
    """An endpoint, or with a folder a cached one."""
    quick = {"first_wait": 0.01, "longest_wait": 0.1, "timeout": 10.0, "concurrency": 4}
    endpoint = Endpoint(EndpointConfig(**{"url": server.url, "model": "scripted", **quick, **more}))
    return endpoint if folder is None else Cached(endpoint, folder)
