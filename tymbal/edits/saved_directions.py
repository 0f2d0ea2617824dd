"""Saved probes as directions to steer along."""

from pathlib import Path

from tymbal.edits.vectors import SteeringVector, probe_vector
from tymbal.errors import ProbeError, listed
from tymbal.probes import load_probe


def saved_direction(name: str) -> SteeringVector:
    """The direction of `DIR` or `DIR:CLASS`, a probe that `tymbal probe` saved, or the folder it wrote.

    Of two classes it leads to the second, unless the first is named. Raises `ArtifactError` for a folder without a
    probe, `ProbeError` for a class that it does not know.
    """
    folder, _, wanted = (name, "", "") if Path(name).is_dir() else name.rpartition(":")
    path = Path(folder or name)
    probe, of = load_probe(path / "probe" if (path / "probe").is_dir() else path)
    names = [str(known) for known in of["names"]]
    if wanted and wanted not in names:
        raise ProbeError(expected=f"a class of the probe: {listed(names)}", got=repr(wanted), do="name one of these")
    if len(names) != 2:
        return probe_vector(probe, site=of["site"], model=of["model"], output=names.index(wanted) if wanted else 0)
    vector = probe_vector(probe, site=of["site"], model=of["model"])
    return vector.reversed() if wanted == names[0] else vector
