"""Cycle model of a dense layer alone, whatever network it is of."""

import numpy as np
from numpy.typing import NDArray

from golden.network.descriptors import LinearOp, Source, Target
from sim.timing.network import LinearTiming, NetworkTimes
from sim.timing.weights import WeightTiming


def linear_layer(
    counts: NDArray[np.int64], outputs: int, lanes: int, clusters: int, weights: WeightTiming | None = None
) -> NetworkTimes:
    """Times of one dense layer on an idle neuron core whose input rows are all there in cycle 0.

    Args:
        counts: spikes of each row.
        outputs: neurons of the layer.
        lanes, clusters: of the neuron core.
        weights: where they are streamed, a pass for each `lanes` of the outputs.
    """
    timing = LinearTiming(lanes, clusters, weights=weights)
    timing.rows[Source.norm] = [0] * len(counts)
    size = lanes if weights else outputs
    for low in range(0, outputs, size):
        made = min(size, outputs - low)
        op = LinearOp(
            source=Source.norm, target=Target.hidden, rows=len(counts), passes=-(-made // lanes), inputs=0,
            outputs=made, weight=0, table=0, stride=0, levels=0, signed=True, fresh=False, pooled=False,
            wait=0, release=False, final=False, taps=0, width=0, map=0, read_list=0, write_list=0,
            counted=False, opens=low == 0, closes=low + size >= outputs,
            blocks=False,
        )  # fmt: skip
        timing.run_linear(op, "", counts, np.zeros(0, np.int64))
    return timing.times
