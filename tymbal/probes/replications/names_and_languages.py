"""What every real model shows of a name's gender and of a text's language, and how little of it is worth a headline.

Both are easy to read: last letters tell much of a name's gender; alphabets, accents and little words tell the language.
So what counts is selectivity, and what the tokens alone give.
"""

from collections.abc import Iterator
from pathlib import Path

from tymbal.probes.labelled import Example, LabelledTexts
from tymbal.probes.probing import ProbeConfig, ProbeReport
from tymbal.probes.replications.experiment import Page, real_models
from tymbal.probes.table import HEAD, interval, markdown

STEM = 3
"""Names that begin with the same letters (Anna, Anne, Annette) are one group."""
SHARES = 20
"""The declaration is cut into so many parts; a part is one group in all languages, since it says the same in each."""
PARTS = ("gender", "language")
LINE = 120
"""Characters of a text, at most."""


def run(page: Page) -> None:
    """Both concepts in every real model that is there."""
    real = page.config.real
    if real is None:
        page.left_out("gender of names and language of text", "want of --real")
        return
    models = real_models(page.config)
    by_last = ProbeConfig(seed=page.config.seed)
    found = []
    concepts = {"gender": names(real / "labelled" / "names"), "language": languages(real / "text" / "udhr")}
    for texts in (own for part, own in concepts.items() if page.wants(part)):
        for model in models:
            name = f"{texts.name.partition(' ')[0]}-{Path(model.name).name}"
            found.append(page.probe(model, texts, name, by_last))
    page.say("## Best sites\n\n" + _summary(found))


def names(folder: Path) -> LabelledTexts:
    """First names and the gender they are given to; names in both lists are left out."""
    lists = {gender: _lines(folder / f"{gender}.txt") for gender in ("female", "male")}
    both = set(lists["female"]) & set(lists["male"])
    examples = tuple(
        Example(name, 0, len(name), gender, name[:STEM].lower(), "")
        for gender, found in lists.items()
        for name in found
        if name not in both
    )
    return LabelledTexts(name="gender of names", examples=examples)


def languages(folder: Path) -> LabelledTexts:
    """Lines of the declaration of human rights and the language they are in."""
    examples = tuple(
        Example(line, 0, len(line), path.stem.partition("_")[0], f"part {SHARES * number // len(found)}", "")
        for path in sorted(folder.glob("*.txt"))
        for found in [list(_short(_lines(path)))]
        for number, line in enumerate(found)
    )
    return LabelledTexts(name="language of text", examples=examples)


def _lines(path: Path) -> list[str]:
    lines = (line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines())
    return [line for line in lines if line]


def _short(lines: list[str]) -> Iterator[str]:
    """Lines cut at a space before they grow too long."""
    for line in lines:
        while len(line) > LINE:
            end = line.rfind(" ", 1, LINE)
            end = end if end > 0 else LINE
            yield line[:end]
            line = line[end:].strip()
        if line:
            yield line


def _summary(found: list[ProbeReport]) -> str:
    head = ["concept", "model", *HEAD[:6]]
    rows = []
    for report in found:
        best = report.best
        numbers = (best.score, best.controls.control_task, best.controls.selectivity, best.controls.untrained)
        rows.append(
            [
                report.concept, report.model_name, best.site, *(interval(number) for number in numbers),
                f"{best.controls.bag_of_tokens.value:.2f}",
            ]
        )  # fmt: skip
    return markdown(head, rows)
