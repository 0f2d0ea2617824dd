"""Ten thousand logistic probes over the same 2,000 rows of width 384: the batched solver against a scikit-learn loop.

The loop is timed on 50 of the probes, spread over all, and extrapolated. Rows are normal with a spectrum that falls
like that of activations, standardised; labels come from random directions with noise. Both minimise the same objective
(C = 1); the largest entry of its gradient, as the mean loss over rows, is stated for both.
"""

import resource
import time

import numpy as np
import torch
from report import Line, arguments, note, one_thread, show
from sklearn.linear_model import LogisticRegression

from tymbal.probes import solve_logistic

PROBES, ROWS, WIDTH, LOOPED = 10_000, 2_000, 384, 50


def problem() -> tuple[torch.Tensor, torch.Tensor]:
    """Rows and labels."""
    generator = torch.Generator().manual_seed(0)
    turn = torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=generator))[0]
    x = torch.randn(ROWS, WIDTH, generator=generator) * torch.logspace(0, -1.5, WIDTH) @ turn
    x = (x - x.mean(0)) / x.std(0)
    directions = torch.randn(PROBES, WIDTH, generator=generator) / WIDTH**0.5
    noise = torch.randn(PROBES, ROWS, generator=generator)
    return x, (directions @ x.T + noise > 0).long()


def gradient(x: torch.Tensor, labels: torch.Tensor, weight: np.ndarray, bias: float) -> float:
    """The largest entry of the objective's gradient at these parameters, in fp64."""
    rows, own = x.double(), torch.from_numpy(weight).double()
    wrong = (rows @ own + bias).sigmoid() - labels
    return max(float((rows.T @ wrong / ROWS + own / ROWS).abs().max()), abs(float(wrong.mean())))


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__)
    one_thread()
    x, labels = problem()
    start = time.process_time()
    solved = solve_logistic(x, labels, 1 / ROWS, tolerance=1e-5)
    batched = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    some = range(0, PROBES, PROBES // LOOPED)
    rows, worst = x.numpy(), 0.0
    start = time.process_time()
    fitted = [LogisticRegression(C=1.0, max_iter=1000).fit(rows, labels[probe].numpy()) for probe in some]
    loop = (time.process_time() - start) * PROBES / LOOPED
    for probe, fit in zip(some, fitted, strict=True):
        worst = max(worst, gradient(x, labels[probe], fit.coef_[0], float(fit.intercept_[0])))
    exact = [LogisticRegression(C=1.0, max_iter=10_000, tol=1e-9).fit(x.double().numpy(), labels[p]) for p in range(3)]
    apart = max(float(np.abs(fit.coef_[0] - solved.weight[p, 0].numpy()).max()) for p, fit in enumerate(exact))
    largest = max(float(np.abs(fit.coef_).max()) for fit in exact)
    note(f"scikit-learn's time is that of {LOOPED} probes, extrapolated")
    note(f"weights (largest {largest:.2g}) are at most {apart:.1e} from scikit-learn's at tol 1e-9 in fp64 (3 probes)")
    name = f"{PROBES:,} logistic probes, {ROWS:,} rows, width {WIDTH}"
    show(
        [
            Line(name=f"{name}: share of the loop's time", system="tymbal", value=batched / loop, unit="", goal=0.05),
            Line(name=name, system="tymbal", value=batched, unit="s CPU"),
            Line(name=name, system="scikit-learn, extrapolated", value=loop, unit="s CPU"),
            Line(
                name="largest gradient",
                system="tymbal",
                value=float(solved.gradient.max()),
                unit="nats a row",
                goal=1e-4,
            ),
            Line(name="largest gradient", system="scikit-learn, tol 1e-4", value=worst, unit="nats a row"),
            Line(name="peak memory", system="tymbal", value=peak, unit="GiB", goal=8.0),
        ],
        as_json=options.json,
    )


if __name__ == "__main__":
    main()
