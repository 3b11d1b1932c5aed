#define _GNU_SOURCE
#include "apus_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

enum { GROUP_LIMIT = 65536 };

static pid_t groups[GROUP_LIMIT];

// Only async-signal-safe calls: the other threads are gone, and with them whoever held malloc's lock.
static void close_all_but(int kept) {
#if defined(__linux__) && defined(SYS_close_range)
    if ((kept == 0 || syscall(SYS_close_range, 0, kept - 1, 0) == 0) && syscall(SYS_close_range, kept + 1, ~0U, 0) == 0)
        return;
#endif
    long limit = sysconf(_SC_OPEN_MAX);
    if (limit < 0 || limit > 65536) limit = 65536;
    for (int descriptor = 0; descriptor < limit; descriptor++)
        if (descriptor != kept) close(descriptor);
}

static void guard(int channel, const char *file, const char *directory) {
    setsid(); // what is sent to the launcher's group does not reach it
    close_all_but(channel);
    (void)!chdir("/");
    const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2};
    for (unsigned i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
#if defined(__linux__)
    prctl(PR_SET_NAME, "apus-guardian");
#endif
    int count = 0;
    for (;;) {
        pid_t message;
        ssize_t bytes = read(channel, &message, sizeof message);
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes != sizeof message) break;
        if (message == 0) _exit(0);
        if (message > 0) {
            if (count < GROUP_LIMIT) groups[count++] = message;
        } else {
            for (int i = 0; i < count; i++)
                if (groups[i] == -message) groups[i--] = groups[--count];
        }
    }
    for (int i = 0; i < count; i++) kill(-groups[i], SIGKILL);
    if (file) unlink(file);
    if (directory) rmdir(directory);
    _exit(0);
}

int apus_start_guardian(const char *file, const char *directory, pid_t *guardian, int *channel) {
    int ends[2];
    int error = apus_pipe(ends);
    if (error) return error;

    sigset_t all, previous;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &previous);
    pid_t child = fork();
    if (child == 0) {
        sigset_t none;
        sigemptyset(&none);
        close(ends[1]);
        for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
        sigprocmask(SIG_SETMASK, &none, NULL);
        guard(ends[0], file, directory);
    }
    error = child < 0 ? errno : 0;
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    close(ends[0]);
    if (error) {
        close(ends[1]);
        return error;
    }
    *guardian = child;
    *channel = ends[1];
    return 0;
}
