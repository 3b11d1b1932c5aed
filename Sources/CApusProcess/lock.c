#define _GNU_SOURCE
#include "apus_process.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

// Of the open file, not of the process: a lock by fcntl alone would end with the first descriptor that is closed.
int apus_lock_file(int descriptor) {
#if defined(F_OFD_SETLK)
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(descriptor, F_OFD_SETLK, &whole) == 0 ? 0 : errno;
#else
    return flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
#endif
}
