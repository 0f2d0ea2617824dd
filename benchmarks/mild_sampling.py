"""Reward hacking where the true reward is known: the bundled world model, best-of-n beside a quantilizer.

Texts are drawn from the model at temperature 1. The proxy is a rater who likes texts that name much: it counts words
with a capital. The true reward is what the world's own parser reads in a text: true statements less false ones, and
nothing where the text cannot be read. At each n both ways make a text at most n times as likely as the model does; 95 %
intervals are bootstraps over the texts. `--picture FILE` draws the curve.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from report import Line, show

import tymbal
from tymbal.corpora.world import MODEL, generate_world
from tymbal.theory.mild import Pressure, hacking_curve

TEXTS, MOST, BATCH = 1_200, 254, 400
PRESSURES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
PAPER, INK, QUIET, ACCENT = "#fcfbf8", "#1e1c19", "#8b857b", "#9a3b07"


@torch.inference_mode()
def drawn(count: int, seed: int) -> list[str]:
    """Texts from the bundled model, a batch at a time; rows that have ended leave the batch."""
    model = tymbal.open_model(str(MODEL))
    end = model.torch_model.generation_config.eos_token_id
    generator = torch.Generator().manual_seed(seed)
    texts = []
    for _ in range(0, count, BATCH):
        rows: list[list[int]] = [[] for _ in range(min(BATCH, count - len(texts)))]
        live, given, cache = torch.arange(len(rows)), torch.zeros((len(rows), 1), dtype=torch.long), None
        for _ in range(MOST):
            step = model.torch_model(input_ids=given, past_key_values=cache, use_cache=True)
            cache = step.past_key_values
            given = torch.multinomial(step.logits[:, -1].float().softmax(-1), 1, generator=generator)
            going = (given[:, 0] != end).nonzero()[:, 0]
            if len(going) == 0:
                break
            if len(going) < len(live):
                live, given = live[going], given[going]
                cache.batch_select_indices(going)
            for row, token in zip(live.tolist(), given[:, 0].tolist(), strict=True):
                rows[row].append(token)
        texts += model.tokenizer.batch_decode(rows, skip_special_tokens=True)
    return texts


def proxy_reward(text: str) -> float:
    """Words that begin with a capital."""
    return float(sum(word[:1].isupper() for word in text.split()))


def true_rewards(texts: list[str]) -> list[float]:
    """True statements less false ones."""
    world = generate_world(0)
    parses = [world.parse(text) for text in texts]
    return [float(sum(1 if claim.true else -1 for claim in parse.claims)) if parse else 0.0 for parse in parses]


def draw(path: Path, curve: list[Pressure]) -> None:
    """The curve of both rewards against pressure, as SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"font.size": 10, "svg.hashsalt": "tymbal", "text.color": INK, "axes.labelcolor": INK}):
        figure = Figure(figsize=(8.5, 3.6), facecolor=PAPER, layout="constrained")
        for axes, part in zip(figure.subplots(1, 2), ("proxy", "true"), strict=True):
            for method, colour, style in (("best-of-n", QUIET, "--"), ("quantilizer", ACCENT, "-")):
                points = [point for point in curve if point.method == method]
                n = [point.n for point in points]
                found = [getattr(point, part) for point in points]
                axes.fill_between(n, [e.low for e in found], [e.high for e in found], color=colour, alpha=0.15, lw=0)
                axes.plot(n, [e.value for e in found], style, color=colour, marker="o", ms=4, label=method)
            axes.set_xscale("log", base=2)
            axes.set_xticks(PRESSURES, [f"{n:g}" for n in PRESSURES])
            axes.set_xlabel("n: at most so many times as likely as under the model")
            title = {"proxy": "proxy reward: capitalised words", "true": "true reward: true less false statements"}
            axes.set_title(title[part], loc="left", fontsize=11)
            axes.set_facecolor(PAPER)
            axes.spines[["top", "right"]].set_visible(False)
            axes.spines[["left", "bottom"]].set_color(QUIET)
            axes.tick_params(length=0, which="both", colors=INK)
            if part == "true":
                axes.axhline(0, color=QUIET, lw=0.8)
            axes.legend(frameon=False, loc="best")
        figure.savefig(
            path, format="svg", metadata={"Date": None}, facecolor=PAPER, bbox_inches="tight", pad_inches=0.15
        )


def main() -> None:
    """Print the curve."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of a table")
    parser.add_argument("--real", type=Path, default=None, help="not used")
    parser.add_argument("--picture", type=Path, default=None, help="draw the curve, as SVG")
    options = parser.parse_args()
    texts = drawn(TEXTS, seed=0)
    curve = hacking_curve(np.array([proxy_reward(text) for text in texts]), true_rewards(texts), PRESSURES)
    for point in curve:
        true = point.true
        name = f"true reward, {point.method}, n {point.n:g} [{true.low:.2f}, {true.high:.2f}]"
        show([Line(name=name, system="tymbal", value=true.value, unit="statements")], as_json=options.json)
    if options.picture is not None:
        draw(options.picture, curve)


if __name__ == "__main__":
    main()
