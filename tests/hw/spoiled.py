"""Memories that spoil what is read while it is written, of which synthesis is told that they may."""

import re

# A memory of which synthesis is told that it need not mind collisions, and behind it its write and its read
MEMORY = re.compile(r"no_rw_check = 32'd1 \*\) (?:\(\*[^\n]*\*\) )?reg \[\d+:0\] (\S+) +\[")
WRITE = r"if \((?P<write>[^\n]*)\)\n\s*{name} *\[(?P<to>[^\n]*)\] <= "
READ = r" <= (?P<word>{name} *\[(?P<at>[^\n]*)\]);"


def spoiled(verilog: str) -> str:
    """Words that are written while they are read come inverted, in all the memories of a core."""
    found = list(MEMORY.finditer(verilog))
    assert len(found) == verilog.count("no_rw_check") > 0
    for memory in reversed(found):
        name = re.escape(memory[1])
        write = re.compile(WRITE.format(name=name)).search(verilog, memory.end())
        read = re.compile(READ.format(name=name)).search(verilog, memory.end())
        assert write is not None
        assert read is not None
        assert "endmodule" not in verilog[memory.end() : max(write.end(), read.end())]
        meet = f"({write['write']}) && ({write['to']}) == ({read['at']})"
        word = f" <= {meet} ? ~{read['word']} : {read['word']};"
        verilog = verilog[: read.start()] + word + verilog[read.end() :]
    return verilog
