"""The report: everything it owes the reader, in one file, fit for a phone and a desk."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tymbal import cli
from tymbal.theory.risk import Effort, Sampling, assess, read_model, shipped_models, write_report
from tymbal.theory.risk.chart import Axis, round_axis
from tymbal.theory.risk.page import report
from tymbal.theory.risk.words import percent

QUICK = {
    "sampling": Sampling(points=256, scrambles=4),
    "effort": Effort(sobol_points=64, shapley_points=64, scrambles=2),
}


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", html.split("</style>")[1]))


@pytest.fixture(scope="module")
def carlsmith():
    return assess(read_model("carlsmith"), **QUICK)


def test_a_report_gives_distribution_drivers_structure_and_model_error(carlsmith):
    told = text_of(report(carlsmith))
    for heading in ("The distribution", "What drives it", "How it builds up", "How far structure moves it"):
        assert heading in told
    assert "P = P(X | model right) P(right) + P(X | model wrong) P(wrong)" in told
    assert "arXiv 2206.13353" in told
    assert re.search(r"5 to 95 % of the distribution; median \d", told)


def test_a_model_of_one_structure_is_told_so():
    model = replace(read_model("carlsmith"), structures=())
    told = text_of(report(assess(model, **QUICK)))
    assert "No other structure was considered" in told


@pytest.mark.parametrize("name", shipped_models())
def test_a_report_needs_no_network_and_no_script(name):
    html = report(assess(read_model(name), **QUICK), command="tymbal theory risk x")
    assert not re.search(r"(src|href)=|<script|@import|url\(", html)
    assert "prefers-color-scheme: dark" in html
    assert html.count("<h1>") == 1


def test_a_margin_is_shown_with_its_argument_and_no_probability():
    told = text_of(report(assess(read_model("ignition"))))
    assert "loss over gain at least 1, by argument; no probability is given" in told
    assert "%" not in told


def test_experts_stand_beside_what_the_ways_of_pooling_make_of_them():
    told = text_of(report(assess(read_model("nuclear"), **QUICK)))
    for part in ("first estimate 1.4 %", "geometric mean of odds leaving one out: 0.60 % to 1.1 % 0.84 %"):
        assert part in told


def test_a_what_if_is_shown_before_and_after(carlsmith):
    after = assess(carlsmith.model.changed({"disempowerment": 0.2}), **QUICK)
    told = text_of(report(after, before=carlsmith, changes={"disempowerment": "0.2"}))
    assert "What if disempowerment 0.2" in told
    assert re.search(r"median \d\.\d % \d\.\d % 0\.[67]\d", told)
    assert "overall, before the change" in told


def test_words_from_a_model_are_not_markup(carlsmith):
    hostile = replace(carlsmith, model=replace(carlsmith.model, title="<script>alert(1)</script>"))
    assert "<script" not in report(hostile)


@pytest.mark.parametrize(
    ("value", "reads"),
    [
        (0.0, "0 %"),
        (0.18, "18 %"),
        (0.0514, "5.1 %"),
        (0.00128, "0.13 %"),
        (0.1, "10 %"),
        (1.0, "100 %"),
        (1e-5, "0.0010 %"),
    ],
)
def test_probabilities_read_with_two_digits(value, reads):
    assert percent(value) == reads


def test_axes_hold_their_values_and_name_a_few():
    axis = round_axis(0.004, 0.21)
    assert axis.low <= 0.004 < 0.21 <= axis.high
    assert axis.at(axis.low) == 0
    assert axis.at(axis.high) == 100
    assert 2 <= len(axis.ticks()) <= 8
    for high in (0.013, 0.21, 0.5, 0.9, 1.0):
        assert 3 <= len(Axis(0.0, high, False).ticks()) <= 8


def test_the_command_writes_a_report_and_says_where(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["theory", "risk", "nuclear", "--points", "256", "--what-if", "model_right=1"]) == 0
    said = capsys.readouterr().out
    assert "before:" in said
    assert said.endswith("report  nuclear.html\n")
    assert "tymbal theory risk nuclear --points 256" in Path("nuclear.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nosuch"], "one of carlsmith, ignition, nuclear"),
        (["carlsmith", "--what-if", "luck=1"], "'luck' in a what-if"),
        (["carlsmith", "--what-if", "timelines"], "expected a what-if such as timelines=0.5"),
        (["carlsmith", "--what-if", "timelines=1.5"], "between 0 and 1"),
        (["carlsmith", "--points", "1000"], "a power of two"),
    ],
)
def test_mistakes_give_one_line(arguments, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["theory", "risk", *arguments]) == 1
    error = capsys.readouterr().err
    assert says in error
    assert len(error.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_nothing_hangs_over_the_page_on_a_phone_or_a_desk(tmp_path, chromium):
    for name in shipped_models():
        write_report(tmp_path / f"{name}.html", assess(read_model(name), **QUICK))
    for width in (390, 1440):
        page = chromium.new_page(viewport={"width": width, "height": 900})
        for name in shipped_models():
            page.goto((tmp_path / f"{name}.html").as_uri())
            over = page.evaluate(
                "() => [...document.querySelectorAll('main *')]"
                ".filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"
            )
            assert over == [], (name, width)
        page.close()
