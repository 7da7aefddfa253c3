"""What a sweep measures: heads on an attention core, images on a network core."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from energy import mac
from energy.attention import spiking_attention
from energy.events import attention_events
from energy.network import account
from golden.attention.exact import softmax_attention
from golden.attention.job import compute, decode_outputs, prepare
from golden.code import check_range
from golden.inputs import check_terms
from golden.network.network import Network, encode_image, run_network
from golden.network.program import config_for
from models.conversion.network import convert_network
from models.floating.engine import FloatEngine
from models.floating.vit import Vit
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from studies.infer.cases import load_case
from studies.sweep.grid import Point

# Images whose cycles are predicted, and whose events are counted
TIMED_IMAGES = 3
COUNTED_IMAGES = 10


def checksum(arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Heads:
    """Arrays of onespike attention."""

    arrays: dict[str, Any]

    @property
    def content(self) -> str:
        return checksum(self.arrays)

    def core(self, point: Point) -> SpikedAttentionCore:
        heads, tokens, head_dim = self.arrays["q"].shape
        # A bias may hold a mask
        bias, allowed = check_terms(self.arrays.get("bias"), self.arrays.get("mask"), heads, tokens)
        config = point.config(tokens, head_dim, bias=bias is not None, mask=allowed is not None)
        return SpikedAttentionCore(config)

    def measure(self, point: Point) -> dict[str, Any]:
        """Error, cycles and energies of a point.

        Raises:
            InputError: the arrays cannot be run on such a core.
        """
        arrays, config = self.arrays, self.core(point).config
        job, scales = prepare(**arrays, code=point.code)
        out, _ = decode_outputs(job, compute(job), scales)
        exact, _ = softmax_attention(arrays["q"], arrays["k"], arrays["v"], arrays.get("bias"), job.allowed)
        events = attention_events(job, config)
        return {
            "error": float(np.sqrt(np.square(out - exact).sum() / np.square(exact).sum())),
            "accuracy": None,
            "cycles": events.cycles,
            "energy": spiking_attention(events, config).microjoule,
            "mac_energy": mac.attention(events, config).microjoule,
        }


@dataclass(frozen=True, eq=False)
class Images:
    """A trained network with images.

    Attributes:
        network: floats.
        calibration: images [n, side, side] that set the scales.
        images, labels: that are classified.
    """

    network: Vit
    calibration: NDArray[np.float64]
    images: NDArray[np.float64]
    labels: NDArray[np.integer]

    @property
    def content(self) -> str:
        import joblib  # as long to load as NumPy; only what measures networks shall wait for it

        return str(joblib.hash([self.network, self.calibration, self.images]))

    def core(self, point: Point) -> WholeNetworkCore:
        return self.converted(point)[1]

    def converted(self, point: Point) -> tuple[Network, WholeNetworkCore]:
        network = convert_network(self.network, [self.calibration[:, None]], point.code).network
        config = config_for(network, lanes=point.lanes, cluster=min(8, point.lanes))
        return network, WholeNetworkCore(config)

    def measure(self, point: Point) -> dict[str, Any]:
        """Error of the scores, accuracy, cycles and energies per inference.

        Raises:
            InputError: the network's integers leave their words, or the core cannot be.
        """
        network, core = self.converted(point)
        spikes = encode_image(network, self.network.entering(self.images[:, None]))
        scores = run_network(network, spikes).scores
        times = core.predict(NetworkJob(network=network, image=spikes[:TIMED_IMAGES]))
        spiking, dense = account(network, core.config, spikes[:COUNTED_IMAGES])
        return {
            "error": misfit(scores, self.network.run(self.images[:, None], FloatEngine())),
            "accuracy": 100 * float((scores.argmax(-1) == self.labels).mean()),
            "cycles": round(float(times.durations[1:].mean())),
            "energy": spiking.microjoule,
            "mac_energy": dense.microjoule,
        }


Workload = Heads | Images


def misfit(scores: NDArray[np.integer], exact: NDArray[np.floating]) -> float:
    """Relative RMSE of class scores, each image's mean taken off, at the scale that fits best."""
    a, b = (x - x.mean(axis=-1, keepdims=True) for x in (scores.astype(np.float64), exact))
    agreement = float((a * b).sum() ** 2 / (np.square(a).sum() * np.square(b).sum()))
    return float(np.sqrt(max(1 - agreement, 0.0)))


def load_images(name: str, data: Path | None, count: int, seed: int) -> Images:
    """A network of onespike infer and images drawn by `seed`.

    Raises:
        InputError: missing or damaged data, fewer images than asked for.
    """
    case = load_case(name, data, None, None)
    assert isinstance(case.floating, Vit), "named networks are vision transformers"
    check_range("images", count, TIMED_IMAGES, len(case.images))
    chosen = np.sort(np.random.default_rng(seed).choice(len(case.images), count, replace=False))
    return Images(case.floating, case.calibration, case.images[chosen], case.labels[chosen])


def key_of(point: Point, content: str, seed: int) -> str:
    """Name of a point's result: everything that it depends on, hashed."""
    text = json.dumps(asdict(point) | {"content": content, "seed": seed}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
