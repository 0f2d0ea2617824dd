"""Mild optimisers: how hard a policy may push when its utility may be wrong, as worst-case optimisation."""

from tymbal.theory.mild.actions import Actions, read_actions
from tymbal.theory.mild.budget import Budget
from tymbal.theory.mild.channel import Census, Plan, RequestWorld, census, keep, random_world, serve
from tymbal.theory.mild.cone import Cone
from tymbal.theory.mild.maximin import AdversarySet, Maximin, maximin, worst_case
from tymbal.theory.mild.mdp import MDP, Histories, histories, timed
from tymbal.theory.mild.picture import draw
from tymbal.theory.mild.polyhedron import Polyhedron
from tymbal.theory.mild.quantilal import Quantilal, per_step, quantilal
from tymbal.theory.mild.quantilizer import Quantilized, quantilize
from tymbal.theory.mild.sampling import Estimate, Pressure, best_of, hacking_curve, quantilized
from tymbal.theory.mild.vertices import Tail, Vertices

__all__ = [
    "MDP",
    "Actions",
    "AdversarySet",
    "Budget",
    "Census",
    "Cone",
    "Estimate",
    "Histories",
    "Maximin",
    "Plan",
    "Polyhedron",
    "Pressure",
    "Quantilal",
    "Quantilized",
    "RequestWorld",
    "Tail",
    "Vertices",
    "best_of",
    "census",
    "draw",
    "hacking_curve",
    "histories",
    "keep",
    "maximin",
    "per_step",
    "quantilal",
    "quantilize",
    "quantilized",
    "random_world",
    "read_actions",
    "serve",
    "timed",
    "worst_case",
]
