#define _GNU_SOURCE
#include "apus_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

int apus_pipe(int ends[2]) {
#if defined(__linux__)
    return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno;
#else
    if (pipe(ends) != 0) return errno;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
#endif
}

static void report_and_exit(int report, int error) {
    (void)!write(report, &error, sizeof error);
    _exit(127);
}

// NIO's sockets stay open across exec; a copy in a child would keep a connection from ever ending.
static void close_sockets_on_exec(void) {
    for (int descriptor = 3; descriptor < 8192; descriptor++) {
        struct stat info;
        if (fstat(descriptor, &info) == 0 && S_ISSOCK(info.st_mode)) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    }
}

static void become(const apus_spawn_request *request, pid_t parent, int report) {
    setpgid(0, 0);
#if defined(__linux__)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127); // it died before the line above
#else
    (void)parent;
#endif
    if (request->guardian >= 0) {
        pid_t group = getpid();
        (void)!write(request->guardian, &group, sizeof group);
    }
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);

    // Copies above 2 first: one of the three may itself be 0, 1 or 2.
    int wanted[3] = {request->standard_input, request->standard_output, request->standard_error};
    for (int target = 0; target < 3; target++) {
        wanted[target] = fcntl(wanted[target], F_DUPFD_CLOEXEC, 3);
        if (wanted[target] < 0) report_and_exit(report, errno);
    }
    for (int target = 0; target < 3; target++)
        if (dup2(wanted[target], target) < 0) report_and_exit(report, errno);

    close_sockets_on_exec();
    if (request->shared >= 0) fcntl(request->shared, F_SETFD, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(request->program, request->arguments, request->environment);
    report_and_exit(report, errno);
}

int apus_spawn(const apus_spawn_request *request, pid_t *process) {
    int report[2];
    int error = apus_pipe(report);
    if (error) return error;

    // No handler of this process may run in the child before they are reset.
    sigset_t all, previous;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &previous);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) become(request, parent, report[1]);
    error = child < 0 ? errno : 0;
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    close(report[1]);

    if (!error) {
        ssize_t count;
        do count = read(report[0], &error, sizeof error);
        while (count < 0 && errno == EINTR);
        if (count != sizeof error) error = 0; // closed by the exec
        if (error) while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    }
    close(report[0]);
    *process = child;
    return error;
}

int apus_await_exit(pid_t process, int *status, int *signal) {
    siginfo_t info;
    int result;
    do result = waitid(P_PID, (id_t)process, &info, WEXITED | WNOWAIT);
    while (result < 0 && errno == EINTR);
    if (result < 0) return errno;
    *status = info.si_code == CLD_EXITED ? info.si_status : -1;
    *signal = info.si_code == CLD_EXITED ? -1 : info.si_status;
    return 0;
}

int apus_signal_is_ignored(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}
