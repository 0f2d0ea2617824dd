"""Peak memory of a harvest, and of training rows streamed through the buffer, at 1x and 4x corpus.

Each in a process of its own (`ru_maxrss`). The corpora are several times larger than a shard or the buffer, so that
anything that is kept for the whole corpus would show: activations of the larger one take 600 MB.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from harvest import random_documents, random_llama
from report import Line, arguments, show

from tymbal.activations import HarvestConfig, StreamedRows, harvest
from tymbal.corpora import CutConfig, PassageStore, cut
from tymbal.models import open_model

TOKENS, WIDTH, SITE, SHARD_TOKENS, BUFFER_ROWS = 200_000, 384, "embed", 1 << 15, 1 << 15


def child(what: str, model_folder: Path, passages_folder: Path, out: Path) -> None:
    """Do one thing and print this process's peak memory in MB."""
    model, passages = open_model(model_folder), PassageStore.open(passages_folder)
    if what == "harvest":
        harvest(model, passages, HarvestConfig(sites=(SITE,), shard_tokens=SHARD_TOKENS), out)
    else:
        rows = StreamedRows(model, passages, SITE, seed=0, buffer_rows=BUFFER_ROWS)
        for step in range(rows.rows_per_epoch // 4096):
            rows.batch(step, 4096)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = open_model(random_llama(folder / "model", width=WIDTH, layers=1))
        peaks: dict[tuple[str, int], float] = {}
        for times in (1, 4):
            passages = folder / f"passages-{times}"
            cut(random_documents(times * TOKENS), model.tokenizer, CutConfig(length=128, heldout=0.0), passages)
            for what in ("harvest", "buffer"):
                command = [
                    sys.executable,
                    __file__,
                    "--child",
                    what,
                    folder / "model",
                    passages,
                    folder / f"{what}-{times}",
                ]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                peaks[what, times] = float(done.stdout)
        lines = []
        for what in ("harvest", "buffer"):
            for times in (1, 4):
                label = f"peak memory, {what}, {times * TOKENS:,} tokens"
                lines.append(Line(name=label, system="tymbal", value=peaks[what, times], unit="MB"))
            growth = peaks[what, 4] / peaks[what, 1]
            lines.append(
                Line(name=f"peak memory, {what}, 4x over 1x", system="tymbal", value=growth, unit="x", goal=1.10)
            )
        show(lines, as_json=options.json)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], *(Path(argument) for argument in sys.argv[3:6]))
    else:
        main()
