"""The literal time-stepped procedure against plain sums, and against the closed form.

Rounding bounds, derived in docs/numerics.md, in units of scale_q*scale_k (or scale_v):

- a product of n pairs differs by at most n * 2**-(F+1), half a unit of the trace table per pair;
- a distance to the winner by that of its own pairs plus the most of any key of the row;
- the ramp at step t by (t/2 + 3/4) * 2**-(F+D), the rounding of STEP and of STEP/2.

Where the literal potential is farther from every threshold than its bound, phases must be equal.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.attention import literal
from golden.attention.job import AttentionJob, AttentionSpikes, HeadScales, Prepared, compute, prepare
from golden.attention.normaliser import RATIO_FRACTION_BITS, fire_output, output_ratio
from golden.attention.product import trace_product
from golden.code import PhaseCode, Spikes, encode
from tests.golden.golden_cases import NAMED_CODES, SEEDS, codes, examples, random_spikes

# Float64 rounding of the potentials of these tests: fewer than 2**13 operations on sums below 2**8
SLACK = 2.0**-31


def potential(left: Spikes, right: Spikes, code: PhaseCode) -> np.ndarray:
    """Decoded product that the synapses deliver in one window."""
    synapses = literal.TraceSynapses(left, right, code)
    total = np.zeros(synapses.shape)
    for t in range(code.steps):
        total += synapses.step(t) * code.base**-t
    return total


def trace_error(code: PhaseCode) -> np.ndarray:
    """What rounding did to each point of the trace."""
    exact = code.base ** -np.arange(len(code.trace), dtype=float)
    return np.abs(np.asarray(code.trace) * 2.0**-code.trace_bits - exact)


def product_error(left: Spikes, right: Spikes, code: PhaseCode) -> np.ndarray:
    """Most by which rounded points of the trace can move each product of [.., m, l] and [.., l, n]."""
    steps = left.phase[..., :, :, None] + right.phase[..., None, :, :]
    both = (left.sign[..., :, :, None] != 0) & (right.sign[..., None, :, :] != 0)
    return (trace_error(code)[np.where(both, steps, 0)] * both).sum(axis=-2)


@given(code=codes(max_steps=24), seed=SEEDS)
@examples(60)
def test_synapses_deliver_the_product_of_decoded_values(code: PhaseCode, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, length, columns = rng.integers(1, 8, 3)
    left, right = random_spikes(rng, (rows, length), code), random_spikes(rng, (length, columns), code)
    delivered = potential(left, right, code)
    closed = trace_product(left, right, code)
    for i, j in np.ndindex(rows, columns):
        both = [n for n in range(length) if left.sign[i, n] and right.sign[n, j]]
        sign = [int(left.sign[i, n]) * int(right.sign[n, j]) for n in both]
        shift = [int(left.phase[i, n]) + int(right.phase[n, j]) for n in both]
        exact = sum(s * code.base**-k for s, k in zip(sign, shift, strict=True))
        assert abs(delivered[i, j] - exact) < SLACK
        # The closed form differs by the rounding of the table entries it added, and nothing else
        rounding = sum(
            s * (int(code.trace[k]) / 2.0**code.trace_bits - code.base**-k)
            for s, k in zip(sign, shift, strict=True)
        )
        assert abs(delivered[i, j] + rounding - closed[i, j] / 2.0**code.trace_bits) < SLACK
        assert abs(rounding) <= len(both) * 2.0 ** -(code.trace_bits + 1)


@pytest.mark.parametrize("left_sign", [-1, 1])
@pytest.mark.parametrize("right_sign", [-1, 1])
@pytest.mark.parametrize(("left_phase", "right_phase"), [(3, 3), (0, 0), (2, 5), (5, 2), (15, 15)])
def test_each_pair_counts_once_with_its_sign(
    left_sign: int, right_sign: int, left_phase: int, right_phase: int
) -> None:
    code = PhaseCode()
    left = Spikes(np.array([[left_sign]], np.int8), np.array([[left_phase]], np.int8))
    right = Spikes(np.array([[right_sign]], np.int8), np.array([[right_phase]], np.int8))
    expected = left_sign * right_sign * 2.0 ** -((left_phase + right_phase) / 2)
    assert potential(left, right, code)[0, 0] == pytest.approx(expected, rel=1e-12)


def test_a_trace_is_stored_at_the_spike_and_stays() -> None:
    code = PhaseCode(steps=4)
    left = Spikes(np.array([[1, -1, 0]], np.int8), np.array([[0, 2, 4]], np.int8))
    synapses = literal.TraceSynapses(left, Spikes(left.sign.T, left.phase.T), code)
    stored = []
    for t in range(4):
        synapses.step(t)
        stored.append(synapses.left_trace[0].round(12).tolist())
    assert stored == [[1, 0, 0], [1, 0, 0], [1, -0.5, 0], [1, -0.5, 0]]


@given(code=codes(), seed=SEEDS)
@examples(60)
def test_falling_threshold_encodes(code: PhaseCode, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.choice([-1, 1], 60) * code.base ** -rng.uniform(-2, code.steps + 1, 60)
    values[0] = 0
    assert_same_spikes(literal.fire(values, code.threshold_shift, code), encode(values, 1.0, code))


def assert_same_spikes(some: Spikes, others: Spikes) -> None:
    assert (some.sign == others.sign).all()
    assert (some.phase == others.phase).all()


def random_job(rng: np.random.Generator, code: PhaseCode, tokens: int, head_dim: int) -> Prepared:
    """Two heads with sharp and flat rows; at random a bias, a mask, a short window, silent neurons."""
    q, k, v = rng.standard_normal((3, 2, tokens, head_dim)) * rng.uniform(0.3, 2, (3, 2, 1, 1))
    q[rng.random(q.shape) < 0.2] = 0
    bias = rng.standard_normal((2, tokens, tokens)) if rng.random() < 0.5 else None
    mask = None
    if rng.random() < 0.5:
        mask = rng.random((2, tokens, tokens)) < 0.7
        mask[..., rng.integers(tokens)] = True
    window = int(rng.integers((code.steps + 1) // 2, code.steps + 1)) if rng.random() < 0.5 else None
    return prepare(q, k, v, code, bias=bias, mask=mask, window=window)


@dataclass
class Tally:
    """Phases compared, those near a threshold (not required to agree), those that differ."""

    compared: int = 0
    near: int = 0
    differ: int = 0

    def add(self, some: np.ndarray, others: np.ndarray, near: np.ndarray) -> None:
        """Count, and require that phases differ only where `near`."""
        assert (some == others)[~near].all()
        self.compared += some.size
        self.near += int(near.sum())
        self.differ += int((some != others).sum())


def check_scores(job: AttentionJob, closed: AttentionSpikes, slow: literal.LiteralAttention) -> np.ndarray:
    """Scores and winners within their bounds; returns the bound of each distance to the winner."""
    unit = 2.0**-job.code.trace_bits
    keys = Spikes(job.k.sign.swapaxes(1, 2), job.k.phase.swapaxes(1, 2))
    bound = product_error(job.q, keys, job.code)
    allowed = np.ones(bound.shape, bool) if job.allowed is None else job.allowed
    assert (np.abs(slow.score - closed.score * unit) <= bound + SLACK)[allowed].all()
    of_winner = np.where(allowed, bound, 0).max(axis=-1)
    assert (np.abs(slow.inhibited - closed.winner * unit) <= of_winner + SLACK).all()
    assert np.abs(slow.inhibited - np.where(allowed, slow.score, -np.inf).max(axis=-1)).max() < SLACK
    return bound + of_winner[..., None] + SLACK


def near_ramp(
    job: AttentionJob, scales: HeadScales, slow: literal.LiteralAttention, bound: np.ndarray
) -> np.ndarray:
    """Where a threshold of the ramp lies within the bound of a key's distance to the winner."""
    code = job.code
    distance = slow.inhibited[..., None] - slow.score
    ramp = np.log(code.base) * np.sqrt(job.head_dim) / (scales.q * scales.k)
    near = np.zeros(distance.shape, bool)
    for t in range(job.window):
        of_ramp = (t / 2 + 3 / 4) * 2.0 ** -(code.trace_bits + code.ramp_bits)
        near |= np.abs(distance - (t + 0.5) * ramp[:, None, None]) <= bound + of_ramp
    return near if job.allowed is None else near & job.allowed


def output_error(job: AttentionJob, attention: Spikes) -> tuple[np.ndarray, np.ndarray]:
    """Most by which context and sum of spikes can differ."""
    of_spikes = trace_error(job.code)[np.where(attention.sign == 1, attention.phase, 0)]
    of_sum = (of_spikes * (attention.sign == 1)).sum(axis=-1)
    return product_error(attention, job.v, job.code) + SLACK, of_sum + SLACK


def near_output(
    job: AttentionJob, scales: HeadScales, context: np.ndarray, spike_sum: np.ndarray, attention: Spikes
) -> np.ndarray:
    """Where an output threshold lies within the bound of the context and of the threshold."""
    code = job.code
    of_context, of_sum = output_error(job, attention)
    near = np.zeros(context.shape, bool)
    for p in range(code.steps):
        octaves, _ = code.octave(p)
        ratio = code.threshold_shift * (scales.o / scales.v)[:, None] * code.base**-p
        # RATIO is rounded by half of 2**-16 before it is shifted by the octave
        half = 2.0 ** -(RATIO_FRACTION_BITS + octaves + 1)
        of_threshold = of_sum * (ratio + half) + spike_sum * half
        margin = np.abs(np.abs(context) - (ratio * spike_sum)[..., None])
        near |= margin <= of_context + of_threshold[..., None]
    return near


@pytest.mark.parametrize("name", NAMED_CODES)
def test_same_attention_wherever_no_rounding_tie_separates(name: str) -> None:
    """All stages of 20 jobs; a stage is compared where the stage before it agreed."""
    code = NAMED_CODES[name]
    phases, outputs = Tally(), Tally()
    unit = 2.0**-code.trace_bits
    for seed in range(20):
        job, scales = random_job(np.random.default_rng(seed), code, tokens=12, head_dim=8)
        closed, slow = compute(job), literal.attention(job, scales)
        near = near_ramp(job, scales, slow, check_scores(job, closed, slow))
        phase = np.where(closed.attn_phase < 0, code.steps, closed.attn_phase)
        phases.add(slow.attention.phase, phase, near)
        assert ((slow.attention.sign == 1) == (slow.attention.phase < code.steps)).all()

        # Rows whose attention phases all agree have the same context up to the rounding of traces
        agree = (slow.attention.phase == phase).all(axis=-1)
        of_context, of_sum = output_error(job, slow.attention)
        assert (np.abs(slow.context - closed.context * unit) <= of_context)[agree].all()
        assert (np.abs(slow.spike_sum - closed.normaliser * unit) <= of_sum)[agree].all()
        near = near_output(job, scales, slow.context, slow.spike_sum, slow.attention)
        outputs.add(slow.out.phase[agree], closed.out.phase[agree], near[agree])
        same = agree[..., None] & (slow.out.phase == closed.out.phase)
        assert (slow.out.sign == closed.out.sign)[same].all()
    print(f"{name}: attention {phases}, output {outputs}")
    # The comparison is not empty: most phases are far from a tie, and most rows agree
    assert phases.near < 0.2 * phases.compared
    assert outputs.compared > 20 * 2 * 12 * 8 / 2
    assert outputs.near < 0.2 * outputs.compared


@given(code=codes(max_steps=20), seed=SEEDS)
@examples(25)
def test_any_code_any_shape(code: PhaseCode, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tokens, head_dim = (int(n) for n in rng.integers(1, 8, 2))
    job, scales = random_job(rng, code, tokens, head_dim)
    closed, slow = compute(job), literal.attention(job, scales)
    bound = check_scores(job, closed, slow)
    phase = np.where(closed.attn_phase < 0, code.steps, closed.attn_phase)
    Tally().add(slow.attention.phase, phase, near_ramp(job, scales, slow, bound))
    # From here on with the attention spikes of the closed form, so that every row is compared
    spikes = Spikes((closed.attn_phase >= 0).astype(np.int8), phase.astype(np.int8))
    context, spike_sum = literal.integrate_context(spikes, job.v, code)
    unit = 2.0**-code.trace_bits
    of_context, of_sum = output_error(job, spikes)
    assert (np.abs(context - closed.context * unit) <= of_context).all()
    assert (np.abs(spike_sum - closed.normaliser * unit) <= of_sum).all()
    threshold = code.threshold_shift * (scales.o / scales.v)[:, None] * spike_sum
    out = literal.fire(context, threshold[..., None], code)
    near = near_output(job, scales, context, spike_sum, spikes)
    Tally().add(out.phase, closed.out.phase, near)
    assert (out.sign == closed.out.sign)[~near].all()


def first_positive_inhibition(job: AttentionJob, h: int, i: int) -> float:
    """Inhibition of one row by the authors' rule, from the definition of each step's input."""
    code = job.code
    current = np.zeros(job.tokens)
    if job.bias is not None:
        current = job.bias[h, i] * 2.0**-code.trace_bits / sum(code.base**-t for t in range(code.steps))
    held = 0.0
    for t in range(code.steps):
        received = []
        for j in range(job.tokens):
            total = float(current[j])
            for n in range(job.head_dim):
                early, late = sorted((int(job.q.phase[h, i, n]), int(job.k.phase[h, j, n])))
                if late == t:  # silent neurons have phase T
                    total += int(job.q.sign[h, i, n]) * int(job.k.sign[h, j, n]) * code.base**-early
            if job.allowed is None or job.allowed[h, i, j]:
                received.append(total)
        held += max(received) * code.base**-t
        if max(received) > 0:
            break
    return held


@pytest.mark.parametrize("name", NAMED_CODES)
def test_first_positive_inhibition_moves_the_reference_only(name: str) -> None:
    code = NAMED_CODES[name]
    moved = same = 0
    for seed in range(6):
        job, scales = random_job(np.random.default_rng(seed), code, tokens=6, head_dim=5)
        slow, exact = literal.attention(job, scales, "first_positive"), literal.attention(job, scales)
        assert np.abs(slow.score - exact.score).max() < SLACK
        ramp = np.log(code.base) * np.sqrt(job.head_dim) / (scales.q * scales.k)
        for h, i in np.ndindex(2, 6):
            reference = first_positive_inhibition(job, h, i)
            assert abs(slow.inhibited[h, i] - reference) < SLACK
            moved += abs(reference - exact.inhibited[h, i]) > 0.01
            same += abs(reference - exact.inhibited[h, i]) < SLACK
            for j in range(6):
                if job.allowed is not None and not job.allowed[h, i, j]:
                    assert slow.attention.phase[h, i, j] == code.steps
                    continue
                late = (reference - slow.score[h, i, j]) / ramp[h] - 0.5
                if abs(late - round(late)) > 1e-6:
                    expected = max(int(np.ceil(late)), 0)
                    expected = expected if expected < job.window else code.steps
                    assert slow.attention.phase[h, i, j] == expected
    assert moved > 0  # the rule often stops before the winner is known


def test_first_positive_inhibition_where_one_step_decides() -> None:
    # All spikes fire in step 0: the first positive input is the whole score, so the rules agree
    rng = np.random.default_rng(4)
    q, k, v = rng.choice([-1.0, 1.0], (3, 2, 6, 9))
    prepared = prepare(q, k, v, PhaseCode())
    one, other = literal.attention(*prepared, "first_positive"), literal.attention(*prepared, "winner")
    positive = other.inhibited > 0
    assert positive.any()
    assert (one.inhibited == other.inhibited)[positive].all()
    assert (one.attention.phase == other.attention.phase)[positive].all()


@given(seed=SEEDS, rule=st.sampled_from(["winner", "first_positive"]))
@examples(10)
def test_silent_tensors(seed: int, rule: literal.Inhibition) -> None:
    rng = np.random.default_rng(seed)
    q, k, v = rng.standard_normal((3, 1, 4, 3))
    silent = rng.integers(3)
    slow = literal.attention(
        *prepare(*(x * (n != silent) for n, x in enumerate((q, k, v))), PhaseCode()), rule
    )
    if silent == 2:
        assert (slow.context == 0).all()
        assert (slow.out.sign == 0).all()
    else:
        assert (slow.attention.phase == 0).all()
        assert np.abs(slow.spike_sum - 4).max() < SLACK


@given(code=codes(), seed=SEEDS)
@examples(40)
def test_output_threshold_differs_by_the_rounded_ratio_only(code: PhaseCode, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scale_o = 2.0 ** rng.uniform(-8, 0)
    normaliser = rng.integers(1, 100 << code.trace_bits, (1, 5))
    size = scale_o * code.base ** -rng.uniform(-1, code.steps + 1, (1, 5, 40)) * normaliser[..., None]
    context = np.rint(rng.choice([-1, 1], size.shape) * size).astype(np.int64)
    closed = fire_output(context, normaliser, output_ratio(scale_o, 1.0, code)[None], code)
    threshold = code.threshold_shift * scale_o * normaliser[..., None]
    slow = literal.fire(context.astype(float), threshold, code)
    near = np.zeros(context.shape, bool)
    for p in range(code.steps):
        half = 2.0 ** -(RATIO_FRACTION_BITS + code.octave(p)[0] + 1)
        margin = np.abs(np.abs(context) - threshold * code.base**-p)
        near |= margin <= normaliser[..., None] * (half + SLACK)
    Tally().add(slow.phase, closed.phase, near)
    assert (slow.sign == closed.sign)[~near].all()
