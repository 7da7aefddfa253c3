"""Sentences per second of a core of streamed weights, by their length and how many are side by side."""

from typing import Any

import numpy as np

from golden.network.rearrange import side_by_side
from models.conversion.network import shortened
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from sim.timing.network import NetworkTimes
from studies.boards.throughput import network_throughput

LENGTHS, BESIDE = (8, 16, 32, 64), (1, 2, 4, 8)
# Of inferences that follow each other the second tells the time of each
INFERENCES = 2
# Units, in the order in which a cycle is put down to one of them: dense layers first
UNITS = {"linear": "dense layers", "norm": "norms alone", "attention": "attention alone"}


def sentence_throughput(core: WholeNetworkCore, job: NetworkJob, clock_mhz: float) -> dict[str, Any]:
    """As `network_throughput`, and `sentences`: see `sentence_rates`."""
    found = network_throughput(core, job, clock_mhz)
    return found | {"sentences": sentence_rates(core, job, clock_mhz)}


def sentence_rates(core: WholeNetworkCore, job: NetworkJob, clock_mhz: float) -> list[dict[str, Any]]:
    """Of every length of which a core holds as many sentences as are side by side; or of its own if shorter.

    Args:
        job: sentences of all rows of the core; their first rows are the shorter ones.

    Returns:
        For each: tokens, side_by_side, cycles of an inference, sentences_per_second, words_per_cycle that the
        memory brings, lanes_at_work: the share of cycles in which a spike is broadcast, shares of the
        cycles in which dense layers are at work, and of the others norms, attention and neither; and
        busy_in_dense_layers: of the cycles of dense layers, the share in which a spike is broadcast, or the
        least in which a word comes, what is more.
    """
    assert isinstance(job.image, np.ndarray), "sentences enter as integers of the stream"
    rates = []
    most = min(core.config.tokens, core.config.attention.tokens)
    for tokens in [length for length in LENGTHS if length <= most] or [most]:
        for beside in BESIDE:
            if tokens * beside > core.config.tokens:
                continue
            single = shortened(job.network, tokens)
            network = single if beside == 1 else side_by_side(single, beside)
            rows = np.concatenate([job.image[:, :tokens]] * (INFERENCES * beside))[: INFERENCES * beside]
            image = rows.reshape(INFERENCES, network.tokens, network.width)
            times = core.times(NetworkJob(network=network, image=image))
            cycles = times.finished[-1] - times.finished[-2]
            words = sum(layer.words for layer in times.fetched) / INFERENCES / cycles
            lanes, of_units = times.broadcasts / INFERENCES / cycles, shares(times)
            dense = of_units[UNITS["linear"]]
            rates.append(
                {
                    "tokens": tokens,
                    "side_by_side": beside,
                    "cycles": cycles,
                    "sentences_per_second": round(beside * clock_mhz * 1e6 / cycles, 1),
                    "words_per_cycle": round(words, 3),
                    "lanes_at_work": round(lanes, 3),
                    "shares": of_units,
                    # words may come in all of the other cycles; no spike is broadcast in them
                    "busy_in_dense_layers": round(max(lanes, words - (1 - dense)) / dense, 3),
                }
            )
    return rates


def shares(times: NetworkTimes) -> dict[str, float]:
    """Of the cycles of the last inference, those that a unit of `UNITS` takes and none before it there."""
    begin, end = times.finished[-2] + 1, times.finished[-1] + 1
    left = np.ones(end - begin, bool)
    found = {}
    for unit, words in UNITS.items():
        before = int(left.sum())
        for segment in times.timeline:
            if segment.unit == unit and segment.last >= begin:
                left[max(segment.first - begin, 0) : segment.last + 1 - begin] = False
        found[words] = round((before - int(left.sum())) / len(left), 3)
    return found | {"neither": round(float(left.mean()), 3)}


HEADS = (
    "tokens", "side by side", "cycles", "sentences per second", "words per cycle", "lanes at work",
    *UNITS.values(), "neither", "dense layers busy",
)  # fmt: skip


def table_rows(rates: list[dict[str, Any]]) -> list[list[str]]:
    """What a table of `sentence_rates` has under `HEADS`."""
    return [
        [
            str(rate["tokens"]),
            str(rate["side_by_side"]),
            f"{rate['cycles']:,}",
            f"{rate['sentences_per_second']:.1f}",
            f"{rate['words_per_cycle']:.2f}",
            f"{rate['lanes_at_work']:.1%}",
            *[f"{share:.1%}" for share in rate["shares"].values()],
            f"{rate['busy_in_dense_layers']:.1%}",
        ]
        for rate in rates
    ]
