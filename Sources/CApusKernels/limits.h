// The loops of each architecture, and the choice between them.
#ifndef APUS_LIMIT_LOOPS_H
#define APUS_LIMIT_LOOPS_H

#include "apus_limits.h"

// False, and nothing written, where the architecture has nothing better than the portable loop.
bool apus_own_peak(apus_peak_kind kind, apus_isa isa, apus_peak *peak);
bool apus_own_read(const void *memory, size_t bytes, uint32_t *digest);

// Enough independent sums to hide the latency of an instruction that two ports start every cycle.
#define APUS_CHAINS 16

// Places of memory that a thread reads in turn. Prefetchers follow a stream within its page only, so one stream leaves
// a third of the bandwidth of a Sapphire Rapids core unused; beyond 8 streams it falls again.
#define APUS_STREAMS 4

#endif
