#define _GNU_SOURCE
#include "rank.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

// In the guardian only async-signal-safe calls: the other threads are gone, and with them whoever held malloc's lock.

static const char name[] = "apus-guardian";
enum { OPEN_LIMIT = 65536 };
enum { PATIENCE = 5000, PATIENCE_WITH_GUARDIANS = 1000 }; // in milliseconds

typedef struct {
    const apus_job *job;
    int orders, news;
    // Written to by the handler of SIGCHLD.
    int wake_read, wake_write;
    // Of each rank that was started and has not been waited for, else 0.
    pid_t *processes;
    char *reported;
} guardian_state;

static int wake_end;

static void wake(int signal) {
    (void)signal;
    int error = errno;
    (void)!write(wake_end, "", 1);
    errno = error;
}

static int is_kept(const guardian_state *state, int descriptor) {
    const apus_job *job = state->job;
    if (descriptor == state->orders || descriptor == state->news) return 1;
    if (descriptor == job->input || descriptor == job->nothing || descriptor == job->shared) return 1;
    for (int rank = 0; rank < job->count; rank++)
        if (descriptor == job->outputs[rank] || descriptor == job->errors[rank]) return 1;
    return 0;
}

// Leaves what the ranks inherit. NIO's sockets stay open across exec; a copy in a child would keep a connection from
// ever ending.
static void close_unshared(const guardian_state *state) {
    long limit = sysconf(_SC_OPEN_MAX);
    if (limit < 0 || limit > OPEN_LIMIT) limit = OPEN_LIMIT;
    for (int descriptor = 3; descriptor < limit; descriptor++) {
        int flags = fcntl(descriptor, F_GETFD);
        if (flags < 0 || is_kept(state, descriptor)) continue;
        struct stat info;
        if (flags & FD_CLOEXEC || (fstat(descriptor, &info) == 0 && S_ISSOCK(info.st_mode))) close(descriptor);
    }
}

static void close_from(int first, int last) {
    if (first > last) return;
#if defined(__linux__) && defined(SYS_close_range)
    if (syscall(SYS_close_range, first, last, 0) == 0) return;
#endif
    for (int descriptor = first; descriptor <= last && descriptor < OPEN_LIMIT; descriptor++) close(descriptor);
}

// What was the ranks' alone would keep pipes from ending.
static void close_shared(guardian_state *state) {
    int own[] = {state->orders, state->news, state->wake_read, state->wake_write};
    enum { COUNT = sizeof own / sizeof *own };
    for (int i = 1; i < COUNT; i++)
        for (int j = i; j > 0 && own[j] < own[j - 1]; j--) {
            int other = own[j];
            own[j] = own[j - 1];
            own[j - 1] = other;
        }
    int next = 0;
    for (int i = 0; i < COUNT; i++) {
        close_from(next, own[i] - 1);
        next = own[i] + 1;
    }
    close_from(next, 0x7fffffff);
}

static void tell(const guardian_state *state, apus_event event, int rank, int value) {
    apus_news news = {event, rank, value};
    (void)!write(state->news, &news, sizeof news);
}

static void tell_end(guardian_state *state, int rank, int status) {
    state->reported[rank] = 1;
    if (WIFSIGNALED(status)) tell(state, APUS_SIGNALED, rank, WTERMSIG(status));
    else tell(state, APUS_EXITED, rank, WEXITSTATUS(status));
}

// Notes which ranks have ended. 0 when this process has no children any more.
static int collect(guardian_state *state) {
#if defined(__linux__)
    int status;
    pid_t process;
    while ((process = waitpid(-1, &status, WNOHANG | __WALL)) > 0 || (process < 0 && errno == EINTR)) {
        // Others are orphans that ended.
        for (int rank = 0; process > 0 && rank < state->job->count; rank++)
            if (state->processes[rank] == process) {
                state->processes[rank] = 0;
                tell_end(state, rank, status);
                break;
            }
    }
    return process == 0;
#else
    // Here nobody inherits orphans, and what is left of a rank's group is found by its number: so the rank stays a
    // zombie, and the number its own.
    int running = 0;
    for (int rank = 0; rank < state->job->count; rank++) {
        siginfo_t info = {0};
        if (state->processes[rank] <= 0 || state->reported[rank]) continue;
        if (waitid(P_PID, (id_t)state->processes[rank], &info, WEXITED | WNOHANG | WNOWAIT) != 0 || !info.si_pid) running = 1;
        else if (info.si_code == CLD_EXITED) tell_end(state, rank, (info.si_status & 0xff) << 8);
        else tell_end(state, rank, info.si_status & 0x7f);
    }
    return running;
#endif
}

static long milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

static void kill_all(guardian_state *state) {
    for (int rank = 0; rank < state->job->count; rank++)
        if (state->processes[rank] > 0) kill(-state->processes[rank], SIGKILL);
    // The children of a killed process become this one's, so in the end there are none. Guardians of jobs within the
    // job end by themselves when their launchers have; what waits for a device may not end at all.
    long start = milliseconds();
    for (int pause = 1; collect(state); pause = pause < 16 ? pause * 2 : 16) {
        long passed = milliseconds() - start;
        if (passed > PATIENCE) break;
        if (apus_kill_children(passed < PATIENCE_WITH_GUARDIANS ? name : NULL) == 0 && pause > 1) break;
        struct timespec rest = {0, pause * 1000000L};
        nanosleep(&rest, NULL);
    }
#if !defined(__linux__)
    for (int rank = 0; rank < state->job->count; rank++)
        if (state->processes[rank] > 0) waitpid(state->processes[rank], NULL, WNOHANG);
#endif
}

static int start_one(guardian_state *state, int rank) {
    int error = apus_start_rank(state->job, rank, state->news, &state->processes[rank]);
    if (error) {
        state->processes[rank] = 0;
        tell(state, APUS_REFUSED, rank, error);
        return 0;
    }
    state->reported[rank] = 0;
    tell(state, APUS_STARTED, rank, state->processes[rank]);
    return 1;
}

static void start_all(guardian_state *state) {
    for (int rank = 0; rank < state->job->count; rank++)
        if (!start_one(state, rank)) return;
    if (state->job->restarts) return;
    close_shared(state);
    (void)!chdir("/");
}

static int is_running(const guardian_state *state, int rank) {
    return state->processes[rank] > 0 && !state->reported[rank];
}

static void start_again(guardian_state *state, int rank) {
    if (!state->job->restarts || is_running(state, rank)) return;
#if !defined(__linux__)
    if (state->processes[rank] > 0) {
        kill(-state->processes[rank], SIGKILL);
        waitpid(state->processes[rank], NULL, WNOHANG);
    }
#endif
    start_one(state, rank);
}

static void obey(guardian_state *state) {
    for (;;) {
        struct pollfd polled[] = {{.fd = state->orders, .events = POLLIN}, {.fd = state->wake_read, .events = POLLIN}};
        if (poll(polled, 2, -1) < 0 && errno != EINTR) return;
        if (polled[1].revents) {
            char bytes[64];
            (void)!read(state->wake_read, bytes, sizeof bytes);
            collect(state);
        }
        if (!polled[0].revents) continue;
        apus_order order;
        ssize_t count = read(state->orders, &order, sizeof order);
        if (count < 0 && errno == EINTR) continue;
        if (count != sizeof order) return;
        if (order.signal == APUS_START_ALL) start_all(state);
        else if (order.rank < 0 || order.rank >= state->job->count) continue;
        else if (order.signal == APUS_START_AGAIN) start_again(state, order.rank);
        else if (is_running(state, order.rank)) kill(-state->processes[order.rank], order.signal);
    }
}

static void guard(guardian_state *state) {
    setsid(); // what is sent to the launcher's group does not reach it
    close_unshared(state);
    const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2};
    for (unsigned i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
#if defined(__linux__)
    prctl(PR_SET_NAME, name);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGCONT); // somebody may have stopped it
#endif
    int ends[2];
    if (apus_pipe(ends) != 0) _exit(1);
    state->wake_read = ends[0];
    state->wake_write = wake_end = ends[1];
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    struct sigaction action = {.sa_handler = wake, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGCHLD, &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    obey(state);
    kill_all(state);
    if (state->job->file) unlink(state->job->file);
    if (state->job->directory) rmdir(state->job->directory);
    _exit(0);
}

int apus_start_guardian(const apus_job *job, pid_t *guardian, int *orders, int *news) {
    int down[2], up[2];
    int error = apus_pipe(down);
    if (error) return error;
    error = apus_pipe(up);
    guardian_state state = {.job = job, .orders = down[0], .news = up[1]};
    pid_t child = -1;
    if (!error) {
        size_t count = job->count > 0 ? (size_t)job->count : 1;
        state.processes = calloc(count, sizeof *state.processes);
        state.reported = calloc(count, 1);
        sigset_t all, previous;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &previous);
        child = state.processes && state.reported ? fork() : -1;
        if (child == 0) {
            for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
            close(down[1]);
            close(up[0]);
            guard(&state);
        }
        error = child < 0 ? errno : 0;
        pthread_sigmask(SIG_SETMASK, &previous, NULL);
        free(state.processes);
        free(state.reported);
        close(up[1]);
        if (error) close(up[0]);
    }
    close(down[0]);
    if (error) {
        close(down[1]);
        return error;
    }
    *guardian = child;
    *orders = down[1];
    *news = up[0];
    return 0;
}
