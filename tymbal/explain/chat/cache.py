"""Completions kept on disk by what was asked, so that no request is paid twice.

A completion's file is named by the SHA-256 of its request, and holds the request too; it is written atomically before
the completion is handed on. A damaged file is as good as none. What cannot be read as the form that was asked for is
kept like the rest: it was paid, and the next attempt is another request.
"""

import hashlib
import json
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any, final

from tymbal import artifact
from tymbal.errors import ArtifactError
from tymbal.explain.chat.client import Client, Completion, Question


@final
class Cached(Client):
    """A client whose completions are kept in a folder."""

    def __init__(self, inner: Client, folder: Path) -> None:
        self.inner, self.folder = inner, folder
        self.model, self.concurrency = inner.model, inner.concurrency
        self._guard = threading.Lock()
        self._asking: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)

    def request(self, question: Question, attempt: int) -> dict[str, Any]:
        """As the client within."""
        return self.inner.request(question, attempt)

    def complete(self, question: Question, attempt: int) -> Completion:
        """From the folder, or else from the client within. The same request from two threads is made once."""
        request = self.request(question, attempt)
        path = self.path(request)
        with self._guard:
            lock = self._asking[path]
        with lock:
            kept = _read(path, request)
            if kept is not None:
                return kept
            made = self.inner.complete(question, attempt)
            artifact.write_json(path, {"request": request, "completion": _row(made)})
            return made

    def log_probability(self, context: str, text: str) -> float | None:
        """As the client within; not kept, since only models on this machine can tell."""
        return self.inner.log_probability(context, text)

    def identity(self) -> dict[str, Any]:
        """As the client within."""
        return self.inner.identity()

    def alive(self) -> bool:
        """As the client within."""
        return self.inner.alive()

    def stop(self) -> None:
        """As the client within."""
        self.inner.stop()

    def holds(self, question: Question, attempt: int = 0) -> bool:
        """Whether a completion is in the folder."""
        request = self.request(question, attempt)
        return _read(self.path(request), request) is not None

    def path(self, request: dict[str, Any]) -> Path:
        """Where the completion of a request lies."""
        name = hashlib.sha256(json.dumps(request, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
        return self.folder / name[:2] / f"{name}.json"


def _row(completion: Completion) -> dict[str, Any]:
    return {
        "text": completion.text.encode("utf-8", "replace").decode("utf-8"),
        "alternatives": [dict(among) for among in completion.alternatives] if completion.alternatives else None,
        "tokens_in": completion.tokens_in,
        "tokens_out": completion.tokens_out,
    }


def _read(path: Path, request: dict[str, Any]) -> Completion | None:
    if not path.exists():
        return None
    try:
        kept = artifact.read_json(path)
    except ArtifactError:
        return None
    if not isinstance(kept, dict) or kept.get("request") != request:
        return None
    try:
        return Completion(**kept["completion"], cached=True)
    except (KeyError, TypeError):
        return None
