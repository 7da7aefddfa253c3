"""What goes over the streams of an integer attention core: jobs to beats, beats to integers.

The order of beats is that of the docstring of `hw.integer.core.IntegerCore`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from golden.integer.config import IntegerConfig
from golden.integer.job import IntegerJob
from sim.cores.marks import check_rows
from sim.timing.cycles import CycleReport
from sim.verilator.result import Result

Fields = Any


def input_beats(job: IntegerJob, config: IntegerConfig) -> dict[str, Fields]:
    """Beats of every input stream of the core."""
    heads = job.heads
    last_feature = np.arange(job.head_dim) == job.head_dim - 1
    inputs: dict[str, Fields] = {
        "i_head": {
            "tokens": np.full(heads, job.tokens),
            "features": np.full(heads, job.head_dim),
            "terms": np.full(heads, int(job.terms)),
            "mantissa": job.mantissa,
            "shift": job.shift,
            "ratio": job.ratio,
        },
        "i_key": job.k.reshape(-1),
        "i_value": job.v.swapaxes(1, 2).reshape(-1),
        "i_query": {
            "value": job.q.reshape(-1),
            "last": np.broadcast_to(last_feature, job.q.shape).reshape(-1).astype(np.int64),
        },
    }
    return inputs | ({"i_terms": term_beats(job, config, job.terms)} if config.terms else {})


def term_beats(job: Any, config: Any, used: bool) -> Fields:
    """Bias and mask row by row; none for a job that does not use them."""
    shape = (job.heads, job.tokens, job.tokens) if used else (0, 1, 1)
    last = np.broadcast_to(np.arange(shape[2]) == shape[2] - 1, shape)
    term: Fields = {}
    if config.bias:
        term["bias"] = (np.zeros(shape, np.int64) if job.bias is None else job.bias).reshape(-1)
    if config.mask:
        masked = np.zeros(shape, np.int64) if job.allowed is None else ~job.allowed
        term["masked"] = masked.reshape(-1).astype(np.int64)
    return {"term": term, "last": last.reshape(-1).astype(np.int64)}


def order(job: Any, counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Of every head its descriptor, keys and values, then row by row the query and its terms."""
    for _ in range(job.heads):
        for name in ("i_head", "i_key", "i_value"):
            yield name, counts[name] // job.heads
        for _ in range(job.tokens):
            yield "i_query", job.head_dim
            if "i_terms" in counts:
                yield "i_terms", counts["i_terms"] // (job.heads * job.tokens)


def output_beats(job: Any, config: Any) -> dict[str, int]:
    """Number of beats that a job brings on every output stream of a core of this dataflow."""
    rows = job.heads * job.tokens
    expect = {}
    if config.output != "context":
        expect["o_code"] = rows * job.head_dim
    if config.output != "codes":
        expect["o_context"] = rows * (job.head_dim + 1)
    if config.taps:
        expect["o_tap"] = rows * job.tokens
    return expect


def shown(outputs: Mapping[str, Any], job: IntegerJob) -> dict[str, Any]:
    """Attributes of `IntegerAttention` in the beats of a core's ports.

    Raises:
        SimulationError: a beat is not marked as what it is.
    """
    check_rows(outputs, job.head_dim)
    fields: dict[str, Any] = {}
    if "o_tap" in outputs:
        pairs = (job.heads, job.tokens, job.tokens)
        fields |= {name: outputs["o_tap"][name].reshape(pairs) for name in ("distance", "weight")}
    if "o_code" in outputs:
        fields["out"] = outputs["o_code"]["value"].reshape(job.q.shape)
    if "o_context" in outputs:
        rows = outputs["o_context"]["value"].reshape(job.heads, job.tokens, job.head_dim + 1)
        fields["normaliser"], fields["context"] = rows[..., 0], rows[..., 1:]
    return fields


def completion(result: Result, job: IntegerJob) -> CycleReport:
    """Cycle of the last output beat of every row."""
    ends = [
        result.outputs[name].cycles.reshape(job.heads * job.tokens, -1)[:, -1]
        for name in ("o_code", "o_context")
        if name in result.outputs
    ]
    return CycleReport(np.maximum.reduce(ends).reshape(job.heads, job.tokens))
