"""The core in Amaranth's simulator and compiled by Verilator: the same words in the same cycles."""

import numpy as np

from golden.attention.config import preset
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.rtl import compiled
from studies.bench.amaranth_simulator import run_python
from studies.data.random import random_heads


def test_two_simulators_agree() -> None:
    core = SpikedAttentionCore(preset("tiny")).tapped()
    job = core.prepare(**random_heads(2, 11, 5, seed=9))
    simulator = compiled(core, quick=False)
    ran = simulator.run(core.input_beats(job), core.output_beats(job))
    interpreted = run_python(job, core.config, simulator.manifest)
    assert interpreted.cycles == ran.cycles
    assert set(interpreted.outputs) == set(ran.outputs)
    for name, beats in ran.outputs.items():
        np.testing.assert_array_equal(interpreted.outputs[name].words, beats.words, err_msg=name)
        np.testing.assert_array_equal(interpreted.outputs[name].cycles, beats.cycles, err_msg=name)
    assert core.completion(job, interpreted) == core.predict(job)
