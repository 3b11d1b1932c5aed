#ifdef __linux__
#define _GNU_SOURCE // Swift's Glibc does not show what stands behind it
#include <sched.h>
#endif

#include "apus_cores.h"

bool apus_pin_thread(const int32_t *cores, size_t count) {
#ifdef __linux__
    cpu_set_t set;
    CPU_ZERO(&set);
    for (size_t i = 0; i < count; i++) {
        if (cores[i] >= 0 && cores[i] < CPU_SETSIZE) CPU_SET((size_t)cores[i], &set);
    }
    return sched_setaffinity(0, sizeof set, &set) == 0;
#else
    (void)cores, (void)count;
    return false;
#endif
}
