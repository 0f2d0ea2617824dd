"""How well a description agrees with a feature: Cohen's kappa, in which each active token weighs what it is active.

    kappa = 2 (tp tn - fp fn) / ((tp + fp)(fp + tn) + (tp + fn)(fn + tn))

With weights of mean 1 for the active tokens and 1 for the silent ones. 1 is perfect, 0 what chance gives: for a rare
feature it is F1, for a frequent one it takes off what “any token” would get. A description of many parts pays for each
with one false alarm more than it has.

Of many descriptions some agree with anything by chance. So a description must also be worth its own length: what it
saves in telling which tokens are active has to exceed what it takes to pick its parts among all that could be named.

Sources: Cohen 1960, "A coefficient of agreement for nominal scales" (weights and false alarms are ours); Rissanen 1978,
"Modeling by shortest data description".
"""

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

Counts = ndarray | float | int
"""of one description, or of many"""


def kappa(
    weight: Counts, hits: Counts, size: Counts, complexity: int, active: int, tokens: int
) -> Float64[ndarray, "*predicate"]:
    """Agreement of descriptions with a feature.

    `weight` and `hits`: summed weight and number of the active tokens that a description holds for; `size`: tokens that
    it holds for; `active`: tokens on which the feature is active.
    """
    false = size - np.asarray(hits, dtype=np.float64) + complexity
    missed = active - np.asarray(weight, dtype=np.float64)
    silent = tokens - active
    right = silent - false
    above = 2 * (weight * right - false * missed)
    below = (weight + false) * silent + active * (missed + right)
    return np.asarray(above / np.maximum(below, 1e-12), dtype=np.float64)


def saved(hits: Counts, size: Counts, active: int, tokens: int) -> Float64[ndarray, "*predicate"]:
    """Nats that descriptions save in telling which tokens are active: the mutual information of both, times the tokens.

    Negative where a description makes activity less likely.
    """
    met, held = np.asarray(hits, dtype=np.float64), np.asarray(size, dtype=np.float64)
    cells = (
        (met, held, active),
        (held - met, held, tokens - active),
        (active - met, tokens - held, active),
        (tokens - held - active + met, tokens - held, tokens - active),
    )
    nats = sum(
        count * np.log(np.maximum(count, 1e-300) * tokens / np.maximum(row * column, 1e-300))
        for count, row, column in cells
    )
    return np.asarray(np.where(met * tokens >= held * active, nats, -np.abs(nats)))
