"""The words of the world in four languages, under concept ids that the languages share.

`LEXICONS["de"].noun("animal.horse", article="def", case="dat")` is "dem Pferd". Concepts stand in `concepts`, the
shared interface in `language`, and each language's words and grammar in a file of its own.
"""

from tymbal.corpora.world.lexicon.concepts import (
    DIRECTIONS,
    KINDS,
    LANGUAGES,
    concept_ids,
)
from tymbal.corpora.world.lexicon.de import German
from tymbal.corpora.world.lexicon.en import English
from tymbal.corpora.world.lexicon.es import Spanish
from tymbal.corpora.world.lexicon.fr import French
from tymbal.corpora.world.lexicon.language import Language, Noun

LEXICONS: dict[str, Language] = {"en": English(), "de": German(), "fr": French(), "es": Spanish()}

__all__ = ["DIRECTIONS", "KINDS", "LANGUAGES", "LEXICONS", "Language", "Noun", "concept_ids"]
