import numpy as np
import pytest

from golden.errors import InputError
from golden.stochastic.lfsr import (
    TAPS,
    check_seed,
    check_width,
    period,
    product,
    rows,
    run,
    shift,
    shift_matrix,
    transform,
)


def prime_factors(n: int) -> set[int]:
    """By trial division up to a million, then Pollard's rho; enough for 2**64 - 1 and below."""
    factors, p = set(), 2
    while p * p <= n and p < 1_000_000:
        while n % p == 0:
            factors.add(p)
            n //= p
        p += 1
    if n > 1:
        factors |= {n} if p * p > n or is_prime(n) else split(n)
    return factors


def is_prime(n: int) -> bool:
    """Miller-Rabin with the bases that decide every n below 2**64."""
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        x = pow(base, odd, n)
        if x not in (1, n - 1) and all((x := x * x % n) != n - 1 for _ in range(twos - 1)):
            return False
    return True


def split(n: int) -> set[int]:
    from math import gcd

    for c in range(1, 50):
        slow = fast = 2
        found = 1
        while found == 1:
            slow = (slow * slow + c) % n
            fast = (fast * fast + c) % n
            fast = (fast * fast + c) % n
            found = gcd(slow - fast, n)
        if found != n:
            return prime_factors(found) | prime_factors(n // found)
    raise AssertionError(f"no factor of {n}")


@pytest.mark.parametrize("width", [w for w in TAPS if w <= 16])
def test_every_state_but_zero_is_on_one_cycle(width):
    state, visited = 1, set()
    while state not in visited:
        visited.add(state)
        state = shift(state, width)
    assert visited == set(range(1, 1 << width))


@pytest.mark.parametrize("width", TAPS)
def test_period_is_maximal(width):
    # The order of the shift divides 2**W - 1 and no proper divisor of it
    identity = shift_matrix(width, 0)
    assert shift_matrix(width, period(width)) == identity
    for prime in prime_factors(period(width)):
        assert shift_matrix(width, period(width) // prime) != identity


@pytest.mark.parametrize("width", TAPS)
def test_no_lock_up(width):
    # The shift is invertible, so no state but zero can lead to zero
    inverse = shift_matrix(width, period(width) - 1)
    assert product(inverse, shift_matrix(width, 1)) == shift_matrix(width, 0)
    assert shift(0, width) == 0


@pytest.mark.parametrize(("width", "shifts"), [(3, 5), (16, 16), (19, 7), (32, 40), (64, 64)])
def test_jumps_equal_single_shifts(width, shifts):
    starts = [1, period(width), 0b101]
    states = run(width, starts, shifts, 20)
    for register, state in enumerate(starts):
        for row in range(20):
            assert states[row, register] == state
            for _ in range(shifts):
                state = shift(state, width)


def test_rows_are_the_parities_of_the_wiring():
    matrix = shift_matrix(20, 33)
    state = 0b1011_0011_1000_1111_0101
    parity = [(row & state).bit_count() % 2 for row in rows(matrix)]
    assert sum(bit << i for i, bit in enumerate(parity)) == transform(matrix, state)


def test_run_of_no_rows_and_one():
    assert run(16, [7], 3, 0).shape == (0, 1)
    np.testing.assert_array_equal(run(16, [7, 9], 3, 1), [[7, 9]])


@pytest.mark.parametrize("width", [2, 65, 0, True, "16", 16.0, 16.5, None, [16], {}])
def test_unknown_width(width):
    with pytest.raises(InputError) as error:
        check_width("W", width)
    assert str(error.value) == f"W must be a width with a known maximal polynomial, 3..64, not {width!r}"


@pytest.mark.parametrize("seed", [0, -1, 1 << 16, 1.5])
def test_seed_that_cannot_run(seed):
    with pytest.raises(InputError, match=r"^seed must be an integer in 1\.\.65535, not"):
        check_seed("seed", seed, 16)
