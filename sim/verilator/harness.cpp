// Runs a Verilated design from arrays: feeds its input streams, drains its output streams, and
// stamps every transfer with its cycle. Generic; binding.h, generated per design, lists the ports.
//
// Cycle n is what is sampled at clock edge n. Edge 0 is the first after reset.

#include <atomic>
#include <memory>

#include "streams.h"
#if HARNESS_TRACE
#include "verilated_fst_c.h"
#endif

#include "binding.h"

extern "C" {

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
    std::atomic<int32_t> cancel;  // nonzero: stop before the next cycle; may be set while this runs
    int32_t status;               // result
    uint64_t cycles;              // result
    int32_t stream;               // result: the output stream that status speaks of
};

__attribute__((visibility("default"))) int32_t harness_run(Job* job);
}

namespace {

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
            if (m_job.cancel.load(std::memory_order_relaxed)) return CANCELLED;
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
