"""The quick proofs: the first case of each property, and that its first fault shows."""

import zlib

import numpy as np
import pytest

from tests.proofs.check import Task, properties, run
from tests.proofs.link.crc import check_sum
from tests.proofs.property import Property

EVERY = list(properties())
QUICK = [prop for prop in EVERY if prop.quick]


@pytest.mark.parametrize("prop", QUICK, ids=lambda prop: prop.__name__)
@pytest.mark.parametrize("fault", [False, True], ids=["holds", "fault"])
def test_quick_proof(prop: type[Property], fault: bool) -> None:
    outcome = run(Task(prop.__module__, prop.__name__, 0, fault))
    assert outcome.right, outcome.how


def test_every_property_says_what_it_claims_and_assumes() -> None:
    assert len({prop.__name__ for prop in EVERY}) == len(EVERY)
    for prop in EVERY:
        claim, assumes = str(prop.__doc__).split("\n\n", 1)
        assert claim
        assert assumes.strip().startswith("Assumes: "), prop.__name__
        assert prop.faults, prop.__name__


def test_check_sum_of_the_proofs_is_zlibs() -> None:
    data = np.random.default_rng(1).bytes(200)
    assert all(check_sum(data[:n]) == zlib.crc32(data[:n]) for n in range(len(data)))
