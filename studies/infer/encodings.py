"""What a run of `infer` finds of sentences: in floats, in golden, and in the RTL or on a board."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from energy.ledger import Ledger
from energy.network import account_by_layer
from golden.code import check_range
from golden.errors import InputError
from golden.network.network import Network
from studies.boards.throughput import IMAGES, network_throughput
from studies.evaluate.metrics import cosine, defined
from studies.infer.cores import check_board, core_with_memory, sized_core
from studies.infer.evaluate import Progress
from studies.infer.hardware import BoardImages, NetworkBoard, through_board, through_rtl
from studies.infer.report import Found
from studies.infer.sentences import Sentences, Vectors

ENERGY_SENTENCES = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Encodings(Found):
    """What a run of `infer` found of sentences; cosines are to the vectors of the float model.

    Attributes:
        case: what ran.
        vectors, floats: of golden and of the float model, float64 [sentences, n].
        cosines: of golden, float64 [sentences].
        through: numbers of the sentences that went through the RTL or board; through_cosines: theirs.
        board: None when no sentence went through one.
        alike: where there are two sentences, the cosine of their vectors by the float model and by golden.
    """

    case: Sentences
    vectors: Vectors
    floats: Vectors
    cosines: Vectors
    through: list[int]
    through_cosines: Vectors
    board: BoardImages | None
    alike: dict[str, float | None]
    noun: ClassVar[str] = "sentences"

    @property
    def name(self) -> str:
        return self.case.name

    @property
    def network(self) -> Network:
        return self.case.runs

    @property
    def first(self) -> str:
        if self.case.beside > 1:
            return f"{self.case.beside} sentences of {len(self.case.samples[0])} tokens side by side"
        return f"a sentence of {len(self.case.samples[0])} tokens, room for {self.network.tokens}"

    @property
    def failures(self) -> list[str]:
        return super().failures + ([] if self.board is None else self.board.failures)

    def to_json(self) -> dict[str, Any]:
        report, seen = super().to_json(), dict(zip(self.through, self.through_cosines, strict=True))
        hardware = "board" if self.board is not None else "rtl"
        report["network"] |= {"channels": self.network.width, "outputs": self.network.classes}
        sentences = [
            {
                "text": text,
                "tokens": len(sample),
                "cosine": defined(cos),
                f"{hardware}_cosine": defined(seen[n]) if n in seen else None,
            }
            for n, (text, sample, cos) in enumerate(
                zip(self.case.texts, self.case.samples, self.cosines.tolist(), strict=True)
            )
        ]
        return report | {
            "sentences": sentences,
            "side_by_side": self.case.beside,
            "alike": self.alike,
            **{
                name: None if ran is None else {"index": self.through} | asdict(ran)
                for name, ran in (("rtl", self.rtl), ("board", self.board))
            },
        }


def encode(
    case: Sentences,
    *,
    rtl: int | None = None,
    lanes: int | None = None,
    board: NetworkBoard | None = None,
    streamed: bool = False,
    seed: int = 0,
    clock_mhz: float | None = None,
    waves: Path | None = None,
    progress: Progress = lambda part, share: None,
) -> Encodings:
    """Run sentences in floats, in golden, and some in the RTL or on a board.

    Args:
        rtl: how many go through the RTL too; see `Sentences.rtl`.
        lanes, streamed: of the core, see `studies.infer.cores.sized_core`.
        board: an open board that takes the place of the simulated RTL, with a core of its own size.
        seed: chooses them.
        clock_mhz: at which inferences per second are wanted; see `studies.boards.throughput`.
        waves: see `studies.infer.hardware.through_rtl`.
        progress: told how far the job is.

    Raises:
        InputError: a number out of range, a network that the hardware cannot run.
        LinkError: the board stopped answering.
    """
    total = len(case.texts)
    rtl = case.rtl if rtl is None else rtl
    check_range("--rtl", rtl, 0, total)
    if rtl % case.beside:
        raise InputError(f"--rtl must be a multiple of --side-by-side {case.beside}, not {rtl}")
    if board is not None:
        check_board(board.config, case.runs)
        board.core.check(case.job([]))
        core = core_with_memory(board.config)
    else:
        core = sized_core(case.runs, lanes, streamed=streamed, token_counts=case.beside == 1)
    config = core.config
    groups = np.random.default_rng(seed).choice(total // case.beside, rtl // case.beside, replace=False)
    through = (np.sort(groups)[:, None] * case.beside + np.arange(case.beside)).reshape(-1).tolist()
    floats, golden = [], []
    for n in range(total):
        progress(f"{total} sentences through golden", n / total)
        floats.append(case.floats(n))
        golden.append(case.golden(n))
    found, on_board, cosines = None, None, np.zeros(0)
    if rtl:
        if board is not None:
            on_board, inferred = through_board(board, case.job(through), progress)
        else:
            found, inferred = through_rtl(case.job(through), core, progress, waves)
        scores = case.apart(inferred)
        cosines = np.array(
            [float(cosine(case.vector(n, s), floats[n])) for n, s in zip(through, scores, strict=True)]
        )
    progress("count events, draw the timeline", 1.0)
    pairs = {"float": floats, "golden": golden} if total == 2 else {}
    alike = {name: defined(float(cosine(*pair))) for name, pair in pairs.items()}
    layers = [(Ledger(), Ledger())] * len(case.network.layers)
    counted = min(ENERGY_SENTENCES, total)
    for n in range(counted):
        rows = case.made.of_rows(len(case.samples[n]))
        events = account_by_layer(rows, config, case.enters(n), case.beside)
        layers = [(a + c, b + d) for (a, b), (c, d) in zip(layers, events, strict=True)]
    first = case.job(list(range(case.beside)))
    assert first.image is not None
    return Encodings(
        case=case,
        seed=seed,
        vectors=np.stack(golden),
        floats=np.stack(floats),
        config=config,
        cosines=np.array([float(cosine(a, b)) for a, b in zip(golden, floats, strict=True)]),
        through=through,
        through_cosines=cosines,
        rtl=found,
        board=on_board,
        alike=alike,
        counted=counted,
        layers=layers,
        times=core.times(replace(first, load=False)),
        throughput=None
        if clock_mhz is None
        else network_throughput(
            core, case.job(list(range(min(IMAGES, total) // case.beside * case.beside))), clock_mhz
        ),
    )
