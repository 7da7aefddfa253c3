"""The quick proofs: the first case of each property, and that its first fault shows."""

import pytest

from tests.proofs.check import Task, properties, run
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
