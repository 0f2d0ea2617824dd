"""How fast cooperation by proof is decided: random matches, a ring of 100,000 players, a certified tournament.

Agents are random formulas of at most 4 boxes nested at most 3 deep; every match is of two different agents or an agent
and itself, counted once. Their formulas are read beforehand; the tables that the matches are looked up in are not.
One thread.
"""

from random import Random

from report import Line, arguments, cpu_seconds, show

from tymbal.theory.modal import (
    LIBRARY,
    Agent,
    DefectBot,
    duel,
    random_agent,
    round_robin,
    settle,
    tournament,
)
from tymbal.theory.modal.formula import boxes

AGENTS = 1_500
PLAYERS = 100_000
ROUNDS = 5
MATCHES = AGENTS * (AGENTS + 1) // 2


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__)
    random = Random(0)
    agents = [random_agent(random) for _ in range(AGENTS)]
    full = []
    while len(full) < AGENTS:
        agent = random_agent(random)
        if len(boxes([agent.formula])) == 4:
            full.append(agent)
    fair = Agent("[]next")
    ring, broken = [fair] * PLAYERS, [fair] * (PLAYERS - 1) + [DefectBot]
    calls = {
        "mixed": lambda: round_robin(agents),
        "full": lambda: round_robin(full),
        "ring": lambda: settle(ring),
        "broken": lambda: settle(broken),
        "duels": lambda: [duel(left, right) for left, right in zip(agents[:200], agents[200:400], strict=True)],
        "certified": lambda: [match.verified() for match in tournament(LIBRARY.values()).matches.values()],
    }
    least = {name: min(seconds) for name, seconds in cpu_seconds(calls, ROUNDS).items()}

    def line(name: str, value: float, unit: str, goal: float | None = None) -> Line:
        return Line(name=name, system="tymbal", value=value, unit=unit, goal=goal)

    million = 1e6 / MATCHES
    show(
        [
            line("a million random matches, at most 4 boxes", least["mixed"] * million, "CPU s", 1),
            line("a million random matches, exactly 4 boxes", least["full"] * million, "CPU s", 1),
            line("a ring of 100,000 FairBots", least["ring"], "CPU s", 0.5),
            line("the same with one DefectBot, 99,999 rounds", least["broken"], "CPU s", 0.5),
            line("one match at a time, with its trace", least["duels"] / 200 * 1e3, "CPU ms"),
            line(f"{len(LIBRARY)} x {len(LIBRARY)} tournament, certified and checked", least["certified"], "CPU s"),
        ],
        as_json=options.json,
    )


if __name__ == "__main__":
    main()
