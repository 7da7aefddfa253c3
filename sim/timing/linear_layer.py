"""Cycle model of one dense layer alone."""

import numpy as np
from numpy.typing import NDArray

from golden.network.descriptors import LinearOp, Source, Target
from sim.timing.network import LinearTiming, NetworkTimes


def linear_layer(counts: NDArray[np.int64], outputs: int, lanes: int, clusters: int) -> NetworkTimes:
    """Times of one dense layer on an idle neuron core whose input rows are all there in cycle 0.

    Args:
        counts: spikes of each row.
        outputs: neurons of the layer.
        lanes, clusters: of the neuron core.
    """
    timing = LinearTiming(lanes, clusters)
    timing.rows[Source.norm] = [0] * len(counts)
    op = LinearOp(
        source=Source.norm, target=Target.hidden, rows=len(counts), passes=-(-outputs // lanes), inputs=0,
        outputs=outputs, weight=0, table=0, stride=0, levels=0, signed=True, fresh=False, pooled=False,
        wait=0, release=False, final=False, taps=0, width=0, map=0, read_list=0, write_list=0,
        counted=False, opens=True, closes=True,
    )  # fmt: skip
    timing.run_linear(op, "", counts, np.zeros(0, np.int64))
    return timing.times
