#define _GNU_SOURCE
#include "apus_process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif
#if defined(__GLIBC__)
#include <malloc.h>
#endif

// Otherwise the next file or socket gets the number, and what is meant for a person goes into it. Opened for reading
// only, so that writing fails as it does where nothing is open.
static void open_standard_streams(void) {
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
        int opened = open("/dev/null", O_RDONLY);
        if (opened == descriptor || opened < 0) continue;
        dup2(opened, descriptor);
        close(opened);
    }
}

// Stacks of 8 MiB and arenas of 64 MiB are only addresses, but where those are limited they are what runs out first, and
// no library survives that.
static void spare_addresses(void) {
#if defined(__GLIBC__)
    enum { STACK = 1 << 20 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
    rlim_t arenas = limit.rlim_cur >> 30;
    mallopt(M_ARENA_MAX, arenas < 1 ? 1 : arenas > 64 ? 64 : (int)arenas);
    pthread_attr_t attributes;
    size_t size = 0;
    if (pthread_getattr_default_np(&attributes) != 0) return;
    if (pthread_attr_getstacksize(&attributes, &size) == 0 && size > STACK &&
        pthread_attr_setstacksize(&attributes, STACK) == 0)
        pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
#endif
}

// A worker is started as /proc/self/exe, which says nothing to whoever looks at a list of processes.
static void take_name(void) {
#if defined(__linux__)
    char name[16] = {0};
    if (prctl(PR_GET_NAME, name) == 0 && strcmp(name, "exe") == 0) prctl(PR_SET_NAME, program_invocation_short_name);
#endif
}

// Before anything else of the program: by the first line of an asynchronous main, Swift has opened files of its own.
__attribute__((constructor)) static void at_start(void) {
    open_standard_streams();
    spare_addresses();
    take_name();
}
