"""Softmax by a table of exponentials: scores become weights, one per cycle."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.integer.config import IntegerConfig
from golden.integer.softmax import (
    DISTANCE_BITS,
    INDEX_BITS,
    MANTISSA_BITS,
    PRODUCT_SHIFT,
    left_shift,
    weights,
)
from hw.integer import payloads
from hw.integer.product import delayed, delayed_tags, multiply, multiply_latency
from hw.integer.weight_sequencer import weight_tags
from hw.parts.granted_queue import GrantedQueue

# From a key to its distance, to that in units of the table, to their limit
BEFORE_PRODUCT = 5
# From a product to its index, the entry and the weight
AFTER_PRODUCT = 3


class Exponential(wiring.Component):
    """Weight of every key of a row, and their sums.

    Members:
        mantissa, shift: of the head.
        tags: key that is wanted.
        score: of that key, two cycles later.
        largest: of its row.
        o_shift, o_vector: to the vector unit; the weight is one cycle behind its shift, else 0.
        launch, o_tags: the last weight of a group enters in the next cycle.
        o_normaliser: sum of the weights of each row.
        o_squares: sum of their squares, with `IntegerConfig.squares`.
        tap: with `IntegerConfig.taps`: distance and weight of each key.

    Timing: one key per cycle; `tags` in cycle n: `o_shift` in n + `latency`, a normaliser three cycles later.
    """

    def __init__(self, config: IntegerConfig) -> None:
        self._config = config
        head = payloads.head(config)
        score = payloads.held_score(config)
        self._square_limit = config.tokens * config.weight_limit**2
        members = {
            "mantissa": In(head["mantissa"].shape),
            "shift": In(head["shift"].shape),
            "tags": In(weight_tags()),
            "score": In(score),
            "largest": In(score["value"].shape),
            "o_shift": Out(1),
            "o_vector": Out(config.bits),
            "launch": Out(1),
            "o_tags": Out(weight_tags()),
            "o_normaliser": Out(stream.Signature(config.normaliser_width)),
        }
        if config.squares:
            members["o_squares"] = Out(stream.Signature(self._square_limit.bit_length()))
        if config.taps:
            members["tap"] = Out(stream.Signature(payloads.tap(config), always_ready=True))
        super().__init__(members)

    @staticmethod
    def latency(config: IntegerConfig) -> int:
        product = multiply_latency(MANTISSA_BITS, dsp=config.multiplier == "dsp")
        return BEFORE_PRODUCT + product + AFTER_PRODUCT - 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        latency = self.latency(config)
        scaled = left_shift(config.bits)
        distance = Signal(payloads.tap(config)["distance"].shape, reset_less=True)
        shifted = Signal(len(distance) + scaled, reset_less=True)
        near = Signal(DISTANCE_BITS, reset_less=True)
        index = Signal(INDEX_BITS, reset_less=True)
        m.d.sync += [
            distance.eq(delayed(m, self.largest, 2, "largest") - self.score.value),
            shifted.eq((distance << scaled) >> delayed(m, self.shift, 3, "shift")),
            near.eq(Mux(shifted[DISTANCE_BITS:].any(), (1 << DISTANCE_BITS) - 1, shifted)),
        ]
        mantissa = delayed(m, self.mantissa, BEFORE_PRODUCT, "mantissa")
        product = multiply(m, mantissa, near, "product", dsp=config.multiplier == "dsp")
        whole = (product + (1 << PRODUCT_SHIFT - 1)) >> PRODUCT_SHIFT
        m.d.sync += index.eq(Mux(whole[INDEX_BITS:].any(), (1 << INDEX_BITS) - 1, whole))

        # beside each weight its square
        entry = data.StructLayout({"weight": config.bits, "square": 2 * config.bits * config.squares})
        table = [{"weight": int(w), "square": int(w) ** 2 * config.squares} for w in weights(config.bits)]
        m.submodules.table = memory = Memory(
            shape=entry, depth=len(table), init=table, attrs={"rom_style": "block"}
        )
        read = memory.read_port()
        alive = delayed(m, self.score.alive, latency - 2, "alive")
        found = Signal(entry, reset_less=True)
        m.d.comb += [read.addr.eq(index), self.o_vector.eq(found.weight)]
        launching = delayed_tags(m, self.tags, latency - 1, "tags")
        entering = delayed_tags(m, launching, 1, "entering")
        with m.If(alive & entering.valid):
            m.d.sync += found.eq(read.data)
        with m.Else():
            m.d.sync += found.eq(0)

        tags = delayed_tags(m, entering, 1, "weight_tags")
        m.d.comb += [
            self.o_shift.eq(entering.valid),
            self.launch.eq(launching.valid & launching.last),
            self.o_tags.eq(launching),
        ]
        self._sum(m, "normaliser", found.weight, tags)
        if config.squares:
            self._sum(m, "squares", found.square, tags)
        if config.taps:
            m.d.comb += [
                self.tap.valid.eq(tags.valid),
                self.tap.payload.weight.eq(found.weight),
                self.tap.payload.distance.eq(delayed(m, distance, latency - 2, "tap_distance")),
            ]
        return m

    def _sum(self, m: Module, name: str, value: Signal, tags: data.View) -> None:
        """Sums of rows wait in a queue; there are never more than rows in the core."""
        o = getattr(self, f"o_{name}")
        total = Signal(o.payload.shape(), name=f"{name}_sum")
        queue = GrantedQueue(len(total), payloads.CONTEXT_ROWS)
        m.submodules[f"{name}_queue"] = queue
        complete = Signal(name=f"{name}_complete")
        m.d.sync += complete.eq(tags.valid & tags.last & tags.final)
        with m.If(tags.valid):
            m.d.sync += total.eq(Mux(complete, 0, total) + value)
        with m.Elif(complete):
            m.d.sync += total.eq(0)
        m.d.comb += [
            queue.w_data.eq(total),
            queue.w_en.eq(complete),
            o.valid.eq(queue.r_rdy),
            o.payload.eq(queue.r_data),
            queue.r_en.eq(o.ready),
        ]
