"""The API answers as its OpenAPI description says, whatever it is asked (schemathesis)."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

EXAMPLES = 5
TAKES_NOTHING = ("GET /api/completeness", "GET /api/features", "GET /api/notes", "GET /api/safety")
"""operations that no input is described of, so that none can be unfit"""


# The app answers in another thread and may draw there, which hypothesis takes for a draw inside a strategy.
@pytest.mark.filterwarnings("ignore:Do not use the .random. module:hypothesis.errors.HypothesisDeprecationWarning")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfit"])
def test_every_operation_answers_as_described(lively: str, mode: GenerationMode):
    schema = schemathesis.openapi.from_url(f"{lively}/api/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert {operation.path for operation in operations} == {
        "/api/attribution",
        "/api/completeness",
        "/api/contrast",
        "/api/features",
        "/api/features/{number}",
        "/api/notes",
        "/api/prompt",
        "/api/safety",
        "/api/search",
        "/api/steer",
    }
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and operation.label in TAKES_NOTHING:
            continue

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def answered(case: schemathesis.Case) -> None:
            case.call_and_validate(headers={"origin": lively}, timeout=120)

        answered()
