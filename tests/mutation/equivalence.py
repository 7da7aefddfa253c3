"""Whether a mutant is the sound design after all: no input in any cycle shows a difference.

The module with the fault stands beside the sound one in an and-inverter graph, where they share all that the
fault cannot reach. Their inputs are the same and free, whatever the modules around would give them. ABC
decides by property-directed reachability whether an output can differ, a payload only while it is valid.
Equal modules make equal designs. Unequal ones may make equal designs too: what is decided of the module is
decided of the widest part of the design around it that is small enough. And what is inside of a module may
be too large where its own cells are not: then what goes to the modules inside is compared, and what comes
from them is free. So are words of memories there, and in a part of the design that is too wide with them:
what is written is compared, and words read at one address are the same, those read at two may be any.
"""

import itertools
import re
import resource
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.aiger import Made, never
from tests.mutation.contracts import Contract
from tests.mutation.netlist import SELECT, Mutated, run_script

GRAPH = """
read_rtlil design.il
hierarchy -top {top}
{inside}
flatten
delete t:$check t:$print t:$scopeinfo
opt_clean
{memories}
memory_map
techmap
dffunmap
{starts}
setundef -zero -undriven
aigmap
write_aiger -ascii -zinit -symbols graph.aag
"""
# What is inside of a module becomes ports of it, and so do its memories
INSIDE = "expose -evert {top}/t:{top}.*"
MEMORIES = "tee -q -o memories.il dump {top}/t:$mem_v2\nexpose -evert {top}/t:$mem_v2"
# A fault behind a register takes its name from it, and with that the value it starts with, which would be any
STARTS = "setundef -zero -init"
# Of processor time, after which a mutant counts as different
SECONDS = 30
# Bits of registers and memories of a part of a design: every one is a register in the graph; of registers,
# where words of memories are free
MOST_BITS, MOST_REGISTERS = 4_000, 3_000
# A short search for a difference, which most show soon; then what is equal in every state is merged (van Eijk
# 1998), and the rest decided
READ = "read_aiger pair.aig; strash; scleanup"
SEARCH = f"{READ}; bmc3 -F 12 -T 3"
DECIDE = f"{READ}; &get; &lcorr; &scorr; &put; write_aiger merged.aig; pdr -v -T {SECONDS}"


@dataclass(frozen=True)
class Part:
    """A part of a design: a module and all that is inside of it, or all but words of memories (`read`), or
    its own cells only, without those."""

    module: str
    own: bool = False
    read: bool = False


def parts(rtlil: str, module: str) -> list[Part]:
    """What to look at for a fault in a module, in that order: its own cells, if something else is inside; the
    module; the widest part of the design around it; the widest but for words of memories, if that is wider.
    The last three where they are small and of known cells."""
    sizes: dict[str, tuple[int, int, list[str]]] = {}
    for text in re.split(r"^module \\", rtlil, flags=re.M)[1:]:
        name, _, body = text.partition("\n")
        sizes[name] = *_state_bits(body), re.findall(r"^  cell \\(\S+)", body, re.M)

    def fits(around: str, read: bool) -> bool:
        within = [found for name, found in sizes.items() if f"{name}.".startswith(f"{around}.")]
        known = all(name in sizes for *_, inner in within for name in inner)
        registers, memories = (sum(found[n] for found in within) for n in (0, 1))
        small = registers <= MOST_REGISTERS if read else registers + memories <= MOST_BITS
        return known and small

    def widest(around: str, read: bool) -> str:
        outer = around.rpartition(".")[0]
        return widest(outer, read) if outer and fits(outer, read) else around

    own = [Part(module, own=True)] if sizes[module][1] or sizes[module][2] else []
    whole = [Part(one) for one in dict.fromkeys((module, widest(module, False))) if fits(one, False)]
    wide = Part(widest(module, True), read=True)
    return own + whole + [wide] * (fits(wide.module, True) and Part(wide.module) not in whole)


def _state_bits(body: str) -> tuple[int, int]:
    """Bits of all registers, and of all memories, of a module."""
    memories = re.findall(r"^  cell \$mem.*?^  end$", body, re.M | re.S)
    sizes = [re.findall(r"parameter \\(?:WIDTH|SIZE) (\d+)$", memory, re.M) for memory in memories]
    assert all(len(pair) == 2 for pair in sizes), f"{len(memories)} memories, of sizes {sizes}"
    registers = re.findall(r"^  cell \$\w*dff.*?parameter \\WIDTH (\d+)$", body, re.M | re.S)
    return sum(map(int, registers)), sum(int(one) * int(other) for one, other in sizes)


def _all_start_at_zero(rtlil: str, module: str) -> bool:
    """Whether no register of a module, and of those inside, starts with a 1."""
    modules = re.split(r"^module \\", rtlil, flags=re.M)[1:]
    inside = [text for text in modules if f"{text.split(maxsplit=1)[0]}.".startswith(f"{module}.")]
    return not re.search(r"attribute \\init \d+'\S*1", "".join(inside))


@dataclass(frozen=True)
class Read:
    """Literals of a clocked read port of a memory: what is given to it, and the word that it shows."""

    enable: int
    address: list[int]
    word: list[int]


class Graph:
    """The and-inverter graph of a part of a mutated netlist, in literals of AIGER (Biere 2007), and the
    contracts that its module may rely on."""

    def __init__(self, mutated: Mutated, part: Part, contracts: Iterable[Contract] = ()) -> None:
        inside = INSIDE.format(top=part.module) if part.own else ""
        memories = MEMORIES.format(top=part.module) if part.own or part.read else ""
        starts = STARTS if _all_start_at_zero(mutated.rtlil, part.module) else ""
        script = GRAPH.format(top=part.module, inside=inside, memories=memories, starts=starts)
        files = ("graph.aag", "memories.il")
        found = run_script(script, {"design.il": mutated.rtlil, "memories.il": ""}, files)
        lines = found["graph.aag"].splitlines()
        sizes = [int(number) for number in lines[0].split()[2:]]
        rows = [[int(number) for number in line.split()] for line in lines[1 : 1 + sum(sizes)]]
        lists = [[rows.pop(0) for _ in range(size)] for size in sizes]
        self._inputs = [literal for (literal,) in lists[0]]
        self._latches, self._ands = lists[1], lists[3]
        names = re.findall(r"^([io])(\d+) (\S+)", "\n".join(lines[1 + sum(sizes) :]), re.M)
        inputs = {name: self._inputs[int(n)] for kind, n, name in names if kind == "i"}
        self._select = {literal: _bit(name) for name, literal in inputs.items() if _port(name) == SELECT}
        outputs = {name: lists[2][int(n)][0] for kind, n, name in names if kind == "o"}
        sizes_of = dict(_memories(found["memories.il"]))
        self._reads = [
            read for name, sizes in sizes_of.items() for read in _reads(name, sizes, inputs, outputs)
        ]
        ports = inputs | outputs
        kept = [one for one in contracts if one.of(part.module, ports)]
        zeros = {bit for one in kept if one.zero for bit in one.bits if bit in inputs}
        self._zeros = {inputs[bit] for bit in zeros}
        # Of the others a latch says whether one was broken
        self._contracts = [
            (one, [ports[bit] for bit in one.bits], ports[one.on] if one.on else 1)
            for one in kept
            if not zeros.issuperset(one.bits)
        ]
        # Where a memory is only ever 0 it does not show whether that is written, but what else is
        pins = ("WR_DATA", "WR_EN")
        stored = [
            tuple(bit.replace(".RD_DATA", f".{pin}") for pin in pins) for bit in zeros if ".RD_DATA[" in bit
        ]
        self._stored = [tuple(outputs[bit] for bit in pair) for pair in stored]
        self._seen = list(_seen(outputs, sizes_of, {bit for pair in stored for bit in pair}))

    def _constants(self, number: int) -> dict[int, int]:
        """The value of every even literal that is constant while `number` is selected."""
        value = {0: 0} | {literal: number >> bit & 1 for literal, bit in self._select.items()}
        for node, left, right in self._ands:
            known = [value[x & ~1] ^ x & 1 for x in (left, right) if x & ~1 in value]
            if 0 in known:
                value[node] = 0
            elif len(known) == 2:
                value[node] = 1
        return value

    def _reached(self, sound: dict[int, int], faulty: dict[int, int]) -> set[int]:
        """Nodes and latches that a fault can change."""
        readers = defaultdict(list)
        for node, left, right in self._ands:
            if node not in sound or node not in faulty:
                readers[left & ~1].append(node)
                readers[right & ~1].append(node)
        for latch, following in self._latches:
            readers[following & ~1].append(latch)
        for read in self._reads:
            for given in (read.enable, *read.address):
                readers[given & ~1] += read.word
        front = [node for node in {*sound, *faulty} if sound.get(node) != faulty.get(node)]
        reached = set()
        while front:
            node = front.pop()
            if node not in reached:
                reached.add(node)
                front += readers[node]
        return reached

    def pair(self, number: int) -> bytes:
        """The graph, as binary AIGER, whose only output says that mutant and sound design differ."""
        sound, faulty = self._constants(0), self._constants(number)
        reached = self._reached(sound, faulty)
        twins = [latch for latch, _ in self._latches if latch in reached]
        reads = [read for read in self._reads if not reached.isdisjoint(read.word)]
        inputs = len(self._inputs) + sum(len(read.word) for read in reads)
        made = Made(inputs, len(self._latches) + len(twins) + len(reads) + bool(self._contracts))
        one = {0: 0} | {literal: 2 * n for n, literal in enumerate(self._inputs, 1)}
        numbers = itertools.count(1 + inputs)
        one |= {latch: 2 * next(numbers) for latch, _ in self._latches}
        other = one | {latch: 2 * next(numbers) for latch in twins}
        # Whether both copies last read at other addresses: then the word of the other one may be any
        apart_at = [2 * next(numbers) for _ in reads]
        any_bit = itertools.count(1 + len(self._inputs))
        for read, apart in zip(reads, apart_at, strict=True):
            for bit in read.word:
                other[bit] = made.either(one[bit], made.both(apart, 2 * next(any_bit)))
        for copy in (one, other):
            copy |= dict.fromkeys(self._zeros, 0)
        one |= dict.fromkeys(self._select, 0)
        other |= {literal: number >> bit & 1 for literal, bit in self._select.items()}

        def of(copy: dict[int, int], literal: int) -> int:
            return copy[literal & ~1] ^ literal & 1

        for node, left, right in self._ands:
            one[node] = made.both(of(one, left), of(one, right))
            alike = node not in reached and node not in faulty
            other[node] = one[node] if alike else made.both(of(other, left), of(other, right))
        following = [of(one, literal) for _, literal in self._latches]
        following += [of(other, literal) for latch, literal in self._latches if latch in reached]

        def differ(bit: int) -> int:
            return made.either(of(one, bit), of(other, bit))

        for read, apart in zip(reads, apart_at, strict=True):
            elsewhere = made.any(map(differ, (read.enable, *read.address)))
            reading = made.any(of(copy, read.enable) for copy in (one, other))
            following.append(made.any([made.both(reading, elsewhere), made.both(reading ^ 1, apart)]))
        seen = [made.both(differ(bit), of(one, on)) for bit, on in self._seen]
        seen += [made.both(of(other, bit), of(other, on)) for bit, on in self._stored]
        shows = made.any(seen)
        if self._contracts:
            broken = [
                contract.broken(made, [of(one, bit) for bit in bits], of(one, on))
                for contract, bits, on in self._contracts
            ]
            following.append(made.any([2 * next(numbers), *broken]))
            shows = made.both(shows, following[-1] ^ 1)
        return made.aiger(following, shows)

    def equivalent(self, number: int) -> bool:
        """Whether it is proven that mutant `number` never shows."""
        import pyosys

        tool = str(Path(pyosys.__file__).with_name("yosys-abc"))
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "pair.aig").write_bytes(self.pair(number))
            if " was asserted in frame " in _told(tool, SEARCH, name):
                return False
            told = _told(tool, DECIDE, name)
            merged = Path(name) / "merged.aig"
            # Where merging was enough nothing is left to decide
            if merged.exists() and never(merged.read_bytes()):
                return True
        return "Verification of invariant" in told and "was successful" in told


def _told(tool: str, script: str, folder: str) -> str:
    """What ABC prints, within its time."""
    return subprocess.run(
        [tool, "-q", script], cwd=folder, capture_output=True, text=True, preexec_fn=_bounded
    ).stdout


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def _port(name: str) -> str:
    return name.partition("[")[0]


def _bit(name: str) -> int:
    return int(name.partition("[")[2].rstrip("]") or 0)


def _memories(text: str) -> Iterator[tuple[str, dict[str, int]]]:
    """Names of memories and their sizes, and which of their read ports are clocked, in bits."""
    for name, body in re.findall(r"^ *cell \$mem_v2 \\?(\S+)$(.*?)^ *end$", text, re.M | re.S):
        sizes = dict(re.findall(r"parameter \\(ABITS|WIDTH|RD_PORTS|WR_PORTS) (\d+)$", body, re.M))
        (clocked,) = re.findall(r"parameter \\RD_CLK_ENABLE \d+'([01]+)$", body, re.M)
        yield name, {key: int(size) for key, size in sizes.items()} | {"clocked": int(clocked, 2)}


def _bits(name: str, ports: dict[str, int], first: int, count: int) -> list[int]:
    """Literals of bits of a port of a memory, which has a name without a number if it is one bit wide."""
    names = (f"{name}[{n}]" for n in range(first, first + count))
    return [ports[bit if bit in ports else name] for bit in names]


def _reads(
    name: str, sizes: dict[str, int], inputs: dict[str, int], outputs: dict[str, int]
) -> Iterator[Read]:
    for port in range(sizes["RD_PORTS"]):
        if sizes["clocked"] >> port & 1:
            (enable,) = _bits(f"{name}.RD_EN", outputs, port, 1)
            address = _bits(f"{name}.RD_ADDR", outputs, port * sizes["ABITS"], sizes["ABITS"])
            word = _bits(f"{name}.RD_DATA", inputs, port * sizes["WIDTH"], sizes["WIDTH"])
            yield Read(enable, address, word)


def _seen(
    outputs: dict[str, int], memories: dict[str, dict[str, int]], unseen: Container[str]
) -> Iterator[tuple[int, int]]:
    """Output bits, each with the literal of the `valid` without which it means nothing, but `unseen` ones.

    Of what goes to modules inside, whose ports have dots in their names, everything is seen but SELECT; of
    what goes to memories, what is written, and addresses of read ports that have no clock.
    """
    for name, literal in outputs.items():
        if name in unseen:
            continue
        port, bit = _port(name), _bit(name)
        memory, _, pin = port.rpartition(".")
        if memory in memories:
            sizes = memories[memory]
            width, address = sizes["WIDTH"], sizes["ABITS"]
            if pin == "WR_DATA":
                yield literal, _bits(f"{memory}.WR_EN", outputs, bit, 1)[0]
            elif pin == "WR_ADDR":
                first = bit // address * width
                yield from {(literal, on) for on in _bits(f"{memory}.WR_EN", outputs, first, width)}
            elif (
                pin not in ("RD_ADDR", "RD_EN")
                or not sizes["clocked"] >> (bit // address if pin == "RD_ADDR" else bit) & 1
            ):
                yield literal, 1
        elif "." in port:
            if not port.endswith(f".{SELECT}"):
                yield literal, 1
        else:
            valid = re.sub(r"__payload.*", "__valid", port)
            yield literal, outputs.get(valid, 1) if "__payload" in name else 1
