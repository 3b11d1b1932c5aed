#define _GNU_SOURCE
#include "apus_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

#if defined(__linux__)

// Of linux/dirent.h, which no header of the C library shows.
typedef struct {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
} directory_entry;

static pid_t number(const char *text) {
    pid_t value = 0;
    for (; *text >= '0' && *text <= '9' && value < 100000000; text++) value = value * 10 + (*text - '0');
    return *text ? 0 : value;
}

// Of "PID (NAME) STATE PARENT ...", where the name may hold anything. 0 if there is no such process.
static pid_t parent_of(int processes, const char *process, char *name, size_t limit) {
    char path[32] = {0}, text[512];
    if (strlen(process) > 16) return 0;
    strcat(strcpy(path, process), "/stat");
    int file = openat(processes, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return 0;
    text[count] = 0;
    char *start = strchr(text, '('), *end = strrchr(text, ')');
    if (!start || !end || end - text + 4 >= count) return 0;
    *end = 0;
    strncpy(name, start + 1, limit - 1);
    name[limit - 1] = 0;
    char *digits = end + 4, *space = strchr(digits, ' ');
    if (!space) return 0;
    *space = 0;
    return number(digits);
}

// A child stays what it is until it is waited for, so its number cannot have gone to another process in between.
int apus_kill_children(const char *spared) {
    int processes = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = 0;
    if (processes < 0) return 0;
    pid_t self = getpid();
    _Alignas(directory_entry) char entries[8192];
    for (;;) {
        long count = syscall(SYS_getdents64, processes, entries, sizeof entries);
        if (count <= 0) break;
        for (long at = 0; at < count;) {
            directory_entry *entry = (directory_entry *)(entries + at);
            at += entry->length;
            char name[64];
            pid_t process = number(entry->name);
            if (process <= 0 || parent_of(processes, entry->name, name, sizeof name) != self) continue;
            if (spared && strcmp(name, spared) == 0) found++;
            else if (kill(process, SIGKILL) == 0 || errno != EPERM) found++;
        }
    }
    close(processes);
    return found;
}

#else

int apus_kill_children(const char *spared) {
    (void)spared;
    return 0;
}

#endif
