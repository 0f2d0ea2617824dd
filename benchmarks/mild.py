"""The quantilizer over a million actions, and beside a linear programme where that is still possible.

A million actions must take at most a tenth of a second of CPU time, with and without the adversary's utility that
proves the result. The programme (HiGHS) is given 2,000 actions; the closed form must agree with it to 1e-12 on 500
random instances of up to 40 actions.
"""

import numpy as np
from report import Line, arguments, cpu_seconds, ratio_of_least, show
from scipy.optimize import linprog

from tymbal.theory.mild import Cone, maximin, quantilize

ACTIONS, PROGRAMME_ACTIONS, ROUNDS = 1_000_000, 2_000, 5
SHARES = (0.5, 0.1, 0.001)


def instance(actions: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A random utility and base."""
    random = np.random.default_rng(seed)
    return random.normal(size=actions), random.dirichlet(np.ones(actions))


def programme(utility: np.ndarray, base: np.ndarray, q: float) -> float:
    """The quantilizer's value by HiGHS."""
    bounds = np.column_stack([np.zeros(len(base)), base / q])
    return -linprog(-utility, A_eq=np.ones((1, len(base))), b_eq=[1], bounds=bounds, method="highs").fun


def speed() -> list[Line]:
    """CPU seconds at a million actions, the slowest of several q."""
    utility, base = instance(ACTIONS, 0)
    slowest = {"quantilize": 0.0, "maximin with certificate": 0.0}
    for q in SHARES:
        seconds = cpu_seconds(
            {
                "quantilize": lambda q=q: quantilize(utility, base, q),
                "maximin with certificate": lambda q=q: maximin(utility, Cone(base, q=q)),
            },
            ROUNDS,
        )
        slowest = {name: max(slowest[name], min(seconds[name])) for name in slowest}
    return [
        Line(name=f"{name}, a million actions", system="tymbal", value=value, unit="CPU seconds", goal=0.1)
        for name, value in slowest.items()
    ]


def beside_the_programme() -> list[Line]:
    """How much quicker than HiGHS, and how near to it."""
    utility, base = instance(PROGRAMME_ACTIONS, 1)
    calls = {"tymbal": lambda: quantilize(utility, base, 0.1), "HiGHS": lambda: programme(utility, base, 0.1)}
    seconds = cpu_seconds(calls, ROUNDS)
    random = np.random.default_rng(2)
    differences = []
    for seed in range(500):
        q = float(random.uniform(0.01, 1))
        small = instance(int(random.integers(2, 40)), seed)
        differences.append(abs(quantilize(*small, q).value - programme(*small, q)))
    return [
        Line(
            name=f"quantilize, {PROGRAMME_ACTIONS:,} actions",
            system="tymbal",
            value=ratio_of_least(seconds, "tymbal", "HiGHS"),
            unit="of HiGHS' CPU time",
        ),
        Line(
            name="largest difference from HiGHS, 500 instances",
            system="tymbal",
            value=max(differences),
            unit="utility",
            goal=1e-12,
        ),
    ]


def main() -> None:
    """Print the table."""
    options = arguments(__doc__)
    show([*speed(), *beside_the_programme()], as_json=options.json)


if __name__ == "__main__":
    main()
