// Stands in for liblz4, which a plain Debian with a compiler does not have. Writes the LZ4 block format
// (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md) with a greedy match search.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

inline int LZ4_compress_default(const char* source, char* target, int size, int capacity) {
    constexpr int MIN_MATCH = 4, LAST_LITERALS = 5, NO_MATCH_BEFORE_END = 12, WINDOW = 65535, HASH_BITS = 14;
    if (capacity < LZ4_compressBound(size)) return 0;
    std::vector<int> table(1 << HASH_BITS, -1);  // last position of each hash of four bytes
    const auto word = [&](int at) {
        uint32_t value;
        std::memcpy(&value, source + at, sizeof value);
        return value;
    };
    char* out = target;
    const auto put_length = [&](int rest) {  // what does not fit the token's four bits
        for (; rest >= 255; rest -= 255) *out++ = static_cast<char>(255);
        *out++ = static_cast<char>(rest);
    };
    // Literals from `from` to `to`, then a match unless distance is 0.
    const auto put_sequence = [&](int from, int to, int distance, int length) {
        const int literals = to - from, extra = distance ? length - MIN_MATCH : 0;
        *out++ = static_cast<char>((literals < 15 ? literals : 15) << 4 | (extra < 15 ? extra : 15));
        if (literals >= 15) put_length(literals - 15);
        std::memcpy(out, source + from, literals);
        out += literals;
        if (!distance) return;
        *out++ = static_cast<char>(distance & 255);
        *out++ = static_cast<char>(distance >> 8);
        if (extra >= 15) put_length(extra - 15);
    };
    int anchor = 0;  // first byte not yet written
    for (int at = 0; at <= size - NO_MATCH_BEFORE_END;) {
        int& last = table[word(at) * 2654435761u >> (32 - HASH_BITS)];
        const int candidate = last;
        last = at;
        if (candidate < 0 || at - candidate > WINDOW || word(candidate) != word(at)) {
            ++at;
            continue;
        }
        int length = MIN_MATCH;
        while (at + length < size - LAST_LITERALS && source[candidate + length] == source[at + length])
            ++length;
        put_sequence(anchor, at, at - candidate, length);
        at += length;
        anchor = at;
    }
    put_sequence(anchor, size, 0, 0);
    return static_cast<int>(out - target);
}
