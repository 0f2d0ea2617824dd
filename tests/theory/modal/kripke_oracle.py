"""An oracle that shares nothing with the package: formulas as tuples, and Kripke frames by brute force."""

from itertools import product
from random import Random

from hypothesis import strategies as st

SIGNS = {"and": "&", "or": "|", "if": "->", "iff": "<->"}


def text(tree) -> str:
    """The formula as an agent's source, with every bracket written."""
    match tree:
        case "me" | "them" | "E" | "true" | "false":
            return tree
        case ("not", body):
            return f"~{text(body)}"
        case ("box", level, body):
            return f"[{level or ''}]{text(body)}"
        case (sign, left, right):
            return f"({text(left)} {SIGNS[sign]} {text(right)})"
    raise AssertionError(tree)


def agent_trees(depth=2):
    """Formulas of agents: every action inside a box, boxes nested at most `depth` deep."""
    return st.integers(0, 2**32).map(lambda seed: _mixed(Random(seed), depth, boxed=False, size=3))


def _mixed(random, depth, *, boxed, size):
    """A random formula; outside the boxes there are only boxes."""
    if size > 1 and random.random() < 0.7:
        parts = (_mixed(random, depth, boxed=boxed, size=share) for share in (size // 2, size - size // 2))
        return (random.choice(sorted(SIGNS)), *parts)
    if random.random() < 0.3:
        return ("not", _mixed(random, depth, boxed=boxed, size=1))
    if boxed and (depth == 0 or random.random() < 0.6):
        return random.choice(["me", "them", "them", "them", "E", "true", "false"])
    return ("box", random.choice([0, 0, 0, 1]), _mixed(random, depth - 1, boxed=True, size=2))


def true_at(tree, world, sees, taken) -> bool:
    """Kripke's clauses; `taken[world]` is (mine, theirs)."""
    match tree:
        case "me" | "them" | "E":
            mine, theirs = taken[world]
            return {"me": mine, "them": theirs, "E": mine and theirs}[tree]
        case "true" | "false":
            return tree == "true"
        case ("not", body):
            return not true_at(body, world, sees, taken)
        case ("box", level, body):
            return all(true_at(body, there, sees, taken) for there in sees[world] if not _all_end(there, sees, level))
        case (sign, left, right):
            first, second = (true_at(part, world, sees, taken) for part in (left, right))
            return {
                "and": first and second,
                "or": first or second,
                "if": not first or second,
                "iff": first == second,
            }[sign]
    raise AssertionError(tree)


def _all_end(world, sees, within) -> bool:
    """Whether every path from the world ends after fewer than `within` steps: `[]^within false`."""
    return within > 0 and all(_all_end(there, sees, within - 1) for there in sees[world])


def solutions(left, right, sees):
    """All ways to give both players actions in all worlds so that each acts on its formula; brute force."""
    worlds = range(len(sees))
    for chosen in product(product((False, True), repeat=2), repeat=len(sees)):
        seen_by_right = [(theirs, mine) for mine, theirs in chosen]
        if all(
            true_at(left, world, sees, chosen) == chosen[world][0]
            and true_at(right, world, sees, seen_by_right) == chosen[world][1]
            for world in worlds
        ):
            yield chosen


def chain_solution(left, right, length):
    """The same on a chain of worlds, each seeing all before it, world by world; each must have one solution."""
    taken = []
    sees = [list(range(world)) for world in range(length)]
    for world in range(length):
        fitting = []
        for mine, theirs in product((False, True), repeat=2):
            trial = [*taken, (mine, theirs)]
            mirrored = [(b, a) for a, b in trial]
            if true_at(left, world, sees, trial) == mine and true_at(right, world, sees, mirrored) == theirs:
                fitting.append((mine, theirs))
        assert len(fitting) == 1
        taken += fitting
    return taken


def strict_orders(worlds):
    """All transitive and irreflexive frames on this many worlds."""
    pairs = [(a, b) for a in range(worlds) for b in range(worlds) if a != b]
    for present in product((False, True), repeat=len(pairs)):
        sees = [set() for _ in range(worlds)]
        for (a, b), there in zip(pairs, present, strict=True):
            if there:
                sees[a].add(b)
        transitive = all(sees[b] <= sees[a] for a in range(worlds) for b in sees[a])
        if transitive and not any(a in sees[b] for a in range(worlds) for b in sees[a]):
            yield [sorted(seen) for seen in sees]


def height(world, sees) -> int:
    """The longest path from a world."""
    return max((1 + height(there, sees) for there in sees[world]), default=0)
