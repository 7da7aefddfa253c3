"""Registers that hold a signal back."""

from amaranth.hdl import Module, Signal, Value


def delayed(m: Module, signal: Signal, cycles: int) -> Signal:
    """The signal some cycles later."""
    for number in range(cycles):
        later = Signal.like(signal, name=f"{signal.name}_{number + 1}")
        m.d.sync += later.eq(signal)
        signal = later
    return signal


def registered(m: Module, value: Value, name: str) -> Signal:
    """What a value was a cycle before."""
    later = Signal(value.shape(), name=f"{name}_registered", reset_less=True)
    m.d.sync += later.eq(value)
    return later
