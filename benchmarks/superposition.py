"""Toy models of superposition: whether dictionaries find the features that a model has squeezed into fewer dimensions.

1. A toy model learns to pass on 64 sparse features through 16 dimensions: x' = relu(WᵀWx + b). A feature is there with
   probability 0.05 and then uniform in [0, 1], so that it is worth storing more features than there are dimensions.
2. Its true features are the columns of W. Those shorter than half were given up by the model and are left out.
3. Each system trains a dictionary of 128 features, k 3 (as many as are active on average), on the same hidden rows.

    cosine   mean over true features of the highest cosine of a learned direction with it
    F1       mean over true features of the best learned feature's F1 in telling whether the true one is there

Source: Elhage et al. 2022, "Toy Models of Superposition".
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from report import Line, arguments, show
from rows import Rows
from systems import KINDS, OURS, Asked, ours, peers_of, theirs
from torch import Tensor

from tymbal.dictionaries import Dictionary
from tymbal.dictionaries.baselines import random_dictionary

TRUE, HIDDEN, CHANCE = 64, 16, 0.05
TOY_STEPS, TOY_BATCH, TOY_RATE = 4000, 1024, 1e-2
ROWS, UNSEEN = 200_000, 20_000
FEATURES, K, BATCH, STEPS = 128, 3, 1024, 1500
KEPT = 0.5
"""A true feature shorter than this was given up by the toy model."""


def sparse(rows: int, generator: torch.Generator) -> Float[Tensor, "row true"]:
    """True features of some rows."""
    there = torch.rand(rows, TRUE, generator=generator) < CHANCE
    return torch.rand(rows, TRUE, generator=generator) * there


def toy_model(generator: torch.Generator) -> Float[Tensor, "hidden true"]:
    """The trained toy model's W."""
    weight = torch.nn.Parameter(torch.randn(HIDDEN, TRUE, generator=generator) / HIDDEN**0.5)
    bias = torch.nn.Parameter(torch.zeros(TRUE))
    optimiser = torch.optim.Adam([weight, bias], lr=TOY_RATE)
    for step in range(TOY_STEPS):
        x = sparse(TOY_BATCH, generator)
        loss = (x - F.relu(x @ weight.T @ weight + bias)).square().sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.param_groups[0]["lr"] = TOY_RATE * (1 - step / TOY_STEPS)
        optimiser.step()
    return weight.detach()


def highest_cosines(
    directions: Float[Tensor, "true hidden"], decoder: Float[Tensor, "feature hidden"]
) -> Float[Tensor, " true"]:
    """Of each true direction, the highest cosine of a learned one."""
    return (F.normalize(directions, dim=1) @ F.normalize(decoder, dim=1).T).amax(1)


def best_f1(there: Bool[Tensor, "row true"], fires: Bool[Tensor, "row feature"]) -> Float[Tensor, " true"]:
    """Of each true feature, the F1 of the learned one that tells best where it is."""
    both = there.double().T @ fires.double()
    either = there.sum(0).double().unsqueeze(1) + fires.sum(0).double()
    return (2 * both / either.clamp_min(1)).amax(1)


def judged(
    dictionary: Dictionary, directions: Float[Tensor, "true hidden"], there: Bool[Tensor, "row true"], hidden: Tensor
) -> tuple[float, float]:
    """Mean highest cosine and mean best F1."""
    codes = dictionary.encode(hidden)
    values = hidden.new_zeros(len(hidden), dictionary.features).scatter_add_(1, codes.indices, codes.values)
    return float(highest_cosines(directions, dictionary.decoder).mean()), float(best_f1(there, values > 0).mean())


def dictionaries(rows: Rows, folder: Path) -> Iterator[tuple[str, str, Dictionary]]:
    """Kind, system and dictionary; a peer at its own learning rate and at ours."""
    for kind in KINDS:
        asked = Asked(kind=kind, features=FEATURES, k=K, batch=BATCH, steps=STEPS)
        found = ours(rows, asked, folder / f"{OURS}-{kind}")
        if kind == KINDS[0]:
            yield "random directions", OURS, random_dictionary(found, rows.batch(0, BATCH), 0)
        yield kind, OURS, found
        for name in peers_of(kind):
            for label, rate in (("", None), (", our rate", asked.rate)):
                dictionary = theirs(name, rows, asked, folder / f"{name}-{kind}{label}", rate=rate)
                if dictionary is not None:
                    yield kind, name + label, dictionary


def main() -> None:
    """Train and print."""
    options = arguments(__doc__)
    generator = torch.Generator().manual_seed(0)
    weight = toy_model(generator)
    kept = weight.norm(dim=0) > KEPT
    x, unseen = sparse(ROWS, generator), sparse(UNSEEN, generator)
    show(
        [Line(name="true features in 16 dimensions", system="toy", value=int(kept.sum()), unit=f"of {TRUE}")],
        as_json=options.json,
    )
    with tempfile.TemporaryDirectory() as folder:
        for kind, system, dictionary in dictionaries(Rows(x @ weight.T), Path(folder)):
            cosine, f1 = judged(dictionary, weight.T[kept], unseen[:, kept] > 0, unseen @ weight.T)
            found = [(f"{kind}: mean max cosine", cosine, "cosine"), (f"{kind}: mean best F1", f1, "F1")]
            show([Line(name=n, system=system, value=v, unit=u) for n, v, u in found], as_json=options.json)


if __name__ == "__main__":
    main()
