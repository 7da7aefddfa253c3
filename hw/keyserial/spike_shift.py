"""Winner-oriented spike shift: scores become attention spikes, one per cycle."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from golden.attention.key_serial import KeySerialConfig
from hw.attention import payloads
from hw.attention.trace import TraceDecay
from hw.integer.payloads import held_score
from hw.integer.product import delayed, delayed_tags
from hw.integer.weight_sequencer import weight_tags
from hw.parts.payloads import spike

# From a key to its distance and to that less half a step
BEFORE_PHASE = 4


def tap(config: KeySerialConfig) -> data.StructLayout:
    """Score, largest score of its row and attention spike of one key, for verification."""
    score = signed(config.score_width)
    return data.StructLayout({"score": score, "winner": score, "attention": payloads.attention(config)})


class SpikeShift(wiring.Component):
    """Attention spike of every key of a row, and the normaliser.

    A key fires at the first t with distance * 2**D <= floor(STEP/2) + t * STEP (`golden.attention.woss`):
    with r = distance * 2**D - floor(STEP/2) - 1 at 0 if r is negative, else at floor(r / STEP) + 1. The
    quotient is found without restoring, a bit in each stage.

    Members:
        step, window: of the head.
        tags: key that is wanted.
        score: of that key, two cycles later.
        largest: of its row.
        o_shift, o_vector: to the vector unit; the spike is one cycle behind its shift, else silent.
        launch, o_tags: the last spike of a group enters in the next cycle.
        o_normaliser: of each row; cannot be held up.
        tap: with `CoreConfig.taps`.

    Timing: one key per cycle; `tags` in cycle n: `o_shift` in n + `latency`, a normaliser four cycles later.
    """

    def __init__(self, config: KeySerialConfig) -> None:
        self._config = config
        head, score = payloads.head(config), held_score(config)
        members = {
            "step": In(head["step"].shape),
            "window": In(head["window"].shape),
            "tags": In(weight_tags()),
            "score": In(score),
            "largest": In(score["value"].shape),
            "o_shift": Out(1),
            "o_vector": Out(config.bits),
            "launch": Out(1),
            "o_tags": Out(weight_tags()),
            "o_normaliser": Out(stream.Signature(config.normaliser_width, always_ready=True)),
        }
        if config.taps:
            members["tap"] = Out(stream.Signature(tap(config), always_ready=True))
        super().__init__(members)

    @staticmethod
    def latency(config: KeySerialConfig) -> int:
        return BEFORE_PHASE + ceil_log2(config.code.steps)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        code, latency = config.code, self.latency(config)
        bits = latency - BEFORE_PHASE
        distance = Signal(config.score_width, reset_less=True)
        rest = Signal(signed(config.step_width + bits + 1), reset_less=True)
        half = Cat(delayed(m, self.step, 3, "step")[1:], Const(0, 1)).as_signed()
        m.d.sync += [
            distance.eq(delayed(m, self.largest, 2, "largest") - self.score.value),
            rest.eq((distance << code.ramp_bits) + ~half),
        ]
        at_once = delayed(m, rest[-1], bits, "at_once")
        quotient: list[Signal] = []
        step = delayed(m, self.step, BEFORE_PHASE, "first_step")
        for bit in reversed(range(bits)):
            # added where what is left is negative, which is the bit of the quotient before
            subtract = ~rest[-1] if quotient else Const(1, 1)
            term = Cat(step ^ subtract.replicate(len(step)), subtract).as_signed()
            whole = Cat(1, rest[bit:]).as_signed() + Cat(subtract, term).as_signed()
            left = Signal(signed(len(rest)), name=f"rest_{bit}", reset_less=True)
            passed = Signal.like(self.step, name=f"step_{bit}", reset_less=True)
            m.d.sync += [left.eq(Cat(rest[:bit], whole[1:])), passed.eq(step)]
            quotient = [delayed(m, found, 1, f"quotient_{bit}_{n}") for n, found in enumerate(quotient)]
            quotient.append(~left[-1])
            rest, step = left, passed
        alive = delayed(m, self.score.alive, latency - 2, "alive")
        window = delayed(m, self.window, latency, "window")
        found = Signal(spike(code), reset_less=True)
        phase = Signal(bits + 1)
        m.d.comb += [
            phase.eq(Mux(at_once, 0, Cat(reversed(quotient)) + 1)),
            self.o_vector.eq(found),
        ]
        launching = delayed_tags(m, self.tags, latency - 1, "tags")
        entering = delayed_tags(m, launching, 1, "entering")
        tags = delayed_tags(m, entering, 1, "spike_tags")
        m.d.sync += found.active.eq(entering.valid & alive & (phase < window))
        m.d.sync += found.phase.eq(phase)
        m.d.comb += [
            self.o_shift.eq(entering.valid),
            self.launch.eq(launching.valid & launching.last),
            self.o_tags.eq(launching),
        ]
        self._sum(m, found, tags)
        if config.taps:
            m.d.comb += [
                self.tap.valid.eq(tags.valid),
                self.tap.payload.attention.active.eq(found.active),
                self.tap.payload.attention.phase.eq(found.phase),
                self.tap.payload.score.eq(delayed(m, self.score.value, latency - 1, "tap_score")),
                self.tap.payload.winner.eq(delayed(m, self.largest, latency + 1, "tap_winner")),
            ]
        return m

    def _sum(self, m: Module, found: data.View, tags: data.View) -> None:
        """Adds the trace up at the phases of a row."""
        m.submodules.decay = decay = TraceDecay(self._config.code)
        point = Signal.like(decay.trace, reset_less=True)
        total = Signal.like(self.o_normaliser.payload, name="normaliser_sum")
        m.d.comb += decay.steps.eq(found.phase)
        m.d.sync += point.eq(Mux(found.active, decay.trace, 0))
        tags = delayed_tags(m, tags, 1, "point_tags")
        complete = Signal()
        m.d.sync += complete.eq(tags.valid & tags.last & tags.final)
        with m.If(tags.valid):
            m.d.sync += total.eq(Mux(complete, 0, total) + point)
        with m.Elif(complete):
            m.d.sync += total.eq(0)
        m.d.comb += [self.o_normaliser.valid.eq(complete), self.o_normaliser.payload.eq(total)]
