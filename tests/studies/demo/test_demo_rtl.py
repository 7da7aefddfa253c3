"""The main job with the generated RTL: one image, every head."""

from sim.cores.attention import engine
from sim.timing import attention as cycle_model
from sim.timing import attention_activity as activity
from studies.demo.lockstep import Engines
from studies.demo.run import run_demo


def test_rtl_agrees_with_golden_and_with_the_cycle_model() -> None:
    engines = Engines(run=engine.run, predict=cycle_model.predict, activity=activity.activity)
    result = run_demo(engines, images=1)
    assert result.failures == []
    assert result.different == 0
    assert result.compared == 2 * 4 * (2 * 16 * 16 + 2 * 16 + 3 * 16 * 16)
    assert result.engine_predicted.tolist() == result.spiking_predicted[result.chosen].tolist()
