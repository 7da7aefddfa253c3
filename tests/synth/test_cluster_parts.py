"""Cells of a cluster are counted for the part of a lane that they belong to."""

from synth.cluster import parts


def test_cells_by_part() -> None:
    kinds = {
        "score_3.total_TRELLIS_FF_Q_DI_CCU2C_S0": "CCU2C",
        "score_3.total_TRELLIS_FF_Q": "TRELLIS_FF",
        "attention.memory.0.0": "TRELLIS_DPR16X4",
        "winner_tree.node_0_1.winner_LUT4_Z": "LUT4",
        "ramp_0.score.alive_LUT4_Z": "LUT4",
        "anything_LUT4_Z": "LUT4",
    }
    found = parts({"cells": {name: {"type": kind} for name, kind in kinds.items()}})
    assert found == {"sum of the score": 2, "attention spikes": 6, "winner search": 2, "rest": 1}
