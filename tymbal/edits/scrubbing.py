"""Concept scrubbing: erase a concept at every site in turn, each eraser fitted on the stream that the ones before made.

Source: Belrose et al. 2023, "LEACE", section 6.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jaxtyping import Int
from torch import Tensor

from tymbal.edits.fitting import EraserFitter
from tymbal.edits.project import Erase
from tymbal.edits.where import EVERYWHERE, Where
from tymbal.models import LanguageModel, Tokens

UNLABELLED = -1


class LabelledTokens(NamedTuple):
    """A batch and the class of each token, `UNLABELLED` for none."""

    tokens: Tokens
    labels: Int[Tensor, "batch token"]


def scrub(
    model: LanguageModel,
    batches: Iterable[LabelledTokens],
    *,
    sites: Sequence[str],
    classes: int,
    where: Where = EVERYWHERE,
) -> list[Erase]:
    """One edit a site, to be used together; `batches` is gone through once a site, so it must not be an iterator.

    Raises `ValueError` for sites that a forward pass does not meet in this order, and what `EraserFitter` raises.
    """
    if iter(batches) is batches:
        raise ValueError("expected batches that can be gone through several times; got an iterator; make it a list")
    known = {name: place for place, name in enumerate(model.sites())}
    order = [known[model.site(site)] for site in sites]
    if order != sorted(set(order)):
        raise ValueError(f"expected different sites in the order of the forward pass; got {list(sites)}")
    edits: list[Erase] = []
    for site in sites:
        fitter = EraserFitter(model.width, classes, site=site, model=model)
        with model.edited(*edits):
            for tokens, labels in batches:
                wanted = tokens.mask & (labels != UNLABELLED)
                activations = model.read(tokens, [site])[site].cpu()
                fitter.update(activations[wanted.cpu()], labels[wanted].cpu())
        edits.append(Erase(fitter.fit(), site=site, where=where))
    return edits
