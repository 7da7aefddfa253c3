// Runs a Verilated design from arrays: feeds its input streams, drains its output streams, and
// stamps every transfer with its cycle. Generic; binding.h, generated per design, lists the ports.
//
// Cycle n is what is sampled at clock edge n. Edge 0 is the first after reset.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "verilated.h"
#if HARNESS_TRACE
#include "verilated_fst_c.h"
#endif

struct Port {
    void* payload;  // nullptr when the payload has no bits
    size_t bytes;
    uint32_t width;
    CData* valid;  // nullptr when always valid
    CData* ready;  // nullptr when always ready
};

#include "binding.h"

// Ports are copied as bytes between words of 32 bits and Verilator's 8 to 64 bit integers.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

namespace {

enum Status : int32_t { DONE, LIMIT, STALL, EXTRA, UNSTABLE, CANCELLED, ASSERTION, EARLY };

}  // namespace

extern "C" {

// Mirrored field by field in simulator.py.
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

struct Job {
    Feed* feeds;
    Sink* sinks;
    const uint32_t* const* plain_in;  // values held constant
    uint32_t* const* plain_out;       // values in the last cycle, result
    int64_t reset_at;                 // cycle of the reset pulse; negative: none
    uint64_t drain;                   // cycles that must pass without a beat after the last one
    uint64_t limit;                   // give up after this many cycles
    uint64_t stall;                   // give up after this many cycles without a transfer
    int32_t (*progress)(uint64_t cycle, uint64_t received, uint64_t expected);  // nonzero: stop
    const char* waves;                                                          // FST file or nullptr
    uint64_t cycles;                                                            // result
    int32_t status;                                                             // result
    int32_t stream;  // result: the output stream that status speaks of
};

__attribute__((visibility("default"))) int32_t harness_run(Job* job);
}

namespace {

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

class Bench {
    Job& m_job;
    VerilatedContext m_context;
    std::unique_ptr<Vtop> m_dut;
    std::vector<Driver> m_drivers;
    std::vector<Monitor> m_monitors;
#if HARNESS_TRACE
    std::unique_ptr<VerilatedFstC> m_trace;
#endif

    void eval() {
        m_dut->eval();
#if HARNESS_TRACE
        if (m_trace) m_trace->dump(m_context.time());
#endif
        m_context.timeInc(5);
    }
    void edge() {
        set_clock(*m_dut, true);
        eval();
        set_clock(*m_dut, false);
    }
    void reset() {
        set_reset(*m_dut, true);
        eval();
        edge();
        set_reset(*m_dut, false);
    }
    // Streams at their beginning; the design keeps its state.
    void rewind() {
        m_drivers.clear();
        m_monitors.clear();
        const std::vector<Port> inputs = input_streams(*m_dut), outputs = output_streams(*m_dut);
        for (size_t i = 0; i < inputs.size(); ++i) m_drivers.emplace_back(m_job.feeds[i], inputs[i]);
        for (size_t i = 0; i < outputs.size(); ++i) m_monitors.emplace_back(m_job.sinks[i], outputs[i]);
        for (auto& driver : m_drivers) driver.idle();
        for (const Port& port : inputs)
            if (port.valid) *port.valid = 0;
        for (const Port& port : outputs)
            if (port.ready) *port.ready = 0;
    }
    bool report(uint64_t cycle) const {
        if (!m_job.progress) return false;
        uint64_t received = 0, expected = 0;
        for (size_t i = 0; i < m_monitors.size(); ++i) {
            received += m_job.sinks[i].received;
            expected += m_job.sinks[i].beats;
        }
        return m_job.progress(cycle, received, expected) != 0;
    }
    Status loop(uint64_t limit) {
        constexpr uint64_t REPORT = 1 << 13;
        uint64_t last = 0;  // cycle after the last transfer
        for (uint64_t cycle = 0;; ++cycle) {
            m_job.cycles = cycle;
            if (cycle == limit) return LIMIT;
            if (cycle - last > m_job.stall) return STALL;
            if (cycle % REPORT == 0 && report(cycle)) return CANCELLED;
            for (auto& driver : m_drivers) driver.drive();
            for (auto& monitor : m_monitors) monitor.drive();
            eval();
            bool moved = false, done = true;
            for (auto& driver : m_drivers) {
                moved |= driver.sample(cycle);
                done &= driver.done();
            }
            for (size_t i = 0; i < m_monitors.size(); ++i) {
                const Status status = m_monitors[i].sample(cycle, moved);
                done &= m_monitors[i].done();
                if (status == DONE) continue;
                m_job.stream = static_cast<int32_t>(i);
                return status;
            }
            if (moved) last = cycle + 1;
            if (done && cycle + 1 - last >= m_job.drain) {
                m_job.cycles = last;
                return DONE;
            }
            edge();
            if (m_context.gotError()) return ASSERTION;
            for (auto& driver : m_drivers) driver.idle();
        }
    }

public:
    explicit Bench(Job& job)
        : m_job{job}
        , m_dut{std::make_unique<Vtop>(&m_context)} {
        m_context.fatalOnError(false);
#if HARNESS_TRACE
        if (job.waves) {
            m_context.traceEverOn(true);
            m_trace = std::make_unique<VerilatedFstC>();
            m_dut->trace(m_trace.get(), 99);
            m_trace->open(job.waves);
        }
#endif
    }
    ~Bench() {
        m_dut->final();
#if HARNESS_TRACE
        if (m_trace) m_trace->close();
#endif
    }
    Status run() {
        const std::vector<Port> plain_in = plain_inputs(*m_dut), plain_out = plain_outputs(*m_dut);
        for (size_t i = 0; i < plain_in.size(); ++i)
            std::memcpy(plain_in[i].payload, m_job.plain_in[i], plain_in[i].bytes);
        rewind();
        set_clock(*m_dut, false);
        reset();
        Status status = LIMIT;
        if (m_job.reset_at >= 0) {
            // The work is begun and cut off; then it starts again from the first beat.
            status = loop(static_cast<uint64_t>(m_job.reset_at));
            if (status == DONE) status = EARLY;
            rewind();
            reset();
        }
        if (status == LIMIT) status = loop(m_job.limit);
        for (size_t i = 0; i < plain_out.size(); ++i)
            std::memcpy(m_job.plain_out[i], plain_out[i].payload, plain_out[i].bytes);
        return status;
    }
};

}  // namespace

int32_t harness_run(Job* job) {
    Bench bench{*job};
    job->status = bench.run();
    return job->status;
}
