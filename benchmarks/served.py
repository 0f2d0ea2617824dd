"""A real server of an atlas, in a process of its own, for what asks for pages."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from socket import create_server

import httpx

PATIENCE = 120.0
"""seconds"""


@contextmanager
def answering(folder: Path) -> Iterator[str]:
    """The address at which `tymbal serve` answers while the block lasts."""
    with closing(create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    asked = "import sys; from tymbal.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", asked, "serve", str(folder), "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    address, end = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
    try:
        while not _answers(address):
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"tymbal serve {folder} does not answer")
            time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/static/app.css", timeout=10).is_success
    except httpx.TransportError:
        return False
