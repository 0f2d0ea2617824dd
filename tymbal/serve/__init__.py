"""The atlas in a browser: a local web app, and the same pages as files; and in Neuronpedia's layout."""

from tymbal.serve.app import create_app, serve
from tymbal.serve.export import export
from tymbal.serve.neuronpedia import NeuronpediaConfig, export_neuronpedia

__all__ = ["NeuronpediaConfig", "create_app", "export", "export_neuronpedia", "serve"]
