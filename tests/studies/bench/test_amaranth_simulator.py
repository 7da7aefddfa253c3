"""The core in Amaranth's simulator and compiled by Verilator: the same words in the same cycles."""

import dataclasses

import numpy as np

from golden.attention.config import preset
from golden.attention.job import prepare
from sim.cores.attention import driver, engine
from sim.timing.attention import predict
from studies.bench.amaranth_simulator import run_python
from studies.data.random import random_heads


def test_two_simulators_agree() -> None:
    config = dataclasses.replace(preset("tiny"), taps=True)
    arrays = random_heads(2, 11, 5, seed=9)
    job = prepare(arrays["q"], arrays["k"], arrays["v"], config.code).job
    simulator = engine.simulator(config)
    compiled = simulator.run(driver.input_beats(job, config), driver.output_beats(job, config))
    interpreted = run_python(job, config, simulator.manifest)
    assert interpreted.cycles == compiled.cycles
    assert set(interpreted.outputs) == set(compiled.outputs)
    for name, beats in compiled.outputs.items():
        np.testing.assert_array_equal(interpreted.outputs[name].words, beats.words, err_msg=name)
        np.testing.assert_array_equal(interpreted.outputs[name].cycles, beats.cycles, err_msg=name)
    assert driver.completion(interpreted, job, config) == predict(job, config)
