"""What `onespike stochastic study` prints."""

from collections.abc import Callable

from studies.stochastic.plans import CASES, STEPS, plan_areas
from tests.onespike.conftest import Ran


def test_fits_80_columns(run: Callable[..., Ran]) -> None:
    """A plan takes four lines: its name, errors and bias, means, cells where they were measured."""
    ran = run("stochastic", "study", "--heads", "2")
    assert (ran.status, ran.err) == (0, "")
    first, *lines = ran.out.splitlines()
    assert max(map(len, [first, *lines])) <= 80
    assert lines[::4] == [case.label for case in CASES]
    areas = plan_areas(None, 16)
    assert areas
    for label, errors, cells in zip(lines[::4], lines[1::4], lines[3::4], strict=True):
        words = errors.split()
        assert (words[0], words.index("bias")) == ("error", 1 + len(STEPS))
        known = areas.get(label)
        assert (
            cells.endswith(f"LUT4 {known['lut4']} FF {known['flip_flops']}") if known else "LUT4" not in cells
        )
