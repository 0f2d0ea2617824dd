"""Text: documents read in a stream, cut into passages of tokens, kept in a store."""

from tymbal.corpora.cutting import cut
from tymbal.corpora.documents import Document, Span, TextConfig
from tymbal.corpora.passages import CutConfig, Passage
from tymbal.corpora.roles import HELD_OUT, Role
from tymbal.corpora.sources import places, read_documents
from tymbal.corpora.store import PassageStore

__all__ = [
    "HELD_OUT",
    "CutConfig",
    "Document",
    "Passage",
    "PassageStore",
    "Role",
    "Span",
    "TextConfig",
    "cut",
    "places",
    "read_documents",
]
