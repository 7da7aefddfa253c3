"""What an FST file holds, as far as tests look: its blocks and the names of its signals."""


def lz4_block(data: bytes, size: int) -> bytes:
    """Plain decoder of the LZ4 block format."""
    out = bytearray()
    at = 0

    def length(nibble: int) -> int:
        nonlocal at
        total, more = nibble, nibble == 15
        while more:
            total += data[at]
            more = data[at] == 255
            at += 1
        return total

    while at < len(data):
        token = data[at]
        at += 1
        literals = length(token >> 4)
        out += data[at : at + literals]
        at += literals
        if at == len(data):
            break
        distance = int.from_bytes(data[at : at + 2], "little")
        at += 2
        for _ in range(length(token & 15) + 4):
            out.append(out[-distance])
    assert len(out) == size
    return bytes(out)


def fst_blocks(content: bytes) -> dict[int, bytes]:
    """Blocks of an FST file by type; a later block replaces an earlier one of its type."""
    blocks = {}
    at = 0
    while at < len(content):
        size = int.from_bytes(content[at + 1 : at + 9], "big")
        blocks[content[at]] = content[at + 9 : at + 1 + size]
        at += 1 + size
    assert at == len(content)
    return blocks


def fst_names(content: bytes) -> set[str]:
    """Paths of all signals, those of several bits with their range, as GTKWave writes them."""
    packed = fst_blocks(content)[6]
    held = lz4_block(packed[8:], int.from_bytes(packed[:8], "big"))
    at = 0

    def text() -> str:
        nonlocal at
        end = held.index(0, at)
        found, at = held[at:end].decode(), end + 1
        return found

    def skip_number() -> None:
        nonlocal at
        while held[at] & 128:
            at += 1
        at += 1

    names: set[str] = set()
    path: list[str] = []
    while at < len(held):
        tag = held[at]
        at += 1
        if tag == 254:  # a scope: its type, name and component
            at += 1
            path.append(text())
            text()
        elif tag == 255:
            path.pop()
        elif tag == 252:  # an attribute: its kinds, name and argument
            at += 2
            text()
            skip_number()
        else:  # a signal: its direction, name, width and number
            assert tag < 30, f"no tag of a scope, an attribute or a signal: {tag}"
            at += 1
            names.add(".".join((*path, text().replace(" [", "["))))
            skip_number()
            skip_number()
    return names
