"""The list of a store's shards, kept while it is being cut: what makes it resumable.

`shards.json` holds the settings and, for each complete shard, its checksum and what it covers. It is written before
the first shard and again after each, so a killed process leaves a list of complete shards. Whatever a file's end
`.part` marks, and shards that are not listed, are remains of a kill.
"""

import contextlib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tymbal.artifact import CONFIG, MANIFEST, TEMPORARY_SUFFIX, file_checksum, is_sealed, read_json, write_json
from tymbal.corpora.shard import ShardEntry
from tymbal.errors import ArtifactError, CorpusError

KIND = "passages"
TABLE = "shards.json"
_log = logging.getLogger(__name__)


class Table:
    """The shards of one store, in order."""

    def __init__(self, folder: Path, settings: Mapping[str, Any], shards: list[ShardEntry], *, sealed: bool) -> None:
        self.folder = folder
        self.settings = settings
        self.shards = shards
        self.sealed = sealed
        """Whether the store was once complete: then a shard can be lost, but none is missing from the list."""
        self.described = sealed and _agrees(folder, CONFIG, _readable(folder / MANIFEST))
        """Whether its `config.json` is as it was written."""

    @property
    def tokens(self) -> int:
        """Tokens in all listed shards."""
        return sum(sum(shard.tokens) for shard in self.shards)

    @property
    def passages(self) -> int:
        """Passages in all listed shards."""
        return self.shards[-1].passages[1] if self.shards else 0

    @property
    def parts(self) -> int:
        """Parts of documents that the listed shards cover."""
        return self.shards[-1].parts[1] if self.shards else 0

    def record(self, shard: ShardEntry) -> None:
        """List one more complete shard."""
        self.shards.append(shard)
        self.save()

    def save(self) -> None:
        """Write the list."""
        shards = [shard._asdict() for shard in self.shards]
        write_json(self.folder / TABLE, {"settings": self.settings, "shards": shards})

    def damaged(self) -> Iterator[ShardEntry]:
        """Each listed shard whose file is missing or has another checksum."""
        for shard in self.shards:
            path = self.folder / shard.file
            if not path.exists() or file_checksum(path) != shard.sha256:
                _log.warning("%s is %s; it is made again", path, "changed" if path.exists() else "missing")
                yield shard

    def discard(self) -> None:
        """Remove what was written; the folder too, if nothing else is in it."""
        for pattern in ("shard-*.safetensors", TABLE, f"*{TEMPORARY_SUFFIX}"):
            for path in self.folder.glob(pattern):
                path.unlink()
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def open_table(folder: Path, settings: Mapping[str, Any]) -> Table:
    """The list in `folder`, or an empty one where none is.

    Raises `ArtifactError` when the folder holds something else, or passages cut with other settings.
    """
    _refuse_foreign(folder)
    listing = _readable(folder / TABLE)
    manifest = _readable(folder / MANIFEST)
    if listing is None or (manifest is not None and not _agrees(folder, TABLE, manifest)):
        # Without a list nothing on disk can be trusted: everything is made again, to the same bytes.
        (folder / MANIFEST).unlink(missing_ok=True)
        return Table(folder, settings, [], sealed=False)
    differing = [name for name in settings if listing["settings"].get(name) != settings[name]]
    if differing:
        before = ", ".join(f"{name}={listing['settings'].get(name)}" for name in differing)
        raise ArtifactError(
            expected=f"the settings that {folder} was cut with ({before})",
            got=", ".join(f"{name}={settings[name]}" for name in differing),
            do="name another folder, or use the same settings",
        )
    return Table(folder, settings, [_entry(shard) for shard in listing["shards"]], sealed=manifest is not None)


def _entry(shard: dict[str, Any]) -> ShardEntry:
    return ShardEntry(
        file=shard["file"],
        sha256=shard["sha256"],
        parts=(shard["parts"][0], shard["parts"][1]),
        passages=(shard["passages"][0], shard["passages"][1]),
        documents=shard["documents"],
        tokens=tuple(shard["tokens"]),
        concepts=tuple(shard["concepts"]),
    )


def read_entries(folder: Path) -> list[ShardEntry]:
    """The shards of a complete store."""
    return [_entry(shard) for shard in read_json(folder / TABLE)["shards"]]


def _refuse_foreign(folder: Path) -> None:
    present = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    present = [name for name in present if not name.endswith(TEMPORARY_SUFFIX)]
    if not present or TABLE in present:
        return
    manifest = _readable(folder / MANIFEST) if is_sealed(folder) else None
    if manifest is None or manifest.get("kind") != KIND:
        raise ArtifactError(
            expected=f"an empty folder or one of passages at {folder}", got=f"one with {present[0]}", do="name another"
        )


def _readable(path: Path) -> Any:
    """A JSON file's value, None where it is missing or damaged."""
    try:
        return read_json(path)
    except ArtifactError:
        return None


def _agrees(folder: Path, name: str, manifest: dict[str, Any]) -> bool:
    """Whether a file has the checksum that the manifest says."""
    path = folder / name
    return path.exists() and manifest["files"].get(name, {}).get("sha256") == file_checksum(path)


def corpus_changed(folder: Path, shard: ShardEntry) -> CorpusError:
    """A shard that was lost cannot be made again from this corpus."""
    return CorpusError(
        expected=f"the corpus that {folder} was cut from, to make {shard.file} again",
        got="another corpus",
        do="name the same corpus, or another folder",
    )
