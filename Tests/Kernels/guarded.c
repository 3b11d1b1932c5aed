#define _GNU_SOURCE
#include "guarded.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define POISON(p, bytes) __asan_poison_memory_region(p, bytes)
#define UNPOISON(p, bytes) __asan_unpoison_memory_region(p, bytes)
#endif
#endif
#ifndef POISON
#define POISON(p, bytes) ((void)(p), (void)(bytes))
#define UNPOISON(p, bytes) ((void)(p), (void)(bytes))
#endif

#define MOST 256

static struct {
    uint8_t *start;
    size_t bytes;
} mappings[MOST];
static size_t count;

void *guarded(size_t bytes, size_t alignment) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), usable = (bytes + page - 1) / page * page;
    require(count < MOST, "too many guarded regions");
    uint8_t *start = mmap(NULL, usable + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(start != MAP_FAILED, "the machine refuses %zu bytes", usable);
    require(mprotect(start + usable, page, PROT_NONE) == 0, "the machine refuses a guard page");
    mappings[count].start = start, mappings[count++].bytes = usable + page;
    uint8_t *result = start + (usable - bytes) / alignment * alignment;
    POISON(start, (size_t)(result - start));
    POISON(result + bytes, (size_t)(start + usable - result) - bytes);
    return result;
}

void release_guarded(void) {
    for (; count > 0; count--) {
        UNPOISON(mappings[count - 1].start, mappings[count - 1].bytes);
        munmap(mappings[count - 1].start, mappings[count - 1].bytes);
    }
}

uint32_t random_below(uint32_t limit) {
    static uint64_t state = 88172645463325252u;
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (uint32_t)((state >> 32) * limit >> 32);
}

float *guarded_floats(size_t floats) { return guarded(floats * sizeof(float), sizeof(float)); }

float *random_floats(size_t floats, float scale) {
    float *values = guarded_floats(floats);
    for (size_t i = 0; i < floats; i++) values[i] = ((float)random_below(1 << 24) * 0x1p-23f - 1) * scale;
    return values;
}

int32_t *guarded_indices(const int32_t *values, size_t indices) {
    return memcpy(guarded(indices * sizeof(int32_t), sizeof(int32_t)), values, indices * sizeof(int32_t));
}

void require(bool condition, const char *format, ...) {
    if (condition) return;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

void require_near(const float *expected, const float *got, size_t floats, float tolerance, const char *what) {
    for (size_t i = 0; i < floats; i++) {
        const bool near = isnan(expected[i]) ? isnan(got[i]) : fabsf(expected[i] - got[i]) <= tolerance;
        require(near, "%s: element %zu of %zu is %g and should be %g", what, i, floats, (double)got[i],
                (double)expected[i]);
    }
}
