"""A column of the language of the passage that a token stands in, told by its most common small words.

A passage is in the language of which it has most of these words, if these are at least three, make up a twelfth of its
words, and are half as many again as of any other language. It has no language otherwise.
"""

import numpy as np

from tymbal.explain.text import Column, Text

SMALL_WORDS: dict[str, str] = {
    "English": "the of and to in is was that it for on with as his her he she at by from they have are not this be",
    "German": "der die das und in den von zu mit ist im des sich nicht auf ein eine dem er sie es wird hat war bei wie",
    "French": "le la les de des et en un une du est que dans il elle qui pour sur pas au se ne par avec son sa ce",
    "Spanish": "el la los las de y en un una del es que por con su se para al lo como no ha sus era más le",
    "Italian": "il lo la gli le di e in un una del che è per con non si da della al nel sono come ma dei",
    "Portuguese": "o a os as de e em um uma do da que é por com não se para ao no na dos como mais foi",
    "Dutch": "de het een van en in is dat op te zijn met voor niet aan er om hij ze was als bij ook maar",
}
LEAST = 3
"""small words that tell a language"""
SHARE = 1 / 12
"""of a passage's words that they must make up"""
LEAD = 1.5
"""times as many as of the next language"""


def language(text: Text) -> Column:
    """The language of the passage."""
    words = text.words
    first = np.flatnonzero(words.begins)
    passages = len(text.passage_ids)
    passage = text.passage[first]
    numbers = {word: number for number, word in enumerate(dict.fromkeys(word.casefold() for word in words.full))}
    number = np.array([numbers[word.casefold()] for word in words.full], dtype=np.int64)
    lettered = np.array([word[:1].isalpha() for word in numbers], dtype=bool)[number]
    counts = np.zeros((len(SMALL_WORDS), passages))
    for place, small in enumerate(SMALL_WORDS.values()):
        known = set(small.split())
        among = np.array([word in known for word in numbers], dtype=bool)
        counts[place] = np.bincount(passage[among[number]], minlength=passages)
    best = counts.argmax(axis=0)
    ordered = np.sort(counts, axis=0)
    enough = np.maximum(LEAST, SHARE * np.bincount(passage[lettered], minlength=passages))
    told = (ordered[-1] >= enough) & (ordered[-1] >= LEAD * ordered[-2])
    of_row = np.where(told, best, -1)[text.passage]
    return Column.of_rows({name: np.flatnonzero(of_row == place) for place, name in enumerate(SMALL_WORDS)})
