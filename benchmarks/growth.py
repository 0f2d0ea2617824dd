"""Time of each stage of a study, and its peak memory, at 1x, 2x and 4x tokens.

Each study runs in a process of its own, of a random two-layer model of width 64 on random words, with one pass of
training, so that every stage has work in proportion to its tokens (evaluation takes at most 200,000 held-out tokens).
Memory is sampled every 10 ms: what a process owns (`RssAnon`; mapped files, which the system may drop at any
time, are not counted). The activations of the largest study take 150 MB on disk.
"""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from harvest import random_documents, random_llama
from report import Line, arguments, show

TOKENS, TIMES = 300_000, (1, 2, 4)
STAGES = ("cut", "harvest", "train", "evaluate", "index")
MOST_TIME, MOST_MEMORY = 4.6, 1.1
"""Goals: how much longer 4x tokens may take than 1x (4 is linear), and how much more memory."""


def child(model: str, corpus: str, out: str) -> None:
    """One study; prints the processor seconds of each stage and the peak memory in MB."""
    from tymbal.study import StudyConfig, conduct_study
    from tymbal.study.journal import JOURNAL

    peak, done = [0.0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(peak, done))
    watcher.start()
    config = StudyConfig(site="resid_post.0", features=256, k=8, epochs=1.0, autocast=False)
    conduct_study(model, [corpus], config, out=Path(out))
    done.set()
    watcher.join()
    entries = [json.loads(line) for line in (Path(out) / "log" / JOURNAL).read_text().splitlines()]
    print(json.dumps({"peak": peak[0], **{entry["stage"]: entry["processor_seconds"] for entry in entries}}))


def _watch(peak: list[float], done: threading.Event) -> None:
    while not done.wait(0.01):
        status = Path("/proc/self/status").read_text()
        owned = next(line for line in status.splitlines() if line.startswith("RssAnon"))
        peak[0] = max(peak[0], int(owned.split()[1]) / 1024)


def measured(folder: Path) -> dict[int, dict[str, float]]:
    """What each study printed, by how many times the tokens it had."""
    model = random_llama(folder / "model", width=64, layers=2, words=512)
    found = {}
    for times in TIMES:
        corpus = folder / f"words-{times}.txt"
        texts = (document.text for document in random_documents(times * TOKENS, words=512))
        corpus.write_text("\n".join(texts) + "\n", encoding="utf-8")
        command = [sys.executable, __file__, "--child", str(model), str(corpus), str(folder / f"study-{times}")]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found[times] = json.loads(done.stdout.splitlines()[-1])
    return found


def lines(found: dict[int, dict[str, float]]) -> Iterator[Line]:
    """The table: what each stage takes, and how it grows."""
    for stage in STAGES:
        for times in TIMES:
            yield Line(
                name=f"{stage}, {times * TOKENS:,} tokens", system="tymbal", value=found[times][stage], unit="CPU s"
            )
    for times in TIMES:
        yield Line(
            name=f"peak memory, {times * TOKENS:,} tokens", system="tymbal", value=found[times]["peak"], unit="MB"
        )
    for stage in STAGES:
        ratio = found[4][stage] / found[1][stage]
        yield Line(name=f"{stage}, 4x over 1x tokens", system="tymbal", value=ratio, unit="times", goal=MOST_TIME)
    ratio = found[4]["peak"] / found[1]["peak"]
    yield Line(name="peak memory, 4x over 1x tokens", system="tymbal", value=ratio, unit="times", goal=MOST_MEMORY)


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
        return
    options = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name:
        found = measured(Path(name))
    show(list(lines(found)), as_json=options.json)


if __name__ == "__main__":
    main()
