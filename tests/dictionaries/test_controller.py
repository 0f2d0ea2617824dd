"""The controller of the sparsity penalty, on systems whose answer is known."""

import pytest

from tymbal.dictionaries.controller import Controller


@pytest.mark.parametrize("kind", ["relu", "jumprelu"])
@pytest.mark.parametrize("steps", [150, 1000, 20_000])
def test_l0_is_led_to_k_whatever_the_penalty_is_worth(kind: str, steps: int) -> None:
    for worth in (0.3, 1.0, 3.0):
        controller = Controller(kind, 16, steps)
        l0 = 16.0
        for _ in range(steps):
            settled = 16 * (0.02 * worth / controller.coefficient) ** 0.7  # what this coefficient would lead to in time
            l0 += 0.1 * (settled - l0)
            controller.observe(l0)
        assert l0 == pytest.approx(16, rel=0.02)


def test_the_coefficient_grows_while_too_much_is_active_and_falls_while_too_little_is() -> None:
    controller = Controller("relu", 16, 1000)
    coefficients = [controller.coefficient]
    for l0 in (32.0, 32.0, 8.0, 8.0, 0.0):
        controller.observe(l0)
        coefficients.append(controller.coefficient)
    assert coefficients[0] < coefficients[1] < coefficients[2]
    assert coefficients[2] > coefficients[3] > coefficients[4] > coefficients[5] > 0
