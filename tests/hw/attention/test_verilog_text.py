"""The generated Verilog holds no product, quotient or remainder, not even one that synthesis would remove."""

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.attention.config import PRESETS, CoreConfig
from golden.code import PhaseCode
from golden.network.program import config_for
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import RandomPlan
from hw.attention.core import AttentionCore
from hw.export.verilog import export
from hw.link.channels import Channel, ChannelMap
from hw.link.framing import Stuffer, Unstuffer
from hw.link.receiver import FrameReceiver
from hw.link.records import BeatWriter, RecordReader
from hw.link.transmitter import FrameTransmitter
from hw.link.uart import UartReceiver, UartTransmitter
from hw.network.linked_network import LinkedNetwork
from hw.stochastic.core import StochasticAttention
from tests.golden.network.samples import converted, random_images, random_transformer
from tests.hw.attention.wrappers import Group

# Attributes, comments, sensitivity lists, texts and escaped names
NO_OPERATORS = re.compile(r'\(\*.*?\*\)|/\*.*?\*/|//[^\n]*|@\*|"[^"]*"|\\\S+', re.DOTALL)


def operators(verilog: str) -> list[str]:
    """Lines with an operator that a multiplier or divider would be made of."""
    text = NO_OPERATORS.sub(" ", verilog)
    return [line.strip() for line in text.splitlines() if re.search(r"[*/%]", line)]


def attention(config: CoreConfig, taps: bool = False) -> AttentionCore:
    """Clusters after the first are alike, and so are lanes: few of them show the text of a core."""
    cluster = min(config.cluster, 2)
    lanes = min(2 * cluster, config.lanes)
    size = {"lanes": lanes, "cluster": cluster, "tokens": lanes * config.groups, "terms_per_beat": cluster}
    return AttentionCore(replace(config, **size, taps=taps))


def network(code: PhaseCode, norm: str) -> LinkedNetwork:
    made = converted(random_transformer(1, norm=norm, activation="gelu"), random_images(2, 20), code)
    return LinkedNetwork(config_for(made, lanes=6, cluster=3))


CHANNELS = ChannelMap(
    inputs=(Channel("i_a", 113), Channel("i_b", 5)), outputs=(Channel("o_a", 6), Channel("o_b", 23))
)
COMPONENTS: dict[str, Callable[[], wiring.Component]] = {
    **{name: lambda name=name: attention(PRESETS[name]) for name in PRESETS},
    "taps": lambda: attention(PRESETS["pico"], taps=True),
    "three groups": lambda: attention(
        CoreConfig(lanes=6, tokens=18, head_dim=5, cluster=3, terms_per_beat=3)
    ),
    "network": lambda: network(PhaseCode(), "layer"),
    "network, seven residues": lambda: network(PhaseCode(steps=24, log2_base=Fraction(2, 7)), "rms"),
    "stochastic": lambda: StochasticAttention(
        StochasticConfig(tokens=7, head_dim=5, rows=3, mask="causal", plan=RandomPlan(score="row")), taps=True
    ),
    "stochastic, encoders": lambda: StochasticAttention(
        StochasticConfig(tokens=9, head_dim=5, rows=4, encoders=True)
    ),
    "link": lambda: Group(
        {
            "receiver": FrameReceiver(64),
            "transmitter": FrameTransmitter(64, 32, b"text"),
            "unstuffer": Unstuffer(),
            "stuffer": Stuffer(),
            "reader": RecordReader(CHANNELS),
            "writer": BeatWriter(CHANNELS),
            "uart_receiver": UartReceiver(12),
            "uart_transmitter": UartTransmitter(12),
        }
    ),
}


@pytest.mark.parametrize("name", COMPONENTS)
def test_no_operator(name: str) -> None:
    verilog, _ = export(COMPONENTS[name](), "component")
    assert operators(verilog) == []


class Indexed(wiring.Component):
    """What is to be found: parts of three bits, chosen by an index times three."""

    i: In(12)
    index: In(2)
    o: Out(3)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        held = Signal(12)
        m.d.sync += held.eq(self.i)
        m.d.comb += self.o.eq(held.word_select(self.index, 3))
        return m


def test_operators_are_found() -> None:
    assert len(operators(export(Indexed(), "indexed")[0])) == 1
    assert operators("assign a = b * c;\nassign d = b / c; // one / two\nassign e = b % c;") == [
        "assign a = b * c;",
        "assign d = b / c;",
        "assign e = b % c;",
    ]
    assert operators("(* src = 1 *)\nalways @* a = b; // * /\n/* a * b */ assign \\a*b  = 1;") == []


def test_a_ramp_without_fraction_bits_is_generated() -> None:
    """No bit stands below the winner's score then."""
    config = PRESETS["tiny"]
    export(AttentionCore(replace(config, code=replace(config.code, ramp_bits=0))), "top")
