"""The main job: classify the held-out digits with spiked attention, in golden and through the RTL.

Float weights, no retraining: scales are calibrated on the training images, then the whole held-out
set runs through golden, and the chosen images run with every attention head in the engine under
test, whose outputs go on to the next layer.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.code import check_range
from models.conversion.record import record
from models.conversion.scales import attention_of
from models.conversion.scheme import Scheme
from models.floating.engine import Engine, FloatEngine, SpikingEngine
from models.shipped.vit_file import FOLDER, load_training, load_vit
from sim.cores.attention.core import SpikedAttentionCore
from studies.data import handwritten_digits as dataset
from studies.demo.lockstep import LockstepEngine
from studies.demo.picture import draw_head
from studies.demo.result import DemoResult

WEIGHTS = FOLDER / "digits.npz"
REPORT, PICTURE = "report.json", "head.png"

WAVE_IMAGES = 4  # with waveforms, which take a megabyte for every few heads

# Told the name of the part of the job that runs and the share of it that is done, 0..1
Progress = Callable[[str, float], None]


def run_demo(
    core: SpikedAttentionCore,
    *,
    images: int | None = None,
    seed: int = 0,
    weights: Path = WEIGHTS,
    waves: Path | None = None,
    progress: Progress = lambda part, share: None,
) -> DemoResult:
    """Run the main job.

    Args:
        core: under test.
        images: held-out images that run through the engine, 1..450; when absent all, or
            `WAVE_IMAGES` with waveforms.
        seed: chooses them.
        weights: file of the trained network.
        waves: existing folder that receives one waveform per layer, layer0.fst and so on, each with its
            views (`sim.cores.core.Core.write_views`).
        progress: told how far the job is.

    Raises:
        InputError: a bad weights file, number of images or seed, or a core that cannot hold the
            network's attention.
    """
    network = load_vit(weights)
    digits = dataset.load()
    if images is None:
        images = len(digits.test_images) if waves is None else WAVE_IMAGES
    check_range("images", images, 1, len(digits.test_images))
    check_range("seed", seed, 0, 2**32 - 1)
    chosen = np.sort(np.random.default_rng(seed).choice(len(digits.test_images), images, replace=False))
    heads = images * network.blocks[0].heads

    progress("calibrate scales on the training images", 0.0)
    ranges, _ = record(network, [digits.train_images[:, None]])
    scheme = Scheme(code=core.config.code)
    attentions = {name: attention_of(largest, scheme) for name, largest in ranges.attention.items()}

    def classes(images: NDArray[np.floating], engine: Engine) -> NDArray[np.int64]:
        return network.run(images[:, None], engine).argmax(axis=1)

    progress("classify the held-out images, exact attention", 0.0)
    float_predicted = classes(digits.test_images, FloatEngine())
    progress("classify the held-out images, spiked attention", 0.0)
    spiking_predicted = classes(digits.test_images, SpikingEngine({}, attentions, {}))
    lockstep = LockstepEngine(
        attentions,
        core,
        waves=waves,
        progress=lambda layer, share: progress(f"layer {layer}: {heads} heads through the RTL", share),
    )
    engine_predicted = classes(digits.test_images[chosen], lockstep)
    return DemoResult(
        seed=seed,
        config=core.config,
        network=network,
        training=load_training(weights),
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
