"""Payor's lemma, the reason why an agent that means well and can be read is met in kind.

If `[]([]x -> x) -> x` is provable, so is `x`. Unlike Löb's theorem, which it resembles, the proof needs no fixed point
and no `[]p -> [][]p`: only that what is proved is provable, and that a box follows an implication. Here it is, for n
agents who each use a proof system of their own, `[i]`; with E that everybody cooperates and `[E]X` that everybody's
system proves X, if every i acts on `[i]([E]E -> E) -> i`, then all cooperate:

    E -> ([E]E -> E), so [i]E -> [i]([E]E -> E), so [i]E -> i;  all together [E]E -> E;  so [i]([E]E -> E), so i.

Since only those two rules are used, any reading of `[i]` that obeys them will do, also "i gives it a probability of at
least p". Source: J. Payor's lemma as told by A. Critch, "Löbian cooperation via Payor's lemma" (2023), there for n
agents; the probabilistic reading is A. Demski's (2023).
"""

from collections.abc import Sequence
from typing import NamedTuple

from tymbal.theory.modal.derivation import Certificate, Derivation


class Theorem(NamedTuple):
    """A derivation from hypotheses, for `checker.check(certificate, {}, hypotheses, logic="K")`."""

    hypotheses: tuple[str, ...]
    certificate: Certificate


def payor_lemma(names: Sequence[str] = ("x",)) -> Theorem:
    """Payor's lemma for these agents, each with a proof system `[name]`; for one agent its system is `[]`."""
    boxes = {name: f"[{name}]" if len(names) > 1 else "[]" for name in names}
    everybody = _all(names)
    provable = _all([f"{box}{everybody}" for box in boxes.values()])
    kind = f"({provable} -> {everybody})"
    hypotheses = [f"{box}{kind} -> {name}" for name, box in boxes.items()]

    proof = Derivation()
    given = [proof.line("hypothesis", hypothesis) for hypothesis in hypotheses]
    weaker = proof.line("tautology", f"{everybody} -> {kind}")
    boxed = [proof.line("distribute", f"{box}{everybody} -> {box}{kind}", lambda: [weaker]) for box in boxes.values()]
    met = proof.line("tautology", kind, lambda: [*boxed, *given])
    known = [proof.line("necessitate", f"{box}{kind}", lambda: [met]) for box in boxes.values()]
    proof.line("tautology", everybody, lambda: [*known, *given])
    return Theorem(tuple(hypotheses), {"lines": proof.lines, "claims": [everybody], "countermodels": []})


def _all(parts: Sequence[str]) -> str:
    return f"({' & '.join(parts)})" if len(parts) > 1 else parts[0]
