"""Whole spiking networks in Python: images, sentences, and boards."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from golden.errors import InputError, quoted
from models.conversion.store import load
from sim.board.simulate import compile_board, running
from sim.cores.core import Core
from studies.infer.cases import Case, load_case
from studies.infer.encodings import Encodings, encode
from studies.infer.hardware import NetworkBoard
from studies.infer.sentences import is_of_sentences, load_sentences
from synth.boards import find_board


def trained_network(
    name: str | Path = "digits",
    *,
    data: str | Path | None = None,
    steps: int | None = None,
    log2_base: Fraction | None = None,
) -> Case:
    """A small vision transformer as a network of integers, with the images that it classifies.

    Source: SpikedAttention (NeurIPS 2024), section 3.4, for the conversion.

    Args:
        name: digits, fashion, fashion-batchnorm, cifar10 or cifar10-small, whose weights come with the
            project; a file of `save_network`, or of trained float weights; or a folder of `convert`.
        data: folder with the idx files of the images, of images in colour one that holds cifar10/; the
            handwritten digits when absent.
        steps, log2_base: T and log2 B of the conversion, those of `PhaseCode` when absent.

    Returns:
        The `network`; held-out `images`, [n, side, side], in colour [n, side, side, 3], in 0..1, and their
        `labels`, [n]; `spikes(images)`, what the network takes of them: [n, tokens, pixels].

    Raises:
        InputError: a bad name, file or code, or images that do not fit the network.

    >>> import onespike
    >>> digits = onespike.trained_network()
    >>> digits.images.shape, digits.network.tokens, digits.network.classes
    ((450, 8, 8), 16, 10)
    """
    return load_case(str(name), None if data is None else Path(data), steps, log2_base)


def run_sentences(
    folder: str | Path,
    texts: Sequence[str],
    *,
    engine: Literal["golden", "rtl", "board"] = "golden",
    board: NetworkBoard | None = None,
    tokens: int | None = None,
    lanes: int | None = None,
    streamed: bool = False,
    pieces: int | None = None,
) -> Encodings:
    """Sentences through a converted text encoder or classifier, beside its float model.

    Args:
        folder: of `convert`, with the tokenizer of the model.
        texts: the sentences.
        engine: golden computes the integers; rtl also runs all of them in the generated hardware, every
            integer of every layer compared, every cycle predicted; board on an open board, scores compared.
        board: that `connect` opened, for engine board alone.
        tokens: rows of the core of rtl; those of the longest sentence when absent.
        lanes, streamed, pieces: of that core, as those options of `onespike infer`.

    Returns:
        `vectors` of golden, which are the hardware's unless its `different` says otherwise, and `floats`,
        float64 [texts, n]: embeddings or class scores; `cosines` between them; `rtl` or `board`, what was
        compared and differed; `to_json()`, the report of `onespike infer`.

    Raises:
        InputError: a bad folder, sentence or number, or a network that the core cannot hold.
        OutsideError: the board stopped answering.

    >>> from pathlib import Path
    >>> import onespike  # sentence_bert is a folder of sentence-transformers
    >>> _ = Path("lines.txt").write_text("w4 w5 w6\\nw20 w21 w9\\n" * 10)
    >>> _ = onespike.convert("sentence_bert", "lines.txt", "text")
    >>> found = onespike.run_sentences("text", ["w5 w6", "w20 w9 w4"])
    >>> found.vectors.shape, bool(found.cosines.min() > 0.9)
    ((2, 16), True)
    """
    engines = ("golden", "rtl", "board")
    if engine not in engines:
        raise InputError(f"engine must be one of {', '.join(engines)}, not {quoted(engine)}")
    if (engine == "board") != (board is not None):
        raise InputError("engine board needs an open board, and an open board engine board")
    if engine == "board" and (lanes is not None or streamed):
        raise InputError("lanes and streamed size the simulated core, a board has its own")
    if isinstance(texts, str) or not texts or not all(isinstance(text, str) for text in texts):
        raise InputError(f"texts must be a list of sentences, at least one, not {quoted(texts)}")
    stored = load(Path(folder))
    if not is_of_sentences(stored):
        raise InputError(
            f"{folder}: must be a model of sentences, its samples are {stored.model.samples.kind}"
        )
    case = load_sentences(str(folder), stored, list(texts), None, tokens=tokens, pieces=pieces)
    through = 0 if engine == "golden" else len(texts)
    return encode(case, rtl=through, lanes=lanes, streamed=streamed, board=board)


@contextmanager
def simulated_board(
    core: Core[Any, Any, Any], board: str = "ulx3s-85f", *, clock_mhz: float | None = None
) -> Iterator[str]:
    """A board with a core, simulated from its pins on: the name of a serial port for `connect`.

    Args:
        core: to put on it; compiled, unless an equal board is in the cache.
        board: one of `BOARDS`.
        clock_mhz: of the design; the board's own when absent. A slow one makes the serial line quick.

    Raises:
        InputError: an unknown board, a clock that cannot make its bit rate, or no C++ compiler.

    >>> import numpy as np, onespike
    >>> core = onespike.SpikedAttentionCore(onespike.PRESETS["tiny"])
    >>> job = core.prepare(*np.random.default_rng(0).normal(size=(3, 1, 6, 8)))
    >>> with (
    ...     onespike.simulated_board(core, "icebreaker") as port,
    ...     onespike.connect(onespike.SpikedAttentionCore, port) as board,
    ... ):
    ...     core.compare(job, vars(board.run(job))).different
    0
    """
    clock = None if clock_mhz is None else clock_mhz * 1e6
    with running(compile_board(find_board(board), core.design("python"), clock)) as port:
        yield port
