"""Attention cores on simulated boards, through the driver, against golden."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from golden.attention.config import PRESETS, preset
from golden.attention.job import AttentionJob, AttentionSpikes, HeadScales, compute, prepare
from golden.code import Spikes
from golden.errors import InputError
from models.conversion.record import record
from models.conversion.scales import attention_of
from models.conversion.scheme import Scheme
from models.floating.engine import SpikingEngine
from models.shipped.vit_file import load_vit
from sim.board.board import connect
from sim.board.session import LinkError
from sim.board.simulate import compile_board, running
from sim.board.soak import AttentionBoard
from sim.cores.attention.core import SpikedAttentionCore
from studies.data import handwritten_digits as dataset
from studies.demo.run import WEIGHTS
from synth.boards import find_board

SLOW_CLOCK = 20e6  # Hz
IMAGES = 2


@pytest.fixture(scope="module")
def tiny() -> Iterator[AttentionBoard]:
    """An iCEBreaker with the tiny preset."""
    program = compile_board(find_board("icebreaker"), SpikedAttentionCore(preset("tiny")).design("tiny"))
    with running(program) as port, connect(SpikedAttentionCore, port) as board:
        yield board


@pytest.fixture(scope="module")
def digits() -> Iterator[AttentionBoard]:
    """A ULX3S with the digits preset, at a clock at which a byte takes few cycles to simulate."""
    program = compile_board(
        find_board("ulx3s-85f"), SpikedAttentionCore(preset("digits")).design("digits"), SLOW_CLOCK
    )
    with running(program) as port, connect(SpikedAttentionCore, port, patience=60) as board:
        yield board


def random_job(
    name: str, seed: int, heads: int, tokens: int, features: int, *, terms: bool = False
) -> AttentionJob:
    rng = np.random.default_rng(seed)
    q, k, v = (rng.normal(size=(heads, tokens, features)) for _ in "qkv")
    bias = rng.normal(size=(heads, tokens, tokens)) if terms else None
    mask = rng.random((heads, tokens, tokens)) < 0.8 if terms else None
    if mask is not None:
        mask[..., 0] = True
    return prepare(q, k, v, PRESETS[name].code, bias=bias, mask=mask).job


def check(board: AttentionBoard, job: AttentionJob) -> AttentionSpikes:
    """What the board shows; everything is golden's."""
    found, want = board.run(job), compute(job)
    for name in ("score", "winner", "attn_phase", "normaliser", "context"):
        assert np.array_equal(getattr(found, name), getattr(want, name)), name
    assert np.array_equal(found.out.sign, want.out.sign)
    assert np.array_equal(found.out.phase, want.out.phase)
    return found


@pytest.mark.parametrize(
    ("heads", "tokens", "features"), [(1, 1, 1), (1, 16, 16), (3, 9, 5), (2, 8, 16), (5, 2, 3)]
)
def test_tiny(tiny: AttentionBoard, heads: int, tokens: int, features: int) -> None:
    check(tiny, random_job("tiny", tokens, heads, tokens, features))


def test_silent_rows(tiny: AttentionBoard) -> None:
    rng = np.random.default_rng(3)
    q, k, v = (rng.normal(size=(2, 12, 8)) * (rng.random((2, 12, 1)) < 0.6) for _ in "qkv")
    check(tiny, prepare(q, k, v, tiny.config.code, scale_q=2.0, scale_k=2.0, scale_v=2.0, scale_o=1.0).job)


def test_board_states_its_configuration(tiny: AttentionBoard) -> None:
    assert tiny.config == preset("tiny")
    tiny.require(preset("tiny"))
    with pytest.raises(InputError, match=r"steps of the board must be 16, it is 8"):
        tiny.require(preset("default"))


def test_job_that_does_not_fit(tiny: AttentionBoard) -> None:
    with pytest.raises(InputError, match="tokens must be at most 16 in this configuration, not 17"):
        tiny.run(random_job("tiny", 1, 1, 17, 4))
    check(tiny, random_job("tiny", 2, 1, 4, 4))


def test_no_attention_core(standin_port: str) -> None:
    with (
        pytest.raises(InputError, match="must hold an attention core, it does not"),
        connect(SpikedAttentionCore, standin_port),
    ):
        pass


def test_port_that_cannot_be_opened(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="must be a serial port that can be opened"),
        connect(SpikedAttentionCore, "/dev/absent"),
    ):
        pass
    plain = tmp_path / "file"
    plain.write_bytes(b"")
    with (
        pytest.raises(InputError, match="must be a serial port that can be opened"),
        connect(SpikedAttentionCore, str(plain)),
    ):
        pass


def test_board_that_goes_away() -> None:
    program = compile_board(find_board("icebreaker"), SpikedAttentionCore(preset("tiny")).design("tiny"))
    with running(program) as port:
        context = connect(SpikedAttentionCore, port, patience=5)
        board = context.__enter__()
    with pytest.raises(LinkError, match=r"the port stopped working|must make progress within"):
        board.run(random_job("tiny", 1, 1, 16, 16))


def test_bias_mask_and_both_outputs(digits: AttentionBoard) -> None:
    check(digits, random_job("digits", 1, 1, 16, 16, terms=True))
    check(digits, random_job("digits", 2, 2, 7, 3))


def test_digits_network(digits: AttentionBoard) -> None:
    """The network of the main job with every head on the board."""
    network, data = load_vit(WEIGHTS), dataset.load()
    ranges, _ = record(network, [data.train_images[:, None]])
    scheme = Scheme(code=digits.config.code)
    attentions = {name: attention_of(largest, scheme) for name, largest in ranges.attention.items()}
    jobs: list[AttentionJob] = []

    class OnBoard(SpikingEngine):
        def fire(self, job: AttentionJob, scales: HeadScales) -> tuple[np.ndarray, Spikes]:
            jobs.append(job)
            spikes = check(digits, job)
            return spikes.attn_phase, spikes.out

    images = data.test_images[:IMAGES, None]
    on_board = network.run(images, OnBoard({}, attentions, {}))
    assert np.array_equal(on_board, network.run(images, SpikingEngine({}, attentions, {})))
    assert [job.heads for job in jobs] == [IMAGES * network.blocks[0].heads] * len(network.blocks)
