"""A component that is made for its ports only."""

import gc
import warnings
from types import SimpleNamespace
from typing import Any

import pytest
from amaranth.hdl import UnusedElaboratable

from hw.link.channels import ChannelMap
from sim.board.streams import LinkedStreams
from sim.cores.network.core import WholeNetworkCore
from tests.hw.network.test_components import CODES, config


def test_is_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor what it holds: once something was elaborated, Amaranth warns of what was not."""
    gc.collect()
    monkeypatch.setattr(UnusedElaboratable, "_MustUse__silence", False)
    component = WholeNetworkCore(config(CODES[0])).linked()
    session: Any = SimpleNamespace(
        identification={"streams": ChannelMap.of(component.signature).to_table()}
    )
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        assert LinkedStreams(session, "board", component).inputs == ("i_load", "i_image")
        del component
        gc.collect()
    assert heard == []
