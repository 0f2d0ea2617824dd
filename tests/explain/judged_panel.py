"""Features that fire on one word each, in a made-up corpus, and what it takes to have them explained and judged."""

from pathlib import Path

import numpy as np
from planted_text import noisy, passages, spell, store_of, truth

from tymbal.corpora import Role
from tymbal.explain import Activity, ChatExplainer, Evidence, Explainer, Explanations, Text
from tymbal.explain.chat import Cached, Client, Endpoint, EndpointConfig
from tymbal.explain.explaining import System
from tymbal.explain.judged import Detection, Fuzzing, Intruder, Panel, ScoreConfig, Scorer, Simulation, judge_features

WORDS = ("cat", "blue", "works", "12", "unfair", "Anna")
SILENT, EVERYWHERE = len(WORDS), len(WORDS) + 1
"""a feature that never fires, and one that fires on random tokens"""
TOKENS = 1 << 18
FEW = ScoreConfig(draws=20, active=8, silent=8, hard=4)


def made_panel(folder: Path) -> Panel:
    """The features, and random directions that fire anywhere."""
    made = passages()
    holds = truth(made, [lambda passage, place, word=word: passage[place] == word for word in WORDS])
    anywhere = np.random.default_rng(3).random((len(holds), 4)) < 0.02
    values = np.concatenate([noisy(holds, miss=0, alarm=0), np.zeros((len(holds), 1)), anywhere[:, :1] * 1.0], axis=1)
    systems = []
    for name, codes in (("features", values), ("random", anywhere[:, 1:] * 1.0)):
        store = store_of(folder / name, made, codes)
        evidence = Evidence.of(store, spell)
        score = Activity.of(store, Role.SCORE, TOKENS)
        systems.append(System(name, range(codes.shape[1]), evidence, score))
    return Panel(systems, Text.of(store, Role.SCORE, spell, None, TOKENS))


def client_of(url: str, folder: Path | None = None, **more) -> Client:
    """An endpoint, or with a folder a cached one."""
    quick = {"first_wait": 0.01, "longest_wait": 0.1, "timeout": 10.0, "concurrency": 4}
    endpoint = Endpoint(EndpointConfig(**{"url": url, "model": "scripted", **quick, **more}))
    return endpoint if folder is None else Cached(endpoint, folder)


def scorers_of(client: Client) -> list[Scorer]:
    """Some of them, with few windows."""
    return [kind(client, FEW) for kind in (Detection, Fuzzing, Simulation, Intruder)]


def judged(panel: Panel, folder: Path, client: Client, explainer: Explainer | None = None) -> Explanations:
    """Explained and judged by one client."""
    speaks = explainer or ChatExplainer(client)
    made = judge_features(panel, folder / "out", {"planted": True}, speaks, scorers_of(client))
    assert made is not None
    return made
