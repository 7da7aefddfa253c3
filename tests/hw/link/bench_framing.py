"""Unstuffer and stuffer against the letter of RFC 1662."""

from typing import Any

import numpy as np

from hw.link.protocol import ESCAPE, FLAG
from tests.hw.attention.scenario import UnitBench, scenario

# Bytes of every kind, those that are stuffed among them
ALPHABET = [FLAG, ESCAPE, FLAG ^ 0x20, ESCAPE ^ 0x20, 0, 0xFF]


def columns(rows: list[dict[str, int]]) -> dict[str, Any]:
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def destuffed(line: list[tuple[int, int]]) -> list[dict[str, int]]:
    """Events of received (byte, error): every byte as it comes, at a flag the verdict on what came."""
    events: list[dict[str, int]] = []
    body: list[tuple[int, int]] = []
    for byte, error in line:
        if byte != FLAG or error:
            body.append((byte, error))
            continue
        escape = spoilt = False
        for data, broken in body:
            if broken:
                spoilt, escape = True, False
            elif data == ESCAPE:
                spoilt, escape = spoilt or escape, True
            else:
                events.append({"data": data ^ 0x20 if escape else data, "end": 0, "bad": 0})
                escape = False
        if body:
            events.append({"data": 0, "end": 1, "bad": int(spoilt or escape)})
        body = []
    return events


@scenario("unstuffer")
async def bodies(bench: UnitBench, rng: np.random.Generator) -> None:
    """Random bodies, a twentieth of the bytes without stop bit; `data` means nothing at an end."""
    line = [(int(rng.choice(ALPHABET)), int(rng.random() < 0.05)) for _ in range(300)] + [(FLAG, 0)]
    # The verdict on a doubled escape hangs on nothing else
    line += [(byte, 0) for byte in (1, ESCAPE, ESCAPE, 2, FLAG, 3, FLAG)]
    bench.send("i", columns([{"data": byte, "error": error} for byte, error in line]))
    bench.expect("o", columns(destuffed(line)))


@scenario("stuffer")
async def bytes_and_flags(bench: UnitBench, rng: np.random.Generator) -> None:
    given = [(int(rng.choice(ALPHABET)), int(rng.random() < 0.2)) for _ in range(200)]
    line: list[int] = []
    for byte, flag in given:
        line += [byte] if flag or byte not in (FLAG, ESCAPE) else [ESCAPE, byte ^ 0x20]
    bench.send("i", columns([{"data": byte, "flag": flag} for byte, flag in given]))
    bench.expect("o", np.array(line))
