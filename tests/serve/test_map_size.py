"""A map of 100,000 dots, in a browser without a graphics card. `pytest -s` prints how long drawing takes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tymbal.atlas import Cluster, MapPoint
from tymbal.serve.data import script
from tymbal.serve.exhibit import Exhibit, open_exhibit

POINTS, CLUSTERS = 100_000, 120
TIMED = """() => {
  const times = [];
  for (let step = 0; step < 40; step++) {
    const begin = performance.now();
    tymbal.pan(step % 2 ? 9 : -9, step % 3 ? 5 : -10);
    times.push(performance.now() - begin);
  }
  times.sort((one, two) => one - two);
  return { median: times[20], slow: times[37] };
}"""


def crowded(exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch) -> Exhibit:
    """The exhibit with another map: Gaussian clusters of dots."""
    generator = np.random.default_rng(0)
    cluster = generator.integers(0, CLUSTERS, POINTS)
    places = generator.normal(0, 10, (CLUSTERS, 2))[cluster] + generator.normal(0, 0.6, (POINTS, 2))
    points = [
        MapPoint(number, float(x), float(y), int(group), 0.001, f"▸ word{number} · other{group}")
        for number, ((x, y), group) in enumerate(zip(places, cluster, strict=True))
    ]
    clusters = [Cluster(number, f"group {number}", POINTS // CLUSTERS) for number in range(CLUSTERS)]
    monkeypatch.setattr(exhibit.atlas, "map", lambda: points)
    monkeypatch.setattr(exhibit.atlas, "clusters", lambda: clusters)
    return exhibit


@pytest.mark.slow
def test_a_hundred_thousand_dots_are_drawn_found_and_opened(
    chromium: Any, bare: Path, exported: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    for name in ("static", "feature", "map.html"):
        (tmp_path / name).symlink_to(exported / name)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "map.js").write_text(script(crowded(open_exhibit(bare), monkeypatch), "map"))
    page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto((tmp_path / "map.html").as_uri())
    first = page.evaluate("performance.getEntriesByName('first-dots')[0].startTime")
    times = page.evaluate(TIMED)
    with capsys.disabled():
        print(
            f"\n{POINTS:,} dots: first drawn after {first:.0f} ms; a frame of panning takes {times['median']:.0f} ms "
            f"(median), {times['slow']:.0f} ms (95th percentile)"
        )
    page.locator("#whole").click()
    page.locator("#plane").scroll_into_view_if_needed()
    place = page.evaluate("tymbal.where(99)")
    page.mouse.move(place["x"], place["y"])
    page.locator("#hover", has_text="feature").wait_for()
    page.locator("#find").fill("word99999")
    page.locator("#lit", has_text="1 feature").wait_for()
    page.context.close()
