"""The same passage in several languages, lit by one feature: the picture by which multilingual features are known.

1. Of the concepts whose feature speaks every language (`across`), the best.
2. A passage that says the same of the same in each language: in the generated world, documents of one form that share a
   claim (subject, attribute, value) and carry the concept; of other text, passages that the user gives.
3. Each is read by the model, and the feature's activation at each token is kept.

Source: Templeton et al. 2024, "Scaling monosemanticity", the Golden Gate Bridge feature across languages.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tymbal.analyses.analysis import Analysis
from tymbal.analyses.subject import Subject
from tymbal.atlas import PromptReading, read_prompt
from tymbal.corpora.world import DOCUMENT_SEED, GeneratedWorld, WorldDocument, generate_world
from tymbal.dictionaries import Dictionary
from tymbal.errors import ArtifactError
from tymbal.models import LanguageModel
from tymbal.study.plan import BUNDLED

PASSAGES = "passages.json"
CONCEPTS = 8
"""concepts that are shown"""
APART = 200_000
"""the first document of the world that is looked at"""
LOOKED_AT = 600
"""documents of a form and language among which a passage is sought"""
_Claim = tuple[str, str, str]
FORMS = ("question", "statement", "request", "biography", "story", "dialogue", "letter")


@dataclass(frozen=True, kw_only=True)
class Passage:
    """One text in one language."""

    language: str
    text: str


def world_passages(world: GeneratedWorld, concept: str, languages: Sequence[str]) -> list[Passage]:
    """Documents of one form, one a language, that make the same claim and carry the concept; empty where none do.

    Of all such, those that say least besides.
    """
    name = concept.split()[0]
    best: tuple[int, list[WorldDocument]] | None = None
    for form in FORMS:
        told = {language: _by_claim(world, form, language, name) for language in languages}
        for claim in set.intersection(*(set(found) for found in told.values())):
            documents = [told[language][claim] for language in languages]
            extra = sum(len(document.text) for document in documents)
            if best is None or extra < best[0]:
                best = (extra, documents)
    found = best[1] if best else []
    return [Passage(language=one.language, text=one.text) for one in found]


def _by_claim(
    world: GeneratedWorld, form: str, language: str, concept: str
) -> dict[tuple[str, str, str], WorldDocument]:
    """The shortest document of each claim, among those that carry the concept."""
    found: dict[tuple[str, str, str], WorldDocument] = {}
    for document in islice(_documents(world, form, language), LOOKED_AT):
        if not any(span.concept == concept for span in document.spans):
            continue
        for claim in document.claims:
            key = (claim.subject, claim.attribute, claim.value)
            if key not in found or len(document.text) < len(found[key].text):
                found[key] = document
    return found


def _documents(world: GeneratedWorld, form: str, language: str) -> Iterator[WorldDocument]:
    index = APART
    while True:
        yield world.document(index, seed=DOCUMENT_SEED, form=form, language=language)
        index += 1


def read_passages(path: Path) -> list[Passage]:
    """The passages of a `.jsonl` file, `{"language": ..., "text": ...}` a line; raises `ArtifactError` for others."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [Passage(language=str(row["language"]), text=str(row["text"])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            expected=f"a language and a text in each line of {path}",
            got=str(error),
            do='write {"language": "de", "text": "..."} lines',
        ) from error


def passages_of(
    subject: Subject, analysis: Analysis, given: Sequence[Passage] | None = None
) -> list[dict[str, Any]] | None:
    """The passages that the features of the analysis' first concepts light: those given, else the world's.

    None for a study of other text where none are given. `analysis` is `across`'s, of languages.
    """
    languages = analysis.columns[4].removeprefix("recall: ").split(", ")
    concepts = [str(row[0]) for row in analysis.rows[:CONCEPTS]]
    question = subject.study.question
    if given is not None:
        passages: dict[str, Sequence[Passage]] = dict.fromkeys(concepts, given)
    elif question["corpus"] == [BUNDLED]:
        world = generate_world(0)
        passages = {concept: world_passages(world, concept, languages) for concept in concepts}
    else:
        return None
    site = question["config"]["site"]
    return lit(analysis, passages, model=subject.model, dictionary=subject.dictionary, site=site)


def lit(
    analysis: Analysis,
    passages: Mapping[str, Sequence[Passage]],
    *,
    model: LanguageModel,
    dictionary: Dictionary,
    site: str,
) -> list[dict[str, Any]]:
    """For each concept that has passages: its row of the analysis, and each passage's tokens with activations."""
    found = []
    for row in analysis.rows:
        concept, feature = str(row[0]), int(row[1])
        read = [(one, read_prompt(dictionary, model, site, one.text)) for one in passages.get(concept, ())]
        if not read:
            continue
        shown = [{"language": one.language, **_tokens(reading, feature)} for one, reading in read]
        found.append({"concept": concept, "feature": feature, "f1": row[3], "best token": row[5], "passages": shown})
    return found


def _tokens(reading: PromptReading, feature: int) -> dict[str, Any]:
    """The tokens that are text, and the feature's activation at each."""
    columns = zip(reading.texts, reading.values(feature), reading.special, strict=True)
    kept = [(text, value) for text, value, special in columns if not special]
    return {"tokens": [text for text, _ in kept], "activations": [value for _, value in kept]}
