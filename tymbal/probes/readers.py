"""The kinds of reader by name, and saved probes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tymbal import artifact
from tymbal.errors import ArtifactError, ProbeError, listed
from tymbal.probes.attention import Attention, AttentionProbe
from tymbal.probes.lda import LDA
from tymbal.probes.logistic import Logistic
from tymbal.probes.mean_difference import MeanDifference
from tymbal.probes.mlp import MLP, MLPProbe
from tymbal.probes.probe import LinearProbe, Probe, Reader
from tymbal.probes.ridge import Ridge
from tymbal.probes.targets import Classes, Target

READERS: dict[str, type[Reader]] = {
    reader.kind: reader for reader in (Logistic, MeanDifference, Ridge, LDA, MLP, Attention)
}
FORMS: dict[str, type[Probe]] = {probe.form: probe for probe in (LinearProbe, MLPProbe, AttentionProbe)}
KIND = "probe"
TENSORS = "probe.safetensors"


def reader_for(kind: str | None, target: Target) -> Reader:
    """The reader of this kind; None is logistic for classes and ridge for numbers.

    Raises `ProbeError` for an unknown kind, and for one that cannot read this kind of target.
    """
    if kind is None:
        return Logistic() if isinstance(target, Classes) else Ridge()
    fitting = [name for name, reader in READERS.items() if isinstance(target, reader.reads)]
    if kind not in fitting:
        what = "classes" if isinstance(target, Classes) else "numbers"
        raise ProbeError(expected=f"a reader of {what}: {listed(fitting)}", got=repr(kind), do="name one of these")
    return READERS[kind]()


def save_probe(probe: Probe, folder: Path, config: Mapping[str, Any]) -> None:
    """Write the probe and what it is of into a folder; `config` are JSON values."""
    artifact.write_tensors(folder / TENSORS, probe.tensors())
    artifact.seal(folder, KIND, {**config, "form": probe.form}, [TENSORS])


def load_probe(folder: Path | str) -> tuple[Probe, dict[str, Any]]:
    """A saved probe and what it is of.

    Raises `ArtifactError` for a folder that is missing, damaged or of another kind.
    """
    folder = Path(folder)
    artifact.require_kind(folder, KIND)
    for damaged in artifact.damage(folder):
        raise ArtifactError(expected=f"{damaged.path} as it was written", got=damaged.reason, do="make the probe again")
    config = artifact.read_json(folder / artifact.CONFIG)
    if config.get("form") not in FORMS:
        raise ArtifactError(
            expected=f"a probe of form {listed(FORMS)}", got=repr(config.get("form")), do="name another"
        )
    return FORMS[config["form"]].from_tensors(artifact.read_tensors(folder / TENSORS)), config
