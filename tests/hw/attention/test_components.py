"""Every unit of the attention core, and a small core, in cocotb benches against golden."""

from dataclasses import replace
from pathlib import Path

import pytest
from amaranth.hdl import Value
from amaranth.lib import wiring

from golden.attention.config import SCORE_STORES, TRACE_STORES, CoreConfig, to_table
from hw.attention import payloads
from hw.attention.core import AttentionCore
from hw.attention.head_queue import HeadQueue
from hw.attention.output_threshold import OutputThreshold
from hw.attention.query_rows import QueryRows
from hw.attention.score_lane import ScoreLane
from hw.attention.trace import TraceDecay, TraceLookup
from tests.hw.attention.core_cases import CORES, T8, T24, T40
from tests.hw.attention.joined_context import Columns, OutputRows
from tests.hw.attention.joined_loading import LoadedMemories, LoadedTerms
from tests.hw.attention.joined_shift import Ramp, WinnerSearch
from tests.hw.attention.wrappers import Group, Vectors
from tests.hw.cocotb.launch import run_bench

# Every code of the presets; one to three tokens per lane, lanes and clusters that are no power of two
CONFIGS = {
    "T16": CoreConfig(lanes=6, tokens=16, head_dim=5, cluster=3, terms_per_beat=3),
    "T40": CoreConfig(code=T40, lanes=4, tokens=4, head_dim=8, cluster=4, terms_per_beat=2),
    "T8": CoreConfig(code=T8, lanes=5, tokens=10, head_dim=3, cluster=5, terms_per_beat=1),
    "T24": CoreConfig(code=T24, lanes=3, tokens=5, head_dim=9, cluster=1, terms_per_beat=1),
}


def addends(lookup: TraceLookup) -> dict[str, Value]:
    return {
        name: getattr(lookup, f"{name}_addend") + getattr(lookup, f"{name}_carry") for name in lookup.PORTS
    }


def units(config: CoreConfig) -> dict[str, wiring.Component]:
    stores = {store: replace(config, trace_store=store) for store in TRACE_STORES}
    scores = {store: replace(config, score_store=store) for store in SCORE_STORES}
    return {
        "decay": Vectors(TraceDecay(config.code), 0),
        **{
            f"lookup_{store}": Vectors(TraceLookup(c), TraceLookup.latency(c), addends)
            for store, c in stores.items()
        },
        "heads": HeadQueue(payloads.head(config), config.queued_heads),
        "memories": LoadedMemories(config),
        "terms": LoadedTerms(config),
        "score": Vectors(ScoreLane(config), 1),
        "turning": Vectors(ScoreLane(scores["memory"]), 1),
        "queries": QueryRows(config),
        "winner": WinnerSearch(config),
        **{f"ramp_{store}": Ramp(c) for store, c in scores.items()},
        **{f"columns_{store}": Columns(c) for store, c in stores.items()},
        "threshold": OutputThreshold(config),
        "rows": OutputRows(config),
    }


BENCHES = ",".join(
    f"tests.hw.attention.bench_{part}" for part in ("trace", "loading", "scores", "shift", "context")
)


@pytest.mark.parametrize("name", CONFIGS)
def test_units(name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    run_bench(Group(units(config)), "units", BENCHES, to_table(config), tmp_path)


def core_config(store: str) -> CoreConfig:
    return replace(CORES["two-groups"], trace_store=store)


@pytest.mark.parametrize("store", TRACE_STORES)
def test_core(store: str, tmp_path: Path) -> None:
    config = core_config(store)
    run_bench(
        Group({"core": AttentionCore(config)}),
        "core",
        "tests.hw.attention.bench_core",
        to_table(config),
        tmp_path,
    )
