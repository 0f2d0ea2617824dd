"""A real HTTP server that speaks OpenAI's chat completions, and misbehaves as told."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]
Speaker = Callable[[Body], str | bytes]
"""the text of the answer to a request, or all of the answer"""


def completion(text: str | None, **more: Any) -> bytes:
    """An answer laid out as it should be."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop", **more}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()


@dataclass
class Misdeed:
    """How one request is answered instead of properly."""

    status: int = 200
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """seconds before the answer"""
    drip: float = 0.0
    """seconds between the bytes of the answer"""
    hang_up: bool = False


class Server:
    """Answers by `speaker`; the next requests by `misdeeds`, while there are any."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self.misdeeds: list[Misdeed] = []
        self.every: Callable[[Body], Misdeed | None] = lambda body: None
        """a misdeed for each request that it is known by"""
        self.bodies: list[Body] = []
        self.keys: list[str | None] = []
        self.times: list[float] = []
        self.under_way = self.most_under_way = 0
        self.answered = 0
        self.delay = 0.0
        self._guard = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @contextmanager
    def running(self) -> Iterator["Server"]:
        """Serve while the block lasts."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _take(self, body: Body, key: str | None) -> Misdeed:
        with self._guard:
            self.bodies.append(body)
            self.keys.append(key)
            self.times.append(time.monotonic())
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            told = self.misdeeds.pop(0) if self.misdeeds else self.every(body)
        if told is not None:
            return told
        said = self.speaker(body)
        return Misdeed(content=said if isinstance(said, bytes) else completion(said), delay=self.delay)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                assert self.path == "/v1/chat/completions", self.path
                deed = server._take(body, self.headers.get("authorization"))
                time.sleep(deed.delay)
                with server._guard:
                    server.under_way -= 1
                try:
                    if not deed.hang_up:
                        self._send(deed)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                server.answered += 1

            def _send(self, deed: Misdeed) -> None:
                self.send_response(deed.status)
                for name, value in {"content-length": str(len(deed.content)), **deed.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                pieces = (
                    [deed.content] if not deed.drip else [deed.content[n : n + 1] for n in range(len(deed.content))]
                )
                for piece in pieces:
                    self.wfile.write(piece)
                    self.wfile.flush()
                    time.sleep(deed.drip)

            def log_message(self, format: str, *values: Any) -> None:  # noqa: A002
                pass

        return Handler
