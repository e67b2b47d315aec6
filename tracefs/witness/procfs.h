/* What /proc says of a thread (proc(5)), read and parsed; by files of it that are open already.
 *
 * For the C parts of tracefs; tracefs/witness/procfs.py says what each thing is.
 */
#ifndef TRACEFS_PROCFS_H
#define TRACEFS_PROCFS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 256, INFO = 512, NAME = 64, ARGUMENTS = 6 };

#define GIB4 (1ULL << 32)

/* Read from the beginning, and end it with a NUL; -1: errno says why. */
static inline ssize_t
read_text(int fd, char *text, size_t size)
{
	ssize_t got;

	do
		got = pread(fd, text, size - 1, 0);
	while (got < 0 && errno == EINTR);
	if (got >= 0)
		text[got] = '\0';
	return got;
}

/* Take one number from *at on, after blanks; 0: there is none. */
static inline int
take(const char **at, int base, unsigned long long *number)
{
	char *end;

	while (**at == ' ' || **at == '\t' || **at == '\n')
		++*at;
	if (**at < '0' || **at > '9')
		return 0;
	errno = 0;
	*number = strtoull(*at, &end, base);
	if (errno || (*end && *end != ' ' && *end != '\n' && *end != '\t'))
		return 0;
	*at = end;
	return 1;
}

static inline int
skip(const char **at, const char *word)
{
	size_t length = strlen(word);

	while (**at == ' ' || **at == '\t' || **at == '\n')
		++*at;
	if (strncmp(*at, word, length))
		return 0;
	*at += length;
	return 1;
}

/* A call that a thread is held in, and where: "NR A B C D E F STACK CODE". */
struct held {
	unsigned long long nr, args[ARGUMENTS], stack, code;
};

static inline int
parse_call(const char *at, struct held *held)
{
	if (!take(&at, 10, &held->nr))
		return 0;
	for (int i = 0; i < ARGUMENTS; i++)
		if (!take(&at, 16, &held->args[i]))
			return 0;
	return take(&at, 16, &held->stack) && take(&at, 16, &held->code);
}

/* How many of the first four lines of fdinfo there are: position, flags, mount, inode number. */
static inline int
parse_fdinfo(const char *at, unsigned long long found[4])
{
	static const char *const names[] = {"pos:", "flags:", "mnt_id:", "ino:"};
	int i;

	for (i = 0; i < 4; i++)
		if (!skip(&at, names[i]) || !take(&at, i == 1 ? 8 : 10, &found[i]))
			break;
	return i;
}

/* Return the length of a name; -1: it can't be read. *plain: it needs no escapes in path text. */
static inline ssize_t
read_name(int fd, char name[NAME], int *plain)
{
	ssize_t length = read_text(fd, name, NAME);

	*plain = 1;
	if (length > 0)
		length--;	/* the newline that ends it */
	for (ssize_t i = 0; i < length; i++)
		if (name[i] < ' ' || name[i] > '~' || name[i] == '\\')
			*plain = 0;
	return length;
}

/* What a look showed. */
struct sighting {
	struct held held;
	char name[NAME];
	size_t name_length;
	int names_fd;	/* the call names a descriptor, and these two hold: */
	unsigned int fd;
	unsigned long long info[4];	/* as parse_fdinfo */
};

static inline PyObject *
item(PyObject *dict, unsigned long long key)
{
	PyObject *number = PyLong_FromUnsignedLongLong(key), *found;

	found = number ? PyDict_GetItemWithError(dict, number) : NULL;
	Py_XDECREF(number);
	return found;
}

static inline int
kept_fdinfo(PyObject *kept, unsigned int fd)
{
	PyObject *found = item(kept, fd);

	return found ? (int)PyLong_AsLong(found) : -1;
}

/* Look at a held thread; 0: something is out of the ordinary, or an exception is set.
 *
 * descriptors: for each call by its number, which argument is the descriptor.
 * kept: open fdinfo/N by N. */
static inline int
sighted(int syscall_fd, int comm_fd, PyObject *descriptors, PyObject *kept, struct sighting *seen)
{
	char text[INFO];
	ssize_t length;
	int plain, which = ARGUMENTS, info_fd;

	if (read_text(syscall_fd, text, LINE) < 0 || !parse_call(text, &seen->held)
	    || (seen->held.stack < GIB4 && seen->held.code < GIB4))
		return 0;	/* not held, or a 32-bit program */
	length = read_name(comm_fd, seen->name, &plain);
	if (length < 0 || !plain)
		return 0;
	seen->name_length = (size_t)length;
	if (seen->held.nr < (size_t)PyBytes_GET_SIZE(descriptors))
		which = (unsigned char)PyBytes_AS_STRING(descriptors)[seen->held.nr];
	seen->names_fd = which < ARGUMENTS;
	if (!seen->names_fd)
		return 1;
	seen->fd = (unsigned int)seen->held.args[which];
	info_fd = kept_fdinfo(kept, seen->fd);
	return info_fd >= 0 && read_text(info_fd, text, sizeof text) >= 0
	    && parse_fdinfo(text, seen->info) == 4;
}

#endif
