"""Attention of a network: the rows of spikes as heads, in groups, with biases and masks."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import MAX_BIAS_UNITS, AttentionJob
from golden.attention.normaliser import MAX_RATIO
from golden.attention.woss import MAX_RAMP_STEP
from golden.code import PhaseCode, Spikes
from golden.errors import InputError, quoted
from golden.network.checks import check_integers, check_source, check_target
from golden.network.tensors import Run, Shapes


@dataclass(frozen=True, kw_only=True, eq=False)
class Attention:
    """Spiked attention of rows in groups (windows); see `golden.attention.job`.

    Attributes:
        source: name of spikes [rows, 3*heads*head_dim]: q of all heads, k, v.
        target: name of the spikes that leave, [rows, heads*head_dim].
        ramp_step: int64 [heads]; ratio: int64 [heads, b].
        groups: neighbouring rows attend each other in so many groups of one size.
        bias: int64 [heads, size, size] in score units, added to the scores of every group.
        allowed: bool [groups, size, size], or [1, size, size] for all groups alike: pairs that may attend.
    """

    source: str
    target: str
    heads: int
    ramp_step: NDArray[np.int64]
    ratio: NDArray[np.int64]
    groups: int = 1
    bias: NDArray[np.int64] | None = None
    allowed: NDArray[np.bool_] | None = None

    def check(self, name: str, shapes: Shapes) -> None:
        rows, width = check_source(self.source, name, shapes)
        check_target(self.target, name)
        if self.groups < 1 or rows % self.groups:
            raise InputError(
                f"{name}.groups must divide the {rows} rows of {quoted(self.source)}, not {self.groups}"
            )
        size = rows // self.groups
        if self.bias is not None:
            check_integers(f"{name}.bias", self.bias, [(self.heads, size, size)], MAX_BIAS_UNITS - 1)
        if self.allowed is not None:
            pairs = [(1, size, size), (self.groups, size, size)]
            check_integers(f"{name}.allowed", self.allowed.astype(np.int8), pairs, 1, 0)
            if not self.allowed.any(axis=-1).all():
                raise InputError(f"{name}.allowed must allow at least one key in each row")
        if self.heads < 1 or width % (3 * self.heads):
            raise InputError(
                f"{name}: 3*heads must divide the width of {quoted(self.source)} ({width}), "
                f"heads is {quoted(self.heads)}"
            )
        check_integers(f"{name}.ramp_step", self.ramp_step, [(self.heads,)], MAX_RAMP_STEP, 0)
        b = shapes.code.log2_base.denominator
        check_integers(f"{name}.ratio", self.ratio, [(self.heads, b)], MAX_RATIO, 1)
        shapes.spikes[self.target] = rows, width // 3

    def first_rows(self, rows: int) -> Self:
        if self.groups != 1:
            raise InputError(f"rows are in {self.groups} windows, which have no first ones")
        bias = None if self.bias is None else self.bias[:, :rows, :rows]
        allowed = None if self.allowed is None else self.allowed[:, :rows, :rows]
        return replace(self, bias=bias, allowed=allowed)

    def job(self, qkv: Spikes, code: PhaseCode) -> AttentionJob:
        """Job of [images*groups*heads] heads of spikes [images, rows, 3*heads*head_dim], heads fastest."""
        images, rows, width = qkv.shape
        size, times = rows // self.groups, images * self.groups
        split = (times, size, 3, self.heads, width // 3 // self.heads)

        def part(array: NDArray[np.int8], index: int) -> NDArray[np.int8]:
            heads_first = array.reshape(split)[:, :, index].swapaxes(1, 2)
            return heads_first.reshape(-1, size, split[-1])

        q, k, v = (Spikes(part(qkv.sign, i), part(qkv.phase, i)) for i in range(3))
        bias = None if self.bias is None else np.tile(self.bias, (times, 1, 1))
        allowed = None
        if self.allowed is not None:
            by_head = (images, self.groups, self.heads, size, size)
            allowed = np.broadcast_to(self.allowed[:, None], by_head).reshape(-1, size, size)
        return AttentionJob(
            code=code, window=code.steps, q=q, k=k, v=v, bias=bias, allowed=allowed,
            ramp_step=np.tile(self.ramp_step, times), ratio=np.tile(self.ratio, (times, 1)),
        )  # fmt: skip

    def merge(self, out: Spikes, images: int) -> Spikes:
        """Spikes [images, rows, heads*head_dim] of output spikes [images*groups*heads, size, head_dim]."""
        _, size, head_dim = out.shape
        split = (images * self.groups, self.heads, size, head_dim)

        def merged(array: NDArray[np.int8]) -> NDArray[np.int8]:
            return array.reshape(split).swapaxes(1, 2).reshape(images, self.groups * size, -1)

        return Spikes(merged(out.sign), merged(out.phase))

    def run(self, run: Run) -> Spikes:
        qkv, present = run.spikes[self.source], run.present.get(self.source)
        job = self.job(qkv, run.code)
        if present is not None:
            job, present = self.among_present(job, present)
        return run.enter(self.target, self.merge(run.engine(job).out, qkv.shape[0]), present)

    def among_present(
        self, job: AttentionJob, present: NDArray[np.bool_]
    ) -> tuple[AttentionJob, NDArray[np.bool_]]:
        """The job with keys masked that are not there, and rows that may attend one of the others."""
        images, rows = present.shape
        size = rows // self.groups
        keys = present.reshape(images, self.groups, 1, 1, size)
        allowed = np.broadcast_to(keys, (images, self.groups, self.heads, size, size)).reshape(-1, size, size)
        if job.allowed is not None:
            allowed = allowed & job.allowed
        attends: NDArray[np.bool_] = np.any(allowed, axis=-1)  # the same for all heads
        by_row = attends.reshape(images, self.groups, self.heads, size)[:, :, 0].reshape(images, rows)
        return replace(job, allowed=allowed | ~attends[..., None]), present & by_row
