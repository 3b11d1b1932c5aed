#define _GNU_SOURCE
#include "apus_process.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

int apus_memory_file(const char *name, size_t bytes, int *descriptor) {
#if defined(__linux__)
    *descriptor = memfd_create(name, MFD_CLOEXEC);
    if (*descriptor < 0) return errno;
    if (ftruncate(*descriptor, (off_t)bytes) == 0) return 0;
    int error = errno;
    close(*descriptor);
    return error;
#else
    (void)name, (void)bytes, (void)descriptor;
    return ENOTSUP;
#endif
}
