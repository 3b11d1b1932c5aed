// Memory that ends where it says: what is read or written past it traps, by vectors and tile registers too.
#ifndef GUARDED_H
#define GUARDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// `bytes` zeros at a multiple of `alignment`, before a page that may not be touched; what is left between is poisoned.
void *guarded(size_t bytes, size_t alignment);
float *guarded_floats(size_t count);
// Random numbers from -scale to scale.
float *random_floats(size_t count, float scale);
int32_t *guarded_indices(const int32_t *values, size_t count);
// Gives back all memory since the last call.
void release_guarded(void);

uint32_t random_below(uint32_t limit);

// Ends the program unless the condition holds.
void require(bool condition, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Ends it unless two results are near each other; what is no number must be none in both.
void require_near(const float *expected, const float *got, size_t count, float tolerance, const char *what);

#endif
