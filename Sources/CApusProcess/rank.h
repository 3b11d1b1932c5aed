#ifndef APUS_RANK_H
#define APUS_RANK_H

#include "apus_process.h"

// Starts one rank as a child of this process, which must have no other threads; the child tells its group (APUS_FORKED)
// before its exec. Returns 0, or the errno of what failed, the exec included.
int apus_start_rank(const apus_job *job, int rank, int news, pid_t *process);

#endif
