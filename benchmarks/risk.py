"""How exact and how quick a risk model is assessed: Carlsmith's six steps with Beta spreads of concentration 8.

The mean of the product has a closed form, and so have its Sobol' indices. Errors at 4,096 points are root mean squares
over 40 repeats, scrambled Sobol' points beside plain random ones.
"""

import numpy as np
from report import Line, arguments, cpu_seconds, show

from tymbal.theory.risk import Effort, assess, drivers, read_model
from tymbal.theory.risk.draws import scrambled

POINTS, REPEATS = 4_096, 40


def sampling_error() -> Line:
    """Root mean square error of the mean, as a share of that of plain random points."""
    variant = read_model("carlsmith").variants()[0]
    beliefs = [variant.inputs[name].belief for name in variant.uncertain()]
    true = float(np.prod([belief.mean() for belief in beliefs]))

    def error(points: np.ndarray) -> float:
        return float(np.prod([b.quantile(points[:, k]) for k, b in enumerate(beliefs)], axis=0).mean() - true)

    random = np.random.default_rng(0)
    plain = [error(random.random((POINTS, len(beliefs)))) for _ in range(REPEATS)]
    quasi = [error(scrambled(len(beliefs), POINTS, seed)) for seed in range(REPEATS)]
    return Line(
        name=f"error of the mean at {POINTS:,} points",
        system="tymbal",
        value=float(np.sqrt(np.mean(np.square(quasi)) / np.mean(np.square(plain)))),
        unit="of plain Monte Carlo",
        goal=1 / 20,
    )


def index_error() -> Line:
    """The largest error of a first-order or total Sobol' index."""
    variant = read_model("carlsmith").variants()[0]
    means = {name: variant.inputs[name].belief.mean() for name in variant.uncertain()}
    ratio = {name: (1 - mean) / (9 * mean) for name, mean in means.items()}
    whole = float(np.prod([1 + r for r in ratio.values()]))
    errors = []
    for driver in drivers(variant, Effort(shapley_points=64, scrambles=2)):
        assert driver.first is not None
        assert driver.total is not None
        own = ratio[driver.name]
        errors.append(abs(driver.first.value - own / (whole - 1)))
        errors.append(abs(driver.total.value - own * whole / (1 + own) / (whole - 1)))
    return Line(
        name="largest error of a Sobol' index", system="tymbal", value=max(errors), unit="of the variance", goal=0.002
    )


def main() -> None:
    """Print the table."""
    options = arguments(__doc__)
    seconds = cpu_seconds({"assess": lambda: assess(read_model("carlsmith"))}, 2)["assess"]
    lines = [
        sampling_error(),
        index_error(),
        Line(name="carlsmith, assessed in full", system="tymbal", value=min(seconds), unit="CPU seconds"),
    ]
    show(lines, as_json=options.json)


if __name__ == "__main__":
    main()
