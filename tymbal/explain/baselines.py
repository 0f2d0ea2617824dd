"""What features are set against: directions that nobody learned, explained and scored in the same way.

    random     a dictionary of random directions of the same shape, as many of them active on a token
    neurons    the single coordinates of the site's activations, above and below their mean, in units of their spread;
               so many are active on a token that each is active as often as a feature of the dictionary is

Their codes are made in one pass over the held-out passages, and are thrown away when all is scored.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.activations import HarvestConfig, stream
from tymbal.atlas import AtlasConfig
from tymbal.corpora import PassageStore, Role
from tymbal.dictionaries import Dictionary, TopK
from tymbal.dictionaries.baselines import random_dictionary, usual_l0
from tymbal.models import LanguageModel

RANDOM, NEURONS = "random", "neurons"
FIRST_ROWS = 16384
"""activations that a baseline is fitted to"""


def neuron_dictionary(like: Dictionary, rows: Float[Tensor, "row width"]) -> TopK:
    """Two features a coordinate: how far it lies above its mean, and how far below, in standard deviations."""
    width = rows.shape[1]
    k = max(1, round(usual_l0(like, rows) * 2 * width / like.features))
    neurons = TopK(width, 2 * width, k, site=like.site)
    mean, spread = rows.double().mean(0), rows.double().std(0).clamp_min(1e-12)
    scale = torch.diag(1 / spread)
    with torch.no_grad():
        neurons.encoder.copy_(torch.cat([scale, -scale]))
        neurons.decoder.copy_(torch.cat([torch.eye(width), -torch.eye(width)]))
        neurons.decoder_bias.copy_(mean)
    return neurons.to(rows.device).requires_grad_(False)


def baseline_dictionaries(
    dictionary: Dictionary, model: LanguageModel, site: str, store: PassageStore, config: AtlasConfig, seed: int
) -> dict[str, TopK]:
    """The baselines of a dictionary, fitted to its activations on the first `explain` passages."""
    rows = _first_rows(model, site, store, config).to(dictionary.encoder.device)
    return {RANDOM: random_dictionary(dictionary, rows, seed), NEURONS: neuron_dictionary(dictionary, rows)}


def _first_rows(
    model: LanguageModel, site: str, store: PassageStore, config: AtlasConfig
) -> Float[Tensor, "row width"]:
    reading = HarvestConfig(sites=(site,), batch_tokens=config.batch_tokens, dtype="float32", autocast=config.autocast)
    found, held = [], 0
    for batch in stream(model, store.passages((Role.EXPLAIN,)), reading):
        found.append(batch.activations[site][~batch.special & (batch.positions >= config.sink)])
        held += len(found[-1])
        if held >= FIRST_ROWS:
            break
    return torch.cat(found)[:FIRST_ROWS]
