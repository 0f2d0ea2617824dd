"""Tymbal: an open alignment laboratory for open-weights language models.

The names below are imported on first use, so that `import tymbal` takes no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tymbal.atlas import open_atlas
    from tymbal.dictionaries import load_dictionary
    from tymbal.models import open_model

__version__ = "0.1.0"
_OWNERS = {
    "open_model": "tymbal.models",
    "load_dictionary": "tymbal.dictionaries",
    "open_atlas": "tymbal.atlas",
    "TymbalError": "tymbal.errors",
}
__all__ = ["__version__", "load_dictionary", "open_atlas", "open_model"]


def __getattr__(name: str) -> Any:
    if name not in _OWNERS:
        raise AttributeError(f"module 'tymbal' has no attribute {name!r}")
    return getattr(import_module(_OWNERS[name]), name)
