"""Comparisons that cost little.

Yosys maps `a < b` and `a >= b` to carry cells alone; `a > b` and `a <= b` get an equality beside them. With a
constant a few LUTs do, which it does not look for.
"""

from amaranth.hdl import Const, Value


def above(value: Value, constant: int) -> Value:
    """Whether an unsigned value is more than a constant."""
    if constant >> len(value):
        return Const(0)
    # from the lowest bit up: where the constant has a one the value must keep up, elsewhere a one decides
    result: Value = Const(0)
    for place in range(len(value)):
        result = value[place] & result if constant >> place & 1 else value[place] | result
    return result
