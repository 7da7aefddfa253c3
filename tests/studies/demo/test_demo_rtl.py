"""The main job with the generated RTL: one image, every head."""

from golden.attention.config import preset
from sim.cores.attention.core import SpikedAttentionCore
from studies.demo.run import run_demo


def test_rtl_agrees_with_golden_and_with_the_cycle_model() -> None:
    result = run_demo(SpikedAttentionCore(preset("digits")), images=1)
    assert result.failures == []
    assert result.different == 0
    assert result.compared == 2 * 4 * (2 * 16 * 16 + 2 * 16 + 3 * 16 * 16)
    assert result.engine_predicted.tolist() == result.spiking_predicted[result.chosen].tolist()
