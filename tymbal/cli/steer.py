"""`tymbal steer`: add a vector to a model's activations or clamp features of a study, and measure what that does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import tyro
from tyro.conf import Positional, arg

from tymbal.errors import TymbalError

if TYPE_CHECKING:
    from tymbal.edits import Aim, Score

Given = TypeVar("Given")
METHODS = Literal["difference", "mean", "pca", "written", "fitted"]
SHARES = (-0.4, -0.2, -0.1, 0.1, 0.2, 0.4)
MAXIMA = (-0.5, 0.25, 0.5, 1.0)
TRIED_SHARES = (0.2, 0.4, 0.8, 1.6)
TRIED_MAXIMA = (0.125, 0.25, 0.5, 1.0)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Steer a model and measure dose and response, beside random directions, token biases and a prompt.

    What is steered is a vector from texts (--toward, --away) or from a saved probe (--probe), or features of a study
    (--feature). What is measured is how likely those texts become, or, in the bundled model, how often the generated
    world's own parser finds a concept in what the model writes (--concept). With --search the best of several
    treatments and strengths is found on one half of the prompts and measured on the other.
    """

    model: Annotated[Positional[str], arg(metavar="MODEL")]
    """a Hugging Face model: local folder or hub id; 'bundled' is the one that comes with Tymbal"""
    toward: Annotated[str | None, arg(metavar="TEXT|FILE")] = None
    """what to steer toward: a text, or a file with one text a line"""
    away: Annotated[str | None, arg(metavar="TEXT|FILE")] = None
    """what to steer away from, likewise; in pairs with toward, except for --method mean"""
    feature: Annotated[tuple[str, ...], arg(metavar="STUDY:NUMBER")] = ()
    """clamp these features, all together, each at its site"""
    probe: Annotated[str | None, arg(metavar="DIR[:CLASS]")] = None
    """steer along a probe that `tymbal probe` saved, toward one of its classes"""
    concept: str | None = None
    """count this concept of the generated world: language.de, tone.joyful, truth.false, refusal, town.7, person.7;
    without texts, features and probe the vector is made from documents that have it and that lack it"""
    search: bool = False
    """try vectors of the concept, both methods, both places, each site, on half of the prompts"""
    study: Annotated[tuple[Path, ...], arg(metavar="DIR")] = ()
    """search among the features of these studies that tell the concept best, singly and together"""
    prompts: Annotated[Path | None, arg(metavar="FILE")] = None
    """prompts to steer, one a line; of the world's documents, where a concept is counted, their beginnings"""
    beginnings: int = 64
    """how many of these"""
    site: tuple[str, ...] = ()
    """where to add the vector, all at once; the residual stream after the middle block unless given; with --search,
    the sites to try one by one, each block unless given"""
    method: METHODS | None = None
    """how the vector is made; of texts: at the last token of each pair (difference, unless given), over all tokens
    (mean), or as a principal component (pca); of a concept: where the documents' texts are written (written, unless
    given), or fitted to have the concept written on beginnings of other documents (fitted)"""
    when: Literal["all", "prompt", "generated"] = "all"
    """which tokens are moved: all, those of the prompt, or generated ones"""
    strengths: tuple[float, ...] | None = None
    """of a vector: its length as a share of each activation's own (default: -0.4 -0.2 -0.1 0.1 0.2 0.4); of features:
    multiples of each feature's maximum (default: -0.5 0.25 0.5 1); with --search, what is tried"""
    divergence: float = 0.5
    """nats a token on unrelated text that --search allows"""
    start: int = 0
    """the first position to change; 1 spares the token that begins a text"""
    tokens: int = 40
    """new tokens of each text that is shown, where texts are not counted"""
    randoms: int = 3
    """random directions at each strength"""
    unrelated: Annotated[Path | None, arg(metavar="FILE")] = None
    """text to measure side effects on; the prompts, or documents that lack the concept, unless given"""
    out: Annotated[Path, arg(metavar="DIR")] = Path("steer")
    """where response.svg and response.json are written"""
    seed: int = 0
    """of random directions, drawn text and intervals"""
    device: str = "cpu"
    """where to compute: cpu or cuda"""


def main(arguments: Sequence[str]) -> None:
    """Parse, steer, print the tables and where the picture lies."""
    options = tyro.cli(Options, args=arguments, prog="tymbal steer")

    from tymbal import artifact
    from tymbal.cli.steer_tables import show, show_tried
    from tymbal.cli.steer_treatments import candidates, treatment_of
    from tymbal.edits import DoseConfig, SearchConfig, as_rows, dose_response, draw_response, search, word_bias
    from tymbal.study.sources import open_subject

    model = open_subject(options.model, options.device)
    aim = _aim(options)
    prompts = aim.beginnings if aim is not None and options.prompts is None else lines_of(required(options.prompts))
    score, others = _measured(options, aim, prompts)
    begun = None if aim is None or options.unrelated is not None else aim.prompt(model)
    unrelated = [model.tokenize(others[start : start + 16]) for start in range(0, len(others), 16)]
    tried, strengths = [], options.strengths
    if options.search or options.study:
        half, prompts = prompts[: len(prompts) // 2], prompts[len(prompts) // 2 :]
        treatments = candidates(options, model, aim)
        strengths = options.strengths or (TRIED_MAXIMA if options.study else TRIED_SHARES)
        kept = SearchConfig(strengths=strengths, divergence=options.divergence, prompt=begun)
        tried = search(model, treatments, half, score=score, unrelated=unrelated, config=kept)
        treatment, best = treatments[tried[0].name], tried[0].strength
        strengths = (-best, best / 2, best)
        show_tried(tried)
    else:
        treatment = treatment_of(options, model, aim)
    response = dose_response(
        model,
        treatment,
        prompts,
        score=score,
        unrelated=unrelated,
        config=DoseConfig(
            strengths=strengths or (MAXIMA if options.feature else SHARES),
            tokens=options.tokens,
            randoms=options.randoms,
            seed=options.seed,
            prompt=begun,
        ),
        lead=aim.wanted[0].text if aim is not None else texts_of(required(options.toward))[0],
        words=None if aim is None else word_bias(model, *aim.parts),
    )
    draw_response(response, options.out / "response.svg")
    told = {"treatment": treatment.made, "unit": treatment.unit, "concept": options.concept, "model": model.identity}
    told |= {"prompts": list(prompts), "tried": [one._asdict() for one in tried], "doses": as_rows(response)}
    artifact.write_json(options.out / "response.json", {**told, "provenance": artifact.provenance()})
    show(response)
    print(options.out / "response.svg")


def _aim(options: Options) -> "Aim | None":
    if options.concept is None:
        return None
    from tymbal.corpora.world import generate_world
    from tymbal.edits import world_aim

    return world_aim(generate_world(0), options.concept, beginnings=options.beginnings)


def _measured(options: Options, aim: "Aim | None", prompts: Sequence[str]) -> tuple["Score", Sequence[str]]:
    """What is counted, and the texts to measure side effects on."""
    from tymbal.edits import Propensity

    own = None if options.unrelated is None else lines_of(options.unrelated)
    if aim is not None:
        return aim.score, own or aim.texts
    return Propensity(texts_of(required(options.toward)), texts_of(required(options.away))), own or prompts


def required(given: Given | None) -> Given:
    """What was given; raises `TymbalError` where it is None."""
    if given is None:
        raise TymbalError(
            expected="--toward and --away with --prompts, or a --concept of the generated world",
            got="neither",
            do="give what is to be measured",
        )
    return given


def lines_of(path: Path) -> list[str]:
    """The lines of a text file that are not empty; raises `TymbalError` where there are none."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise TymbalError(
            expected=f"a text file at {path}", got=type(error).__name__, do="check the file's name"
        ) from error
    if not lines:
        raise TymbalError(expected=f"at least one line in {path}", got="none", do="write one text a line")
    return lines


def texts_of(named: str) -> list[str]:
    """The lines of the file of this name, or the name itself as the only text."""
    return lines_of(Path(named)) if len(named) < 256 and Path(named).is_file() else [named]
