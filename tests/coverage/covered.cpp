// The harness, for a model that counts: what was covered is written when the model ends.
#include <cstdlib>

#include "Vtop.h"
#include "verilated_cov.h"

class CoveredTop final : public Vtop {
    VerilatedContext* m_context;

public:
    explicit CoveredTop(VerilatedContext* context)
        : Vtop{context}
        , m_context{context} {}
    ~CoveredTop() { m_context->coveragep()->write(std::getenv("ONESPIKE_COVERAGE")); }
};

#define Vtop CoveredTop
#include "harness.cpp"
#undef Vtop
