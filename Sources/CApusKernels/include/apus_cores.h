// Where threads run.
#ifndef APUS_CORES_H
#define APUS_CORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Keeps the calling thread to some cores, by the system's numbers. False where the system refuses or knows no such thing.
bool apus_pin_thread(const int32_t *cores, size_t count);

#endif
