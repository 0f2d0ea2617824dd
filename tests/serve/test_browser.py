"""Every page in a real browser, live and from `file://`, with the network blocked."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tymbal.atlas import FeatureFilter, open_atlas

from .conftest import FEATURES, HOSTILE

ANALYSES = ("universality", "splitting", "automata", "languages", "geometry-month", "of-another-version")
PAGES = (
    *("overview", "explore", "map", "feature", "completeness", "safety", "analyses", "languages", "compare"),
    *(f"analyses/{name}" for name in ANALYSES),
    *("compare/0-1", "compare/8-9"),
)
CONTRAST = """() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const solid = (...layers) => { layers.forEach(layer => { canvas.fillStyle = layer; canvas.fillRect(0, 0, 1, 1); });
    return Array.from(canvas.getImageData(0, 0, 1, 1).data).slice(0, 3); };
  const light = rgb => rgb.map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const ratio = (one, two) => {
    const [a, b] = [light(one), light(two)].sort((x, y) => y - x); return (a + .05) / (b + .05); };
  const paper = getComputedStyle(document.body).backgroundColor;
  const seen = selector => { const style = getComputedStyle(document.querySelector(selector));
    return ratio(solid(style.color), solid(paper, style.backgroundColor)); };
  return { darkest: seen(".examples mark"), link: seen("main a"), quiet: seen(".note"), ink: seen("h1") };
}"""


class Site(NamedTuple):
    """The pages, live or exported."""

    exported: bool
    address: Callable[[str], str]


@pytest.fixture(params=["live", "exported"])
def site(request: pytest.FixtureRequest) -> Site:
    """Where the pages are: behind the app, or in files."""
    if request.param == "live":
        base = request.getfixturevalue("live")
        return Site(False, lambda name: base + {"overview": "/", "feature": "/feature/20"}.get(name, f"/{name}"))
    root: Path = request.getfixturevalue("exported")
    files = {"overview": "index.html", "explore": "explore.html", "map": "map.html", "feature": "feature/20.html"}
    return Site(True, lambda name: (root / files.get(name, f"{name}.html")).as_uri())


@pytest.mark.parametrize("page", ["desk", "phone"], indirect=True)
def test_no_page_overflows_or_complains(page: Any, site: Site) -> None:
    for name in PAGES:
        page.goto(site.address(name))
        page.wait_for_load_state("load")
        assert page.locator("h1").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name


def test_hostile_text_is_shown_and_never_runs(page: Any, site: Site) -> None:
    for token in range(len(HOSTILE)):
        page.goto(site.address(f"feature/{token}"))
        assert page.evaluate("document.querySelectorAll('main script, main img, main iframe').length") == 0
    page.goto(site.address("feature/0"))
    assert "<script>alert(1)</script>" in page.locator("mark.peak").first.inner_text()
    page.goto(site.address("feature/4"))
    assert "⟨NUL⟩NUL⟨NUL⟩" in page.locator(".examples").first.inner_text()
    page.goto(site.address("feature/3"))
    assert "⟨202E⟩evil⟨2066⟩" in page.locator(".examples").first.inner_text()
    page.goto(site.address("feature/7"))
    assert "… (5,000 characters)" in page.locator(".examples").first.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_token_tells_its_activation_when_pointed_at(page: Any, site: Site) -> None:
    page.goto(site.address("feature"))
    peak = page.locator("mark.peak").first
    peak.hover()
    number = page.locator(".examples .number").first.inner_text()
    assert peak.evaluate("mark => getComputedStyle(mark, '::after').content") == f'"{number}"'


def test_arrow_keys_turn_to_other_features(page: Any, site: Site) -> None:
    page.goto(site.address("feature"))
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/feature/21*")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/feature/20*")


def until(true: Callable[[], bool]) -> None:
    """Wait for what the page's policy keeps a script of ours from waiting for."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def rows(page: Any) -> list[int]:
    return [int(number) for number in page.locator('#rows [data-field="feature"]').all_inner_texts()]


def test_features_are_searched_sorted_and_filtered(page: Any, site: Site, study: Path) -> None:
    atlas = open_atlas(study / "atlas")
    known = {row.feature: row for row in atlas.features(limit=FEATURES)}
    page.goto(site.address("explore"))
    page.locator("#tally", has_text=f"of {FEATURES - 2} features").wait_for()

    page.get_by_label("Sort by").select_option("maximum")
    strongest = max(known.values(), key=lambda row: row.maximum).feature
    page.locator("#rows tr:first-child", has_text=str(strongest)).wait_for()
    assert (
        rows(page)
        == sorted((number for number, row in known.items() if not row.dead), key=lambda number: -known[number].maximum)[
            : len(rows(page))
        ]
    )

    page.get_by_label("Show").select_option("dead")
    page.locator("#tally", has_text="of 2 features").wait_for()
    assert rows(page) == [number for number, row in known.items() if row.dead]

    found = atlas.features(
        FeatureFilter(dead=False, search="wordz25"), order="maximum", descending=True, limit=FEATURES
    )
    # The export has no example text to search.
    named = [row for row in found if "wordz25" in row.label + " ".join(row.top_tokens)]
    expected = [row.feature for row in (named if site.exported else found)][:50]
    assert 25 in expected
    page.get_by_label("Show").select_option("alive")
    page.locator("#q").fill("WORDZ25")
    until(lambda: rows(page) == expected)

    page.reload()
    until(lambda: rows(page) == expected)
    assert page.locator("#q").input_value() == "WORDZ25"
    page.locator("#rows a", has_text="wordz25").first.click()
    page.wait_for_url("**/feature/*")


def test_the_list_turns_pages(page: Any, site: Site) -> None:
    page.goto(site.address("explore"))
    page.locator("#tally", has_text="1–50").wait_for()
    page.locator("#on").click()
    page.locator("#tally", has_text=f"51–{FEATURES - 2}").wait_for()
    assert page.locator("#on").is_hidden()


def test_a_header_sorts_one_way_and_then_the_other(page: Any, site: Site) -> None:
    page.goto(site.address("explore"))
    page.locator('th[data-column="feature"] a').click()
    page.locator('th[data-column="feature"][aria-sort="ascending"]').wait_for()
    assert rows(page)[:3] == [0, 1, 2]
    page.locator('th[data-column="feature"] a').click()
    page.locator('th[data-column="feature"][aria-sort="descending"]').wait_for()
    assert rows(page)[0] == FEATURES - 3


def test_the_list_works_without_a_script(chromium: Any, live: str) -> None:
    page = chromium.new_context(java_script_enabled=False).new_page()
    page.goto(f"{live}/explore")
    page.get_by_label("Show").select_option("dead")
    page.get_by_role("button", name="Search").click()
    assert len(rows(page)) == 2
    page.context.close()


def test_a_dot_of_the_map_opens_its_feature(page: Any, site: Site) -> None:
    page.goto(site.address("map"))
    page.locator("#plane").hover()
    place = page.evaluate("tymbal.where(33)")
    page.mouse.move(place["x"], place["y"])
    page.locator("#hover", has_text="feature 33 ").wait_for()
    page.mouse.click(place["x"], place["y"])
    page.wait_for_url("**/feature/33*")


def test_the_map_is_drawn_dragged_and_zoomed(page: Any, site: Site) -> None:
    page.goto(site.address("map"))
    page.locator("#plane").scroll_into_view_if_needed()
    colour = "([x, y]) => Array.from(document.getElementById('plane').getContext('2d').getImageData(x, y, 1, 1).data)"
    frame = page.locator("#plane").bounding_box()
    before = page.evaluate("tymbal.where(40)")
    drawn = page.evaluate(colour, [round(before["x"] - frame["x"]), round(before["y"] - frame["y"])])
    assert drawn != page.evaluate(colour, [1, 1])

    x, y = frame["x"] + 300, frame["y"] + 200
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 30, steps=4)
    page.mouse.up()
    after = page.evaluate("tymbal.where(40)")
    assert (after["x"] - before["x"], after["y"] - before["y"]) == pytest.approx((60, 30), abs=1.5)

    page.mouse.wheel(0, -500)
    page.wait_for_timeout(50)
    near, far = page.evaluate("tymbal.where(40)"), after
    fixed = (x + 60, y + 30)
    assert (near["x"] - fixed[0]) / (far["x"] - fixed[0]) == pytest.approx(2.117, rel=0.02)


def test_the_map_works_by_keyboard(page: Any, site: Site) -> None:
    page.goto(site.address("map") + ("#" if site.exported else "?") + "feature=33")
    page.locator("#hover", has_text="feature 33 ").wait_for()
    page.locator("#plane").focus()
    page.keyboard.press("+")
    page.locator("#hover", has_text="Enter opens it").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/feature/33*")


def test_the_map_lights_up_what_is_searched(page: Any, site: Site) -> None:
    page.goto(site.address("map"))
    page.locator("#find").fill("wordz")
    until(lambda: re.match(r"[1-9]\d* feature", page.locator("#lit").inner_text()) is not None)


def test_the_legend_leads_to_the_features_of_a_cluster(page: Any, site: Site) -> None:
    page.goto(site.address("map"))
    links = page.locator(".legend a")
    assert links.count() > 0
    links.first.click()
    page.wait_for_url("**/explore*cluster=*")
    page.locator("#rows tr").first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_legible_in_light_and_dark(page: Any, live: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{live}/feature/20")
    page.evaluate("document.querySelector('.examples mark').className = 'a20'")
    ratios = page.evaluate(CONTRAST)
    assert {name: round(ratio, 2) for name, ratio in ratios.items() if ratio < 4.5} == {}


def test_every_page_is_reached_by_keyboard(page: Any, live: str) -> None:
    page.goto(live)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/explore*")
