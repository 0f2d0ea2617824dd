"""What a user sees of a long job."""

import io

import pytest
from rich.console import Console

from tymbal.cli.display import Display, Pace, clock


def shown(*, terminal: bool, reports) -> str:
    screen = io.StringIO()
    with Display(Console(file=screen, force_terminal=terminal, width=120)).stage("train") as report:
        for done, total, unit in reports:
            report(done, total, unit)
    return screen.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_done_total_and_unit_are_shown_at_the_end(terminal):
    text = shown(terminal=terminal, reports=[(0, 2000, "tokens"), (1000, 2000, "tokens"), (2000, 2000, "tokens")])
    assert "train" in text
    assert "2,000 of 2,000 tokens" in text


def test_plain_lines_hold_no_control_characters():
    text = shown(terminal=False, reports=[(0, 10, "tokens"), (10, 10, "tokens")])
    assert all(character.isprintable() or character == "\n" for character in text)


def test_an_unknown_total_is_not_shown_as_zero():
    assert "of 0" not in shown(terminal=True, reports=[(500, 0, "tokens")])


def test_a_second_unit_gets_a_line_of_its_own():
    text = shown(terminal=False, reports=[(0, 5, "tokens"), (5, 5, "tokens"), (0, 7, "features"), (7, 7, "features")])
    assert "5 of 5 tokens" in text
    assert "7 of 7 features" in text


def test_rate_counts_only_what_was_done_since_the_beginning():
    pace = Pace(done=1000, time=100.0)
    assert pace.rate(1500, 110.0) == "50/s"
    assert pace.left(1500, 2000, 110.0) == "0:10 left"


def test_nothing_is_claimed_before_anything_is_known():
    pace = Pace(done=0, time=100.0)
    assert pace.rate(0, 100.0) == pace.left(0, 10, 100.0) == ""


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (61.0, "1:01"), (3600 + 125.0, "1:02:05")])
def test_clock(seconds, text):
    assert clock(seconds) == text
