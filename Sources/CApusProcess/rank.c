#define _GNU_SOURCE
#include "rank.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

static void become(const apus_job *job, int rank, pid_t parent, int news, int report) {
    setpgid(0, 0);
#if defined(__linux__)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127); // it died before the line above
#else
    (void)parent;
#endif
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    // By this process itself: whoever outlives a guardian that was killed then knows every group that can have members.
    apus_news group = {APUS_FORKED, rank, getpid()};
    if (write(news, &group, sizeof group) != sizeof group) report_and_exit(report, errno);

    // Copies above 2 first: one of the three may itself be 0, 1 or 2.
    int wanted[3] = {rank == 0 ? job->input : job->nothing, job->outputs[rank], job->errors[rank]};
    for (int target = 0; target < 3; target++) {
        wanted[target] = fcntl(wanted[target], F_DUPFD_CLOEXEC, 3);
        if (wanted[target] < 0) report_and_exit(report, errno);
    }
    for (int target = 0; target < 3; target++)
        if (dup2(wanted[target], target) < 0) report_and_exit(report, errno);

    if (job->shared >= 0) fcntl(job->shared, F_SETFD, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(job->program, job->arguments, job->environments[rank]);
    report_and_exit(report, errno);
}

int apus_start_rank(const apus_job *job, int rank, int news, pid_t *process) {
    int report[2];
    int error = apus_pipe(report);
    if (error) return error;

    // No handler of this process may run in the child before they are reset.
    sigset_t all, previous;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &previous);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) become(job, rank, parent, news, report[1]);
    error = child < 0 ? errno : 0;
    close(report[1]);

    if (!error) {
        ssize_t count;
        do count = read(report[0], &error, sizeof error);
        while (count < 0 && errno == EINTR);
        if (count != sizeof error) error = 0; // closed by the exec
        if (error) while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    }
    sigprocmask(SIG_SETMASK, &previous, NULL);
    close(report[0]);
    *process = child;
    return error;
}
