// What starting processes needs between fork and exec, where no Swift may run, and at the start of a program.
#ifndef APUS_PROCESS_H
#define APUS_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The ranks of one job and what ends with them.
typedef struct {
    int count;
    const char *program; // a path: PATH is not searched
    char *const *arguments;
    char *const *const *environments;
    // Rank 0's 0, everyone else's 0, and each rank's 1 and 2.
    int input, nothing;
    const int *outputs, *errors;
    // Stays open in the ranks under the same number, or -1.
    int shared;
    // Whether ranks that have ended may be started again: what they inherit then stays open in the guardian.
    int restarts;
    // Removed at the end, if they are there.
    const char *file, *directory;
} apus_job;

// What the guardian is told: to start all ranks, to start one again that has ended, or to send a signal to the group of
// one that has not.
enum { APUS_START_ALL = 0, APUS_START_AGAIN = -1 };
typedef struct {
    int32_t signal; // or one of those above
    int32_t rank;
} apus_order;

typedef enum { APUS_FORKED, APUS_STARTED, APUS_REFUSED, APUS_EXITED, APUS_SIGNALED } apus_event;

// What is told: that a rank has a process (and group; by itself), runs its program (the same), could not (an errno), has
// exited (its status), or was killed (the signal). Of one that could not, nothing is left.
typedef struct {
    int32_t event;
    int32_t rank;
    int32_t value;
} apus_news;

// Starts the guardian of a job: the parent of its ranks, and on Linux the heir of all their descendants, that has
// nothing else to do. When every write end of *orders is closed it kills whatever of the job still runs, removes the
// file and the directory, and ends; so it does when this process dies, however it dies. Each rank leads a process group
// of its own, with default signal handling, and on Linux dies with the guardian. Returns 0 or an errno.
//
// Out of its reach: what a rank has other programs start (a service manager, a container's daemon), what may not be
// killed (other users' processes), and where there are no heirs (macOS) descendants that left their rank's group.
int apus_start_guardian(const apus_job *job, pid_t *guardian, int *orders, int *news);

// A pipe whose ends are closed on exec. Returns 0 or an errno.
int apus_pipe(int ends[2]);

// Kills all children of the calling process and counts them, without those that it may not kill; `spared` is the name of
// some that are only counted. 0 where the system has no list of processes. Calls nothing that is unsafe after a fork.
int apus_kill_children(const char *spared);

// Starts a detached thread with a small stack. Returns 0 or an errno.
int apus_start_thread(void (*run)(void *), void *context);

// Whether so many more threads (as libraries make them), open files, or bytes of addresses could be had now: 0 or an
// errno. What was tried is given back.
int apus_try_threads(int count);
int apus_try_descriptors(int count);
int apus_try_addresses(size_t bytes);

// Whether the process was started with the signal ignored, as nohup and shells without job control do.
int apus_signal_is_ignored(int signal);

// Opens the stream of the signals that are noticed from now on, a byte for each: its number. Once in a process. Returns
// 0 or an errno.
int apus_open_signals(int *reading);

// The signal goes to the stream, in place of what it would do; and does again what it did. Not from several threads at
// once. Returns 0 or an errno.
int apus_notice_signal(int signal);
void apus_forget_signal(int signal);

// Makes a file of that many zeros that lies in memory alone and ends with the last process that has it open or mapped.
// Returns 0 or an errno; ENOTSUP on systems without such files.
int apus_memory_file(const char *name, size_t bytes, int *descriptor);

// Locks an open file against every other process for as long as it is open, if nobody has it now. Returns 0 or an errno.
int apus_lock_file(int descriptor);

#endif
