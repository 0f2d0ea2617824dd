"""The made-up features, and a server for judges."""

from collections.abc import Iterator

import pytest
from judged_panel import made_panel
from speaking_server import Server

from tymbal.explain.judged import Panel


@pytest.fixture(scope="session")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    """The features, and random directions that fire anywhere."""
    return made_panel(tmp_path_factory.mktemp("panel"))


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(lambda body: "").running() as running:
        yield running
