"""The clock of a board's design: a phase-locked loop from the board's oscillator, and a clean reset.

Divider ranges are those of the device families' data sheets; `tests/synth/test_synth_boards.py` holds the
chosen dividers against the open tools' own calculators.
"""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Const, Elaboratable, Instance, Module, Signal, Value
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import Component, Out

from golden.errors import InputError

RESET_CYCLES = 1024
# Share of the wanted clock by which the nearest attainable one may differ
CLOCK_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Dividers:
    """Settings of a phase-locked loop: output = input * feedback / reference, on an oscillator at
    output * post.

    Attributes:
        reference, feedback, post: integers, meaning as above for every family.
        frequency: output, Hz.
        oscillator: Hz.
    """

    reference: int
    feedback: int
    post: int
    frequency: float
    oscillator: float


@dataclass(frozen=True)
class PllRange:
    """What a family's loop can do.

    Attributes:
        detector, oscillator: frequency ranges, Hz.
        references, feedbacks, posts: allowed dividers.
        through_post: the feedback is taken before the post divider, so that the oscillator and
            not the output runs at input * feedback / reference.
    """

    detector: tuple[float, float]
    oscillator: tuple[float, float]
    references: range
    feedbacks: range
    posts: tuple[int, ...]
    through_post: bool = False


PLL_RANGES = {
    "ecp5": PllRange((3.125e6, 400e6), (400e6, 800e6), range(1, 129), range(1, 81), tuple(range(1, 129))),
    "ice40": PllRange(
        (10e6, 133e6), (533e6, 1066e6), range(1, 17), range(1, 129), tuple(1 << n for n in range(1, 7)), True
    ),
    "gowin": PllRange(
        (3e6, 400e6), (400e6, 1200e6), range(1, 65), range(1, 65), (2, 4, 8, *range(16, 129, 16))
    ),
}


def dividers(family: str, source: float, target: float) -> Dividers:
    """Settings that come closest to `target`; among equals the smallest dividers, then the
    oscillator nearest to the middle of its range.

    Raises:
        InputError: nothing comes within one thousandth.
    """
    limits = PLL_RANGES[family]
    low, high = limits.oscillator
    candidates = []
    for reference in limits.references:
        if not limits.detector[0] <= source / reference <= limits.detector[1]:
            continue
        for post in limits.posts:
            loop = target * post if limits.through_post else target
            feedback = round(loop * reference / source)
            if feedback not in limits.feedbacks:
                continue
            frequency = source * feedback / reference / (post if limits.through_post else 1)
            oscillator = frequency * post
            if low <= oscillator <= high:
                order = (abs(frequency - target), reference, feedback, abs(oscillator - (low + high) / 2))
                candidates.append((order, Dividers(reference, feedback, post, frequency, oscillator)))
    best = min(candidates, default=None, key=lambda candidate: candidate[0])
    if best is None or abs(best[1].frequency - target) > CLOCK_TOLERANCE * target:
        raise InputError(
            f"clock must be attainable from {source / 1e6:g} MHz by the PLL of {family}, "
            f"not {target / 1e6:g} MHz"
        )
    return best[1]


class ClockSource(Component):
    """Clock and reset of the `sync` domain: a board's oscillator, the loop, a reset until both are steady.

    The reset lasts 1025 cycles from when lock is seen, which also covers the time in which block memories of
    the iCE40 cannot be read after configuration.

    Args:
        family: ecp5, ice40 or gowin.
        target: Hz.
        memory: with a clock for a memory chip; ecp5 only.

    Members:
        clk, rst: what drives the `sync` domain, which the parent defines.
        shifted: the clock three quarters of a period later; only with `memory`.
    """

    def __init__(self, family: str, target: float, memory: bool = False) -> None:
        assert family == "ecp5" or not memory, "boards with a memory are of this family"
        self._family = family
        self._target = target
        self._memory = memory
        super().__init__({"clk": Out(1), "rst": Out(1, init=1)} | ({"shifted": Out(1)} if memory else {}))

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        settings = dividers(self._family, platform.default_clk_frequency, self._target)
        pin = platform.request(platform.default_clk, dir="-")
        clock, locked = Signal(), Signal()
        if self._family == "ice40":
            m.submodules.pll = _ice40_pll(settings, pin.io, clock, locked)
        else:
            m.submodules.buffer = buffer = io.Buffer("i", pin)
            pll = _ecp5_pll if self._family == "ecp5" else _gowin_pll
            source = platform.default_clk_frequency
            more = _shifted(settings, self.shifted) if self._memory else {}
            m.submodules.pll = pll(settings, source, platform, buffer.i, clock, locked, **more)
        m.d.comb += self.clk.eq(clock)
        if self._family != "ice40":
            # nextpnr-ice40 derives the constraint from the loop and takes no second one.
            # By its name as a port, the only one that synthesis keeps
            platform.add_clock_constraint(self.clk, settings.frequency)

        # Registers without reset: they make it
        count = Signal(range(RESET_CYCLES), reset_less=True)
        steady = Signal(reset_less=True)
        ready = Signal()
        m.submodules.synchronise = FFSynchronizer(locked, ready)
        with m.If(~ready):
            m.d.sync += [count.eq(0), steady.eq(0)]
        with m.Elif(count == RESET_CYCLES - 1):
            m.d.sync += steady.eq(1)
        with m.Else():
            m.d.sync += count.eq(count + 1)
        # one more, which can stand in the middle of what it resets
        reset = Signal(init=1, reset_less=True)
        m.d.sync += reset.eq(~steady)
        m.d.comb += self.rst.eq(reset)
        return m


def everywhere(family: str, source: Value, target: Value) -> Elaboratable:
    """Drive `target` by `source` through the device's global network.

    On the ECP5 only clocks come there of their own; nextpnr finds the resets of the other families.
    """
    if family == "ecp5":
        return Instance("DCCA", i_CLKI=source, i_CE=Const(1), o_CLKO=target)
    m = Module()
    m.d.comb += target.eq(source)
    return m


def _shifted(settings: Dividers, clock: Signal) -> dict[str, Any]:
    """A second output of the ECP5's loop, three quarters of a period behind the first."""
    cycles, rest = divmod(3 * settings.post * 2, 8)  # of the oscillator, and eighths of one
    return {
        "p_CLKOS_ENABLE": "ENABLED",
        "p_CLKOS_DIV": settings.post,
        "p_CLKOS_CPHASE": _output_phase(settings) + cycles,
        "p_CLKOS_FPHASE": rest,
        "i_ENCLKOS": 0,
        "o_CLKOS": clock,
    }


def _output_phase(settings: Dividers) -> int:
    """The middle of the post divider's period puts the output's edge on the input's."""
    return settings.post // 2 - 1 if settings.post > 1 else 0


def _ecp5_pll(
    settings: Dividers,
    source: float,
    platform: Any,
    pin: Signal,
    clock: Signal,
    locked: Signal,
    **more: Any,
) -> Instance:
    return Instance(
        "EHXPLLL",
        a_FREQUENCY_PIN_CLKI=f"{source / 1e6:g}",
        a_FREQUENCY_PIN_CLKOP=f"{settings.frequency / 1e6:g}",
        a_ICP_CURRENT="12",
        a_LPF_RESISTOR="8",
        a_MFG_ENABLE_FILTEROPAMP="1",
        a_MFG_GMCREF_SEL="2",
        p_PLLRST_ENA="DISABLED",
        p_INTFB_WAKE="DISABLED",
        p_STDBY_ENABLE="DISABLED",
        p_DPHASE_SOURCE="DISABLED",
        p_OUTDIVIDER_MUXA="DIVA",
        p_CLKI_DIV=settings.reference,
        p_CLKFB_DIV=settings.feedback,
        p_CLKOP_ENABLE="ENABLED",
        p_CLKOP_DIV=settings.post,
        p_CLKOP_CPHASE=_output_phase(settings),
        p_CLKOP_FPHASE=0,
        p_FEEDBK_PATH="CLKOP",
        i_CLKI=pin,
        i_CLKFB=clock,
        i_RST=0,
        i_STDBY=0,
        i_PHASESEL0=0,
        i_PHASESEL1=0,
        i_PHASEDIR=1,
        i_PHASESTEP=1,
        i_PHASELOADREG=1,
        i_PLLWAKESYNC=0,
        i_ENCLKOP=0,
        o_CLKOP=clock,
        o_LOCK=locked,
        **more,
    )


def _ice40_pll(settings: Dividers, pin: object, clock: Signal, locked: Signal) -> Instance:
    detector = settings.oscillator / settings.feedback
    # Loop filter by detector frequency, as in the family's PLL guide
    steps = (17e6, 26e6, 44e6, 66e6, 101e6)
    return Instance(
        "SB_PLL40_PAD",
        p_FEEDBACK_PATH="SIMPLE",
        p_DIVR=settings.reference - 1,
        p_DIVF=settings.feedback - 1,
        p_DIVQ=settings.post.bit_length() - 1,
        p_FILTER_RANGE=1 + sum(detector >= step for step in steps),
        i_PACKAGEPIN=pin,
        i_RESETB=1,
        i_BYPASS=0,
        o_PLLOUTGLOBAL=clock,
        o_LOCK=locked,
    )


def _gowin_pll(
    settings: Dividers, source: float, platform: Any, pin: Signal, clock: Signal, locked: Signal
) -> Instance:
    return Instance(
        "rPLL",
        p_FCLKIN=f"{source / 1e6:g}",
        p_DEVICE=platform.family,
        p_IDIV_SEL=settings.reference - 1,
        p_FBDIV_SEL=settings.feedback - 1,
        p_ODIV_SEL=settings.post,
        p_CLKFB_SEL="internal",
        i_CLKIN=pin,
        i_CLKFB=0,
        i_RESET=0,
        i_RESET_P=0,
        i_FBDSEL=0,
        i_IDSEL=0,
        i_ODSEL=0,
        i_PSDA=0,
        i_DUTYDA=0,
        i_FDLY=0,
        o_CLKOUT=clock,
        o_LOCK=locked,
    )
