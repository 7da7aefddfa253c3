"""The files of the Verilog test bench of the attention core: a job, and what golden says of it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.attention.config import CoreConfig, from_table
from golden.attention.job import AttentionJob, compute, prepare
from hw.export.axi import AxiManifest, AxiPort
from hw.export.axi_bench import beat_file, bench, bench_core_file, bench_name
from hw.export.verilog import write_files
from sim.cores.attention.driver import Fields, input_beats, spike_beats
from sim.verilator.payload import pack

# Of the job, where the core has as much room
HEADS, TOKENS, FEATURES = 2, 12, 8


def write_bench(manifest: AxiManifest, directory: Path) -> tuple[Path, ...]:
    """Write the bench of an IP, its core file, and the beats of a random job with golden's answer.

    Args:
        manifest: of the IP, whose files lie in `directory`.

    Returns:
        The paths.
    """
    config = from_table(dict(manifest.parameters), "manifest")
    job = random_job(config)
    beats = input_beats(job, config) | output_fields(job, config)
    name = bench_name(manifest.name)
    contents = {f"{name}.v": bench(manifest), f"{name}.core": bench_core_file(manifest)}
    for port in manifest.streams:
        contents[beat_file(port)] = "".join(f"{line}\n" for line in _lines(port, beats[port.stream]))
    return write_files(directory, contents)


def random_job(config: CoreConfig) -> AttentionJob:
    """Heads of normal deviates that the core can hold, with bias and causal mask where it has them."""
    tokens, features = min(config.tokens, TOKENS), min(config.head_dim, FEATURES)
    rng = np.random.default_rng(0)
    q, k, v = rng.standard_normal((3, HEADS, tokens, features))
    pairs = (HEADS, tokens, tokens)
    bias = rng.standard_normal(pairs) if config.bias else None
    mask = np.broadcast_to(np.tri(tokens, dtype=bool), pairs) if config.mask else None
    return prepare(q, k, v, config.code, bias=bias, mask=mask).job


def output_fields(job: AttentionJob, config: CoreConfig) -> dict[str, Fields]:
    """Golden's beats of every output stream."""
    spikes = compute(job)
    rows = job.heads * job.tokens
    last = np.arange(1, job.head_dim + 1) == job.head_dim
    found: dict[str, Fields] = {}
    if config.output != "context":
        flat = type(spikes.out)(spikes.out.sign.ravel(), spikes.out.phase.ravel())
        found["o_code"] = {"spike": spike_beats(flat), "last": np.tile(last, rows)}
    if config.output != "codes":
        values = np.concatenate([spikes.normaliser[..., None], spikes.context], axis=-1).ravel()
        tags = {"normaliser": np.append(True, 0 * last), "last": np.append(False, last)}
        found["o_context"] = {"value": values} | {
            name: np.tile(tag, rows).astype(int) for name, tag in tags.items()
        }
    return found


def _lines(port: AxiPort, fields: Fields) -> Iterator[str]:
    """Lines of a file, see `hw.export.axi_bench`."""
    inner = {name: value for name, value in fields.items() if name != "last"}
    words = pack(port.layout, inner, port.stream)
    last = np.asarray(fields["last"], int) if port.tlast else np.zeros(len(words), int)
    top = 8 * port.tdata_bytes
    for beat, end, silent in zip(words, last.tolist(), _silent(fields, len(words)), strict=True):
        value = sum(int(word) << 32 * place for place, word in enumerate(beat)) | end << top
        if port.direction == "in":
            yield f"{value:x}"
        else:
            # Sign and phase of a spike that does not fire, bits 1 and up, mean nothing
            mask = (1 << top + port.tlast) - 1
            yield f"{value:x} {mask ^ (((1 << port.layout['width']) - 2) if silent else 0):x}"


def _silent(fields: Fields, beats: int) -> NDArray[np.bool_]:
    return fields["spike"]["active"] == 0 if "spike" in fields else np.zeros(beats, bool)
