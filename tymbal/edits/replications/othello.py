"""Othello (Li et al. 2023, "Emergent World Representations"; Nanda et al. 2023, "Emergent Linear Representations").

1. Does the model play by the rules, and how much of that does a model do that cannot have worked out the board?
2. Is the board in its activations, as mine and yours or as black and white, and how much of it is in an untrained copy,
   in the model of one layer, and in the list of moves itself?
3. Does turning a disc in the activations turn the moves that it holds for legal?

Probes are fitted to games of one role, edits are chosen on those of a second, and everything is reported on a third;
the model has been trained on none of them.
"""

from pathlib import Path
from typing import NamedTuple

import torch

from tymbal.artifact import write_json
from tymbal.corpora.othello import NAMES, PLIES, draw_games
from tymbal.corpora.othello.card import measure, play_table
from tymbal.corpora.othello.tokens import PLAYED, SPECIAL
from tymbal.corpora.othello.training import ONE_LAYER
from tymbal.corpora.roles import Role
from tymbal.edits.replications.board_picture import Panel, draw_boards
from tymbal.edits.replications.flips import Flips, draw_flips
from tymbal.edits.replications.trials import Trial, chosen_turning, next_logits, own_board, trial
from tymbal.edits.replications.turning import Reading, Turning, Way, read_site
from tymbal.models import LanguageModel, open_model
from tymbal.probes import untrained_copy
from tymbal.probes.replications import Page
from tymbal.probes.replications.board import (
    BoardProbe,
    BoardRows,
    BoardScore,
    board_rows,
    fit_board,
    one_hot_plies,
    read_rows,
    score_board,
)
from tymbal.probes.table import interval, markdown

PARTS: tuple[str, ...] = ()
"""It is conducted whole: its later parts rest on the earlier ones."""
MADE_BY = "tymbal othello train"
EXAMPLES_A_CASE = 5
"""A turned disc is judged, and a game played, for so many positions that probes are fitted to."""
MOST_CASES = 1_000
"""Of both; more would take long and say little more."""
CASES_A_TRIED_CASE = 4
"""Blocks and strengths are tried on a case for so many that are judged."""
PICTURED_PLY = 14
_ROWS_A_GAME = 5
"""So many positions of a game are read, so that positions are of many games."""


class _Rows(NamedTuple):
    """Positions that probes are fitted to, and those they are judged by."""

    fitted: BoardRows
    judged: BoardRows


def run(page: Page) -> None:
    """Play, boards, edits."""
    folder = page.model(MADE_BY)
    model = open_model(folder)
    card = measure(folder, games=_cases(page))
    page.say(f"## Play\n\n{play_table(card)}")
    config = page.config
    rows = _Rows(
        _drawn(config.examples, Role.EXPLAIN, config.seed), _drawn(config.examples // 2, Role.SHOW, config.seed)
    )
    readings = _boards(page, model, folder, rows)
    _edits(page, model, readings)


def _cases(page: Page) -> int:
    return min(MOST_CASES, max(1, page.config.examples // EXAMPLES_A_CASE))


def _drawn(positions: int, role: Role, seed: int) -> BoardRows:
    games = draw_games(-(-positions // _ROWS_A_GAME), seed=[seed, 2], role=role)
    return board_rows(games).sampled(positions, seed)


def _boards(page: Page, model: LanguageModel, folder: Path, rows: _Rows) -> dict[str, Reading]:
    """Probes of every block beside their controls; returns what edits need of each."""
    sites = [f"resid_post.{layer}" for layer in range(model.layers)]
    fitted, judged = (read_rows(model, part, sites) for part in rows)
    fresh = untrained_copy(model, seed=page.config.seed)
    fresh_fitted, fresh_judged = (read_rows(fresh, part, sites) for part in rows)
    table, found, readings = [], {}, {}
    for number, site in enumerate(sites):
        probe = fit_board(fitted[site], rows.fitted.contents)
        seen = score_board(probe.read(judged[site]), rows.judged.contents, rows.judged)
        colours = fit_board(fitted[site], rows.fitted.colours)
        coloured = score_board(colours.read(judged[site]), rows.judged.colours, rows.judged)
        untrained = _scored(fresh_fitted[site], fresh_judged[site], rows)
        readings[site] = read_site(probe, fitted[site], rows.fitted.contents, rows.fitted.ply)
        table.append([site, *_cells(seen), *_cells(coloured), *_cells(untrained)])
        found[site] = {"mine or yours": seen, "black or white": coloured, "untrained": untrained}
        if page.progress:
            page.progress(number + 1, len(sites), "blocks")
    controls = _controls(folder, rows)
    write_json(
        page.folder / "boards.json",
        {name: _as_json(scores) for name, scores in (found | {name: {"": s} for name, s in controls.items()}).items()},
    )
    head = [
        "read at",
        "mine / yours / nothing",
        "turned discs",
        "black / white / nothing",
        "turned discs",
        "untrained",
        "turned discs",
    ]
    page.say(f"## Boards\n\n{_sample(rows)}\n\n{markdown(head, table)}")
    page.say(markdown(["controls", *head[1:3]], [[name, *_cells(score)] for name, score in controls.items()]))
    return readings


def _scored(fitted: torch.Tensor, judged: torch.Tensor, rows: _Rows) -> BoardScore:
    """How well whatever is given tells mine from yours."""
    probe: BoardProbe = fit_board(fitted, rows.fitted.contents)
    return score_board(probe.read(judged), rows.judged.contents, rows.judged)


def _controls(folder: Path, rows: _Rows) -> dict[str, BoardScore]:
    controls = {
        "the moves made, without order": _scored(rows.fitted.moved, rows.judged.moved, rows),
        "how many moves were made": _scored(one_hot_plies(rows.fitted), one_hot_plies(rows.judged), rows),
    }
    one_layer = folder.parent / ONE_LAYER / "model"
    if one_layer.is_dir():
        small = open_model(one_layer)
        site = "resid_post.0"
        fitted, judged = (read_rows(small, part, [site])[site] for part in rows)
        controls = {"the model of one layer, resid_post.0": _scored(fitted, judged, rows), **controls}
    return controls


def _cells(score: BoardScore) -> list[str]:
    return [interval(score.right, ".3f"), interval(score.turned, ".3f")]


def _as_json(scores: dict[str, BoardScore]) -> dict[str, dict[str, dict[str, float]]]:
    return {name: {"right": vars(score.right), "turned": vars(score.turned)} for name, score in scores.items()}


def _sample(rows: _Rows) -> str:
    fitted, judged = rows
    share = float(judged.turned.sum() / (judged.contents > 0).sum())
    return (
        f"Share of squares read rightly, by a softmax for each square: {len(fitted):,} positions of "
        f"{len(fitted.game.unique()):,} games fitted, {len(judged):,} of {len(judged.game.unique()):,} judged. Turned "
        f"discs: those ({share:.0%} of all) that are no longer of the colour in which they were placed."
    )


def _edits(page: Page, model: LanguageModel, readings: dict[str, Reading]) -> None:
    """Ways chosen on some games, judged on others, with a picture of one case."""
    seed = page.config.seed
    judged = _cases(page)
    tried = -(-judged // CASES_A_TRIED_CASE)
    tuning = draw_flips(draw_games(tried, seed=[seed, 3], role=Role.SCORE), seed=seed)
    cases = draw_flips(draw_games(judged, seed=[seed, 4], role=Role.SHOW), seed=seed)
    plain = next_logits(model, cases, None, readings)
    trials = [own_board(plain, cases), trial("no edit", plain, cases, None)]
    ways = [Way.PROBE, Way.GRADIENT, Way.PATTERN]
    chosen: dict[Way, Turning] = {}
    for number, way in enumerate(ways):
        chosen[way] = chosen_turning(model, tuning, way, readings)
        if page.progress:
            page.progress(number + 1, len(ways), "ways to edit")
    like = chosen[Way.PROBE]
    chosen[Way.RANDOM] = Turning(way=Way.RANDOM, sites=like.sites, strength=like.strength)
    logits = {way: next_logits(model, cases, turning, readings) for way, turning in chosen.items()}
    trials += [trial(way.value, logits[way], cases, turning) for way, turning in chosen.items()]
    write_json(page.folder / "edits.json", [each.as_json() for each in trials])
    page.say(f"## Edits\n\n{_about(cases)}\n\n{_trial_table(trials)}")
    best = min(ways, key=lambda way: float(trials[2 + ways.index(way)].wrong.value))
    _picture(page, cases, plain, logits[best], best)


def _about(cases: Flips) -> str:
    return (
        f"{len(cases):,} positions, each with one disc turned in the activations of the last move; "
        f"{float(cases.after.sum(1).float().mean()):.1f} legal moves on the turned board on average. "
        f"{int(cases.changing.sum()):,} of them have other legal moves than before."
    )


def _trial_table(trials: list[Trial]) -> str:
    head = ["edit", "blocks", "strength", "wrong among the first N", "where the legal moves change", "nothing wrong"]
    rows = []
    for each in trials:
        blocks = f"{each.sites[0]} to {each.sites[-1]}" if len(each.sites) > 1 else "".join(each.sites)
        strength = "" if each.strength is None else f"{each.strength:g}"
        numbers = (each.wrong, each.wrong_changing, each.exact)
        rows.append([each.name, blocks, strength, *(interval(number) for number in numbers)])
    return markdown(head, rows)


def _picture(page: Page, cases: Flips, plain: torch.Tensor, edited: torch.Tensor, way: Way) -> None:
    """The first case of the middle game whose legal moves change, as it is and with the disc turned."""
    wanted = cases.changing & (cases.ply >= min(PICTURED_PLY, PLIES - 1))
    if not bool(wanted.any()):
        return
    case = int(wanted.nonzero()[0, 0])
    square = int(cases.square[case])
    panels = [
        Panel(
            "the board as it is; the model unedited",
            cases.contents[case],
            _on_board(cases.before[case]),
            _on_board(plain[case].softmax(-1)),
        ),
        Panel(
            f"{NAMES[square]} turned; the model edited ({way})",
            cases.wanted[case],
            _on_board(cases.after[case]),
            _on_board(edited[case].softmax(-1)),
        ),
    ]
    draw_boards(panels, square, "Framed: legal moves. Shade: the model's probability.", page.folder / "board.svg")


def _on_board(tokens: torch.Tensor) -> torch.Tensor:
    """Values of tokens on the squares that they name."""
    board = torch.zeros(len(NAMES), dtype=tokens.dtype)
    board[list(PLAYED)] = tokens[len(SPECIAL) :]
    return board
