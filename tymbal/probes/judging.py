"""One reader at one site: fitted, judged on held-out groups, and held against its controls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from tymbal.dictionaries import Finding, Number
from tymbal.probes.control_task import control_target
from tymbal.probes.description import description_length
from tymbal.probes.probe import Probe, Reader, Rows, folds
from tymbal.probes.reading import Pooling, Readings
from tymbal.probes.result import Controls, ProbeResult, Sample, TransferMatrix
from tymbal.probes.scores import chance, score, score_name
from tymbal.probes.splits import GroupDraws, Split, p_value
from tymbal.probes.targets import Classes, Target

_BAG_TOKENS = 1000
"""Tokens that the bag counts: those that occur in most training rows."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """How a score's interval and p-value are made."""

    draws: int
    permutations: int
    seed: int


class Fitted(NamedTuple):
    """A probe, and what it said of the held-out rows."""

    probe: Probe
    scores: Float[Tensor, "row output"]
    target: Target


class Judge:
    """Fits a reader to training rows and judges it by held-out ones; shared by all sites of one reading."""

    def __init__(self, reader: Reader, readings: Readings, split: Split, judgement: Judgement) -> None:
        self.reader, self.readings, self.split, self.judgement = reader, readings, split, judgement
        self.held_out = readings.target[split.held_out]
        readings.target[split.train].require_all("among the training rows")
        self.held_out.require_all("among the held-out rows")
        self.drawn = GroupDraws(readings.groups[split.held_out], draws=judgement.draws, seed=judgement.seed)
        self.control = self._control()

    def bag_of_tokens(self) -> Number:
        """The score of the reader on counts of tokens."""
        counts = self.readings.bag
        frequent = (counts[self.split.train.numpy()] > 0).sum(0).A1.argsort(kind="stable")[::-1][:_BAG_TOKENS].copy()
        return self._alone(torch.from_numpy(counts[:, frequent].toarray()).log1p())

    def position(self) -> Number:
        """The score of the reader on positions and lengths."""
        return self._alone(self.readings.position)

    def result(self, site: str, untrained: Rows, shared: Mapping[str, Number]) -> tuple[ProbeResult, Fitted]:
        """The reader's result at a site, beside the same rows of an untrained model and the `shared` controls."""
        x, train = self.readings.activations[site], self.split.train
        target, groups = self.readings.target, self.readings.groups
        fitted = self.fitted(x, target)
        remembered = self.fitted(x, self.control)
        told, control = self._number(fitted), self._number(remembered)
        descriptions = [
            description_length(
                self.reader,
                x[train],
                labels[train],
                groups[train],
                draws=self.judgement.draws,
                seed=self.judgement.seed,
            )
            for labels in (target, self.control)
        ]
        controls = Controls(
            chance=chance(target),
            control_task=control,
            selectivity=self.drawn.number(lambda weights: _of(fitted, weights) - _of(remembered, weights)),
            untrained=self._number(self.fitted(untrained, target)),
            bag_of_tokens=shared["bag of tokens"],
            position=shared["position"],
            description=descriptions[0],
            control_description=descriptions[1],
            p_value=self._p_value(fitted, told),
            permutations=self.judgement.permutations,
            transfer=self._transfer(x),
        )
        return self._result(site, told, self._validated(x), controls), fitted

    def fitted(self, x: Rows, target: Target) -> Fitted:
        """The reader fitted to the training rows, and its scores of the held-out ones."""
        train, held_out = self.split
        probe = self.reader.fit(x[train], target[train], self.readings.groups[train])
        return Fitted(probe, probe.scores(x[held_out]), target[held_out])

    def _validated(self, x: Rows) -> float:
        """The mean score across folds of the training rows; folds that lack a class are left out."""
        train, found = self.split.train, []
        for fit, tried in folds(self.readings.groups[train]):
            fit, tried = train[torch.from_numpy(fit)], train[torch.from_numpy(tried)]
            wanted = self.readings.target[fit]
            if isinstance(wanted, Classes) and len(wanted.ids.unique()) < len(wanted.names):
                continue
            scores = self.reader.fit(x[fit], wanted, self.readings.groups[fit]).scores(x[tried])
            once = torch.ones(1, len(tried), dtype=torch.float64)
            found.append(float(score(scores, self.readings.target[tried], once)))
        return float(np.nanmean(found)) if found else float("nan")

    def _control(self) -> Target:
        """A control task whose training and held-out rows have all classes, of the first few seeds."""
        for seed in range(self.judgement.seed, self.judgement.seed + 100):
            drawn = control_target(self.readings.target, self.readings.types, seed=seed)
            if not isinstance(drawn, Classes) or all(
                len(drawn.ids[rows].unique()) == len(drawn.names) for rows in self.split
            ):
                return drawn
        # Fewer tokens than classes: rows draw for themselves, and nothing can be remembered.
        return control_target(self.readings.target, torch.arange(len(self.readings.types)), seed=self.judgement.seed)

    def _alone(self, x: Float[Tensor, "row feature"]) -> Number:
        return self._number(
            self.fitted(x[:, None] if self.readings.pooling is Pooling.ATTENTION else x, self.readings.target)
        )

    def _number(self, fitted: Fitted) -> Number:
        return self.drawn.number(lambda weights: _of(fitted, weights))

    def _p_value(self, fitted: Fitted, told: Number) -> float:
        once = torch.ones(1, len(fitted.scores), dtype=torch.float64)
        return p_value(
            told.value,
            lambda target: float(score(fitted.scores, target, once)),
            self.held_out,
            self.readings.groups[self.split.held_out],
            permutations=self.judgement.permutations,
            seed=self.judgement.seed,
        )

    def _transfer(self, x: Rows) -> TransferMatrix:
        names = self.readings.dataset_names
        rows = [self._transfer_row(x, number) for number in range(len(names))]
        return TransferMatrix(names=tuple(name or "all" for name in names), scores=tuple(rows))

    def _transfer_row(self, x: Rows, source: int) -> tuple[Number, ...]:
        """The scores on each data set's held-out rows of a probe fitted to one data set's training rows."""
        datasets, held_out = self.readings.datasets, self.split.held_out
        train = self.split.train[datasets[self.split.train] == source]
        nothing = Number(value=float("nan"), low=float("nan"), high=float("nan"))
        wanted = self.readings.target[train]
        if len(wanted) < 2 or (isinstance(wanted, Classes) and len(wanted.ids.unique()) < len(wanted.names)):
            return (nothing,) * len(self.readings.dataset_names)
        probe = self.reader.fit(x[train], wanted, self.readings.groups[train])
        fitted = Fitted(probe, probe.scores(x[held_out]), self.held_out)
        members = [(datasets[held_out] == number).nonzero()[:, 0] for number in range(len(self.readings.dataset_names))]
        return tuple(self._among(fitted, rows) if len(rows) else nothing for rows in members)

    def _among(self, fitted: Fitted, rows: Int[Tensor, " judged"]) -> Number:
        """The score on some of the held-out rows."""
        scores, target = fitted.scores[rows], fitted.target[rows]
        return self.drawn.number(lambda weights: score(scores, target, weights[:, rows]))

    def _result(self, site: str, told: Number, validated: float, controls: Controls) -> ProbeResult:
        baselines = {
            "chance": Number(value=controls.chance, low=controls.chance, high=controls.chance),
            "control task": controls.control_task,
            "untrained model": controls.untrained,
            "bag of tokens": controls.bag_of_tokens,
            "position": controls.position,
        }
        finding = Finding(
            value=told.value,
            low=told.low,
            high=told.high,
            unit=score_name(self.readings.target),
            better="higher",
            baselines=baselines,
        )
        groups, (train, held_out) = self.readings.groups, self.split
        sample = Sample(
            train_rows=len(train),
            held_out_rows=len(held_out),
            train_groups=_different(groups[train]),
            held_out_groups=_different(groups[held_out]),
            left_out=self.readings.left_out,
        )
        return ProbeResult(
            site=site,
            reader=self.reader.kind,
            pooling=self.readings.pooling.value,
            score=finding,
            validated=validated,
            controls=controls,
            sample=sample,
        )


def _of(fitted: Fitted, weights: Float[Tensor, "draw row"]) -> Float[Tensor, " draw"]:
    return score(fitted.scores, fitted.target, weights)


def _different(groups: Int[Tensor, " row"]) -> int:
    return len(groups.unique())
