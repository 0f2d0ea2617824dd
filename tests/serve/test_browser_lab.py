"""The pages that open the model or write notes, in a real browser with the network blocked."""

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from .conftest import HOSTILE

TEXT = quote("lily saw a <b>big</b> red cat")
PAGES = {
    "search": "/search?q=cat",
    "search by prompt": f"/search?by=prompt&prompt={TEXT}",
    "search by contrast": "/search?by=contrast&toward=a%20cat%0Acat&away=upon%0Atime",
    "prompt, empty": "/prompt",
    "prompt": f"/prompt?text={TEXT}&token=5&target=70",
    "steer": "/steer?feature=3&prompt=once",
    "steer, vectors": "/steer?moves=3%3D2+4%2B1+ones.gguf:resid_post.1*2",
    "notes": "/notes",
    "calibrate": "/calibrate",
    "agreement": "/calibrate?show=agreement",
    "feature": "/feature/3",
}


def until(true: Callable[[], bool]) -> None:
    """Wait for what the page's policy keeps a script of ours from waiting for."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("page", ["desk", "phone"], indirect=True)
def test_no_page_overflows_or_complains(page: Any, lively: str):
    for name, path in PAGES.items():
        page.goto(lively + path)
        page.wait_for_load_state("load")
        assert page.locator("h1").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
        assert page.evaluate("document.querySelectorAll('main b b, main script').length") == 0, name


def test_a_text_is_typed_read_and_followed_to_a_feature(page: Any, lively: str):
    page.goto(f"{lively}/prompt")
    page.get_by_label("Text").fill("lily saw <i>a</i> cat\nand ran")
    page.get_by_role("button", name="Read it").click()
    page.wait_for_url("**/prompt?text=*")
    words = page.locator(".reading .token:not(.special)").all_inner_texts()
    assert "".join(words).replace("⏎", "\n") == "lily saw <i>a</i> cat\nand ran"
    page.locator(".reading .token").nth(4).click()
    page.wait_for_url("**token=4*")
    assert page.locator('.reading .token[aria-current="true"]').count() == 1
    page.locator(".candidates a").first.click()
    page.wait_for_url("**target=*")
    assert page.locator(".shares tfoot tr").count() == 3
    page.locator("#token .actives a").first.click()
    page.wait_for_url("**/feature/*")


def test_the_lab_writes_three_columns_and_its_address_is_the_experiment(page: Any, lively: str):
    page.goto(f"{lively}/steer?feature=3&prompt=once")
    page.get_by_label("New tokens").fill("8")
    page.locator(".move input[type=range]").fill("4")
    page.get_by_role("button", name="Write").click()
    until(lambda: page.locator("#state").inner_text().startswith("Done"))
    texts = page.locator(".grown").all_inner_texts()
    assert len(texts) == 3
    assert all(texts)
    assert re.search(r"moves=3%3D\d", page.url)
    page.reload()
    assert page.get_by_label("New tokens").input_value() == "8"
    page.get_by_role("button", name="Write").click()
    until(lambda: page.locator("#state").inner_text().startswith("Done"))
    assert page.locator(".grown").all_inner_texts() == texts


def test_moves_are_added_and_taken_away_by_keyboard(page: Any, lively: str):
    page.goto(f"{lively}/steer?prompt=once")
    page.locator("#number").focus()
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    page.locator('.move[data-feature="5"]').wait_for()
    page.wait_for_load_state("load")  # a move is drawn anew by the server: the page's script comes after it
    page.locator("#vector").select_option("ones.gguf:resid_post.1")
    page.locator('.move[data-file="ones.gguf"]').wait_for()
    page.wait_for_load_state("load")
    assert page.locator(".move").count() == 2
    page.locator(".move .drop").first.focus()
    page.keyboard.press("Enter")
    assert page.locator(".move").count() == 1
    assert page.locator("input[name=moves]").input_value() == "ones.gguf:resid_post.1*1"


def test_what_cannot_be_done_is_said_where_the_reader_looks(page: Any, lively: str):
    page.goto(f"{lively}/steer?prompt=" + "once%20upon%20" * 60)
    page.get_by_role("button", name="Write").click()
    until(lambda: page.locator("#state").inner_text().startswith("expected a prompt of fewer than"))


def test_notes_are_written_without_a_script(chromium: Any, lively: str):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{lively}/feature/7")
    page.get_by_role("button", name="☆ Bookmark").click()
    assert page.get_by_role("button", name="★ Bookmarked").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Yes").click()
    assert page.get_by_role("button", name="Yes 1").get_attribute("aria-pressed") == "true"
    page.get_by_label("What would you call it?").fill(HOSTILE[0])
    page.get_by_role("button", name="Save").click()
    page.get_by_label("Remark").fill("fires on\nnames")
    page.get_by_role("button", name="Add", exact=True).click()
    assert HOSTILE[0] in page.locator(".own").inner_text()
    page.goto(f"{lively}/notes")
    assert page.locator(".noted").inner_text().startswith(f"★ {HOSTILE[0]}")
    page.goto(f"{lively}/explore?q=&show=all&sort=feature")
    assert page.locator("tr", has_text=HOSTILE[0]).locator(".star").count() == 1
    context.close()


def test_features_are_scored_blind_one_after_the_other(page: Any, lively: str):
    page.goto(f"{lively}/calibrate")
    first = page.locator("blockquote").inner_text()
    assert "0 of" in page.locator("main").inner_text()
    # Blind: nothing on the page tells how strong an example is or how well anything scored.
    assert page.locator(".examples .number").count() == 0
    assert set(page.locator(".untold mark").evaluate_all("all => all.map(mark => mark.className.split(' ')[0])")) == {
        "a10"
    }
    page.get_by_role("button", name="3 fits, with few exceptions").click()
    page.wait_for_url("**/calibrate")
    assert "1 of" in page.locator("main").inner_text()
    assert page.locator("blockquote").inner_text() != first


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forms_and_tokens_are_legible_in_light_and_dark(page: Any, lively: str, scheme: str):
    from .test_browser import CONTRAST

    page.emulate_media(color_scheme=scheme)
    page.goto(f"{lively}/prompt?text={TEXT}")
    page.evaluate("document.querySelector('.reading .token').className = 'token a20'")
    script = CONTRAST.replace(".examples mark", ".reading .a20")
    ratios = page.evaluate(script)
    assert {name: round(ratio, 2) for name, ratio in ratios.items() if ratio < 4.5} == {}


def test_every_part_of_the_lab_is_reached_by_keyboard(page: Any, lively: str):
    page.goto(f"{lively}/steer?feature=3&prompt=once")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "document.activeElement.name || document.activeElement.id || document.activeElement.className"
            )
        )
    assert {"prompt", "how", "drop", "number", "add", "tokens", "temperature", "seed", "run"} <= reached
