#define _GNU_SOURCE
#include "apus_process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STACK = 512 << 10 };

typedef struct {
    void (*run)(void *);
    void *context;
} start;

static void *run_start(void *argument) {
    start own = *(start *)argument;
    free(argument);
    own.run(own.context);
    return NULL;
}

int apus_start_thread(void (*run)(void *), void *context) {
    start *argument = malloc(sizeof *argument);
    if (!argument) return ENOMEM;
    *argument = (start){run, context};
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (!error) {
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, STACK);
        // Signals are for the threads of the program.
        sigset_t all, previous;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &previous);
        pthread_t thread;
        error = pthread_create(&thread, &attributes, run_start, argument);
        pthread_sigmask(SIG_SETMASK, &previous, NULL);
        pthread_attr_destroy(&attributes);
    }
    if (error) free(argument);
    return error;
}

static void *pass_gate(void *gate) {
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

int apus_try_threads(int count) {
    pthread_t *threads = calloc(count > 0 ? (size_t)count : 1, sizeof *threads);
    if (!threads) return ENOMEM;
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    int made = 0, error = 0;
    sigset_t all, previous;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &previous);
    pthread_mutex_lock(&gate);
    while (made < count && !error) {
        error = pthread_create(&threads[made], NULL, pass_gate, &gate);
        if (!error) made++;
    }
    pthread_mutex_unlock(&gate);
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    while (made > 0) pthread_join(threads[--made], NULL);
    free(threads);
    return error;
}

int apus_try_descriptors(int count) {
    int *opened = calloc(count > 0 ? (size_t)count : 1, sizeof *opened);
    if (!opened) return ENOMEM;
    int made = 0, error = 0;
    for (; made < count; made++) {
        opened[made] = made == 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : fcntl(opened[0], F_DUPFD_CLOEXEC, 0);
        if (opened[made] < 0) {
            error = errno;
            break;
        }
    }
    while (made > 0) close(opened[--made]);
    free(opened);
    return error;
}

int apus_try_addresses(size_t bytes) {
    void *addresses = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (addresses == MAP_FAILED) return errno;
    munmap(addresses, bytes);
    return 0;
}
