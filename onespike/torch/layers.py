"""What is counted of a layer while its attention is computed in spikes."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from golden import code as golden_code
from golden.attention.job import AttentionJob as GoldenJob
from onespike.torch.spikes import AttentionJob, AttentionSpikes, Spikes

OPERANDS = ("q", "k", "v", "attention", "out")


class Shape(NamedTuple):
    """Of one sample."""

    heads: int
    queries: int
    keys: int
    features: int
    values: int


@dataclass
class Events:
    """What a core would do for samples of one shape; see `energy.events.AttentionEvents`."""

    samples: int = 0
    query_spikes: int = 0
    score_additions: int = 0
    context_additions: int = 0


@dataclass
class Layer:
    """Counts of one layer over all its calls.

    Attributes:
        name: path of the module in the outermost one, `#n` its n-th attention where it has several.
        calls, samples: how often it ran, and on how many samples in all.
        phases: neurons by phase, the last of them silent, int64 [T+1], by operand.
        rows: query rows of all heads.
        products: sums over all outputs of spiking squared, exact squared, their product, and the
            difference squared.
        events: by shape.
        shape, jobs: of the first sample of the last call; no jobs where the core has none of this shape.
    """

    name: str
    steps: int
    calls: int = 0
    samples: int = 0
    phases: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    rows: int = 0
    products: NDArray[np.float64] = field(default_factory=lambda: np.zeros(4))
    events: defaultdict[Shape, Events] = field(default_factory=lambda: defaultdict(Events))
    shape: Shape | None = None
    jobs: list[GoldenJob] = field(default_factory=list)

    def begin(self, shape: Shape, samples: int) -> None:
        """Another call."""
        self.calls += 1
        self.samples += samples
        self.shape, self.jobs = shape, []
        self.events[shape].samples += samples

    def add(self, job: AttentionJob, spikes: AttentionSpikes, out: Tensor, exact: Tensor) -> None:
        """Some heads of the call.

        Args:
            out, exact: float64 [heads, queries, values].
        """
        assert self.shape is not None
        operands = (job.q, job.k, job.v, spikes.attention, spikes.out)
        for name, operand in zip(OPERANDS, operands, strict=True):
            found = torch.bincount(operand.phase.flatten().int(), minlength=self.steps + 1).cpu().numpy()
            self.phases[name] = self.phases.get(name, 0) + found
        self.rows += spikes.normaliser.numel()
        sums = torch.stack([(out * out).sum(), (exact * exact).sum(), (out * exact).sum()])
        self.products[:3] += sums.cpu().numpy()
        self.products[3] += float(((out - exact) ** 2).sum())
        events = self.events[self.shape]
        query, key = (x.sign.ne(0).sum(dim=1) for x in (job.q, job.k))
        attention, values = spikes.attention.sign.long().sum(dim=1), job.v.sign.ne(0).sum(dim=2)
        events.query_spikes += int(query.sum())
        events.score_additions += int((query * key).sum())
        events.context_additions += int((attention * (values + 1)).sum())
        self._keep(job)

    def _keep(self, job: AttentionJob) -> None:
        """Keep the heads of the first sample, as jobs that the cycle model takes."""
        assert self.shape is not None
        heads, queries, keys, features, values = self.shape
        lacking = heads - sum(kept.heads for kept in self.jobs)
        if not lacking or queries != keys or features != values:
            return
        bias, allowed = (None if x is None else x[:lacking].cpu().numpy() for x in (job.bias, job.allowed))
        self.jobs.append(
            GoldenJob(
                code=job.code,
                window=job.window,
                q=_golden(job.q[:lacking]),
                k=_golden(job.k[:lacking]),
                v=_golden(job.v[:lacking]),
                bias=bias,
                allowed=allowed,
                ramp_step=job.ramp_step[:lacking].cpu().numpy(),
                ratio=job.ratio[:lacking].cpu().numpy(),
            )
        )


def _golden(spikes: Spikes) -> golden_code.Spikes:
    return golden_code.Spikes(spikes.sign.cpu().numpy(), spikes.phase.cpu().numpy())
