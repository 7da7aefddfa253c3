"""SpikedAttention as the paper writes it: neurons, potentials and time steps, in floating point.

Source: SpikedAttention (NeurIPS 2024), sections 3.1 to 3.3. A cross-check of the closed form, far
too slow for networks: every time step visits the presynaptic neurons one after the other, and each
adds its trace to the potentials it reaches. Nothing here uses the closed form or its tables.

Order inside one time step: potentials leak (grow by B, so that earlier spikes weigh more), neurons
whose phase is this step fire and store the global trace, synapses accumulate, inhibition subtracts,
thresholds are compared, the global trace and the thresholds fall. docs/numerics.md says where the
phases may differ from the closed form.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from golden.attention.job import AttentionJob, HeadScales
from golden.code import PhaseCode, Spikes

Inhibition = Literal["winner", "first_positive"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LiteralAttention:
    """What the time-stepped procedure computes from a job, float64, in decoded units.

    Attributes:
        score: potentials after the integration window, [heads, tokens, tokens], bias included; in
            units of scale_q*scale_k, so it stands for score/2**F of the closed form.
        inhibited: what inhibition took from each row, [heads, tokens]; stands for winner/2**F.
        attention: attention spikes [heads, tokens, tokens], sign 0 or 1.
        spike_sum: [heads, tokens]; stands for normaliser/2**F.
        context: [heads, tokens, head_dim]; stands for context/2**F.
        out: output spikes [heads, tokens, head_dim].
    """

    score: Floats
    inhibited: Floats
    attention: Spikes
    spike_sum: Floats
    context: Floats
    out: Spikes


class TraceSynapses:
    """Trace-driven product of two groups of neurons, one time step at a time (section 3.2).

    The neuron that fires first stores the global trace, B**-phase, in its local memory, where it
    stays frozen; when the second fires, the postsynaptic neuron accumulates the stored trace. The
    potential's leak gives the second spike its own weight.

    Args:
        left: spikes [..., I, L].
        right: spikes [..., L, J].
        code: the code.
    """

    def __init__(self, left: Spikes, right: Spikes, code: PhaseCode) -> None:
        self.left, self.right, self.code = left, right, code
        self.left_trace = np.zeros(left.shape)
        self.right_trace = np.zeros(right.shape)
        self.global_trace = 1.0
        self.shape = (*left.shape[:-1], right.shape[-1])

    def step(self, t: int) -> Floats:
        """What the potentials [..., I, J] receive in step t; call with t = 0, 1, 2, ..."""
        left_spike, right_spike = spikes_at(self.left, t), spikes_at(self.right, t)
        self.left_trace += self.global_trace * left_spike
        self.right_trace += self.global_trace * right_spike
        received = np.zeros(self.shape)
        for n in range(self.left.shape[-1]):
            row, row_trace = left_spike[..., :, n, None], self.left_trace[..., :, n, None]
            column, column_trace = right_spike[..., n, None, :], self.right_trace[..., n, None, :]
            received += row * column_trace
            received += row_trace * column
            # Two neurons that fire together were counted twice. The trace already carries the sign
            # of the left spike: multiplying by the spike itself would square that sign away.
            received -= np.abs(row) * row_trace * column
        self.global_trace /= self.code.base
        return received


def attention(job: AttentionJob, scales: HeadScales, inhibition: Inhibition = "winner") -> LiteralAttention:
    """The attention of a job, time step by time step.

    Args:
        job: its integers ramp_step and ratio are not used.
        scales: of the job; the thresholds come from them.
        inhibition: see `integrate_scores`.
    """
    score, inhibited = integrate_scores(job, inhibition)
    logit = scales.q * scales.k / math.sqrt(job.head_dim)  # of one unit of the score
    ramp = math.log(job.code.base) / logit
    spikes = fire_on_ramp(score - inhibited[..., None], ramp, job.code, job.window, job.allowed)
    context, spike_sum = integrate_context(spikes, job.v, job.code)
    threshold = job.code.threshold_shift * (scales.o / scales.v)[:, None] * spike_sum
    out = fire(context, threshold[..., None], job.code)
    return LiteralAttention(
        score=score, inhibited=inhibited, attention=spikes, spike_sum=spike_sum, context=context, out=out
    )


def integrate_scores(job: AttentionJob, inhibition: Inhibition = "winner") -> tuple[Floats, Floats]:
    """Integration window of the score neurons: T steps of input, leak and inhibition.

    Args:
        job: spikes q and k; the bias flows in as a current, the same in each step.
        inhibition: how the global inhibitory signal holds a row back (section 3.3).
            "winner": in each step, by the largest potential of the row; the winner ends at zero.
            "first_positive": in each step, by the largest input of the row, up to and including
            the first step in which that input is positive, as in the authors' code.

    Returns:
        (score [heads, tokens, tokens], inhibited [heads, tokens]): potentials without inhibition,
        and the inhibition that the row received; both with the weights of the leak.
    """
    code = job.code
    synapses = TraceSynapses(job.q, Spikes(job.k.sign.swapaxes(1, 2), job.k.phase.swapaxes(1, 2)), code)
    current: Floats | float = 0.0
    if job.bias is not None:
        current = job.bias / 2.0**code.trace_bits / sum(code.base**-t for t in range(code.steps))
    allowed: NDArray[np.bool_] | bool = True if job.allowed is None else job.allowed
    potential = np.zeros(synapses.shape)
    held = np.zeros(synapses.shape[:-1])
    waiting = np.ones(held.shape, dtype=bool)
    for t in range(code.steps):
        received = synapses.step(t) + current
        potential = potential * code.base + received
        held = held * code.base
        if inhibition == "winner":
            signal = np.where(allowed, potential, -np.inf).max(axis=-1)
        else:
            largest = np.where(allowed, received, -np.inf).max(axis=-1)
            signal = np.where(waiting, largest, 0.0)
            waiting &= largest <= 0
        potential -= signal[..., None]
        held += signal
    whole = code.base ** (code.steps - 1)  # weight of the first step after the leak of the others
    return (potential + held[..., None]) / whole, held / whole


def fire_on_ramp(
    potential: Floats,
    ramp: Floats,
    code: PhaseCode,
    window: int,
    allowed: NDArray[np.bool_] | None = None,
) -> Spikes:
    """Firing window of the score neurons: the threshold falls linearly from -ramp/2 (section 3.3).

    Args:
        potential: [heads, I, J], zero for the winner.
        ramp: fall of the threshold per step, [heads].
        code: the code.
        window: steps of the ramp.
        allowed: keys that may fire, or None for all.

    Returns:
        Spikes [heads, I, J], sign 0 or 1.
    """
    phase = np.full(potential.shape, code.steps, dtype=np.int8)
    waiting = np.ones(potential.shape, dtype=bool) if allowed is None else allowed.copy()
    threshold = -ramp / 2
    for t in range(window):
        fires = waiting & (potential >= threshold[:, None, None])
        phase[fires] = t
        waiting &= ~fires
        threshold = threshold - ramp
    return Spikes((phase < code.steps).astype(np.int8), phase)


def integrate_context(spikes: Spikes, v: Spikes, code: PhaseCode) -> tuple[Floats, Floats]:
    """Integration window of the context neurons, and the neuron that sums attention spikes.

    Args:
        spikes: attention [heads, I, J]; they arrive in the steps in which they fire.
        v: [heads, J, L], in the same window.
        code: the code.

    Returns:
        (context [heads, I, L], spike_sum [heads, I]).
    """
    synapses = TraceSynapses(spikes, v, code)
    potential = np.zeros(synapses.shape)
    spike_sum = np.zeros(synapses.shape[:-1])
    for t in range(code.steps):
        potential = potential * code.base + synapses.step(t)
        spike_sum = spike_sum * code.base + spikes_at(spikes, t).sum(axis=-1)
    whole = code.base ** (code.steps - 1)
    return potential / whole, spike_sum / whole


def integrate_weights(spikes: Spikes, weight: Floats, code: PhaseCode) -> Floats:
    """Integration window of accumulate-only neurons with static weights (section 3.1).

    Args:
        spikes: inputs [..., L].
        weight: [N, L].
        code: the code.

    Returns:
        Potentials [..., N]: sum over the inputs of weight * sign * B**-phase.
    """
    potential = np.zeros((*spikes.shape[:-1], len(weight)))
    for t in range(code.steps):
        potential = potential * code.base + spikes_at(spikes, t) @ weight.T
    return potential / code.base ** (code.steps - 1)


def fire(potential: Floats, threshold: Floats | float, code: PhaseCode) -> Spikes:
    """Firing window of a one-spike neuron: the threshold falls by B in each step (section 3.1).

    Args:
        potential: any shape; its sign becomes the sign of the spike.
        threshold: of the first step, broadcastable to `potential`.
        code: the code.
    """
    phase = np.full(potential.shape, code.steps, dtype=np.int8)
    for t in range(code.steps):
        fires = (phase == code.steps) & (np.abs(potential) >= threshold)
        phase[fires] = t
        threshold = threshold / code.base
    sign = np.where(phase < code.steps, np.sign(potential), 0)
    return Spikes(sign.astype(np.int8), phase)


def spikes_at(spikes: Spikes, t: int) -> Floats:
    """Signed spikes of step t: -1, 0 or 1."""
    return np.where(spikes.phase == t, spikes.sign, 0).astype(np.float64)
