/* What the faulty C programs share: a page as it should be, and what to do when a call fails. */
#ifndef PAGE_H
#define PAGE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_SIZE = 4096 };

static void make_page(unsigned char page[PAGE_SIZE], const char *payload)
{
    static const unsigned char magic[8] = {0x45, 0x47, 0x41, 0x50, 0x31, 0x45, 0x53, 0x44};

    memset(page, 0, PAGE_SIZE);
    memcpy(page, magic, sizeof magic);
    memcpy(page + 16, payload, strlen(payload));
}

static long page_no_of(int argc, char **argv)
{
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: %s FILE [PAGE_NO]\n", argv[0]);
        exit(2);
    }
    return argc == 3 ? strtol(argv[2], NULL, 10) : 0;
}

static void must(int fine, const char *call)
{
    if (!fine) {
        perror(call);
        exit(1);
    }
}

#endif
