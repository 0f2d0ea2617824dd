"""Run the benchmarks one after the other and end with the goals that fall short: `python benchmarks [--full]`.

Every script `benchmarks/NAME.py` prints a table, and with `--json` one object a line:
`{"name", "system", "value", "unit", "goal", "holds"}` (`goal` and `holds` on tymbal's lines that have one). Each runs
in a process of its own. The long ones, listed in `LONG`, run with `--full` only.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

LONGER = frozenset({"index"})
"""Scripts that measure more with `--full`."""
LONG = frozenset({"concept_list", "dictionary_growth", "mild_sampling", "quality", "superposition"})
HERE = Path(__file__).parent


def main() -> int:
    """Run all scripts within the time given; 0 unless one of them failed."""
    parser = argparse.ArgumentParser(prog="python benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=None, help="stop after this many minutes")
    parser.add_argument("--full", action="store_true", help="run the long ones too")
    parser.add_argument("--real", type=Path, default=None, help="folder of real models and text")
    options = parser.parse_args()
    deadline = time.monotonic() + options.minutes * 60 if options.minutes else None
    lines: list[dict[str, Any]] = []
    unfinished = []
    scripts = (path for path in sorted(HERE.glob("[a-z]*.py")) if "__main__" in path.read_text(encoding="utf-8"))
    for script in scripts:
        if script.stem in LONG and not options.full:
            continue
        found = _measured(script, options.real, deadline, full=options.full and script.stem in LONGER)
        if found is None:
            unfinished.append(script.stem)
        else:
            lines += found
    _end(lines, unfinished)
    return 1 if unfinished else 0


def _measured(script: Path, real: Path | None, deadline: float | None, *, full: bool) -> list[dict[str, Any]] | None:
    """One script's lines, shown as they are read; None where it failed or its time was up."""
    left = None if deadline is None else deadline - time.monotonic()
    print(f"\n{script.stem}", flush=True)
    if left is not None and left <= 0:
        print("  not begun: the time is up")
        return None
    command = [sys.executable, str(script), "--json"]
    if real is not None:
        command += ["--real", str(real)]
    if full:
        command.append("--full")
    begun = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=left, check=False)
    except subprocess.TimeoutExpired:
        print("  stopped: the time is up")
        return None
    if done.returncode:
        print("  failed: " + (done.stderr.strip().splitlines() or ["no message"])[-1])
        return None
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    for line in lines:
        print("  " + _row(line), flush=True)
    print(f"  ({time.monotonic() - begun:.0f} s)", flush=True)
    return lines


def _row(line: dict[str, Any]) -> str:
    goal = "" if line.get("goal") is None else f"goal {line['goal']}: {'holds' if line['holds'] else 'FALLS SHORT'}"
    return f"{line['name']:<58} {line['system']:<14} {line['value']:>12,.4g} {line['unit']:<22} {goal}".rstrip()


def _end(lines: list[dict[str, Any]], unfinished: list[str]) -> None:
    goals = [line for line in lines if line.get("goal") is not None]
    short = [line for line in goals if not line["holds"]]
    print(f"\n{len(goals) - len(short)} of {len(goals)} goals hold.")
    for line in short:
        print("  " + _row(line))
    if unfinished:
        print(f"not measured: {', '.join(unfinished)}")


if __name__ == "__main__":
    sys.exit(main())
