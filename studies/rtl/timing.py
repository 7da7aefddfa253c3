"""Timing diagrams of a datasheet: WaveJSON of the streams of a manifest, which WaveDrom draws."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Waves = dict[str, Any]


class _Names(NamedTuple):
    """Signals of a stream that can pause on both sides."""

    payload: str
    valid: str
    ready: str
    last: str | None


def diagrams(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, Waves]]:
    """Name, title and WaveJSON of what is drawn: reset, a stream in and a stream out."""
    ports = {port["direction"]: (port, names) for port in manifest["streams"] if (names := _names(port))}
    if manifest["reset"] is not None:
        valid = {direction: names.valid for direction, (_, names) in ports.items()}
        yield "reset", "Reset, one edge or more, and a first beat", _reset(manifest, valid)
    for direction, (port, names) in ports.items():
        yield f"beat-{direction}", f"Two beats of {port['name']}", _beats(manifest, names)


def _beats(manifest: Mapping[str, Any], names: _Names) -> Waves:
    """The first waits for ready, the second follows a pause of valid."""
    signal = [
        {"name": manifest["clock"], "wave": "p......"},
        {"name": names.payload, "wave": "x3.x.4x", "data": ["beat", "next"]},
        {"name": names.valid, "wave": "01.0.10"},
        {"name": names.ready, "wave": "0.1...0"},
    ]
    if names.last is not None:
        signal.insert(2, {"name": names.last, "wave": "x0.x.1x"})
    return {"signal": signal}


def _reset(manifest: Mapping[str, Any], valid: Mapping[str, str]) -> Waves:
    active_low = manifest["reset"].endswith("n")
    signal = [
        {"name": manifest["clock"], "wave": "p....."},
        {"name": manifest["reset"], "wave": "0.1..." if active_low else "1.0..."},
    ]
    waves = {"in": "0..1.0", "out": "0....."}
    signal += ({"name": name, "wave": waves[direction]} for direction, name in valid.items())
    return {"signal": signal}


def _names(port: Mapping[str, Any]) -> _Names | None:
    """The signals of a port of either manifest; None for a stream that lacks one of them."""
    name = port["name"]
    if "tdata_bytes" in port:
        last = f"{name}_tlast" if port["tlast"] else None
        return _Names(f"{name}_tdata", f"{name}_tvalid", f"{name}_tready", last)
    if port["always_valid"] or port["always_ready"] or not port["width"]:
        return None
    return _Names(f"{name}__payload", f"{name}__valid", f"{name}__ready", None)


def draw(waves: Waves) -> str:
    """SVG of WaveJSON."""
    import wavedrom

    return str(wavedrom.WaveDrom().render_waveform(0, {"signal": waves["signal"]}, []).tostring())
