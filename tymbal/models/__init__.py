"""Models: open one, read its activations, edit them while it runs."""

from tymbal.models.architecture import ARCHITECTURES, Architecture
from tymbal.models.edits import Edit, PlacedEdit
from tymbal.models.language_model import LanguageModel
from tymbal.models.opening import open_model
from tymbal.models.places import TokenPlaces
from tymbal.models.sites import Site, SiteKind, parse_site
from tymbal.models.tokens import Tokens

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Edit",
    "LanguageModel",
    "PlacedEdit",
    "Site",
    "SiteKind",
    "TokenPlaces",
    "Tokens",
    "open_model",
    "parse_site",
]
