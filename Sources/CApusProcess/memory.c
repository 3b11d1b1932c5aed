#define _GNU_SOURCE
#include "apus_process.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

int apus_memory_file(const char *name, size_t bytes, int *descriptor) {
#if defined(__linux__)
    // Past this limit, ftruncate ends the process with a signal.
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < bytes) return EFBIG;
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
