"""`tymbal explain` with language models: what they say of features, and how judges find it."""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tymbal.cli.chat_options import PREDICATE, ChatOptions
from tymbal.cli.display import Display
from tymbal.errors import TymbalError
from tymbal.explain import ChatExplainer, Explainer, Explanations, PredicateExplainer
from tymbal.explain.chat import Cached, Client, Endpoint, EndpointConfig, LocalModel, Price, Tally, Usage
from tymbal.explain.judged import (
    JUDGED,
    JUDGES,
    Embedding,
    Encoder,
    JudgeConfig,
    Panel,
    Scorer,
    chosen_features,
    identity_of,
    judge_features,
    require_other_judge,
)

if TYPE_CHECKING:
    from tymbal.study import Study

FOLDER, ANSWERS = "judged", "answers"
SHOWN = 10
WHAT = {
    "features": "features",
    "shuffled": "shuffled words",
    "random": "random directions",
    "neurons": "neurons",
    "untrained": "untrained copy",
}
LEGEND = (
    "Medians over features, with 95 % intervals over features. What is unclear counts as chance. Shuffled words: each "
    "feature with another one's. Hard: of the silent texts only those with a token on which the feature fires "
    "elsewhere. Failures are attempts that gave no usable answer; a question that stays without one counts as chance."
)


def judge_study(study: "Study", features: Sequence[int], options: ChatOptions, console: Console | None = None) -> None:
    """Say what it takes; then, unless that is all, explain and judge, and print the outcome."""
    from tymbal.study import StudyFolder, explained_subject, finished_twin

    console = console or Console()
    place, display = study.folder / FOLDER, Display()
    explainer = None if options.explainer == PREDICATE else _client(options, place / ANSWERS, judge=False)
    judge = None if options.judge is None else _client(options, place / ANSWERS, judge=True)
    if explainer is not None and judge is not None:
        require_other_judge(explainer.model, judge.model, same_judge=options.same_judge)
    encoder = _encoder(options)
    subject, twin = explained_subject(study), finished_twin(study)
    untrained = None if twin is None else explained_subject(twin)
    with ExitStack() as held:
        held.enter_context(StudyFolder(study.folder).locked())
        for opened in (subject, untrained):
            if opened is not None:
                held.enter_context(closing(opened.atlas))
        progress = held.enter_context(display.stage("explain"))
        config = JudgeConfig(features=options.count, baseline_features=options.baseline)
        chosen = chosen_features(subject, config, features)
        panel = Panel.of(subject, place, config, chosen, progress, untrained)
        speaks, scorers = _explainer(explainer), _scorers(judge, encoder, options)
        _estimate(panel, explainer, judge, options, console)
        if options.dry_run:
            return
        about = identity_of(subject, chosen, config, speaks, scorers, untrained)
        folder = place / _name(explainer, judge, about)
        made = judge_features(panel, folder, about, speaks, scorers, progress=progress)
    assert made is not None
    for line in _spent(speaks, scorers):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    show_judged(made, console)
    console.print(f"All of it lies in {folder}", markup=False, highlight=False, soft_wrap=True)


def show_judged(made: Explanations, console: Console) -> None:
    """Print how explanations fared, beside their baselines, and some of them."""
    counts = made.summary["explanations"]
    for what, found in counts.items():
        console.print(
            f"{WHAT[what]}: {found['features']} explained, {found['unclear']} of them unclear, "
            f"{found['unanswered']} of these for want of an answer",
            highlight=False,
        )
    scorers = {name: made.summary["scorers"][name] for name in made.summary["order"]}
    console.print(_scores_table(scorers))
    console.print(LEGEND, highlight=False)
    for line in _reasons(scorers):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(_examples_table(made))


def _client(options: ChatOptions, answers: Path, *, judge: bool) -> Cached:
    """The client that the options name; its key is read from the environment here and nowhere else."""
    where = options.judge if judge else options.explainer
    name = options.judge_model if judge else options.model
    assert where is not None
    if not where.startswith(("http://", "https://")):
        from tymbal.study.sources import open_subject

        return Cached(LocalModel(open_subject(where, options.device)), answers)
    if not name:
        option = "--judge-model" if judge else "--model"
        raise TymbalError(expected=f"the name of the model at {where}", got="none", do=f"give {option} NAME")
    config = EndpointConfig(
        url=where,
        model=name,
        json_schema=options.json_schema,
        log_probabilities=options.log_probabilities,
        limit=options.limit,
        thinking_tokens=options.thinking_tokens,
        concurrency=options.concurrency,
        timeout=options.timeout,
    )
    key = os.environ.get(options.judge_key_from if judge else options.key_from)
    return Cached(Endpoint(config, key), answers)


def _encoder(options: ChatOptions) -> Encoder | None:
    from tymbal.models import open_model
    from tymbal.probes.replications.experiment import installed_encoder

    folder = options.encoder or installed_encoder()
    return None if folder is None else Encoder.of(open_model(folder))


def _explainer(client: Client | None) -> Explainer:
    return PredicateExplainer() if client is None else ChatExplainer(client)


def _scorers(judge: Client | None, encoder: Encoder | None, options: ChatOptions) -> list[Scorer]:
    asked: list[Scorer] = [] if judge is None else [JUDGES[name](judge) for name in options.scorers]
    return asked if encoder is None else [*asked, Embedding(encoder)]


def _estimate(
    panel: Panel, explainer: Cached | None, judge: Cached | None, options: ChatOptions, console: Console
) -> None:
    """Print how many questions there will be at most, and what they cost."""
    speaks = None if explainer is None else Tally(explainer)
    judges = None if judge is None else Tally(judge)
    scorers = [scorer for scorer in _scorers(judges, None, options) if scorer.name != "surprisal"]
    judge_features(panel, None, {}, _explainer(speaks), scorers)
    prices = {
        "explainer": (speaks, options.price_in, options.price_out),
        "judge": (judges, options.judge_price_in, options.judge_price_out),
    }
    for role, (tally, price_in, price_out) in prices.items():
        if tally is not None:
            console.print(_cost_line(role, tally, price_in, price_out), markup=False, highlight=False, soft_wrap=True)


def _spent(explainer: Explainer, scorers: Sequence[Scorer]) -> Iterator[str]:
    """What was asked this time, with tokens as the servers count them."""
    judged = Usage()
    for scorer in scorers:
        judged += scorer.usage
    used = (
        {"explainer": explainer.usage, "judge": judged} if isinstance(explainer, ChatExplainer) else {"judge": judged}
    )
    for role, usage in used.items():
        if usage.calls or usage.cached:
            yield (
                f"{role}: {usage.calls:,} questions asked, {usage.cached:,} answers taken from disk; "
                f"{usage.tokens_in:,} tokens in and {usage.tokens_out:,} out"
            )


def _cost_line(role: str, tally: Tally, price_in: float | None, price_out: float | None) -> str:
    line = (
        f"{role} {tally.model}: at most {tally.calls:,} questions to ask, {tally.cached:,} answered already; about "
        f"{tally.tokens_in:,} tokens in and {tally.tokens_out:,} out"
    )
    if price_in is None and price_out is None:
        return line
    price = Price(tokens_in=price_in or 0.0, tokens_out=price_out or 0.0).of(tally.tokens_in, tally.tokens_out)
    return f"{line}, price about {price:,.4f}"


def _name(explainer: Client | None, judge: Client | None, about: Mapping[str, Any]) -> str:
    """A folder's name that tells who spoke and who judged, and is another for other settings."""
    told = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()[:8]
    names = [PREDICATE if explainer is None else explainer.model, *([] if judge is None else [f"by-{judge.model}"])]
    return "-".join([*(re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[-40:] for name in names), told])


def _scores_table(scorers: Mapping[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("scorer", "measure"):
        table.add_column(heading, no_wrap=True)
    for heading in ("chance", *(WHAT[what] for what in JUDGED), "asked", "failures"):
        table.add_column(heading, justify="right", no_wrap=heading in ("chance", "asked", "failures"))
    for scorer, found in scorers.items():
        for number, measure in enumerate(found["measures"]):
            medians = found["medians"][measure]
            chance = found["chance"][measure]
            counts = (f"{found['asked']:,}", f"{found['failures']:,}") if not number else ("", "")
            table.add_row(
                scorer if not number else "",
                measure.replace("_", " "),
                "" if chance is None else f"{chance:.2f}",
                *(_written(medians.get(what)) for what in JUDGED),
                *counts,
            )
    return table


def _written(number: Mapping[str, Any] | None) -> str:
    if number is None or number["value"] is None:
        return ""
    return f"{number['value']:.2f} {number['low']:.2f}–{number['high']:.2f} ({number['count']})"


def _reasons(scorers: Mapping[str, Any]) -> Iterator[str]:
    for scorer, found in scorers.items():
        for reason, count in found["reasons"].items():
            yield f"{scorer}: {count} times: {reason}"


def _examples_table(made: Explanations) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("feature", justify="right")
    scores = {name: made.by_feature(name) for name in made.summary["order"]}
    mains = {name: made.summary["scorers"][name]["measures"][0] for name in scores}
    for name in scores:
        table.add_column(name, justify="right")
    table.add_column("fires on")
    rows = made.rows()
    for place in sorted(np.random.default_rng(0).permutation(len(rows))[:SHOWN].tolist()):
        row = rows[place]
        values = [scores[name][row["feature"]][mains[name]] for name in scores]
        said = f"{row['label']}: {row['text']}" if row["label"] else row["text"]
        table.add_row(str(row["feature"]), *("" if value is None else f"{value:.2f}" for value in values), Text(said))
    return table
