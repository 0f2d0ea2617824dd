"""How long a feature's page takes to read from an atlas of 100,000 features, beside bare DuckDB on the same files.

A page is `Atlas.feature` (statistics, output tokens, neighbours with their labels) and `Atlas.examples` (40 windows of
37 tokens). Bare DuckDB runs one query for the same examples alone, on the same Parquet files, sorted by feature. Then
the whole page is asked for over HTTP, of `tymbal serve` in a process of its own, by one client and by 20 at once, each
of which asks for its next page as soon as it has one. The atlas is made up, but has the tables, the writer and the row
groups of a real one; features are drawn at random. Times are wall-clock, files in the page cache.

    .venv/bin/python benchmarks/atlas_pages.py [--json]
"""

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import httpx
import numpy as np
from made_up_atlas import FEATURE_COUNT, write_atlas
from report import Line, arguments, note, show
from served import answering

from tymbal.atlas import Atlas, open_atlas
from tymbal.atlas.tables import EXAMPLES

PAGES = 400
GOAL = 50.0
"""milliseconds, 95th percentile"""
CLIENTS, GOAL_CLIENTS = 20, 150.0
EACH = 20
"""pages that each of these clients asks for, one after the other"""


def percentile_ms(read: Callable[[int], object], features: np.ndarray) -> tuple[float, float]:
    """Median and 95th percentile of the time to read each feature, after a warm-up."""
    read(int(features[0]))
    seconds = []
    for feature in features:
        start = time.perf_counter()
        read(int(feature))
        seconds.append(time.perf_counter() - start)
    median, high = np.percentile(np.array(seconds) * 1000, [50, 95])
    return float(median), float(high)


def over_http(address: str, features: np.ndarray, clients: int) -> tuple[float, float]:
    """Median and 95th percentile of the time that each page takes to arrive, with so many clients asking at once."""

    def client(number: int) -> list[float]:
        seconds = []
        with httpx.Client(base_url=address, timeout=60) as session:
            for feature in np.random.default_rng(number).choice(features, EACH + 1):
                start = time.perf_counter()
                session.get(f"/feature/{feature}").raise_for_status()
                seconds.append(time.perf_counter() - start)
        return seconds[1:]  # the first opens the connection

    with ThreadPoolExecutor(clients) as pool:
        times = np.concatenate(list(pool.map(client, range(clients))))
    median, high = np.percentile(times * 1000, [50, 95])
    return float(median), float(high)


def bare_reader(folder: Path) -> Callable[[int], object]:
    """One query on all of the examples' Parquet files, sorted by feature, DuckDB as it comes."""
    connection = duckdb.connect()
    files = folder / EXAMPLES / "*.parquet"
    query = f"SELECT * FROM read_parquet('{files}') WHERE feature = ? AND role = 'show' ORDER BY kind, rank"
    return lambda feature: connection.execute(query, [feature]).fetchall()


def page_reader(atlas: Atlas) -> Callable[[int], object]:
    """All that a feature's page shows."""
    return lambda feature: (atlas.feature(feature), atlas.examples(feature))


def main() -> None:
    """Make the atlas, read random pages, print the table."""
    options = arguments(__doc__)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        start = time.perf_counter()
        write_atlas(folder)
        size = sum(path.stat().st_size for path in folder.rglob("*.*")) / 1e6
        note(f"wrote {FEATURE_COUNT} features, {size:.0f} MB, in {time.perf_counter() - start:.0f} s")
        features = np.random.default_rng(1).integers(0, FEATURE_COUNT, PAGES)
        lines = []
        for system, read, goal in (
            ("tymbal", page_reader(open_atlas(folder)), GOAL),
            (f"duckdb {duckdb.__version__}", bare_reader(folder), None),
        ):
            median, high = percentile_ms(read, features)
            lines.append(
                Line(name="feature page of 100,000: 95th percentile", system=system, value=high, unit="ms", goal=goal)
            )
            lines.append(Line(name="feature page of 100,000: median", system=system, value=median, unit="ms"))
        with answering(folder) as address:
            for clients, goal in ((1, None), (CLIENTS, GOAL_CLIENTS)):
                median, high = over_http(address, features, clients)
                name = f"feature page over HTTP, {clients} client{'s' * (clients > 1)} at once"
                lines.append(Line(name=f"{name}: 95th percentile", system="tymbal", value=high, unit="ms", goal=goal))
                lines.append(Line(name=f"{name}: median", system="tymbal", value=median, unit="ms"))
        show(lines, as_json=options.json)


if __name__ == "__main__":
    main()
