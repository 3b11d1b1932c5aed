#define _GNU_SOURCE
#include "apus_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

// One pipe for the life of the process: a handler may still be in its write when nobody wants the signal any more.
static _Atomic int noticed = -1;
static struct sigaction previous[NSIG];

static void notice(int number) {
    int error = errno;
    unsigned char byte = (unsigned char)number;
    (void)!write(atomic_load(&noticed), &byte, 1);
    errno = error;
}

int apus_open_signals(int *reading) {
    int ends[2];
    int error = apus_pipe(ends);
    if (error) return error;
    // Thousands of unread signals say no more than one.
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    *reading = ends[0];
    atomic_store(&noticed, ends[1]);
    return 0;
}

int apus_notice_signal(int number) {
    if (number < 1 || number >= NSIG) return EINVAL;
    struct sigaction action = {.sa_handler = notice, .sa_flags = SA_RESTART};
    sigfillset(&action.sa_mask);
    return sigaction(number, &action, &previous[number]) == 0 ? 0 : errno;
}

void apus_forget_signal(int number) {
    if (number >= 1 && number < NSIG) sigaction(number, &previous[number], NULL);
}

int apus_signal_is_ignored(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}
