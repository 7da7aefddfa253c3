"""Networks of one-spike codes."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from golden.code import check_range
from golden.errors import InputError
from golden.memory import WORD_BITS
from golden.network.file import load_network
from golden.network.limits import MAX_TOKENS
from golden.network.network import Network
from golden.network.program import joint_config
from golden.network.rearrange import side_by_side
from golden.network.sizes import read_sizes, sized_config
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from studies.boards.sentences import sentence_throughput
from studies.boards.throughput import IMAGES, Throughput, network_throughput
from studies.infer.cases import cut_case, load_case, load_folder
from studies.infer.cores import core_with_memory
from studies.infer.sentences import Sentences, is_of_sentences, sample_sentences

# Sentences side by side that a core of streamed weights runs, where each has so many rows
BESIDE, SHORTEST = (2, 4, 8), 8
# Sizes of it that this may change
ARRANGED = ("tokens", "windows", "heads", "maps", "taps", "biases", "masks", "table")


def core_of(
    network: Network,
    config_file: Path | None,
    lanes: int | None,
    *,
    token_counts: bool = False,
    streamed: bool = False,
    given: Mapping[str, int] = MappingProxyType({}),
) -> WholeNetworkCore:
    """The core of a network: sizes of --config and --lanes, and the smallest for the rest.

    Args:
        token_counts: an inference has a number of tokens, where the file says nothing else.
        streamed: weights come from a board's memory.
        given: sizes, where the file says nothing else.

    Raises:
        InputError: a bad file or size, or the network does not fit: what it needs and what there is.
    """
    given = dict(given) | ({"token_counts": True} if token_counts else {})
    given |= {"weight_stream": WORD_BITS} if streamed else {}
    given |= {} if config_file is None else read_sizes(config_file)
    return core_with_memory(sized_config(network, given if lanes is None else given | {"lanes": lanes}))


def arranged(sentences: Sentences, lanes: int | None, most: int) -> dict[str, int]:
    """What a core of streamed weights is given so that it runs `most` sentences side by side, and others of
    as many rows."""
    tokens, made = sentences.network.tokens, sentences.made
    rows = tokens * most
    networks = [
        side_by_side(made.of_rows(min(tokens, rows // beside)), beside)
        for beside in sorted({most, *BESIDE} - {1})
        if rows // beside >= SHORTEST or beside == most
    ]
    size = {} if lanes is None else {"lanes": lanes}
    joint = joint_config([sentences.network, *networks], **size, weight_stream=WORD_BITS)
    given = {name: getattr(joint, name) for name in ARRANGED}
    return given | {"attention_tokens": joint.attention.tokens}


def throughput(core: WholeNetworkCore, job: NetworkJob) -> Throughput:
    """What a core does per second; of streamed weights for sentences of every length."""
    by_length = core.config.weight_stream and job.tokens is not None
    return partial(sentence_throughput if by_length else network_throughput, core, job)


def core_of_file(path: Path, config_file: Path | None, lanes: int | None) -> WholeNetworkCore:
    """The core of a network file, streamed weights at a port of its own; see `core_of`."""
    return replace(core_of(load_network(path), config_file, lanes), reader=None)


def core_and_job(
    name: str,
    data: Path | None,
    config_file: Path | None,
    lanes: int | None,
    tokens: int | None,
    streamed: bool = False,
    pieces: int | None = None,
    beside: int = 1,
) -> tuple[WholeNetworkCore, NetworkJob]:
    """The core of a network, and the first images for it; see `studies.infer.cases.load_case`. Of a model of
    sentences, sentences of at most so many tokens; see `studies.infer.sentences.sample_sentences`. A core of
    streamed weights has rows for `beside` of them.

    Raises:
        InputError: what these say, or `core_of`, or tokens of a network of images, or sentences side by side
            of one or with weights in the core.
    """
    stored = load_folder(name)
    if stored is not None and is_of_sentences(stored):
        sentences = sample_sentences(name, stored, data, tokens, pieces)
        job = sentences.job(list(range(len(sentences.samples))))
        if beside > 1 and not streamed:
            raise InputError(f"--side-by-side {beside}: is for weights that are --streamed")
        check_range("--side-by-side", beside, 1, MAX_TOKENS // sentences.network.tokens)
        given = arranged(sentences, lanes, beside) if streamed else {}
        core = core_of(
            sentences.network, config_file, lanes, token_counts=True, streamed=streamed, given=given
        )
        core.check(job)
        core.check_memory(job)
        return core, job
    for option, value in (("--tokens", tokens), ("--side-by-side", None if beside == 1 else beside)):
        if value is not None:
            raise InputError(f"{name}: is no model of sentences, {option} must be absent")
    case = cut_case(load_case(name, data, None, None, stored), pieces)
    job = NetworkJob(network=case.network, image=case.spikes(case.images[:IMAGES]))
    core = core_of(case.network, config_file, lanes, streamed=streamed)
    core.check_memory(job)
    return core, job
