"""An integer core on a simulated board, through the driver, against golden."""

import numpy as np

from golden.integer.config import IntegerConfig
from sim.board.board import connect
from sim.board.simulate import compile_board, running
from sim.cores.integer.core import IntegerAttentionCore
from synth.boards import find_board
from tests.hw.integer.random_jobs import random_job

# Two groups of tokens, the second one not full, through the squares
CONFIG = IntegerConfig(lanes=4, cluster=2, tokens=7, head_dim=5, multiplier="table")


def test_every_integer() -> None:
    core = IntegerAttentionCore(CONFIG)
    board = find_board("ulx3s-85f")
    with running(compile_board(board, core.design("small"))) as port:
        for seed in range(4):
            job = random_job(np.random.default_rng(seed), CONFIG)
            with connect(IntegerAttentionCore, port) as opened:
                assert opened.config == CONFIG
                found = opened.run(job)
            assert core.compare(job, vars(found)).first_difference is None
