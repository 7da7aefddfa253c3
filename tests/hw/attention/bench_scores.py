"""Score lane and query buffer."""

import numpy as np

from hw.attention import payloads
from hw.export.verilog import describe
from sim.cores.attention.driver import query_beats
from sim.verilator.payload import Fields, unpack
from tests.hw.attention.scenario import UnitBench, random_spikes, scenario
from tests.hw.cocotb.streams import Divergence

ROWS = 30


def score_events(bench: UnitBench, rng: np.random.Generator) -> list[dict[str, int]]:
    """Rows of additions, with terms or not, of any length, with cycles that do nothing in between."""
    config, events = bench.config, []
    for row in range(ROWS):
        extreme = rng.random() < 0.2  # every feature at phase 0, all of one sign
        adds = config.head_dim if extreme else rng.integers(config.head_dim + 1)
        kinds = (["terms"] if row % 2 else []) + ["add"] * adds + ["take"]
        kinds = [kind for chosen in kinds for kind in [""] * (rng.random() < 0.2) + [chosen]]
        negative = int(rng.integers(2))
        for kind in kinds:
            negative = negative if extreme else int(rng.integers(2))
            point = int(config.code.trace[0] if extreme else rng.choice(config.code.trace))
            inverted = negative and rng.random() < 0.5
            event = {name: int(kind == name) for name in ("add", "terms", "take")}
            event |= {"addend": ~point if inverted else -point if negative else point, "carry": int(inverted)}
            event |= {"bias": int(rng.integers(-config.bias_limit, config.bias_limit + 1))}
            events.append(event | {"masked": int(rng.integers(2)), "present": int(rng.random() < 0.8)})
    return events


@scenario("score")
async def sums_and_hand_over(bench: UnitBench, rng: np.random.Generator) -> None:
    total = masked = value = alive = 0
    results = []
    events = score_events(bench, rng)
    for event in events:
        if event["add"]:
            total += event["addend"] + event["carry"]
        if event["terms"]:
            total, masked = total + event["bias"], event["masked"]
        if event["take"]:
            value, alive = total, int(event["present"] and not masked)
            total = masked = 0
        results.append((value, alive))
    columns = {name: np.array([event[name] for event in events]) for name in events[0]}
    term = {name: columns.pop(name) for name in ("bias", "masked")}
    bench.send("i", columns | {"term": term})
    values, alives = np.array(results).T
    bench.expect("o", {"score": {"value": values, "alive": alives}})


@scenario("turning")
async def bits_of_every_score(bench: UnitBench, rng: np.random.Generator) -> None:
    """A score that turns: the bit whose turn it is, and itself with its last bit."""
    config = bench.config
    width = config.score_width
    beats, bits, values, alives = [], [], [], []
    for row in range(ROWS):
        value = int(rng.integers(-config.bias_limit, config.bias_limit + 1)) if row else 0
        alive = int(rng.random() < 0.8)
        word = [alive, *(value + (1 << width - 1) >> place & 1 for place in reversed(range(width)))]
        kinds = (["terms"] if row else []) + ["take", *["search"] * width]
        for kind in kinds:
            beats.append({name: int(kind == name) for name in ("terms", "take", "search")})
            beats[-1] |= {"bias": value, "present": alive}
            if kind == "search":
                word = [*word[1:], word[0]]
            if kind != "terms":
                shown = [*word[1:], word[0]]
                number = sum(bit << place for place, bit in enumerate(reversed(shown[1:])))
            bits.append(word[0] if kind != "terms" else bits[-1])
            values.append(number - (1 << width - 1))
            alives.append(shown[0])
        assert (values[-1], alives[-1]) == (value, alive)
    columns = {name: np.array([beat[name] for beat in beats]) for name in beats[0]}
    bias, none = columns.pop("bias"), np.zeros(len(beats), int)
    term = {"bias": bias, "masked": none}
    bench.send("i", columns | {"term": term, "addend": none, "carry": none, "add": none})
    score = {"value": np.array(values), "alive": np.array(alives)}
    bench.expect("o", {"score": score, "bit": np.array(bits)})


@scenario("queries")
async def rows_read_twice(bench: UnitBench, rng: np.random.Generator) -> None:
    """The spikes of a row, in any order and repeatedly, until reading leaves it."""
    config = bench.config
    rows = [query_beats(random_spikes(rng, config.code, 1, 1, config.head_dim)) for _ in range(ROWS)]
    for row in rows:
        bench.send("i", row)
    layout = describe(payloads.query(config))
    for number, row in enumerate(rows):
        await bench.until("rows")
        count = len(row["last"])
        differ(f"row {number}: last", bench.get("last"), count - 1)
        for index in (*range(count), *rng.permutation(count)):
            bench.set("index", int(index))
            await bench.run(3)
            got = unpack(layout, np.array([[bench.get("spike")]], np.uint32))
            differ(f"row {number}: spike {index}", got, at(row, index))
        await bench.pulse("leave")
        await bench.pulse("release")


def differ(what: str, got: object, want: object) -> None:
    if got != want:
        raise Divergence(f"{what}: {got}, expected {want}")


def at(fields: Fields, index: int) -> Fields:
    """One beat of many."""
    if isinstance(fields, dict):
        return {name: at(field, index) for name, field in fields.items()}
    return fields[index : index + 1]
