"""Dense layer's rival: lanes that multiply, with memory, commands and way out of a neuron cluster."""

from collections.abc import Sequence

from amaranth.hdl import Const, Module, Signal, Value, signed
from amaranth.lib import data

from golden.integer.config import IntegerConfig
from golden.network.config import NetworkConfig
from hw.integer.product import Factors, Products, delayed
from hw.network.neuron_cluster import NeuronCluster


class MacCluster(NeuronCluster):
    """A[n] += w[n,i] * x[i] on `NetworkConfig.cluster` lanes.

    The command has the `value` x[i], a signed integer, in place of a spike. With squares (a table at 8 bits)
    A[n] grows by (w + x)^2: the sums of w^2, part of the bias, and of x^2, one for all lanes, are taken off
    outside, as the integer attention core does.

    Args:
        config: of a code without residues (its base a power of two), so that there is one accumulator.
        integers: bits of weights and values, and the multiplier.

    Timing: as `NeuronCluster`, later by the products' latency less one.
    """

    def __init__(self, config: NetworkConfig, number: int, integers: IntegerConfig) -> None:
        self._integers = integers
        super().__init__(config, number)

    def _broadcast(self) -> data.StructLayout:
        value = Factors.of_scores(self._integers).shapes[0]
        address = super()._broadcast()["address"].shape
        return data.StructLayout({"valid": 1, "first": 1, "last": 1, "value": value, "address": address})

    def _addends(
        self, m: Module, weights: data.View, now: data.View
    ) -> tuple[Sequence[Value], data.View, Value, Value]:
        factors = Factors.of_scores(self._integers)
        m.submodules.products = products = Products(self._integers, factors)
        for lane in range(self._config.cluster):
            m.d.comb += [products.left[lane].eq(now.value), products.right[lane].eq(weights[lane])]
        later = delayed(m, now, Products.latency(self._integers) - 1, "command", reset=True)
        addends = [
            Signal(signed(len(product) + 1), name=f"addend_{lane}")  # squares are unsigned
            for lane, product in enumerate(products.o)
        ]
        m.d.comb += [addend.eq(product) for addend, product in zip(addends, products.o, strict=True)]
        return addends, later, Const(1), Const(0)
