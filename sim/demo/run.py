"""The main job: classify the held-out digits with spiked attention, some of them through the RTL.

Float weights, no retraining: scales are calibrated on the training images, then the whole held-out
set runs through golden, and a few images run with every attention head in the engine under test.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import golden
from golden.code import check_range
from golden.config import PRESETS, CoreConfig
from golden.vit_conversion import SpikedAttention, calibrate_scales
from golden.vit_weights import load_vit
from sim.demo import dataset
from sim.demo.lockstep import Engines, LockstepAttention
from sim.demo.picture import draw_head
from sim.demo.result import DemoResult

WEIGHTS = Path(golden.__file__).parent / "weights" / "digits.npz"
REPORT, PICTURE = "report.json", "head.png"

# Called when a part of the job begins, with its name, its index from 0, and the number of parts
Progress = Callable[[str, int, int], None]


def run_demo(
    engines: Engines,
    *,
    images: int = 4,
    seed: int = 0,
    config: CoreConfig = PRESETS["digits"],
    weights: Path = WEIGHTS,
    waves: Path | None = None,
    progress: Progress = lambda part, index, parts: None,
) -> DemoResult:
    """Run the main job.

    Args:
        engines: the engine under test and the cycle model.
        images: held-out images that run through the engine, 1..450.
        seed: chooses them.
        config: the core.
        weights: file of the trained network.
        waves: existing folder that receives one waveform per layer, layer0.fst and so on.
        progress: told when a part begins.

    Raises:
        InputError: a bad weights file, number of images or seed, or a core that cannot hold the
            network's attention.
    """
    network = load_vit(weights)
    digits = dataset.load()
    check_range("images", images, 1, len(digits.test_images))
    check_range("seed", seed, 0, 2**32 - 1)
    chosen = np.sort(np.random.default_rng(seed).choice(len(digits.test_images), images, replace=False))
    layers = network.config.layers
    parts = iter(range(3 + layers))

    def begin(part: str) -> None:
        progress(part, next(parts), 3 + layers)

    begin(f"calibrate scales on {len(digits.train_images)} training images")
    scales = calibrate_scales(network, digits.train_images)
    begin(f"classify {len(digits.test_images)} held-out images, exact attention")
    float_predicted = network.logits(digits.test_images).argmax(axis=1)
    begin(f"classify {len(digits.test_images)} held-out images, spiked attention")
    spiked = SpikedAttention(scales=scales, code=config.code)
    spiking_predicted = network.logits(digits.test_images, spiked).argmax(axis=1)

    lockstep = LockstepAttention(scales=scales, config=config, engines=engines, waves=waves)

    def announce(
        layer: int, q: NDArray[np.floating], k: NDArray[np.floating], v: NDArray[np.floating]
    ) -> NDArray[np.floating]:
        begin(f"layer {layer} of {images} images through the RTL ({q.shape[0] * q.shape[1]} heads)")
        return lockstep(layer, q, k, v)

    engine_predicted = network.logits(digits.test_images[chosen], announce).argmax(axis=1)
    return DemoResult(
        seed=seed,
        config=config,
        network=network,
        digits=digits,
        float_predicted=float_predicted,
        spiking_predicted=spiking_predicted,
        chosen=chosen,
        engine_predicted=engine_predicted,
        runs=lockstep.runs,
    )


def write_results(result: DemoResult, folder: Path) -> list[Path]:
    """Write the report and the picture of a head into `folder`, which exists.

    Returns:
        The files written.
    """
    report, picture = folder / REPORT, folder / PICTURE
    report.write_text(json.dumps(result.to_json(), indent=2) + "\n")
    draw_head(result, picture)
    return [report, picture]
