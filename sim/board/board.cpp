// A board on a desk: its clock pin is driven, its serial pins end in a pseudo-terminal.
//
// binding.h, generated per design, names the pins. Prints the terminal's name on a line of its own
// when it is ready and runs until it is killed, its parent is gone or a rule of its memory is broken.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <deque>

#include "verilated.h"

#include "binding.h"

namespace {

constexpr size_t AHEAD = 64;            // bytes fetched from the terminal before they are due
constexpr uint64_t SERVICE = 1 << 8;    // cycles between looks at the terminal
constexpr uint64_t QUIET = 1 << 18;     // cycles without a byte after which the simulation naps
constexpr int NAP_MILLISECONDS = 5;

// Queues of bytes on both sides of the design's serial pins; timing as a UART adapter has it.
class Line {
    std::deque<uint8_t> m_in;
    unsigned m_out_bits = 0, m_out_left = 0, m_out_timer = 0;
    unsigned m_in_bits = 0, m_in_left = 0, m_in_timer = 0;

public:
    std::deque<uint8_t> out;

    size_t waiting() const { return m_in.size(); }
    bool idle() const { return m_in.empty() && out.empty() && m_in_left == 0 && m_out_left == 0; }
    void push(uint8_t byte) { m_in.push_back(byte); }

    // Level of the pin into the design in this cycle.
    bool drive() {
        if (m_in_left == 0) {
            if (m_in.empty()) return true;
            m_in_bits = m_in.front() << 1 | 1u << 9;
            m_in.pop_front();
            m_in_left = 10;
            m_in_timer = DIVISOR;
        }
        const bool level = m_in_bits & 1;
        if (--m_in_timer == 0) {
            m_in_bits >>= 1;
            --m_in_left;
            m_in_timer = DIVISOR;
        }
        return level;
    }
    // Level of the pin out of the design in this cycle.
    void sample(bool level) {
        if (m_out_left == 0) {
            if (level) return;
            m_out_left = 10;
            m_out_timer = DIVISOR / 2;
            m_out_bits = 0;
        }
        if (m_out_timer-- != 0) return;
        m_out_timer = DIVISOR - 1;
        m_out_bits = m_out_bits >> 1 | unsigned(level) << 9;
        if (--m_out_left == 0 && level) out.push_back(uint8_t(m_out_bits >> 1));
    }
};

int open_terminal() {
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) || unlockpt(master)) return -1;
    // Held open here too: a driver may come and go without the terminal going away.
    const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (slave < 0) return -1;
    termios mode;
    tcgetattr(slave, &mode);
    cfmakeraw(&mode);
    tcsetattr(slave, TCSANOW, &mode);
    fcntl(master, F_SETFL, O_NONBLOCK);
    return master;
}

void service(int master, Line& line) {
    uint8_t bytes[AHEAD];
    if (line.waiting() < AHEAD) {
        const ssize_t count = read(master, bytes, sizeof bytes);
        for (ssize_t i = 0; i < count; ++i) line.push(bytes[i]);
    }
    while (!line.out.empty()) {
        size_t count = 0;
        while (count < sizeof bytes && count < line.out.size()) {
            bytes[count] = line.out[count];
            ++count;
        }
        const ssize_t written = write(master, bytes, count);
        if (written <= 0) break;
        line.out.erase(line.out.begin(), line.out.begin() + written);
    }
}

}  // namespace

int main() {
    const int master = open_terminal();
    if (master < 0) {
        std::perror("pseudo-terminal");
        return 1;
    }
    std::printf("%s\n", ptsname(master));
    std::fflush(stdout);
    const pid_t parent = getppid();

    VerilatedContext context;
    Vtop dut{&context};
    Line line;
    uint64_t busy = 0;
    for (uint64_t cycle = 0;; ++cycle) {
        PIN_CLOCK(dut) = 0;
        PIN_RX(dut) = line.drive();
        dut.eval();
        line.sample(PIN_TX(dut));
        PIN_CLOCK(dut) = 1;
        dut.eval();
        if (!line.idle()) busy = cycle;
        if (cycle % SERVICE) continue;
        service(master, line);
        if (BROKEN(dut)) return 1;  // a rule of the memory, which its model names
        if (cycle - busy > QUIET) {
            pollfd wait{master, POLLIN, 0};
            poll(&wait, 1, NAP_MILLISECONDS);
        }
        if (cycle % (SERVICE << 8) == 0 && getppid() != parent) return 0;
    }
}
