"""The atlas in a browser: a local web app, and the same pages as files."""

from tymbal.serve.app import create_app, serve
from tymbal.serve.export import export

__all__ = ["create_app", "export", "serve"]
