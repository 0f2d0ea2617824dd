"""The folder of a study: what it holds, which stages are complete, and whether each file is as it was written.

    study.json         the question: model, corpus, config, and the identities of what was opened
    manifest.json      for each complete stage, the size and SHA-256 of every file it made
    corpus/            passages                       (stage cut)
    activations/       shards of activations          (stage harvest; absent where they are streamed)
    dictionary/        the trained dictionary         (stage train)
    evaluation.json    its health                     (stage evaluate)
    atlas/             tables about its features      (stage index)
    explanations/      what its features fire on      (stage explain)
    log/               times, messages, the lock: outside every comparison

A stage is complete once `manifest.json` lists it; each write is atomic, so a killed process leaves complete stages
and a partial one. A file that disagrees with its checksum is removed and its stage done again, which makes only what
is missing. Where that ends with other bytes than before, all later stages are dropped.
"""

import fcntl
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tymbal import artifact
from tymbal.errors import ArtifactError

STUDY = "study.json"
OUTPUTS = {
    "cut": "corpus",
    "harvest": "activations",
    "train": "dictionary",
    "evaluate": "evaluation.json",
    "index": "atlas",
    "explain": "explanations",
}
LOG = "log"
FORMAT = 1


class StudyFolder:
    """Paths, question and manifest of one study."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def output(self, stage: str) -> Path:
        """The folder or file that a stage makes."""
        return self.path / OUTPUTS[stage]

    @property
    def log(self) -> Path:
        """The folder for times and messages."""
        return self.path / LOG

    def question(self) -> dict[str, Any] | None:
        """What the study asks (`study.json`), or None where no study has begun."""
        file = self.path / STUDY
        return artifact.read_json(file) if file.exists() else None

    def ask(self, question: dict[str, Any]) -> None:
        """Write `study.json`, once."""
        artifact.write_json(self.path / STUDY, question)

    def foreign(self) -> str | None:
        """Something in the folder that no study would have left there before it began; None where it is free."""
        if not self.path.exists():
            return None
        if not self.path.is_dir():
            return self.path.name
        names = (entry.name for entry in sorted(self.path.iterdir()))
        return next((name for name in names if name != LOG and not name.endswith(artifact.TEMPORARY_SUFFIX)), None)

    def clear_unfinished(self) -> None:
        """Remove the temporary files that a killed process left."""
        for path in self.path.rglob(f"*{artifact.TEMPORARY_SUFFIX}"):
            path.unlink(missing_ok=True)

    def stages(self) -> dict[str, dict[str, Any]]:
        """The complete stages, each with its files' sizes and checksums.

        None of them where the manifest is missing or damaged: then each is asked again, and makes what it lacks.
        """
        try:
            return artifact.read_json(self.path / artifact.MANIFEST)["stages"]
        except (ArtifactError, KeyError, TypeError):
            return {}

    def status(self) -> dict[str, bool]:
        """Whether each stage is complete, in order."""
        done = self.stages()
        return {stage: stage in done for stage in OUTPUTS}

    def damaged(self, stage: str) -> Iterator[artifact.Damage]:
        """Each file of a complete stage that is missing or is no longer what it was."""
        for name, entry in self.stages()[stage]["files"].items():
            reason = _disagreement(self.path / name, entry)
            if reason:
                yield artifact.Damage(self.path / name, reason)

    def record(self, stage: str) -> None:
        """Mark a stage complete; where it made other files than before, later stages are dropped first."""
        stages = self.stages()
        files = {name: _entry(self.path / name) for name in _files(self.path, self.output(stage))}
        if stage in stages and stages[stage]["files"] != files:
            self.drop(_later(stage))
            stages = self.stages()
        stages[stage] = {"files": files}
        self._write(stages)

    def drop(self, stages: Sequence[str]) -> None:
        """Forget these stages and remove what they made."""
        kept = {stage: record for stage, record in self.stages().items() if stage not in stages}
        self._write(kept)
        for stage in stages:
            output = self.output(stage)
            if output.is_dir():
                shutil.rmtree(output)
            else:
                output.unlink(missing_ok=True)

    def discard(self) -> None:
        """Leave nothing of a study that could not begin; the folder too, if nothing else is in it."""
        for name in (STUDY, artifact.MANIFEST):
            (self.path / name).unlink(missing_ok=True)
        shutil.rmtree(self.log, ignore_errors=True)
        with suppress(OSError):
            self.path.rmdir()

    def _write(self, stages: dict[str, dict[str, Any]]) -> None:
        manifest = {"kind": "study", "format": FORMAT, "stages": stages, "provenance": artifact.provenance()}
        artifact.write_json(self.path / artifact.MANIFEST, manifest)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes away while the block lasts; a killed process leaves no lock behind."""
        try:
            self.log.mkdir(parents=True, exist_ok=True)
            file = open(self.log / "lock", "a", encoding="utf-8")  # noqa: SIM115
        except OSError as error:
            raise ArtifactError(
                expected=f"a folder that can be written at {self.path}",
                got=error.strerror or str(error),
                do="choose another --out",
            ) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ArtifactError(
                    expected=f"{self.path} to be free",
                    got="another process at work on it",
                    do="wait for it or choose another --out",
                ) from error
            yield


def _later(stage: str) -> list[str]:
    names = list(OUTPUTS)
    return names[names.index(stage) + 1 :]


def _files(root: Path, output: Path) -> list[str]:
    found = [output] if output.is_file() else output.rglob("*")
    whole = (path for path in found if path.is_file() and path.suffix != artifact.TEMPORARY_SUFFIX)
    return sorted(path.relative_to(root).as_posix() for path in whole)


def _entry(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": artifact.file_checksum(path)}


def _disagreement(path: Path, entry: dict[str, Any]) -> str:
    if not path.exists():
        return "missing"
    size = path.stat().st_size
    if size != entry["bytes"]:
        return f"{size} bytes instead of {entry['bytes']}"
    return "" if artifact.file_checksum(path) == entry["sha256"] else "changed on disk"
