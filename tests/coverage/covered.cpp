// The harness, for a model that counts: what was covered is written when the model ends.
//
// Verilator's own store of points finds each by its text, of which a core has 10^5: that took 25 times as long as
// short runs themselves. Here points are in the order in which the model names them.
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "Vtop.h"
#include "verilated_cov.h"

class VerilatedCovImp final : public VerilatedCovContext {
public:
    std::vector<const uint32_t*> m_counts;
    std::string m_names;

    void name(const char* page, const char* instance, int line, int column, const char* comment) {
        m_names.append(page, std::strcspn(page, "/")) += '\t';
        (m_names += instance) += '\t';
        (m_names += std::to_string(line)) += ':';
        ((m_names += std::to_string(column)) += ' ') += comment;
        m_names += '\n';
    }
    void write(const std::string& folder) const {
        std::ofstream counts{folder + "/counts", std::ios::binary};
        for (const uint32_t* count : m_counts) counts.write(reinterpret_cast<const char*>(count), sizeof *count);
        std::ofstream{folder + "/names"} << m_names;
    }
};

VerilatedCovContext* VerilatedContext::coveragep() {
    if (!m_coveragep) m_coveragep.reset(new VerilatedCovImp);
    return static_cast<VerilatedCovContext*>(m_coveragep.get());
}
void VerilatedCovContext::_inserti(uint32_t* count) { impp()->m_counts.push_back(count); }
void VerilatedCovContext::_insertf(const char*, int) {}

// How a model names a bit that toggles, and a line or branch
#define PAIR const char*, const char*
void VerilatedCovContext::_insertp(PAIR, PAIR, const char*, int line, const char*, int column, const char*,
                                   const char* instance, const char*, const char* page, const char*, const char* comment, PAIR) {
    impp()->name(page, instance, line, column, comment);
}
void VerilatedCovContext::_insertp(PAIR, PAIR, const char*, int line, const char*, int column, const char*,
                                   const char* instance, const char*, const char* page, const char*, const char* comment, PAIR, PAIR, PAIR, PAIR,
                                   PAIR) {
    impp()->name(page, instance, line, column, comment);
}

class CoveredTop final : public Vtop {
    VerilatedContext* m_context;

public:
    explicit CoveredTop(VerilatedContext* context)
        : Vtop{context}
        , m_context{context} {}
    ~CoveredTop() { static_cast<VerilatedCovImp*>(m_context->coveragep())->write(std::getenv("ONESPIKE_COVERAGE")); }
};

#define Vtop CoveredTop
#include "harness.cpp"
#undef Vtop
