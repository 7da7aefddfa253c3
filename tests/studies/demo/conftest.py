"""The main job, run once with an engine that agrees and once with one that does not."""

import pytest

from studies.demo.result import DemoResult
from studies.demo.run import run_demo
from tests.studies.demo.demo_engines import core, wrong_run


@pytest.fixture(scope="session")
def result() -> DemoResult:
    """The job with an engine that agrees."""
    return run_demo(core(), images=4)


@pytest.fixture(scope="session")
def diverging() -> DemoResult:
    """The job with an engine that does not."""
    return run_demo(core(wrong_run), images=2)
