"""Memories that spoil what is read while it is written, of which synthesis is told that they may."""

import re

# A memory of which synthesis is told that it need not mind collisions, its write and its read
MEMORY = re.compile(
    r"no_rw_check = 32'd1 \*\) (?:\(\*[^\n]*\*\) )?reg \[\d+:0\] (?P<name>\w+) \[.*?"
    r"if \((?P<write>[^\n]*)\)\n\s*(?P=name)\[(?P<to>[^\n]*)\] <= .*?"
    r" <= (?P<word>(?P=name)\[(?P<at>[^\n]*)\]);",
    re.DOTALL,
)


def spoiled(verilog: str) -> str:
    """Words that are written while they are read come inverted, in all the memories of a core."""

    def spoil(found: re.Match[str]) -> str:
        meet = f"({found['write']}) && ({found['to']}) == ({found['at']})"
        return found[0].replace(f"<= {found['word']};", f"<= {meet} ? ~{found['word']} : {found['word']};")

    text, count = MEMORY.subn(spoil, verilog)
    assert count == verilog.count("no_rw_check") > 0
    return text
