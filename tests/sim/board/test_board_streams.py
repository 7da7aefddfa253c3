"""A component that is made for its ports only is no mistake: Amaranth warns of what was not elaborated, and
of what that holds, once something was."""

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from amaranth.hdl import UnusedElaboratable

from hw.link.channels import ChannelMap
from hw.parts.ports_only import ports_only
from onespike.board_options import board_config
from sim.board.streams import LinkedStreams
from sim.cores.network.core import WholeNetworkCore
from tests.hw.network.test_components import CODES, config

CORE = WholeNetworkCore(config(CODES[0]))


@contextmanager
def no_warning() -> Iterator[None]:
    gc.collect()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(record=True) as heard:
        patch.setattr(UnusedElaboratable, "_MustUse__silence", False)
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert heard == []


def test_streams_of_a_board() -> None:
    signature = ports_only(CORE.linked()).signature
    session: Any = SimpleNamespace(identification={"streams": ChannelMap.of(signature).to_table()})
    with no_warning():
        assert LinkedStreams(session, "board", CORE.linked()).inputs == ("i_load", "i_image")


def test_memory_that_a_design_wants() -> None:
    with no_warning():
        board_config("ulx3s-85f", None, None, None, "digits")
