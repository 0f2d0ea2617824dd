"""Language models that are asked questions: an endpoint on the network, or a model on this machine."""

from tymbal.explain.chat.asking import Reply, ask
from tymbal.explain.chat.cache import Cached
from tymbal.explain.chat.client import Client, Completion, Question, Unanswered, Usage
from tymbal.explain.chat.endpoint import Endpoint, EndpointConfig
from tymbal.explain.chat.forms import Digits, Fields, Form, Unreadable
from tymbal.explain.chat.local import LocalModel
from tymbal.explain.chat.tally import Price, Tally

__all__ = [
    "Cached",
    "Client",
    "Completion",
    "Digits",
    "Endpoint",
    "EndpointConfig",
    "Fields",
    "Form",
    "LocalModel",
    "Price",
    "Question",
    "Reply",
    "Tally",
    "Unanswered",
    "Unreadable",
    "Usage",
    "ask",
]
