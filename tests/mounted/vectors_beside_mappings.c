/* Two threads write vectors while a third maps a file anew over its own dirty mapping: that holds the
 * mmap_lock while it waits for the write-back of the old pages. Prints "done". */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ROUNDS = 100, SIZE = 1 << 20, PAGE = 4096 };

static char page[PAGE];

static void *
write_vectors(void *name)
{
	struct iovec vector = {page, sizeof page};
	int fd = open(name, O_RDWR | O_CREAT, 0644);

	for (int i = 0; i < ROUNDS; i++)
		if (pwritev(fd, &vector, 1, PAGE * (i % 16)) != PAGE)
			abort();
	return NULL;
}

int
main(void)
{
	pthread_t one, two;
	int fd = open("mapped", O_RDWR | O_CREAT, 0644);

	if (ftruncate(fd, SIZE))
		abort();
	pthread_create(&one, NULL, write_vectors, "a");
	pthread_create(&two, NULL, write_vectors, "b");

	char *bytes = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	for (int i = 0; i < ROUNDS; i++) {
		for (int at = 0; at < SIZE; at += 16 * PAGE)
			bytes[at] = (char)i;
		if (mmap(bytes, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != bytes)
			abort();
	}
	pthread_join(one, NULL);
	pthread_join(two, NULL);
	puts("done");
	return 0;
}
