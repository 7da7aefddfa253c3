"""Vector of lanes: a chain of clusters that takes a dot product in every cycle."""

from amaranth.hdl import Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.integer import payloads
from hw.integer.cluster import VectorCluster
from hw.integer.product import Factors, delayed_tags
from hw.integer.vector_config import VectorConfig


class VectorUnit(wiring.Component):
    """Dot products of a vector with the words of a memory.

    Members:
        load, word: memory; the value is one cycle behind its `shift`.
        shift, vector: vector; likewise. Without a shift both values are 0.
        dot: product to take.
        tags: what it is.
        sum, o_tags: the product, `latency` cycles later.

    Args:
        lanes: at least; whole clusters are built.
        address: width of the memory's addresses.
        tags: layout; the field `valid` says when a product counts.
    """

    def __init__(
        self, config: VectorConfig, factors: Factors, lanes: int, address: int, tags: data.StructLayout
    ) -> None:
        self._config, self._factors = config, factors
        clusters = self.clusters(config, lanes)
        self._chain = [
            VectorCluster(config, factors, address, clusters * config.cluster, n) for n in range(clusters)
        ]
        vector, word = factors.shapes
        super().__init__(
            {
                "load": In(payloads.load_command(address)),
                "word": In(word),
                "shift": In(1),
                "vector": In(vector),
                "dot": In(payloads.dot_command(address)),
                "tags": In(tags),
                "sum": Out(self._chain[0].o_sum.shape()),
                "o_tags": Out(tags),
            }
        )

    @staticmethod
    def clusters(config: VectorConfig, lanes: int) -> int:
        return -(-lanes // config.cluster)

    @property
    def latency(self) -> int:
        return VectorCluster.latency(self._config, self._factors) + len(self._chain) - 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        names = ("load", "word", "shift", "vector", "dot")
        before: VectorCluster | None = None
        for n, cluster in enumerate(self._chain):
            m.submodules[f"cluster_{n}"] = cluster
            for name in names:
                source = getattr(self, name) if before is None else getattr(before, f"o_{name}")
                m.d.comb += getattr(cluster, f"i_{name}").eq(source)
            if before is not None:
                m.d.comb += cluster.i_sum.eq(before.o_sum)
            before = cluster
        m.d.comb += [
            self.sum.eq(self._chain[-1].o_sum),
            self.o_tags.eq(delayed_tags(m, self.tags, self.latency, "tags")),
        ]
        return m
