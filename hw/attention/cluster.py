"""Cluster: a few token lanes with their memories, and the registers that pass commands on."""

from amaranth.hdl import Cat, Module, Signal, Value, ValueLike
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.attention.config import CoreConfig
from hw.attention import payloads
from hw.attention.adder_tree import AdderTree
from hw.attention.attention_memory import AttentionMemory
from hw.attention.local_trace import LocalTraceMemory
from hw.attention.ramp_lane import RampLane
from hw.attention.score_lane import ScoreLane
from hw.attention.score_memory import ScoreMemory
from hw.attention.terms_chain import TermsChain
from hw.attention.trace import TraceLookup
from hw.attention.winner import WinnerTree
from hw.parts.payloads import spike
from hw.parts.register import KEPT

COMMANDS = {
    "load_k": payloads.load_command,
    "load_v": payloads.load_command,
    "score": payloads.score_command,
    "winner": payloads.winner_command,
    "ramp": payloads.ramp_command,
    "context": payloads.context_command,
}


def links(config: CoreConfig) -> dict[str, data.Layout]:
    """What travels from cluster to cluster beside the commands."""
    layouts = {
        "key": spike(config.code),
        "value": spike(config.code),
        "winner_bit": payloads.winner_link(),
        "context_sum": payloads.context_link(config),
    }
    return layouts | ({"terms": payloads.terms(config)} if config.terms else {})


class Cluster(wiring.Component):
    """Token lanes `index * cluster` onwards.

    Args:
        lut_ram: keys and values are in LUT RAM.

    Members:
        i_NAME, o_NAME: for every command of `COMMANDS` (and `shift_terms`) and every link: from
            the cluster before, to the cluster after.
        tap: verification only: scores and attention spikes, `tap_valid` high for one cycle.

    Timing: a command leaves for the next cluster one cycle after it came, and so do the running
    maximum and the partial sum. All clusters therefore do the same at a skew of one cycle, and no
    signal reaches further than its neighbour. The bits of the scores are selected in `bit_latency` cycles.
    """

    bit_latency = 1

    def __init__(self, config: CoreConfig, index: int, *, lut_ram: bool = False) -> None:
        self._config, self._lut_ram = config, lut_ram
        self._index = index
        members = {}
        layouts: dict[str, ValueLike] = {name: layout(config) for name, layout in COMMANDS.items()}
        layouts |= links(config)
        if config.terms:
            layouts["shift_terms"] = 1
        for name, layout in layouts.items():
            members[f"i_{name}"] = In(layout)
            members[f"o_{name}"] = Out(layout)
        if config.taps:
            members |= {"tap": Out(payloads.tap(config)), "tap_valid": Out(1)}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        command = {name: self._register(m, name) for name in COMMANDS}

        def delay(value: ValueLike, cycles: int, name: str, reset_less: bool) -> ValueLike:
            for n in range(cycles):
                register = Signal.like(value, name=f"{name}_{n + 1}", reset_less=reset_less, attrs=KEPT)
                m.d.sync += register.eq(value)
                value = register
            return value

        # score: the key arrives two cycles after its address, so the rest of the command waits
        m.submodules.keys = keys = LocalTraceMemory(config, lut_ram=self._lut_ram)
        m.d.comb += [
            keys.command.eq(command["load_k"]),
            keys.i.eq(self.i_key),
            self.o_key.eq(keys.o),
            keys.address.eq(command["score"].data.address),
        ]
        query = delay(command["score"].data, keys.latency, "score_data", True)
        # and the lookup takes a few more
        lookup = TraceLookup.latency(config)
        strobe = delay(command["score"].strobe, keys.latency + lookup, "score_strobe", False)
        present = self._present(m, delay(query.present, lookup - 1, "present", True))
        if config.terms:
            m.submodules.terms = terms = TermsChain(config)
            shift = Signal()
            m.d.sync += shift.eq(self.i_shift_terms)
            m.d.comb += [
                self.o_shift_terms.eq(shift),
                terms.shift.eq(shift),
                terms.i.eq(self.i_terms),
                self.o_terms.eq(terms.o),
            ]

        # context: the value is ready two cycles after its address, the attention spike at once
        m.submodules.values = values = LocalTraceMemory(config, lut_ram=self._lut_ram)
        context = command["context"]
        m.d.comb += [
            values.command.eq(command["load_v"]),
            values.i.eq(self.i_value),
            self.o_value.eq(values.o),
            values.address.eq(context.data.address),
        ]
        ones = delay(context.data.ones, values.latency, "context_ones", True)
        m.submodules.attention = attention = AttentionMemory(config)
        early = values.latency - AttentionMemory.latency(config)
        m.d.comb += [
            attention.command.eq(command["ramp"]),
            attention.entry.eq(delay(context.data.entry, early, "context_entry", True)),
        ]
        tags = Signal(payloads.context_tags())
        m.d.comb += [
            tags.valid.eq(context.strobe.read),
            tags.ones.eq(context.data.ones),
            tags.final.eq(context.data.final),
            tags.last.eq(context.data.last),
        ]

        first_cluster = self._index == 0
        m.submodules.winner_tree = winner = WinnerTree(config.cluster, first_cluster=first_cluster)
        m.submodules.adder_tree = adder = AdderTree(config, first_cluster=first_cluster)
        bits = Signal(config.cluster, reset_less=True)
        bit_tags = Signal(payloads.winner_tags(), attrs=KEPT)
        stored = config.score_store == "memory"
        chosen, moving = Signal(config.score_width + 1), Signal(config.score_width, attrs=KEPT)
        if stored:
            m.submodules.scores = scores = ScoreMemory(config)
            m.d.comb += [
                scores.copy.eq(command["winner"].strobe.copy),
                scores.leave.eq(command["winner"].strobe.move[0]),
            ]
        else:
            # one bit after the other, without a pause: a one that moves on costs no logic, and to choose with
            # it half of what it costs with a number
            m.d.comb += chosen.eq(Cat(command["winner"].strobe.first, moving))
            m.d.sync += moving.eq(chosen)
        m.d.sync += [
            bit_tags.valid.eq(command["winner"].strobe.search),
            bit_tags.last.eq(command["winner"].data.last),
            bit_tags.final.eq(command["winner"].data.final),
        ]
        m.d.comb += [
            winner.bits.eq(bits),
            winner.tags.eq(bit_tags),
            winner.i.eq(self.i_winner_bit),
            self.o_winner_bit.eq(winner.o),
            adder.tags.eq(delay(tags, values.latency + lookup, "context_tags", False)),
            adder.i.eq(self.i_context_sum),
            self.o_context_sum.eq(adder.o),
        ]

        ramps = []
        for n in range(config.cluster):
            m.submodules[f"score_{n}"] = score = ScoreLane(config)
            m.submodules[f"ramp_{n}"] = ramp = RampLane(config)
            m.submodules[f"trace_{n}"] = trace = TraceLookup(config)
            ramps.append(ramp)
            if stored:
                waits = [
                    score.search.eq(command["winner"].strobe.search),
                    scores.scores[n].eq(score.score),
                    ramp.score.eq(scores.held[n]),
                ]
            else:
                waits = [
                    ramp.score.eq(score.score),
                    ramp.copy.eq(command["winner"].strobe.copy),
                    ramp.move.eq(command["winner"].strobe.move),
                ]
            m.d.comb += [
                trace.score_a.active.eq(1),  # the strobe says whether the query spike is there
                trace.score_a.negative.eq(query.negative),
                trace.score_a.phase.eq(query.phase),
                trace.score_b.eq(keys.spikes[n]),
                score.addend.eq(trace.score_addend),
                score.carry.eq(trace.score_carry),
                score.add.eq(strobe.add),
                score.terms.eq(strobe.terms),
                score.take.eq(strobe.take),
                score.present.eq(present[n]),
                *waits,
                ramp.command.eq(command["ramp"]),
                attention.i[n].eq(ramp.next if stored else ramp.spike),
                trace.context_a.active.eq(attention.o[n].active),
                trace.context_a.phase.eq(attention.o[n].phase),
                trace.context_b.eq(values.spikes[n]),
                trace.ones.eq(ones),
                adder.addends[n].eq(trace.context_addend),
                adder.carries[n].eq(trace.context_carry),
            ]
            if config.terms:
                m.d.comb += score.term.eq(terms.terms[n])
            if stored:
                m.d.sync += bits[n].eq(score.bit)
                continue
            # the score in the order of unsigned numbers, the highest bit first
            unsigned = score.score.value.as_unsigned() ^ (1 << (config.score_width - 1))
            word = Cat(unsigned, score.score.alive)[::-1]
            m.d.sync += bits[n].eq((word & chosen).any())
        if config.taps:
            self._tap(m, command["ramp"], ramps)
        return m

    def _present(self, m: Module, present: ValueLike) -> list[Value]:
        """Whether each lane holds a token, of the number of those in all lanes, a cycle later.

        Numbers are compared by their cases: a few inputs per LUT, where a subtraction needs a carry cell."""
        lanes, first = self._config.cluster, self._index * self._config.cluster
        left = Signal(range(lanes + 1), name="present_here", reset_less=True)
        with m.Switch(present):
            for value in range(first, first + lanes):
                with m.Case(value):
                    m.d.sync += left.eq(value - first)
            for value in range(first):
                with m.Case(value):
                    m.d.sync += left.eq(0)
            with m.Default():
                m.d.sync += left.eq(lanes)
        return [Cat(left == more for more in range(n + 1, lanes + 1)).any() for n in range(lanes)]

    def _register(self, m: Module, name: str) -> data.View:
        """Take a command from the cluster before; the next one takes it from here."""
        source, target = getattr(self, f"i_{name}"), getattr(self, f"o_{name}")
        strobe = Signal.like(source.strobe, name=f"{name}_strobe", attrs=KEPT)
        fields = Signal.like(source.data, name=f"{name}_data", reset_less=True, attrs=KEPT)
        m.d.sync += [strobe.eq(source.strobe), fields.eq(source.data)]
        m.d.comb += [target.strobe.eq(strobe), target.data.eq(fields)]
        return target

    def _tap(self, m: Module, command: data.View, ramps: list[RampLane]) -> None:
        valid = Signal(2)
        m.d.sync += valid.eq(Cat(command.strobe.step & command.data.last, valid))
        m.d.comb += self.tap_valid.eq(valid[1])
        for n, ramp in enumerate(ramps):
            held = Signal.like(ramp.held.value, name=f"tap_held_{n}")
            held_2 = Signal.like(ramp.held.value, name=f"tap_held_2_{n}")
            m.d.sync += [held.eq(ramp.held.value), held_2.eq(held)]
            m.d.comb += [
                self.tap.score[n].eq(held_2),
                self.tap.attention[n].eq(ramp.spike),
            ]
