"""Vector cluster: a few lanes with their memory, and the registers that pass commands on."""

from itertools import pairwise

from amaranth.hdl import Module, Shape, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.integer import payloads
from hw.integer.product import Factors, delayed
from hw.integer.vector_config import VectorConfig
from hw.parts.memory import NO_COLLISION


class VectorCluster(wiring.Component):
    """Some lanes of a dot product between a vector that is held and words of a memory.

    Both are filled value by value through chains of lanes: what comes first ends in the highest lane, lanes
    that nothing reaches hold zero.

    Members (i_ from the cluster before, o_ to the next one):
        load: of the memory's chain and the memory.
        word: value that enters it, 0 where none does.
        shift: of the vector's chain.
        vector: value that enters it, likewise.
        dot: products.
        sum: sum of the products of the clusters before; with those of this one.

    Timing: what is passed on leaves one cycle after it came, and so do sums. `dot` in cycle n: `o_sum` in
    n + `latency`.
    """

    memory_latency = 2

    def __init__(self, config: VectorConfig, factors: Factors, address: int, lanes: int, index: int) -> None:
        self._config = config
        self._factors = factors
        self._address = address
        self._index = index
        smallest, largest = factors.results(config.squares)
        vector, word = factors.shapes
        self._links = {
            "load": payloads.load_command(address),
            "word": word,
            "shift": 1,
            "vector": vector,
            "dot": payloads.dot_command(address),
            "sum": Shape.cast(range(lanes * smallest, lanes * largest + 1)),
        }
        members = {f"i_{name}": In(layout) for name, layout in self._links.items()}
        super().__init__(members | {f"o_{name}": Out(layout) for name, layout in self._links.items()})

    @classmethod
    def latency(cls, config: VectorConfig, factors: Factors) -> int:
        tree = (config.cluster - 1).bit_length()
        return 1 + cls.memory_latency + factors.latency(config) + tree + 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        load, shift, dot = (Signal(self._links[name], name=name) for name in ("load", "shift", "dot"))
        for name, register in (("load", load), ("shift", shift), ("dot", dot)):
            m.d.sync += register.eq(getattr(self, f"i_{name}"))
            m.d.comb += getattr(self, f"o_{name}").eq(register)

        vector_shape, word_shape = self._factors.shapes
        # All lanes read the same address, so their memories are slices of one wide block RAM
        layout = data.ArrayLayout(word_shape, config.cluster)
        m.submodules.memory = memory = Memory(
            shape=layout, depth=1 << self._address, init=[], attrs=NO_COLLISION
        )
        write, read = memory.write_port(), memory.read_port()
        word = Signal(layout, reset_less=True)
        m.d.sync += word.eq(read.data)
        chain = self._chain(m, "word", word_shape, load.shift, load.write)
        m.d.comb += [
            write.en.eq(load.write),
            write.addr.eq(load.address),
            write.data.eq(chain),
            read.addr.eq(dot.address),
        ]

        take = delayed(m, dot.take, self.memory_latency - 1, "take", reset=True)
        arriving = self._chain(m, "vector", vector_shape, shift, take)
        held = Signal(data.ArrayLayout(vector_shape, config.cluster), reset_less=True)
        with m.If(take):
            m.d.sync += held.eq(arriving)

        m.submodules.products = products = self._factors.products(config)
        m.d.comb += [products.left.eq(held), products.right.eq(word)]
        self._add(m, [(products.o[n], self._factors.results(config.squares)) for n in range(config.cluster)])
        return m

    def _chain(self, m: Module, name: str, shape: Shape, shift: Signal, empty: Signal) -> data.View:
        """Values move up by a lane with `shift`; with `empty` nothing is left but what enters then.

        What enters without `shift` is zero, so that nothing has to choose in front of a lane."""
        entering = getattr(self, f"i_{name}")
        chain = Signal(data.ArrayLayout(shape, self._config.cluster), name=f"{name}_chain")
        leaving = Signal(shape, name=f"{name}_leaving")
        lanes = [chain[n] for n in range(self._config.cluster)]
        m.d.sync += leaving.eq(0)
        with m.If(shift | empty):
            m.d.sync += [lane.eq(before) for before, lane in pairwise([entering, *lanes])]
        with m.If(empty):
            m.d.sync += [lane.eq(0) for lane in lanes[1:]]
        with m.Elif(shift):
            m.d.sync += leaving.eq(lanes[-1])
        m.d.comb += getattr(self, f"o_{name}").eq(leaving)
        return chain

    def _add(self, m: Module, level: list[tuple[Signal, tuple[int, int]]]) -> None:
        """Adder tree, registers after every level and after the sum with the clusters before."""
        depth = 0
        while len(level) > 1:
            sums = []
            for n in range(0, len(level), 2):
                parts = level[n : n + 2]
                smallest, largest = (sum(limits[end] for _, limits in parts) for end in (0, 1))
                total = Signal(range(smallest, largest + 1), name=f"sum_{depth}_{n}", reset_less=True)
                m.d.sync += total.eq(sum((value for value, _ in parts[1:]), parts[0][0]))
                sums.append((total, (smallest, largest)))
            level, depth = sums, depth + 1
        own = level[0][0]
        # no wider than it can be here: Yosys stumbles over the initial value of bits that are always zero
        lanes = (self._index + 1) * self._config.cluster
        smallest, largest = (lanes * end for end in self._factors.results(self._config.squares))
        total = Signal(range(smallest, largest + 1), name="total", reset_less=True)
        m.d.sync += total.eq(own if self._index == 0 else own + self.i_sum)
        m.d.comb += self.o_sum.eq(total)
