"""Two ways to bring dead features back, besides AuxK (`loss.py`): lift their biases, or give them new directions.

Where features compete for places, AuxK teaches a dead feature what the live ones leave over, but that is less than what
wins a place. So its bias rises, a share of the lowest values kept in each step, until the feature fires on the rows
that suit it most. There it learns as any other, its bias too. The lift falls with the learning rate, for at the end no
feature could learn what to do with its place. (Wang et al. 2024, "Auxiliary-Loss-Free Load Balancing Strategy for
Mixture-of-Experts", balance experts alike.)

On request dead features are replaced by rows that the dictionary reconstructs badly:

1. Rows are drawn with a probability proportional to their squared error squared.
2. Each dead feature's direction becomes that of a drawn row's error; its encoder reads that direction with a fifth of
   the usual norm; bias and threshold are a fifth of what is usual among the live features.
3. Adam forgets what it knew of the feature.

Source: Bricken et al. 2023, "Towards Monosemanticity", "Neuron Resampling" (there directions are those of the rows
themselves, which the decoder bias and the live features already explain in part).
"""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from tymbal.dictionaries.active import Active
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.reconstruction import Rows

SHARE_OF_NORM = 0.2


@torch.no_grad()
def raise_biases(dictionary: Dictionary, dead: Bool[Tensor, " feature"], active: Active, share: float) -> None:
    """Raise the biases of dead features by a share of the lowest value kept in a row, where features compete."""
    ranks = dictionary.ranks
    if not dictionary.competitive or share == 0 or not int(ranks.over_features(dead.sum())):
        return
    lengths = torch.diff(active.offsets, append=active.offsets.new_tensor([active.values.numel()]))
    own = torch.segment_reduce(active.values.detach(), "min", lengths=lengths, initial=torch.inf, unsafe=True)
    lowest = ranks.lowest_in_rows(own)
    kept = torch.isfinite(lowest)
    total, rows = ranks.over_rows(torch.stack([lowest[kept].sum(), kept.sum().to(lowest)]))
    if int(rows):
        dictionary.encoder_bias[dead] += share * (total / rows).to(dictionary.encoder_bias)


@torch.no_grad()
def replace_dead(
    dictionary: Dictionary, optimiser: torch.optim.Optimizer, dead: Int[Tensor, " dead"], rows: Rows, *, seed: int
) -> None:
    """Give dead features new directions, drawn from the errors of these rows; nothing where all are alive or dead."""
    live = torch.ones(dictionary.features, dtype=torch.bool)
    live[dead] = False
    if len(dead) == 0 or not bool(live.any()):
        return
    error = rows.target - dictionary(rows.x)
    weights = error.double().square().sum(1).square()
    if not float(weights.sum()) > 0:
        return
    drawn = torch.multinomial(weights, len(dead), replacement=True, generator=torch.Generator().manual_seed(seed))
    directions = error[drawn]
    dictionary.decoder[dead] = directions
    norms = dictionary.direction_norms()[dead].unsqueeze(1)
    dictionary.decoder[dead] /= norms
    read = directions if dictionary.ends.target is None else dictionary.centred(rows.x)[drawn]
    read = read / read.norm(dim=1, keepdim=True)
    dictionary.encoder[dead] = SHARE_OF_NORM * dictionary.encoder[live].norm(dim=1).mean() * read
    for name, parameter in dictionary.named_parameters():
        if parameter.ndim == 1 and len(parameter) == dictionary.features and name != "decoder_bias":
            # A fifth of everything a score is compared with, so that the feature fires as one of full size would.
            parameter[dead] = parameter[live].mean() * (1.0 if name == "log_gain" else SHARE_OF_NORM)
        if len(parameter) == dictionary.features and name not in ("decoder_bias", "skip"):
            for key in ("exp_avg", "exp_avg_sq"):
                optimiser.state[parameter][key][dead] = 0
