"""Accuracy of a converted network, and its images through the RTL.

    python -m sim.network.evaluate --network digits [--steps 16 --log2-base 1/2] [--images 450] [--rtl 20]
    python -m sim.network.evaluate --network fashion --data DIR [--images 10000] [--rtl 200]

DIR holds the idx files of Fashion-MNIST. Calibration uses the first 1,000 training images.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import golden
from golden.code import PhaseCode, Spikes
from golden.errors import InputError
from golden.network.convert import convert
from golden.network.file import save_network
from golden.network.floating import FloatTransformer, from_vit, load_float
from golden.network.network import Network, encode_image, run_network
from golden.network.program import config_for
from golden.network.recode import Recoder, calibrated_recoder
from golden.vit_weights import load_vit
from sim.demo import dataset
from sim.network import timeline
from sim.network.cycle_model import NetworkTimes, predict
from sim.network.energy import account, table
from sim.network.engine import run
from sim.network.images import load_images

WEIGHTS = Path(golden.__file__).parent / "weights"
NETWORKS = ("digits", "fashion", "fashion-batchnorm")
CALIBRATION_IMAGES = 1000
BATCH = 250
RTL_BATCH = 10


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Right answers on the same images, percent, and what fired.

    Attributes:
        images: how many.
        float_network, spiking, recoded: percent; recoded is None unless asked for.
        firing: share of neurons that fire, by layer.
    """

    images: int
    float_network: float
    spiking: float
    recoded: float | None
    firing: dict[str, float]


def accuracy(
    floating: FloatTransformer,
    network: Network,
    images: NDArray[np.float64],
    labels: NDArray[np.integer],
    recoder: Recoder | None = None,
) -> Accuracy:
    """Classify images with the float network, golden, and golden with a re-coded residual."""
    hits = {"float": 0, "spiking": 0, "recoded": 0}
    fired: dict[str, list[float]] = {}
    for low in range(0, len(images), BATCH):
        part, label = images[low : low + BATCH], labels[low : low + BATCH]
        spikes = encode_image(network, floating.patches(part))
        activity = run_network(network, spikes)
        hits["float"] += int((floating.scores(part).argmax(-1) == label).sum())
        hits["spiking"] += int((activity.scores.argmax(-1) == label).sum())
        if recoder is not None:
            scores = run_network(network, spikes, after_sum=recoder).scores
            hits["recoded"] += int((scores.argmax(-1) == label).sum())
        outputs = [spikes, *activity.outputs]
        names = ["image", *(f"{n} {layer.target}" for n, layer in enumerate(network.layers))]
        for name, output in zip(names, outputs, strict=True):
            if isinstance(output, Spikes):
                fired.setdefault(name, []).append(output.count() / output.sign.size)
    percent = {name: 100 * count / len(images) for name, count in hits.items()}
    return Accuracy(
        images=len(images),
        float_network=percent["float"],
        spiking=percent["spiking"],
        recoded=None if recoder is None else percent["recoded"],
        firing={name: float(np.mean(values)) for name, values in fired.items()},
    )


def through_rtl(network: Network, image: Spikes) -> dict[str, Any]:
    """Images through the compiled RTL beside golden and the cycle model.

    Returns:
        Integers compared and different, cycles per image measured, whether all cycles are as
        predicted, share of the lane-cycles of linear layers and of all lane-cycles in which a weight
        is added, seconds of simulation per image.
    """
    config = config_for(network)
    compared = different = 0
    cycles: list[int] = []
    as_predicted, seconds = True, 0.0
    additions = linear = 0
    for low in range(0, image.shape[0], RTL_BATCH):
        part = image[low : low + RTL_BATCH]
        measured = run(network, config, part)
        predicted: NetworkTimes = predict(network, config, part, len(measured.result.accepted["i_load"]))
        compared, different = compared + measured.compared, different + measured.different
        if measured.first_difference:
            print(measured.first_difference, file=sys.stderr)
        as_predicted &= measured.finished.tolist() == predicted.finished
        cycles += np.diff(measured.finished).tolist()
        additions, linear = additions + predicted.additions, linear + predicted.linear
        seconds += measured.result.seconds
        print(f"{low + part.shape[0]} images, {compared} integers, {different} differ", file=sys.stderr)
    return {
        "images": image.shape[0],
        "integers": compared,
        "different": different,
        "cycles": float(np.mean(cycles)) if cycles else None,
        "cycles_as_predicted": as_predicted,
        "lanes_at_work_in_linear_layers": additions / linear / config.lanes,
        "lanes_at_work": additions / image.shape[0] / np.mean(cycles) / config.lanes if cycles else None,
        "seconds_per_image": seconds / image.shape[0],
    }


@dataclass(frozen=True)
class Case:
    """A trained network with images to calibrate and to test it."""

    floating: FloatTransformer
    calibration: NDArray[np.float64]
    images: NDArray[np.float64]
    labels: NDArray[np.integer]


def load_case(name: str, data: Path | None) -> Case:
    """One of `NETWORKS`.

    Raises:
        InputError: Fashion-MNIST without a folder, or its files are missing or damaged.
    """
    if name == "digits":
        digits = dataset.load()
        floating = from_vit(load_vit(WEIGHTS / "digits.npz"))
        train, images = (np.asarray(a, np.float64) for a in (digits.train_images, digits.test_images))
        return Case(floating, train[:CALIBRATION_IMAGES], images, digits.test_labels)
    if data is None:
        raise InputError(f"network {name} needs --data, the folder with the idx files of Fashion-MNIST")
    floating = load_float(WEIGHTS / f"{name}.npz")
    calibration, _ = load_images(data, "train")
    return Case(floating, calibration[:CALIBRATION_IMAGES], *load_images(data, "t10k"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", choices=NETWORKS, default="fashion")
    parser.add_argument("--data", type=Path, help="folder of idx files")
    parser.add_argument("--steps", type=int, default=16, help="T")
    parser.add_argument("--log2-base", type=Fraction, default=Fraction(1, 2), help="a/b, B = 2**(a/b)")
    parser.add_argument("--images", type=int, default=10000, help="test images in golden")
    parser.add_argument("--rtl", type=int, default=0, help="test images through the RTL")
    parser.add_argument("--recode", action="store_true", help="also with the residual coded after each sum")
    parser.add_argument("--save", type=Path, help="write the network file here")
    parser.add_argument("--energy", type=int, default=0, help="test images whose events are priced")
    parser.add_argument("--timeline", type=Path, help="write the picture of one inference here")
    parser.add_argument("--json", type=Path, help="write the result here")
    args = parser.parse_args()
    try:
        case = load_case(args.network, args.data)
        floating, calibration, images, labels = case.floating, case.calibration, case.images, case.labels
        code = PhaseCode(steps=args.steps, log2_base=args.log2_base)
        network = convert(floating, calibration, code)
        report: dict[str, Any] = {
            "network": args.network,
            "steps": args.steps,
            "log2_base": str(args.log2_base),
        }
        if args.save:
            save_network(args.save, network)
        if args.images:
            recoder = None
            if args.recode:
                recoder = calibrated_recoder(network, encode_image(network, floating.patches(calibration)))
            report["accuracy"] = vars(
                accuracy(floating, network, images[: args.images], labels[: args.images], recoder)
            )
        if args.rtl:
            report["rtl"] = through_rtl(network, encode_image(network, floating.patches(images[: args.rtl])))
        if args.energy:
            spiking, dense = account(
                network, config_for(network), encode_image(network, floating.patches(images[: args.energy]))
            )
            print(table(spiking, "spiking"), table(dense, "8-bit multiply-accumulate"), sep="\n\n")
            report["energy"] = {
                name: {e.name: {"count": e.count, "picojoule": e.picojoule} for e in events}
                for name, events in (("spiking", spiking), ("multiply_accumulate", dense))
            }
        if args.timeline:
            one = encode_image(network, floating.patches(images[:1]))
            times = predict(network, config_for(network), one, 0)
            print(timeline.text(times))
            timeline.picture(times, args.timeline)
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    text = json.dumps(report, indent=2)
    print(text)
    if args.json:
        args.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
