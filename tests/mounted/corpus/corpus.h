/* What the C programs of the corpus share. Each works on files of its working directory and states
 * its calls on them in comments that begin with EXPECT. */
#ifndef CORPUS_H
#define CORPUS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(fine)                                                                         \
    do {                                                                                   \
        if (!(fine)) {                                                                     \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #fine, strerror(errno)); \
            _exit(1);                                                                      \
        }                                                                                  \
    } while (0)

#endif
