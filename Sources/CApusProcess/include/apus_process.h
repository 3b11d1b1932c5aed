// What starting processes needs between fork and exec, where no Swift may run.
#ifndef APUS_PROCESS_H
#define APUS_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

typedef struct {
    const char *program; // a path: PATH is not searched
    char *const *arguments;
    char *const *environment;
    // Become the child's 0, 1 and 2.
    int standard_input, standard_output, standard_error;
    // The write end of a guardian's channel, or -1.
    int guardian;
    // Stays open in the child under the same number, or -1.
    int shared;
} apus_spawn_request;

// Starts the program as leader of a new process group, with default signal handling. The child dies by SIGKILL with
// the thread that called (on Linux). Returns 0, or the errno of what failed, the exec included.
int apus_spawn(const apus_spawn_request *request, pid_t *process);

// Starts a process that outlives this one just long enough to clean up: when every write end of *channel is closed it
// kills the process groups it was told of, removes `file` and then `directory` (either may be null), and ends.
// Written to *channel, as pid_t: a group's id adds it, its negative takes it away, 0 ends the guardian with no harm
// done. Returns 0 or an errno.
int apus_start_guardian(const char *file, const char *directory, pid_t *guardian, int *channel);

// A pipe whose ends are closed on exec. Returns 0 or an errno.
int apus_pipe(int ends[2]);

// As waitpid, but leaves the zombie, so that its process and group ids stay taken. Returns 0 and either the exit status
// or the signal (the other is -1), or an errno.
int apus_await_exit(pid_t process, int *status, int *signal);

// Whether the process was started with the signal ignored, as nohup and shells without job control do.
int apus_signal_is_ignored(int signal);

// Makes a file of that many zeros that lies in memory alone and ends with the last process that has it open or mapped.
// Returns 0 or an errno; ENOTSUP on systems without such files.
int apus_memory_file(const char *name, size_t bytes, int *descriptor);

#endif
