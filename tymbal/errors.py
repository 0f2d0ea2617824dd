"""The errors a user can mend.

    TymbalError
    ├── ModelError       a model, site, dtype or token that cannot be used
    ├── CorpusError      text that cannot be read or does not suffice
    ├── ArtifactError    a folder or file that is missing, damaged or of another kind
    ├── TrainingError    training that cannot go on
    ├── TheoryError      a formula, an agent or a model of the theory room that cannot be used
    ├── CertificateError an eraser that cannot be shown to have erased
    ├── ProbeError       labels that a probe cannot be fitted to
    ├── EndpointError    a language model's address that does not answer, or not as it should
    └── MissingExtraError  an optional library that is not installed

Every message is one line, worded *expected / got / do this*. The command line prints it and exits 1.
Wrong arguments to a library function are `ValueError`; a broken invariant of our own is an `assert`.
"""

from collections.abc import Iterable


class TymbalError(Exception):
    """A mistake that the user can mend; `str(error)` is one line."""

    def __init__(self, *, expected: str, got: str, do: str) -> None:
        super().__init__(f"expected {expected}; got {got}; {do}")


class ModelError(TymbalError):
    """A model, site, dtype or token that cannot be used."""


class CorpusError(TymbalError):
    """Text that cannot be read or does not suffice."""


class ArtifactError(TymbalError):
    """A folder or file that is missing, damaged or of another kind."""


class TrainingError(TymbalError):
    """Training that cannot go on."""


class TheoryError(TymbalError):
    """A formula, an agent or a model of the theory room that cannot be used."""


class CertificateError(TymbalError):
    """An eraser that cannot be shown to have erased."""


class ProbeError(TymbalError):
    """Labels that a probe cannot be fitted to, or a fit that does not settle."""


class EndpointError(TymbalError):
    """A language model's address that does not answer, or not as it should."""


class MissingExtraError(TymbalError):
    """An optional library that is not installed."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(expected=f"the library {library}", got="none installed", do=f"pip install 'tymbal[{extra}]'")


def listed(names: Iterable[object], most: int = 12) -> str:
    """Names as `a, b, c`, cut after `most` of them."""
    all_names = [str(name) for name in names]
    shown = ", ".join(all_names[:most])
    return shown if len(all_names) <= most else f"{shown}, … ({len(all_names)} in all)"
