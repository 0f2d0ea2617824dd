"""Dictionaries in the folders of other tools: told by their files, read and written without approximation."""

from tymbal.dictionaries.foreign.formats import FORMATS, Format, format_of

__all__ = ["FORMATS", "Format", "format_of"]
