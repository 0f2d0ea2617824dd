"""How soon the map of 100,000 features is drawn in a browser, and how smoothly it pans.

The map draws into a canvas by itself, so no WebGL is needed or used; the browser is headless Chromium without a
graphics card (`--enable-unsafe-swiftshader`), the server `tymbal serve`, the window 1440 by 900. First draw is the
time from the request for the page to the first dots on the canvas, data included. Panning asks for one step of a pan
in every frame that the browser shows, for three seconds, and counts the frames. Medians of three loads of the page.

    .venv/bin/python benchmarks/map.py [--json]
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from made_up_atlas import FEATURE_COUNT, write_atlas
from report import Line, arguments, note, show
from served import answering

CHROMIUM = Path("/usr/bin/chromium")
GOAL_FIRST, GOAL_FRAME = 2000.0, 1000 / 30
"""milliseconds"""
ROUNDS = 3
PANNED = """() => new Promise((done) => {
  const begin = performance.now();
  let frames = 0;
  const step = () => {
    tymbal.pan(frames % 2 ? 9 : -9, frames % 3 ? 5 : -10);
    frames += 1;
    if (performance.now() - begin < 3000) requestAnimationFrame(step);
    else done((performance.now() - begin) / frames);
  };
  requestAnimationFrame(step);
})"""


def drawn(address: str) -> Iterator[Line]:
    """Open the map, time its first dots, pan."""
    from playwright.sync_api import sync_playwright

    arguments_ = ["--no-sandbox", "--enable-unsafe-swiftshader"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments_)
        first, frame = [], []
        for _ in range(ROUNDS):
            page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
            page.goto(f"{address}/map")
            page.wait_for_function("performance.getEntriesByName('first-dots').length > 0")
            first.append(page.evaluate("performance.getEntriesByName('first-dots')[0].startTime"))
            frame.append(page.evaluate(PANNED))
            page.context.close()
        browser.close()
    middle = ROUNDS // 2
    of = f"map of {FEATURE_COUNT:,} features"
    yield Line(name=f"{of}: first draw", system="tymbal", value=sorted(first)[middle], unit="ms", goal=GOAL_FIRST)
    yield Line(
        name=f"{of}: a frame of panning", system="tymbal", value=sorted(frame)[middle], unit="ms", goal=GOAL_FRAME
    )
    yield Line(name=f"{of}: panning", system="tymbal", value=1000 / sorted(frame)[middle], unit="frames/s")


def main() -> None:
    """Make the atlas, serve it, open its map, print the table."""
    options = arguments(__doc__)
    if not CHROMIUM.exists():
        note(f"left out: the map, which needs {CHROMIUM}")
        return
    with tempfile.TemporaryDirectory() as temporary:
        write_atlas(Path(temporary), examples=False)
        with answering(Path(temporary)) as address:
            show(list(drawn(address)), as_json=options.json)


if __name__ == "__main__":
    main()
