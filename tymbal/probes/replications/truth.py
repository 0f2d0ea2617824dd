"""Truth (Marks & Tegmark 2023, "The Geometry of Truth"; Azaria & Mitchell 2023), and what is mistaken for it.

1. Statements of the world by honest and by lying speakers, read at their end and where the text is about to say whether
   they are so. Is it truth that a probe reads, or that the speaker is honest, or that the words are likely ones?
2. From which topics, affirmed or denied, does a truth probe transfer to which?
3. Contrast-consistent search, without labels, on statements in two languages: it finds the language.
4. True and false statements of fact in all-MiniLM-L6-v2, which was trained to say what texts are about.
"""

import torch

from tymbal.corpora.world import generate_world
from tymbal.models import LanguageModel
from tymbal.probes.ccs import fit_contrast
from tymbal.probes.labelled import Example, LabelConfig, LabelledTexts, read_labels
from tymbal.probes.logistic import Logistic
from tymbal.probes.probing import ProbeConfig, ProbeReport
from tymbal.probes.reading import Pooling, Readings, read
from tymbal.probes.replications.experiment import Page, encoder, world_model
from tymbal.probes.scores import score
from tymbal.probes.splits import GroupDraws, Split, grouped_split
from tymbal.probes.table import interval, markdown
from tymbal.probes.targets import Classes
from tymbal.probes.world import READ_AT, asking, statements

FACTS = "labelled/facts_true_false.csv"
PARTS = (*READ_AT, "contrast", "facts")


def run(page: Page) -> None:
    """The world's statements, contrast-consistent search, real facts."""
    config, model = page.config, world_model(page.config)
    by_last = ProbeConfig(seed=config.seed)
    for place in filter(page.wants, READ_AT):
        texts = statements(generate_world(0), examples=config.examples, asked=place == "verdict")
        reports = {label: page.probe(model, own, f"{place}-{label}", by_last) for label, own in texts.items()}
        page.say(_told_apart(reports, place))
        page.say(_transfer(reports["true"]))
    if page.wants("contrast"):
        page.say(_contrast(page, model))
    if not page.wants("facts"):
        return
    sentences = encoder(config)
    if config.real is None or sentences is None:
        page.left_out("true and false facts", "want of --real or of all-MiniLM-L6-v2")
        return
    facts = read_labels(config.real / FACTS, LabelConfig(text="statement", group="statement"))
    page.probe(sentences, facts, "facts", ProbeConfig(pooling="mean", seed=config.seed))


def _told_apart(reports: dict[str, ProbeReport], place: str) -> str:
    """Each probe's score against each label, on the same held-out rows of the site that is best for truth."""
    site = reports["true"].best.site
    labels = {name: report.fitted[site].target for name, report in reports.items()}
    rows = []
    for name, report in reports.items():
        scores = report.fitted[site].scores
        once = torch.ones(1, len(scores), dtype=torch.float64)
        cells = [f"{float(score(scores, target, once)):.2f}" for target in labels.values()]
        if name == "true":
            honest = labels["honest"]
            assert isinstance(honest, Classes)
            cells += [
                f"{float(score(scores, labels['true'], (honest.ids == side).double()[None])):.2f}" for side in (1, 0)
            ]
        rows.append([name, *cells, *[""] * (5 - len(cells))])
    head = ["probe of", *(f"judged by {name}" for name in labels), "truth, honest speakers", "truth, lying speakers"]
    return f"#### Told apart: {place}, {site} (AUROC)\n\n" + markdown(head, rows)


def _transfer(report: ProbeReport) -> str:
    matrix = report.best.controls.transfer
    cells = [[f"{number.value:.2f}" if number.value == number.value else "" for number in row] for row in matrix.scores]
    rows = [[name, *row] for name, row in zip(matrix.names, cells, strict=True)]
    head = ["fitted to", *matrix.names]
    return f"#### Transfer of truth: {report.concept}, {report.best.site} (AUROC)\n\n" + markdown(head, rows)


def _contrast(page: Page, model: LanguageModel) -> str:
    """Contrast-consistent search on statements in English and German, whose answers are "true" and "false"."""
    config, world = page.config, generate_world(0)
    languages = ("en", "de")
    texts = statements(world, examples=config.examples, languages=languages, asked=True)
    asked = texts["true"].examples
    spoken = [languages[number % 2] for number in range(len(asked))]
    sides = [_answered(asked, spoken, answer) for answer in (True, False)]
    site = f"resid_post.{model.layers - 1}"
    yes, no = (read(model, side, [site], Pooling.LAST) for side in sides)
    assert not yes.left_out
    split = grouped_split(yes.groups, 0.25, config.seed)
    labels = {f"statement is {label}": _classes([e.label == "true" for e in texts[label].examples]) for label in texts}
    labels |= {
        "statement is denied": _classes([example.dataset.endswith("denied") for example in asked]),
        "text is German": _classes([language == "de" for language in spoken]),
    }
    return _contrast_table(page, yes, no, split, labels, site)


def _contrast_table(
    page: Page, yes: Readings, no: Readings, split: Split, labels: dict[str, Classes], site: str
) -> str:
    above, below = yes.activations[site], no.activations[site]
    contrast = fit_contrast(above[split.train], below[split.train], seed=page.config.seed)
    found = contrast.scores(above[split.held_out], below[split.held_out])
    drawn = GroupDraws(yes.groups[split.held_out], draws=1000, seed=page.config.seed)
    differences = (contrast.yes.apply(above) - contrast.no.apply(below)).float()
    rows = []
    for name, target in labels.items():
        own = target[split.held_out]
        reader = Logistic().fit(differences[split.train], target[split.train], yes.groups[split.train])
        told = reader.scores(differences[split.held_out])
        # The sign of what was found is arbitrary: the better one is granted, on all rows once.
        sign = 1.0 if float(score(found, own, torch.ones(1, len(own)).double())) >= 0.5 else -1.0
        numbers = [drawn.number(lambda w, s=s, own=own: score(s, own, w)) for s in (sign * found, told)]
        rows.append([name, *(interval(number) for number in numbers)])
    head = ["held-out pairs by", "contrast-consistent search, better sign", "logistic with labels, same differences"]
    title = f"### Contrast-consistent search, {site} (AUROC; its loss {contrast.loss:.3f}, saying one half 0.250)"
    return f"{title}\n\n{markdown(head, rows)}"


def _answered(asked: tuple[Example, ...], spoken: list[str], answer: bool) -> LabelledTexts:
    """Each question with one of its answers, read at the answer's end."""
    examples = []
    for example, language in zip(asked, spoken, strict=True):
        ending = asking(language)
        text = example.text + (ending.true if answer else ending.false)
        examples.append(example._replace(text=text, start=len(example.text), end=len(text)))
    return LabelledTexts(name="answers", examples=tuple(examples))


def _classes(yes: list[bool]) -> Classes:
    return Classes(torch.tensor(yes).long(), ("no", "yes"))
