// Both ends of a stream: what drives an input, what drains and checks an output.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "verilated.h"

// Ports are copied as bytes between words of 32 bits and Verilator's 8 to 64 bit integers.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

struct Port {
    void* payload;  // nullptr when the payload has no bits
    size_t bytes;
    uint32_t width;
    CData* valid;  // nullptr when always valid
    CData* ready;  // nullptr when always ready
};

enum Status : int32_t { DONE, LIMIT, STALL, EXTRA, UNSTABLE, CANCELLED, ASSERTION, EARLY };

// These and Job are mirrored field by field in harness_abi.py.
struct Feed {
    const uint32_t* words;  // [beats][stride]
    uint64_t beats;
    uint64_t stride;
    uint64_t pause;  // a beat waits another cycle with probability pause / 2**32
    uint64_t seed;
    int64_t* cycles;    // [beats], cycle of each transfer
    uint64_t accepted;  // result
};

struct Sink {
    uint32_t* words;  // [beats][stride], result
    uint64_t beats;
    uint64_t stride;
    uint64_t pause;  // not ready in a cycle with probability pause / 2**32
    uint64_t seed;
    int64_t* cycles;    // [beats], result
    uint64_t received;  // result
};

// SplitMix64: small, seedable, the same on every machine.
class Coin {
    uint64_t m_state;

public:
    explicit Coin(uint64_t seed)
        : m_state{seed} {}
    bool toss(uint64_t chance) {
        if (chance == 0) return false;
        uint64_t z = (m_state += 0x9E3779B97F4A7C15ull);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
        return ((z ^ (z >> 31)) >> 32) < chance;
    }
};

class Driver {
    Feed& m_feed;
    Port m_port;
    Coin m_coin;
    bool m_offered = false;
    std::vector<uint32_t> m_idle;

    bool left() const { return m_feed.accepted < m_feed.beats; }

public:
    Driver(Feed& feed, const Port& port)
        : m_feed{feed}
        , m_port{port}
        , m_coin{feed.seed}
        , m_idle(feed.stride, ~0u) {
        feed.accepted = 0;
        // All ones while nothing is offered: a payload read without valid shows itself.
        if (port.width % 32) m_idle.back() >>= 32 - port.width % 32;
        if (port.payload && port.valid) std::memcpy(port.payload, m_idle.data(), port.bytes);
    }
    bool done() const { return !left(); }
    void drive() {
        if (!m_offered && left() && (!m_port.valid || !m_coin.toss(m_feed.pause))) {
            m_offered = true;
            if (m_port.payload)
                std::memcpy(m_port.payload, m_feed.words + m_feed.accepted * m_feed.stride, m_port.bytes);
        }
        if (m_port.valid) *m_port.valid = m_offered;
    }
    bool sample(uint64_t cycle) {
        if (!m_offered || (m_port.ready && !*m_port.ready)) return false;
        m_feed.cycles[m_feed.accepted++] = static_cast<int64_t>(cycle);
        m_offered = false;
        return true;
    }
    // After the edge, so that the design sees the payload of a transfer until then.
    void idle() {
        if (!m_offered && m_port.valid && m_port.payload)
            std::memcpy(m_port.payload, m_idle.data(), m_port.bytes);
    }
};

class Monitor {
    Sink& m_sink;
    Port m_port;
    Coin m_coin;
    bool m_waiting = false;
    std::vector<unsigned char> m_offer;

    bool same() const {
        return !m_port.payload || !std::memcmp(m_offer.data(), m_port.payload, m_port.bytes);
    }

public:
    Monitor(Sink& sink, const Port& port)
        : m_sink{sink}
        , m_port{port}
        , m_coin{sink.seed}
        , m_offer(port.bytes) {
        sink.received = 0;
    }
    bool done() const { return m_sink.received == m_sink.beats; }
    void drive() {
        if (m_port.ready) *m_port.ready = !m_coin.toss(m_sink.pause);
    }
    Status sample(uint64_t cycle, bool& moved) {
        const bool valid = !m_port.valid || *m_port.valid;
        if (m_waiting && (!valid || !same())) return UNSTABLE;
        m_waiting = false;
        if (!valid) return DONE;
        if (m_port.ready && !*m_port.ready) {
            // A stream without valid offers whatever it holds and may change it.
            m_waiting = m_port.valid != nullptr;
            if (m_port.payload) std::memcpy(m_offer.data(), m_port.payload, m_port.bytes);
            return DONE;
        }
        if (done()) return m_port.valid ? EXTRA : DONE;
        if (m_port.payload)
            std::memcpy(m_sink.words + m_sink.received * m_sink.stride, m_port.payload, m_port.bytes);
        m_sink.cycles[m_sink.received++] = static_cast<int64_t>(cycle);
        moved = true;
        return DONE;
    }
};
