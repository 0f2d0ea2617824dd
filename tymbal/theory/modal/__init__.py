"""Agents that prove things about each other: cooperation by proof, after Barasz et al. (arXiv 1401.5577).

An agent is a formula of provability logic about what the others do; matches, games and tournaments between agents are
solved exactly, and each outcome comes with a certificate that an independent checker reads.
"""

from tymbal.theory.modal.agent import Agent
from tymbal.theory.modal.checker import RejectedError, check
from tymbal.theory.modal.equilibrium import Equilibrium, Payoffs, best_responses, equilibria, payoffs
from tymbal.theory.modal.frames import belief_models, frames, models, stubborn, transitive
from tymbal.theory.modal.library import (
    LIBRARY,
    CooperateBot,
    DefectBot,
    FairBot,
    JustBot,
    PayorBot,
    PayorEBot,
    PlainPrudentBot,
    PrudentBot,
    TrollBot,
    TrustingBot,
)
from tymbal.theory.modal.match import Match, Table, duel, play, tournament
from tymbal.theory.modal.network import Settled, settle
from tymbal.theory.modal.payor import Theorem, payor_lemma
from tymbal.theory.modal.random_agents import random_agent
from tymbal.theory.modal.round_robin import Played, matches, round_robin
from tymbal.theory.modal.words import explain, policy, table_text

__all__ = [
    "LIBRARY",
    "Agent",
    "CooperateBot",
    "DefectBot",
    "Equilibrium",
    "FairBot",
    "JustBot",
    "Match",
    "Payoffs",
    "PayorBot",
    "PayorEBot",
    "PlainPrudentBot",
    "Played",
    "PrudentBot",
    "RejectedError",
    "Settled",
    "Table",
    "Theorem",
    "TrollBot",
    "TrustingBot",
    "belief_models",
    "best_responses",
    "check",
    "duel",
    "equilibria",
    "explain",
    "frames",
    "matches",
    "models",
    "payoffs",
    "payor_lemma",
    "play",
    "policy",
    "random_agent",
    "round_robin",
    "settle",
    "stubborn",
    "table_text",
    "tournament",
    "transitive",
]
