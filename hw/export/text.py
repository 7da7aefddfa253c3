"""Verilog that Yosys wrote, in the form in which people write it."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

_WORD = re.compile(r"\\\S+|[A-Za-z_][\w$]*")
_PORT = re.compile(r"  (input|output|inout) (?:signed )?(?:\[[-\d:]+\] )?(\\\S+ |\w+);")
_SIGNAL = re.compile(r"  (wire|reg) ((?:signed )?(?:\[[-\d:]+\] )?)(\\\S+ |\w+)( = [^;]+)?;")
_REGISTER = re.compile(r"    (\\\S+ |\w+) <= (\\\S+ |\w+);")
_FIELD = re.compile(r"  assign (\\[^\s.\[]+[.\[]\S* ) = (.*);")
_PART = re.compile(r"\\\S+ (?:\[[\d:]+\])?|\b\w+\[[\d:]+\]")
_NUMBERED = re.compile(r"  assign (\\\S+ |\w+) = (_\d+_);")
# Yosys runs combinational processes once at the start by a register that never changes
_START = re.compile(r"\\\$auto\$verilog_backend\S+ ")
START = "at_start"
# What its optimisations add
_ADDED = re.compile(r"\\\$auto\$\S+:(\w+)\$(\d+) ")


def tidy_text(verilog: str, classes: Mapping[str, type]) -> str:
    """The same modules: ports in their heads, a block per register, fields where they are declared.

    Args:
        classes: that modules were made from, by name; a comment names them.
    """
    verilog = _ADDED.sub(lambda match: f"{match[1].lower()}_n{match[2]}", _START.sub(START, verilog))
    _, *modules = re.split(r"^(?=module )", verilog, flags=re.MULTILINE)
    made = []
    for module in modules:
        lines = list(_module(module.rstrip("\n").split("\n")))
        kind = classes.get(lines[0].split(" ")[1])
        made += [] if kind is None else [f"// {kind.__module__}.{kind.__qualname__}"]
        made += [*lines, ""]
    return "\n".join(made)


def _module(lines: Sequence[str]) -> Iterator[str]:
    name, _, _ = lines[0].removeprefix("module ").partition("(")
    head = next(number for number, line in enumerate(lines) if line.endswith(");"))
    body = _registers(_words(lines[head + 1 : -1]))
    if not any(line.endswith(f"if ({START}) begin end") for line in body):
        body = [line for line in body if line != f"  reg {START} = 0;"]
    ports = [match for line in body if (match := _PORT.fullmatch(line))]
    names = [match[2] for match in ports]
    kinds, fields, declared, rest = {}, {}, [], []
    attributes = ""
    for line in body:
        if line.startswith("  (*"):
            attributes += line[2:] + " "
            continue
        signal, field = _SIGNAL.fullmatch(line), _FIELD.fullmatch(line)
        if signal and signal[3] in names:
            kinds[signal[3]] = (
                f"{attributes}{{}} {signal[1]} {signal[2]}{signal[3].rstrip()}{signal[4] or ''}"
            )
        elif field:
            fields[field[1]] = field[2]
        elif signal or re.match("  (reg|integer) ", line):
            declared.append(f"  {attributes}{line[2:]}")
        elif not _PORT.fullmatch(line):
            rest += [f"  {attributes}".rstrip()] if attributes else []
            rest.append(line)
        attributes = ""
    yield f"module {name.strip()} ("
    heads = [kinds[match[2]].format(match[1]) for match in ports]
    # What ends an escaped name is a space
    yield ",\n".join(f"  {head}" + (" " if "\\" in head.split()[-1] else "") for head in heads)
    yield ");"
    for line in declared:
        signal = _SIGNAL.fullmatch(line)
        if signal is None or signal[3] not in fields:
            yield line
    rest = _by_field(rest, fields)
    read = {word for line in rest for word in _WORD.findall(line)}
    stored = {name.strip() for name in names} | {
        match[3].strip() for line in declared if (match := _SIGNAL.fullmatch(line)) and match[1] == "reg"
    }
    shown = [
        f"  wire {signal[2]}{signal[3]}= {fields[signal[3]]};"
        for line in declared
        if (signal := _SIGNAL.fullmatch(line)) is not None and signal[3] in fields
        if signal[3].strip() in read or re.split(r"[.\[]", signal[3][1:])[0] in stored
    ]
    if shown:
        yield "  // Fields; not all are read"
        yield "  /* verilator lint_off UNUSEDSIGNAL */"
        yield from shown
        yield "  /* verilator lint_on UNUSEDSIGNAL */"
    yield from rest
    yield lines[-1]


def _words(body: Sequence[str]) -> list[str]:
    """Let what is read from a memory be the register behind it, for which Yosys has a number."""
    numbered = {match[2]: match[1] for line in body if (match := _NUMBERED.fullmatch(line))}
    made = []
    for line in body:
        declared = _SIGNAL.fullmatch(line)
        if (declared and declared[3] in numbered) or _NUMBERED.fullmatch(line):
            continue
        if declared and declared[3].strip() in map(str.strip, numbered.values()):
            line = line.replace("  wire ", "  reg ", 1)
        made.append(re.sub(r"\b_\d+_\b", lambda match: numbered.get(match[0], match[0]), line))
    return made


def _by_field(lines: Sequence[str], fields: Mapping[str, str]) -> list[str]:
    """Where a field is read by its bits, read it by its name."""
    by_bits = {bits: name for name, bits in fields.items() if bits.endswith("]")}

    def named(match: re.Match[str]) -> str:
        return by_bits.get(match[0], match[0])

    made = []
    for line in lines:
        to, sign, by = line.partition(" = " if " = " in line else " <= ")
        if sign and re.match(r" *(assign )?(\\\S+ |\w+)(\[[\d:]+\] ?)?$", to):
            line = to + sign + _PART.sub(named, by)
        elif re.match(r" *(if|casez|case) \(", line):
            line = _PART.sub(named, line)
        made.append(line)
    return made


def _registers(body: Sequence[str]) -> list[str]:
    """Join what computes the next value of a register to the register."""
    uses = Counter(word for line in body for word in _WORD.findall(line))
    blocks: dict[str, tuple[int, int]] = {}
    for start, line in enumerate(body):
        if line == "  always @* begin":
            end = body.index("  end", start)
            blocks[_WORD.findall(body[start + 2])[0]] = start, end
    made: list[str] = []
    gone: set[int] = set()
    joined: dict[int, list[str]] = {}
    for number, line in enumerate(body):
        match = _REGISTER.fullmatch(line)
        if match is None or match[2].strip() not in blocks or body[number - 1] != "  always @(posedge clk)":
            continue
        register, value = match[1].strip(), match[2].strip()
        start, end = blocks[value]
        inside = body[start + 2 : end]
        own = re.compile(rf"( *){re.escape(value)}( ?(?:\[[\d:]+\] )?) ?= (.*;)")
        sets = [own.fullmatch(text) for text in inside]
        if uses[value] != 2 + sum(match is not None for match in sets):
            continue
        space = " " if register.startswith("\\") else ""
        lines = [
            f"{match[1]}{register}{space}{match[2].strip()} <= {match[3]}" if match else text
            for text, match in zip(inside, sets, strict=True)
        ]
        if lines[0].strip() == f"{register}{space} <= {register}{space};":
            del lines[0]
        joined[number - 1] = ["  always @(posedge clk) begin", *lines, "  end"]
        gone |= {number, *range(start, end + 1)}
        gone |= {
            at
            for at, text in enumerate(body)
            if text.startswith("  reg ") and _WORD.findall(text)[-1] == value
        }
    for number, line in enumerate(body):
        if number in joined:
            made += joined[number]
        elif number not in gone:
            made.append(line)
    return made
