"""The plan of a run at internet scale: its page is what the script writes, and its numbers fit one another."""

import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def script() -> Any:
    """`benchmarks/scale_plan.py` as a module."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        spec = spec_from_file_location("scale_plan", ROOT / "benchmarks" / "scale_plan.py")
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules["scale_plan"] = module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    return module


def test_the_page_holds_the_plan_of_now(script) -> None:
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    assert script.written(page, script.Plan()) == page, "run: python benchmarks/scale_plan.py --write docs/scale.md"


def test_all_ranks_together_do_the_whole_product_once(script) -> None:
    plan = script.Plan()
    for grid in script.grids(plan):
        each = script.step_of(plan, grid)
        assert each.operations * plan.devices == 2 * plan.batch * plan.features * plan.width
        assert each.features * grid.feature_parts == plan.features
        assert each.rows * grid.row_parts == plan.batch


def test_the_grid_chosen_is_the_fastest_that_has_room(script) -> None:
    plan = script.Plan()
    with_room = list(script.grids(plan))
    assert script.best(plan) == min(with_room, key=lambda grid: script.time(plan, grid).total)
    assert script.Grid(1, 256) not in with_room  # a whole dictionary of 16 million features fits no GPU
    with pytest.raises(ValueError, match="empty"):
        script.best(replace(plan, devices=8))


def test_state_is_sixteen_bytes_a_parameter_and_two_for_the_encoders_copy(script) -> None:
    plan = script.Plan()
    held = script.memory(plan, script.Grid(256, 1))
    assert held.state == (16 * 2 + 2) * plan.features / 256 * plan.width
    assert held.total == held.state + held.rows + held.work


def test_what_is_not_cut_is_not_sent(script) -> None:
    plan = script.Plan()
    assert script.sent(plan, script.Grid(256, 1)).gradients == 0
    by_rows = script.sent(plan, script.Grid(1, 256))
    assert (by_rows.rows, by_rows.candidates, by_rows.sums) == (0, 0, 0)


def test_the_harvest_is_two_operations_a_parameter_and_token(script) -> None:
    plan = replace(script.Plan(), model_efficiency=1.0, depth=1.0)
    assert script.harvest_hours(plan) * 3600 * plan.device.operations == pytest.approx(2 * 100e9 * 40e9)
