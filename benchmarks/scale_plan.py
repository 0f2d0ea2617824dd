"""The plan of a run at internet scale, each number from its formula: what `docs/scale.md` says.

16 million features on a model of 100 billion parameters over 40 billion tokens. Numbers of the machines are their
makers'; efficiencies and prices are assumptions and are listed as such. `--write docs/scale.md` writes the tables
into the page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from report import Line, parser, show

from tymbal.dictionaries.roofline import ADAM, BF16, FP32, H200, Device, Step, roofline
from tymbal.dictionaries.rounded_scores import AT_ONCE

HOUR = 3600.0
BEGIN, END = "<!-- plan: python benchmarks/scale_plan.py --write docs/scale.md -->", "<!-- end of the plan -->"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A run, the machines it is on, and what is assumed of them."""

    parameters: float = 100e9
    """Parameters of the model."""
    width: int = 10240
    """Width of the model; 80 layers of 12 · width² parameters are 100 billion."""
    depth: float = 0.5
    """Share of the layers up to the site; the others are not run."""
    tokens: float = 40e9
    features: int = 1 << 24
    k: int = 128
    batch: int = 1 << 17
    devices: int = 256
    in_machine: int = 8
    """GPUs in one machine."""
    device: Device = H200
    link: float = 50e9
    """Bytes a second that a GPU sends to other machines, and at the same time receives: 400 Gbit/s."""
    product_efficiency: float = 0.6
    """Share of a GPU's peak that the encoder's product reaches. Assumed."""
    bandwidth_efficiency: float = 0.7
    """Share of a GPU's memory bandwidth that sparse sums and Adam reach. Assumed."""
    model_efficiency: float = 0.4
    """Share of a GPU's peak that the model's forward pass reaches. Assumed."""
    hour: float = 3.0
    """Dollars an hour of one GPU. Assumed."""
    terabyte_month: float = 20.0
    """Dollars a month for a terabyte of storage. Assumed."""
    write: float = 1e9
    """Bytes a second that one GPU's process writes to shared storage. Assumed."""
    checkpoint_every: int = 2500
    """Steps between checkpoints."""


class Grid(NamedTuple):
    """Parts of the features and of the rows, one GPU for each pair."""

    feature_parts: int
    row_parts: int


def step_of(plan: Plan, grid: Grid) -> Step:
    """One rank's part of a step."""
    return Step(
        width=plan.width,
        features=plan.features // grid.feature_parts,
        rows=plan.batch // grid.row_parts,
        k=plan.k / grid.feature_parts,
    )


class Memory(NamedTuple):
    """Bytes that a rank holds."""

    state: float
    """Parameters, gradients, Adam's moments (fp32) and the encoder in bfloat16."""
    rows: float
    """Rows as they came, in training units, and centred; reconstruction, error, its gradient; bfloat16 rows."""
    work: float
    """Scores at once, candidates of all parts (three copies and a mask), partial sums of a weight gradient."""

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self)


def memory(plan: Plan, grid: Grid) -> Memory:
    """What a rank must hold."""
    step = step_of(plan, grid)
    return Memory(
        state=4 * FP32 * step.parameters + BF16 * step.features * plan.width,
        rows=(6 * FP32 + BF16) * step.rows * plan.width,
        work=BF16 * AT_ONCE
        + (3 * FP32 + 1) * grid.feature_parts * step.rows * plan.k
        + FP32 * step.features * plan.width,
    )


class Sent(NamedTuple):
    """Bytes that a rank receives in a step from others."""

    rows: float
    """b · w: rows of the batch, handed round."""
    candidates: float
    """(F - 1) · b · k: the highest scores of each part."""
    sums: float
    """2 · (F - 1) / F · b · w: partial reconstructions, summed."""
    gradients: float
    """2 · (R - 1) / R · P: gradients, summed."""

    @property
    def total(self) -> float:
        """All of them."""
        return sum(self)


def sent(plan: Plan, grid: Grid) -> Sent:
    """What a rank receives."""
    step, (features, rows) = step_of(plan, grid), grid
    return Sent(
        rows=FP32 * step.rows * plan.width * (features > 1),
        candidates=FP32 * (features - 1) * step.rows * plan.k,
        sums=FP32 * 2 * (features - 1) / features * step.rows * plan.width,
        gradients=FP32 * 2 * (rows - 1) / rows * step.parameters,
    )


class Time(NamedTuple):
    """Seconds of a step, one after the other."""

    product: float
    memory: float
    """Sparse sums and Adam."""
    network: float
    checkpoints: float
    """A checkpoint's time, spread over the steps between two."""

    @property
    def total(self) -> float:
        """All of them."""
        return sum(self)


def time(plan: Plan, grid: Grid) -> Time:
    """Seconds of a step; nothing is meant to overlap."""
    bound = roofline(step_of(plan, grid), plan.device)
    return Time(
        product=bound.product / plan.product_efficiency,
        memory=(bound.sparse + bound.optimiser) / plan.bandwidth_efficiency,
        network=sent(plan, grid).total / plan.link,
        checkpoints=checkpoint(plan) / plan.devices / plan.write / plan.checkpoint_every,
    )


def checkpoint(plan: Plan) -> float:
    """Bytes of a checkpoint: parameters and two moments."""
    return 3 * FP32 * 2 * plan.features * plan.width


def grids(plan: Plan) -> Iterator[Grid]:
    """Grids of all devices whose ranks have room for their part, with a tenth of the memory left free."""
    for feature_parts in (1 << power for power in range(plan.devices.bit_length())):
        grid = Grid(feature_parts, plan.devices // feature_parts)
        if plan.devices % feature_parts == 0 and memory(plan, grid).total <= 0.9 * plan.device.memory:
            yield grid


def best(plan: Plan) -> Grid:
    """The grid with the shortest step; raises `ValueError` where none has room."""
    return min(grids(plan), key=lambda grid: time(plan, grid).total)


class Row(NamedTuple):
    """One line of a table."""

    what: str
    formula: str
    value: float
    unit: str


def harvest_hours(plan: Plan) -> float:
    """GPU-hours of reading the model: 2 operations a parameter and token, up to the site."""
    operations = 2 * plan.parameters * plan.depth * plan.tokens
    return operations / (plan.device.operations * plan.model_efficiency) / HOUR


def rows(plan: Plan) -> list[Row]:
    """The plan in numbers."""
    grid = best(plan)
    step, held, moved, taken = step_of(plan, grid), memory(plan, grid), sent(plan, grid), time(plan, grid)
    steps = plan.tokens / plan.batch
    hours = steps * taken.total / HOUR
    stored = BF16 * plan.tokens * plan.width
    used = step.operations / plan.device.operations / taken.total
    return [
        Row("activations stored", "2 · T · w", stored / 1e12, "TB"),
        Row("harvest", "2 · N · depth · T / (peak · 0.4)", harvest_hours(plan), "GPU hours"),
        Row("machines", "GPUs / 8", plan.devices / plan.in_machine, ""),
        Row("parts of the features, F", "of the grids with room, the fastest", grid.feature_parts, ""),
        Row("parts of the rows, R", "GPUs / F", grid.row_parts, ""),
        Row("features a rank, f", "features / F", step.features, ""),
        Row("rows a rank, b", "batch / R", step.rows, ""),
        Row("memory a rank: parameters, gradients, Adam", "16 · 2·f·w + 2·f·w", held.state / 1e9, "GB"),
        Row("memory a rank: rows", "26 · b · w", held.rows / 1e9, "GB"),
        Row("memory a rank: scores, candidates, partial sums", "1 GiB + 13·F·b·k + 4·f·w", held.work / 1e9, "GB"),
        Row("memory a rank", "sum", held.total / 1e9, "GB"),
        Row("step: product", "2·b·f·w / (peak · 0.6)", 1e3 * taken.product, "ms"),
        Row(
            "step: sparse sums and Adam",
            f"(16·b·k/F·w + 4·P + {ADAM}·P + 2·f·w) / (bandwidth · 0.7)",
            1e3 * taken.memory,
            "ms",
        ),
        Row("received a rank: rows handed round", "4 · b · w", moved.rows / 1e9, "GB a step"),
        Row("received a rank: candidate scores", "4 · (F-1) · b · k", moved.candidates / 1e9, "GB a step"),
        Row("received a rank: partial reconstructions", "8 · (F-1)/F · b · w", moved.sums / 1e9, "GB a step"),
        Row("received a rank: gradients", "8 · (R-1)/R · P", moved.gradients / 1e9, "GB a step"),
        Row("step: network", "received / 50 GB/s", 1e3 * taken.network, "ms"),
        Row("step: checkpoints", "24·features·w / GPUs / 1 GB/s / 2,500", 1e3 * taken.checkpoints, "ms"),
        Row("step", "sum, nothing overlapped", 1e3 * taken.total, "ms"),
        Row("model-flops utilisation", "2·b·f·w / peak / step", 100 * used, "%"),
        Row("tokens a second", "batch / step", plan.batch / taken.total, ""),
        Row("read from storage", "2 · batch · w / step", BF16 * plan.batch * plan.width / taken.total / 1e9, "GB/s"),
        Row("steps", "T / batch", steps, ""),
        Row("training", "steps · step", hours, "hours"),
        Row("training", "hours · GPUs", hours * plan.devices, "GPU hours"),
        Row("a checkpoint", "24 · features · w", checkpoint(plan) / 1e12, "TB"),
        Row("the dictionary", "8 · features · w", 2 * FP32 * plan.features * plan.width / 1e12, "TB"),
        Row(
            "cost of harvest and training",
            "GPU hours · $3",
            plan.hour * (hours * plan.devices + harvest_hours(plan)),
            "$",
        ),
        Row("cost of storage for a month", "TB · $20", plan.terabyte_month * stored / 1e12, "$"),
    ]


def number(value: float) -> str:
    """Three digits, with separators."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(plan: Plan) -> str:
    """The plan as Markdown: the numbers, then the grids that were compared."""
    lines = ["| what | formula | value |", "|---|---|---|"]
    lines += [f"| {row.what} | `{row.formula}` | {f'{number(row.value)} {row.unit}'.strip()} |" for row in rows(plan)]
    lines += ["", "| F | R | memory a rank, GB | network, ms | step, ms | GPU hours |", "|---|---|---|---|---|---|"]
    for grid in grids(plan):
        taken = time(plan, grid)
        hours = plan.tokens / plan.batch * taken.total / HOUR * plan.devices
        cells = (*grid, memory(plan, grid).total / 1e9, 1e3 * taken.network, 1e3 * taken.total, hours)
        lines.append("| " + " | ".join(number(cell) for cell in cells) + " |")
    return "\n".join(lines)


def written(page: str, plan: Plan) -> str:
    """The page with the tables of now."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{table(plan)}\n\n{END}{rest.split(END)[1]}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the plan, or write it into a page."""
    options = parser(__doc__)
    options.add_argument("--write", type=Path, default=None, help="page whose tables are written anew")
    chosen = options.parse_args(arguments)
    plan = Plan()
    if chosen.write is not None:
        chosen.write.write_text(written(chosen.write.read_text(encoding="utf-8"), plan), encoding="utf-8")
        return
    lines = [Line(name=row.what, system="plan", value=row.value, unit=row.unit) for row in rows(plan)]
    show(lines, as_json=chosen.json)


if __name__ == "__main__":
    main()
