"""What the integers of each layer are in place, beside the float model, and the advice that follows."""

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from golden.code import PhaseCode, decode, encode
from models.conversion.advice import advise
from models.conversion.convert import convert
from models.conversion.inplace import NodeError, finer_code, longer_code, losses, measure
from models.conversion.network import integers_of, rows_of
from models.conversion.record import record
from models.conversion.scheme import Scheme
from models.floating.engine import FloatEngine
from models.floating.model import Model
from models.floating.recording import Ranges
from tests.models.test_engine import relative, small_encoder
from tests.models.test_integers import FINE, changed, read
from tests.models.test_libraries import LAYOUT, vectors


def measured(
    model: Model, batch: np.ndarray, code: PhaseCode
) -> tuple[dict[str, NodeError], set[str], float]:
    """Errors by node, the nodes of the network, and the error of its outputs."""
    ranges, _ = record(model, [batch])
    made = integers_of(model, ranges, rows_of(model, [batch]), code, samples=[batch])
    nodes = {node for names in made.nodes for node in names}
    return (
        measure(made, model, [batch]),
        nodes,
        relative(made.run(model, batch), model.run(batch, FloatEngine())),
    )


@pytest.mark.parametrize("name", LAYOUT)
def test_every_node_of_every_layout_is_measured_against_its_own_floats(name: str) -> None:
    """Rows in another order, or values in another unit, would be wrong by as much as there is."""
    model = changed(read(name), query_norm=None, key_norm=None, activation="relu")
    found, nodes, outputs = measured(model, vectors(name)["inputs"], FINE)
    assert set(found) == nodes
    *inside, last = found.values()
    assert all(0 < error.in_place < 0.15 for error in inside)
    assert last.in_place == pytest.approx(outputs, rel=1e-6)
    for error in found.values():
        assert (error.code is None) == (error.density is None)
        # nothing is nearer than the nearest code, but for thresholds on a grid
        assert error.code is None or error.code < 1.2 * error.in_place + 1e-3


def test_the_first_code_has_no_other_error_and_the_last_node_has_them_all() -> None:
    model = replace(small_encoder(1), norm=None)
    batch = np.random.default_rng(4).normal(size=(8, 6, 16)).astype(np.float32)
    found, _, _ = measured(model, batch, PhaseCode())
    first, *_, last = (error for error in found.values() if error.code is not None)
    assert first.in_place == pytest.approx(first.code, rel=0.02)
    assert last.code is not None
    assert last.in_place > 1.3 * last.code


def test_parts_of_the_loss_are_those_of_the_code() -> None:
    code, scale = PhaseCode(steps=4, log2_base=Fraction(1)), np.array(2.0)
    values = np.array([0.01, -0.02, 1.3, -0.6, 2.0, 3.5])
    silent, beyond, rounding = losses(values, scale, code)
    assert silent == pytest.approx(0.01**2 + 0.02**2)
    assert beyond == pytest.approx(1.5**2)
    whole = np.square(decode(encode(values, scale, code), scale, code) - values).sum()
    assert silent + beyond + rounding == pytest.approx(whole)


@pytest.mark.parametrize(
    ("steps", "base", "longer", "finer"),
    [
        (16, "1/2", 18, (32, "1/4")),
        (16, "3/7", 19, (35, "1/5")),
        (64, "1/4", None, None),
        (8, "1/8", 16, None),
    ],
)
def test_codes_that_would_lose_less(
    steps: int, base: str, longer: int | None, finer: tuple[int, str] | None
) -> None:
    code = PhaseCode(steps=steps, log2_base=Fraction(base))
    found = longer_code(code), finer_code(code)
    assert found[0] == (None if longer is None else replace(code, steps=longer))
    assert found[1] == (None if finer is None else PhaseCode(steps=finer[0], log2_base=Fraction(finer[1])))


def test_advice_holds_when_it_is_followed() -> None:
    """Rounding and silence with the options that a line names are what the line says."""
    model = small_encoder(5)
    batch = np.random.default_rng(3).normal(size=(6, 8, 16)).astype(np.float32)
    code = PhaseCode(steps=7)
    before, _, _ = measured(model, batch, code)
    lines = advise(before, Ranges(), Scheme(code=code))
    for word, part in (("rounding", "rounding"), ("too small", "silent")):
        line = next(line for line in lines if word in line)
        node, value, steps = re.findall(r" at (\S+); ([\d.]+) with --steps (\d+)", line)[0]
        base = re.findall(r"--log2-base (\S+)", line) or [str(code.log2_base)]
        after, _, _ = measured(model, batch, PhaseCode(steps=int(steps), log2_base=Fraction(base[0])))
        now = after[node].share(getattr(after[node], part))
        assert now == pytest.approx(float(value), rel=0.1)
        assert now < 0.8 * before[node].share(getattr(before[node], part))


def test_lobes_of_gelu_and_outliers_have_a_line() -> None:
    batch = np.random.default_rng(3).normal(size=(6, 8, 16)).astype(np.float32)
    for activation in ("gelu", "relu"):
        model = changed(small_encoder(5), activation=activation)
        ranges, layers = record(model, [batch])
        advice = convert(model, ranges, layers, Scheme(), [batch]).advice
        assert advice[0].startswith("in place the error is largest at ")
        assert any("far below zero" in line for line in advice) == (activation == "gelu")
        assert not any(line.startswith("outlier") for line in advice)
    ranges.norm["block0.norm2"] = np.where(np.arange(16) == 11, 64.0, 1.0)
    made = integers_of(model, ranges, rows_of(model, [batch]), PhaseCode())
    assert advise(measure(made, model, [batch]), ranges, Scheme())[-1] == (
        "outlier: channel 11 of block0.norm2 reaches 64 times the median one; weights that read it take that "
        "in, and those of other channels lose up to 6.0 of 8 bits"
    )
