"""Runs a compiled model: arrays in, arrays and cycle stamps out, no Python per cycle."""

import ctypes
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.code import check_range
from golden.errors import InputError
from hw.export.verilog import Manifest, PlainPort
from sim.verilator import harness_abi as abi
from sim.verilator.payload import Fields, pack, unpack, word_count
from sim.verilator.result import Beats, Result, SimulationError

Pauses = float | Mapping[str, float]
Progress = Callable[[int, int, int], None]

SEED_BITS = 48


class Simulator:
    """A compiled component.

    Cycle n is what is sampled at clock edge n; edge 0 is the first after reset, and the first at
    which inputs are offered. Every run starts from a fresh model.
    """

    def __init__(self, verilog: str, manifest: Manifest, library: Callable[[bool], Path]) -> None:
        """Args:
        verilog: text of the component.
        manifest: of the component.
        library: path of its shared library, without or with traces; compiles if need be.
        """
        self.verilog = verilog
        self.manifest = manifest
        self._library = library
        self._loaded: dict[bool, Any] = {}
        self._load(waves=False)

    def run(
        self,
        inputs: Mapping[str, Fields],
        expect: Mapping[str, int],
        *,
        pauses: Pauses = 0.0,
        seed: int = 0,
        ports: Mapping[str, int] | None = None,
        reset_at: int | None = None,
        drain: int = 64,
        limit: int | None = None,
        stall: int = 100_000,
        progress: Progress | None = None,
        waves: Path | None = None,
    ) -> Result:
        """Feed every input stream, collect every output stream.

        Streams run at full rate except for `pauses`. The run ends when all inputs are accepted and
        all expected beats have arrived.

        Args:
            inputs: payload fields of every input stream, see `sim.verilator.payload`.
            expect: number of beats of every output stream.
            pauses: probability that an input waits, or an output is not ready, in a cycle; for all
                streams, or by name.
            seed: of the pauses.
            ports: values of the plain input ports, held constant; 0 where absent.
            reset_at: start, pulse reset in this cycle and start again from the first beat: the
                result is that of the second start.
            drain: cycles to go on after the last beat, in which no other may arrive.
            limit: cycles after which to give up.
            stall: cycles without a transfer after which to give up.
            progress: called with (cycle, beats received, beats expected) every few thousand cycles.
            waves: FST file to write; uses a second build of the model, compiled when first asked for.

        Raises:
            InputError: inputs do not fit the streams.
            SimulationError: beats are missing, too many, or withdrawn; or an assertion failed.
        """
        manifest = self.manifest
        chances = _chances(manifest, pauses)
        sources, targets = _ports(manifest.streams, "in"), _ports(manifest.streams, "out")
        _check_keys(f"inputs of {manifest.name}", inputs, sources)
        _check_keys(f"expected beats of {manifest.name}", expect, targets)
        check_range("seed", seed, 0, (1 << SEED_BITS) - 1)
        check_range("reset_at", reset_at or 0, 0, 1 << 62)
        if waves is not None:
            _check_writable(waves)
        words = {name: pack(port.layout, inputs[name], name) for name, port in sources.items()}
        for name, port in targets.items():
            words[name] = np.zeros((expect[name], word_count(port.layout)), np.uint32)
        stamps = {name: np.full(len(block), -1, np.int64) for name, block in words.items()}
        records = {
            name: abi.Stream(
                words=words[name].ctypes.data_as(abi.U32),
                beats=len(words[name]),
                stride=words[name].shape[1],
                pause=chances[name],
                # Far apart, so that no two streams pause together.
                seed=seed << 16 | number,
                cycles=stamps[name].ctypes.data_as(abi.I64),
            )
            for number, name in enumerate(words)
        }
        feeds = (abi.Stream * len(sources))(*(records[name] for name in sources))
        sinks = (abi.Stream * len(targets))(*(records[name] for name in targets))
        held = _plain_inputs(manifest, ports or {})
        seen = {name: _plain_words(port, 0) for name, port in _ports(manifest.ports, "out").items()}
        raised: list[BaseException] = []

        def tick(cycle: int, received: int, expected: int) -> int:
            try:
                if progress:
                    progress(cycle, received, expected)
            except BaseException as error:  # carried across the C++ loop
                raised.append(error)
                return 1
            return 0

        job = abi.Job(
            feeds=feeds,
            sinks=sinks,
            plain_in=_pointers(held),
            plain_out=_pointers(seen),
            reset_at=-1 if reset_at is None else reset_at,
            drain=drain,
            limit=2**63 if limit is None else limit,
            stall=stall,
            progress=abi.PROGRESS(tick),
            waves=None if waves is None else str(waves).encode(),
        )
        library = self._load(waves=waves is not None)
        started = time.perf_counter()
        _run(library, job)
        seconds = time.perf_counter() - started
        if raised:
            raise raised[0]
        moved = dict(zip((*sources, *targets), (s.moved for s in (*feeds, *sinks)), strict=True))
        if job.status == abi.EARLY:
            raise InputError(
                f"reset_at must be less than the {job.cycles} cycles of the work, not {reset_at}"
            )
        if job.status != abi.DONE:
            raise SimulationError(f"{manifest.name}: {self._complaint(job, records, moved)}")
        return Result(
            outputs={n: Beats(words[n], stamps[n], port.layout) for n, port in targets.items()},
            accepted={name: stamps[name] for name in sources},
            ports={
                name: _plain_value(port, seen[name]) for name, port in _ports(manifest.ports, "out").items()
            },
            cycles=job.cycles,
            seconds=seconds,
        )

    def _complaint(self, job: abi.Job, records: Mapping[str, abi.Stream], moved: Mapping[str, int]) -> str:
        """Why a run failed, in one line."""
        outputs = list(_ports(self.manifest.streams, "out"))
        if job.status == abi.ASSERTION:
            return f"an assertion failed in cycle {job.cycles}"
        if job.status in (abi.EXTRA, abi.UNSTABLE):
            name = outputs[job.stream]
            if job.status == abi.EXTRA:
                return (
                    f"cycle {job.cycles}, stream {name}: more than the {records[name].beats} expected beats"
                )
            return f"cycle {job.cycles}, stream {name}: beat {moved[name]} changed before it was accepted"
        short = [
            f"{name} ({moved[name]} of {record.beats} beats {'delivered' if name in outputs else 'accepted'})"
            for name, record in records.items()
            if moved[name] < record.beats
        ]
        why = f"no transfer for {job.stall} cycles" if job.status == abi.STALL else "limit of cycles reached"
        return f"{why} in cycle {job.cycles}; short of beats: {', '.join(short) or 'none'}"

    def _load(self, *, waves: bool) -> Any:
        if waves not in self._loaded:
            self._loaded[waves] = abi.load(self._library(waves))
        return self._loaded[waves]


def _run(library: Any, job: abi.Job) -> None:
    """Run a job to its end, or to the next cycle when an interrupt comes.

    In a thread of its own: Python hears a signal when its main thread runs Python.
    """
    with ThreadPoolExecutor(1) as thread:
        try:
            thread.submit(library.harness_run, ctypes.byref(job)).result()
        except BaseException:
            job.cancel = 1
            raise


def _check_writable(path: Path) -> None:
    try:
        path.open("wb").close()
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None


def _ports(ports: Any, direction: str) -> dict[str, Any]:
    return {port.name: port for port in ports if port.direction == direction}


def _check_keys(what: str, given: Mapping[str, Any], allowed: Mapping[str, Any]) -> None:
    if set(given) != set(allowed):
        raise InputError(
            f"{what} must be for the streams {', '.join(allowed) or 'none'}, not {', '.join(given) or 'none'}"
        )


def _chances(manifest: Manifest, pauses: Pauses) -> dict[str, int]:
    """Probability of a pause of each stream, in units of 2**-32; 0 where it cannot pause."""
    free = {
        port.name: not (port.always_valid if port.direction == "in" else port.always_ready)
        for port in manifest.streams
    }
    if not isinstance(pauses, Mapping):
        pauses = {name: pauses for name, can in free.items() if can}
    for name, chance in pauses.items():
        if not free[manifest.stream(name).name]:
            raise InputError(f"pauses must be for streams that can wait; {name} cannot")
        if not 0 <= chance < 1:
            raise InputError(f"pauses of {name} must be a probability in [0, 1), not {chance}")
    return {name: round(pauses.get(name, 0.0) * 2**32) for name in free}


def _plain_inputs(manifest: Manifest, values: Mapping[str, int]) -> dict[str, NDArray[np.uint32]]:
    allowed = _ports(manifest.ports, "in")
    for name in values:
        if name not in allowed:
            raise InputError(
                f"ports of {manifest.name} must be among {', '.join(allowed) or 'none'}, not {name!r}"
            )
    return {name: _plain_words(port, values.get(name, 0)) for name, port in allowed.items()}


def _plain_words(port: PlainPort, value: int) -> NDArray[np.uint32]:
    layout = {"width": port.width, "signed": port.signed}
    return pack(layout, np.asarray([value]), port.name)[0]


def _plain_value(port: PlainPort, words: NDArray[np.uint32]) -> int:
    layout = {"width": port.width, "signed": port.signed}
    return int(unpack(layout, words[None])[0])


def _pointers(arrays: Mapping[str, NDArray[np.uint32]]) -> Any:
    return (abi.U32 * len(arrays))(*(array.ctypes.data_as(abi.U32) for array in arrays.values()))
