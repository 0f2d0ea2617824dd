"""Whether an edit fits a model, asked before the model runs; what does not fit is refused in one line."""

from collections.abc import Mapping
from typing import Any

from tymbal.dictionaries import Dictionary
from tymbal.errors import ModelError
from tymbal.models import LanguageModel, SiteKind, parse_site

COMPARED = ("architecture", "width", "layers", "vocabulary", "weights_sha256")
"""Parts of a model's identity; name, dtype and attention kernel may differ."""


def require_width(model: LanguageModel, site: str, width: int, what: str) -> None:
    """Raise `ModelError` where `what` has another width than the site."""
    if parse_site(site).kind is SiteKind.HEADS:
        return  # its width is the heads' and shows when the model runs
    if width != model.width:
        raise ModelError(
            expected=f"{what} of width {model.width}, that of {model.name}",
            got=f"width {width}",
            do="make it from this model's activations",
        )


def require_same_model(model: LanguageModel, recorded: Mapping[str, Any], what: str) -> None:
    """Raise `ModelError` where `what` records the identity of another model; what is not recorded is not judged."""
    for key in COMPARED:
        if recorded.get(key) is not None and model.identity[key] != recorded[key]:
            raise ModelError(
                expected=f"{what} made for {model.name}",
                got=f"one for {recorded.get('name', 'another model')}, whose {key} differs",
                do="open the model that it was made for",
            )


def require_same_site(site: str, recorded: str | None, what: str) -> None:
    """Raise `ModelError` where `what` records that it was made at another site."""
    if recorded is not None and parse_site(site) != parse_site(recorded):
        raise ModelError(expected=f"the site of {what}, {recorded}", got=site, do=f"use {what} of that site")


def site_of(dictionary: Dictionary, site: str | None) -> str:
    """The dictionary's own site; raises `ModelError` for another one, and where none is recorded or given.

    Raises it also for a dictionary whose features do not add up to the activation they are read from: a transcoder, a
    crosscoder, or one that normalises each row.
    """
    ends = dictionary.ends
    if ends.target is not None or ends.parts or ends.row_norm is not None:
        raise ModelError(
            expected="a dictionary that reads and writes one site, row by row as it is",
            got=f"a {dictionary.kind} with other ends",
            do="use a plain autoencoder of that site",
        )
    if site is None and dictionary.site is None:
        raise ModelError(expected="a site, since the dictionary records none", got="none", do="give site=...")
    if site is not None:
        require_same_site(site, dictionary.site, "the dictionary")
    return str(parse_site(site or dictionary.site or ""))
