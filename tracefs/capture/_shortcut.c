/* Answers requests on files without Python, as operations/files.py does: WRITE, FSYNC, FLUSH and
 * RELEASE of those that are open, and OPEN of those that were.
 *
 * Of the 21 µs that a pwrite took by way of Python, the calls into the kernel were 13; this has
 * them alone. It takes a request where nothing is out of the ordinary: the thread is known and held
 * in a call, the file and its descriptor are, the write is whole, no set-id bit has to go, a sync
 * is one that memory answers. All else it leaves, untouched, to Python; so it holds no rule that is
 * not there, too. Lines of the journal are byte for byte those of tracefs/journal/format.py.
 *
 * The interpreter lock is held throughout: the only thread that answers requests is this one.
 */
#include "shortcut.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/stat.h>
#include <time.h>

#include "../witness/procfs.h"

enum { LONGEST = 2048 };

static PyObject *files;		/* number of an open -> OpenFile (operations/handlers.py) */
static PyObject *threads;	/* thread id -> Thread.files (witness/threads.py) */
static PyObject *descriptors;	/* as `sighted` takes them */
static PyObject *journal;	/* JournalWriter */
static long check_every, unchecked;

static PyObject *openable;	/* inode number -> Openable (inodes.py) */
static PyObject *opened;	/* Handlers.opened(fd, node, flags) -> number of the open */
static int stripped, direct_io;
static PyObject *decide;	/* Faults.decide (faults/engine.py); NULL: no rule holds */

static struct {
	PyObject *fd, *ino, *in_memory, *closed, *node, *parent, *descriptor;
} names;

struct open_file {
	PyObject *object;	/* borrowed */
	int fd;
	int in_memory;
	unsigned long long ino;
};

struct caller {
	unsigned long long pid;
	struct sighting seen;
};

struct line {
	size_t length;
	char text[LONGEST];
};

static unsigned long long
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (unsigned long long)time.tv_sec * 1000000000 + (unsigned long long)time.tv_nsec;
}

static unsigned long long
attribute(PyObject *object, PyObject *name)
{
	PyObject *value = PyObject_GetAttr(object, name);
	unsigned long long number = value ? PyLong_AsUnsignedLongLongMask(value) : 0;

	Py_XDECREF(value);
	return number;
}

static int
find_file(unsigned long long fh, struct open_file *file)
{
	file->object = item(files, fh);
	if (!file->object)
		return 0;
	file->fd = (int)attribute(file->object, names.fd);
	file->ino = attribute(file->object, names.ino);
	file->in_memory = attribute(file->object, names.in_memory) == 1;
	return !PyErr_Occurred();
}

static int
find_caller(uint32_t tid, struct caller *caller)
{
	PyObject *found = tid ? item(threads, tid) : NULL;

	if (!found)
		return 0;
	caller->pid = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(found, 0));
	return sighted((int)PyLong_AsLong(PyTuple_GET_ITEM(found, 1)),
		       (int)PyLong_AsLong(PyTuple_GET_ITEM(found, 2)), descriptors,
		       PyTuple_GET_ITEM(found, 3), &caller->seen)
	    && !memchr(caller->seen.name, '"', caller->seen.name_length);
}

/* Whether a rule strikes the request, so that Python has to answer it. caller: NULL where nobody
 * looks at it. Python is told the decision then, and does not decide again. */
static int
is_struck(const struct fuse_in_header *header, const char *request, const struct caller *caller,
	  unsigned long long ino, unsigned long long offset, unsigned long long size)
{
	const struct held *held = caller ? &caller->seen.held : NULL;
	PyObject *asked[9] = {NULL}, *answer = NULL;
	int struck, complete = 1;

	if (!decide)
		return 0;
	asked[0] = PyLong_FromUnsignedLongLong(header->unique);
	asked[1] = PyUnicode_InternFromString(request);
	asked[2] = PyLong_FromUnsignedLong(header->pid);
	asked[3] = PyLong_FromLongLong(held ? (long long)held->nr : -1);
	asked[4] = PyLong_FromUnsignedLongLong(held ? held->args[1] : 0);
	asked[5] = PyLong_FromUnsignedLongLong(held ? held->args[2] : 0);
	asked[6] = PyLong_FromUnsignedLongLong(ino);
	asked[7] = PyLong_FromUnsignedLongLong(offset);
	asked[8] = PyLong_FromUnsignedLongLong(size);
	for (int i = 0; i < 9; i++)
		complete = complete && asked[i];
	if (complete)
		answer = PyObject_Vectorcall(decide, asked, 9, NULL);
	struck = answer ? PyObject_IsTrue(answer) : -1;
	Py_XDECREF(answer);
	for (int i = 0; i < 9; i++)
		Py_XDECREF(asked[i]);
	if (struck < 0)
		PyErr_WriteUnraisable(decide);
	return struck != 0;
}

static void
put(struct line *line, const char *text, size_t length)
{
	memcpy(line->text + line->length, text, length);
	line->length += length;
}

static void
put_text(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

static void
put_number(struct line *line, const char *name, unsigned long long number)
{
	char digits[20], *at = digits + sizeof digits;

	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	put_text(line, name);
	put(line, at, (size_t)(digits + sizeof digits - at));
}

/* Begin a line with what all events have. */
static void
begin(struct line *line, const char *type, unsigned long long start, uint32_t tid, int error)
{
	line->length = 0;
	put_text(line, type);
	put_number(line, ",\"start_ns\":", start);
	put_number(line, ",\"end_ns\":", now());
	put_number(line, ",\"tid\":", tid);
	if (error)
		put_number(line, ",\"errno\":", (unsigned long long)error);
}

static void
put_file(struct line *line, unsigned long long ino, unsigned long long fh)
{
	put_number(line, ",\"ino\":", ino);
	put_number(line, ",\"fh\":", fh);
}

static void
put_caller(struct line *line, const struct caller *caller)
{
	const struct sighting *seen = &caller->seen;

	put_number(line, ",\"seen\":{\"nr\":", seen->held.nr);
	for (int i = 0; i < ARGUMENTS; i++)
		put_number(line, i ? "," : ",\"args\":[", seen->held.args[i]);
	put_number(line, "],\"pid\":", caller->pid);
	put_text(line, ",\"comm\":\"");
	put(line, seen->name, seen->name_length);
	put_text(line, "\"");
	if (seen->names_fd) {
		put_number(line, ",\"fd\":", seen->fd);
		put_number(line, ",\"position\":", seen->info[0]);
		put_number(line, ",\"fd_flags\":", seen->info[1]);
		put_number(line, ",\"fd_ino\":", seen->info[3]);
	}
	put_text(line, "}");
}

/* Whatever a call of Python raises has nobody who could take it. */
static void
told(PyObject *result)
{
	if (!result)
		PyErr_WriteUnraisable(journal);
	Py_XDECREF(result);
}

/* Append the line with one write(2), and let the journal's owner look after it as often as it asks;
 * it ends journalling where that fails. */
static void
record(struct line *line, int journal_fd)
{
	ssize_t written;

	put_text(line, "}\n");
	do
		written = write(journal_fd, line->text, line->length);
	while (written < 0 && errno == EINTR);
	if (written != (ssize_t)line->length)
		told(PyObject_CallMethod(journal, "torn", "nni", written, (Py_ssize_t)line->length,
					 written < 0 ? errno : 0));
	else if (++unchecked == check_every) {
		unchecked = 0;
		told(PyObject_CallMethod(journal, "check_linked", NULL));
	}
}

/* Reply; an error is that nobody waits any more, or that the mount has ended. */
static void
reply(int device, const struct fuse_in_header *header, int error, const void *out, size_t size)
{
	struct {
		struct fuse_out_header header;
		char out[sizeof(struct fuse_open_out)];
	} message = {.header = {.unique = header->unique, .error = -error}};
	ssize_t written;

	if (size)
		memcpy(message.out, out, size);
	message.header.len = (uint32_t)(sizeof message.header + size);
	do
		written = write(device, &message, message.header.len);
	while (written < 0 && errno == EINTR);
}

static void
mark_closed(const struct open_file *file, PyObject *closed)
{
	if (PyObject_SetAttr(file->object, names.closed, closed) < 0)
		PyErr_WriteUnraisable(file->object);
}

static int
may_have_setid(const struct open_file *file)
{
	struct stat info;

	return fstat(file->fd, &info) || info.st_mode & (S_ISUID | S_ISGID);
}

static int
answer_write(int device, const struct fuse_in_header *header, int kills_setid, const char *body,
	     size_t size, int journal_fd)
{
	unsigned long long start = now();
	struct fuse_write_in in;
	struct fuse_write_out out = {0};
	struct open_file file;
	struct caller caller;
	struct line line;
	ssize_t written;

	if (size < sizeof in)
		return 0;
	memcpy(&in, body, sizeof in);
	/* A single zero may be a step of glibc's posix_fallocate. */
	if (in.size < 2 || size - sizeof in < in.size || !find_file(in.fh, &file)
	    || (kills_setid && may_have_setid(&file)) || !find_caller(header->pid, &caller)
	    || is_struck(header, "write", &caller, file.ino, in.offset, in.size))
		return 0;
	written = pwrite(file.fd, body + sizeof in, in.size, (off_t)in.offset);
	if (written < 0)
		return 0;	/* it has done nothing, and is done again */
	mark_closed(&file, Py_False);
	begin(&line, "{\"type\":\"write\"", start, header->pid, 0);
	put_file(&line, file.ino, in.fh);
	put_number(&line, ",\"offset\":", in.offset);
	put_number(&line, ",\"size\":", in.size);
	put_number(&line, ",\"result\":", (unsigned long long)written);
	put_caller(&line, &caller);
	record(&line, journal_fd);
	out.size = (uint32_t)written;
	reply(device, header, 0, &out, sizeof out);
	return 1;
}

static int
answer_fsync(int device, const struct fuse_in_header *header, const char *body, size_t size,
	     int journal_fd)
{
	unsigned long long start = now();
	struct fuse_fsync_in in;
	struct open_file file;
	struct caller caller;
	struct line line;
	int datasync;

	if (size < sizeof in)
		return 0;
	memcpy(&in, body, sizeof in);
	if (!find_file(in.fh, &file) || !file.in_memory || !find_caller(header->pid, &caller)
	    || is_struck(header, "fsync", &caller, file.ino, 0, 0))
		return 0;
	datasync = !!(in.fsync_flags & FUSE_FSYNC_FDATASYNC);
	if (datasync ? fdatasync(file.fd) : fsync(file.fd))
		return 0;
	mark_closed(&file, Py_False);
	begin(&line, "{\"type\":\"fsync\"", start, header->pid, 0);
	put_file(&line, file.ino, in.fh);
	put_text(&line, datasync ? ",\"datasync\":true" : ",\"datasync\":false");
	put_caller(&line, &caller);
	record(&line, journal_fd);
	reply(device, header, 0, NULL, 0);
	return 1;
}

/* No look at the caller: it may be inside exec (witness/proc.py). */
static int
answer_flush(int device, const struct fuse_in_header *header, const char *body, size_t size,
	     int journal_fd)
{
	unsigned long long start = now();
	struct fuse_flush_in in;
	struct open_file file;
	struct line line;

	if (size < sizeof in)
		return 0;
	memcpy(&in, body, sizeof in);
	/* In memory no late error can come from closing a duplicate: tmpfs has no flush. */
	if (!find_file(in.fh, &file) || !file.in_memory
	    || is_struck(header, "flush", NULL, file.ino, 0, 0))
		return 0;
	mark_closed(&file, Py_True);
	begin(&line, "{\"type\":\"flush\"", start, header->pid, 0);
	put_file(&line, file.ino, in.fh);
	record(&line, journal_fd);
	reply(device, header, 0, NULL, 0);
	return 1;
}

/* Whether the file has a name; without one its blocks may be freed now, which can take long. */
static int
has_name(const struct open_file *file)
{
	PyObject *node = PyObject_GetAttr(file->object, names.node), *parent;

	parent = node ? PyObject_GetAttr(node, names.parent) : NULL;
	Py_XDECREF(node);
	Py_XDECREF(parent);
	return parent && parent != Py_None;
}

static int
answer_release(int device, const struct fuse_in_header *header, const char *body, size_t size,
	       int journal_fd)
{
	unsigned long long start = now();
	struct fuse_release_in in;
	struct open_file file;
	struct line line;
	PyObject *fh;
	int failed;

	if (size < sizeof in)
		return 0;
	memcpy(&in, body, sizeof in);
	if (!find_file(in.fh, &file) || !has_name(&file))
		return 0;
	fh = PyLong_FromUnsignedLongLong(in.fh);
	failed = !fh || PyDict_DelItem(files, fh) < 0;
	Py_XDECREF(fh);
	if (failed)
		return 0;
	failed = close(file.fd) ? errno : 0;
	begin(&line, "{\"type\":\"release\"", start, header->pid, failed);
	put_file(&line, file.ino, in.fh);
	record(&line, journal_fd);
	reply(device, header, 0, NULL, 0);
	return 1;
}

/* An open that may cut the file off, or has to wait, or fails, is left to Python. */
static int
answer_open(int device, const struct fuse_in_header *header, const char *body, size_t size,
	    int journal_fd)
{
	unsigned long long start = now();
	struct fuse_open_in in;
	struct fuse_open_out out = {.open_flags = direct_io ? FOPEN_DIRECT_IO : 0};
	struct open_file file = {.ino = header->nodeid};
	struct caller caller;
	struct line line;
	struct stat info;
	char place[64];
	PyObject *known, *number;

	if (size < sizeof in || !openable)
		return 0;
	memcpy(&in, body, sizeof in);
	known = in.flags & O_TRUNC ? NULL : item(openable, header->nodeid);
	if (!known || !find_caller(header->pid, &caller)
	    || is_struck(header, "open", &caller, file.ino, 0, 0))
		return 0;
	/* Asking may have emptied the table. */
	if (decide && !(known = item(openable, header->nodeid)))
		return 0;
	snprintf(place, sizeof place, "/proc/self/fd/%ld", PyLong_AsLong(PyTuple_GET_ITEM(known, 1)));
	file.fd = open(place, ((int)in.flags & ~stripped) | O_CLOEXEC | O_NONBLOCK);
	if (file.fd < 0)
		return 0;
	/* What follows may empty the table. */
	Py_INCREF(known);
	number = fstat(file.fd, &info) ? NULL
		: PyObject_CallFunction(opened, "iOI", file.fd, PyTuple_GET_ITEM(known, 0), in.flags);
	if (!number) {
		close(file.fd);
		Py_DECREF(known);
		return 0;
	}
	out.fh = PyLong_AsUnsignedLongLong(number);
	Py_DECREF(number);
	begin(&line, "{\"type\":\"open\"", start, header->pid, 0);
	put_text(&line, ",\"path\":");
	put(&line, PyBytes_AS_STRING(PyTuple_GET_ITEM(known, 2)),
	    (size_t)PyBytes_GET_SIZE(PyTuple_GET_ITEM(known, 2)));
	Py_DECREF(known);
	put_file(&line, file.ino, out.fh);
	put_number(&line, ",\"flags\":", in.flags);
	if (info.st_size)
		put_number(&line, ",\"size\":", (unsigned long long)info.st_size);
	put_caller(&line, &caller);
	record(&line, journal_fd);
	reply(device, header, 0, &out, sizeof out);
	return 1;
}

int
shortcut(int device, const struct fuse_in_header *header, int kills_setid, const char *body,
	 size_t size)
{
	int journal_fd, answered = 0;

	if (!journal || !PyGILState_Check())
		return 0;
	journal_fd = (int)attribute(journal, names.descriptor);
	if (journal_fd >= 0 && !PyErr_Occurred()) {
		if (header->opcode == FUSE_WRITE)
			answered = answer_write(device, header, kills_setid, body, size, journal_fd);
		else if (header->opcode == FUSE_FSYNC)
			answered = answer_fsync(device, header, body, size, journal_fd);
		else if (header->opcode == FUSE_FLUSH)
			answered = answer_flush(device, header, body, size, journal_fd);
		else if (header->opcode == FUSE_OPEN)
			answered = answer_open(device, header, body, size, journal_fd);
		else if (header->opcode == FUSE_RELEASE)
			answered = answer_release(device, header, body, size, journal_fd);
	}
	if (PyErr_Occurred())
		PyErr_WriteUnraisable(journal);
	return answered;
}

PyObject *
set_shortcut(PyObject *module, PyObject *args)
{
	PyObject *given[4] = {NULL};

	(void)module;
	if (!PyArg_ParseTuple(args, "|O!O!O!Ol", &PyDict_Type, &given[0], &PyDict_Type, &given[1],
			      &PyBytes_Type, &given[2], &given[3], &check_every))
		return NULL;
	if (!names.fd) {
		names.fd = PyUnicode_InternFromString("fd");
		names.ino = PyUnicode_InternFromString("ino");
		names.in_memory = PyUnicode_InternFromString("in_memory");
		names.node = PyUnicode_InternFromString("node");
		names.parent = PyUnicode_InternFromString("parent");
		names.closed = PyUnicode_InternFromString("closed");
		names.descriptor = PyUnicode_InternFromString("descriptor");
		if (PyErr_Occurred())
			return NULL;
	}
	for (int i = 0; i < 4; i++)
		Py_XINCREF(given[i]);
	unchecked = 0;
	Py_XSETREF(files, given[0]);
	Py_XSETREF(threads, given[1]);
	Py_XSETREF(descriptors, given[2]);
	Py_XSETREF(journal, given[3]);
	Py_RETURN_NONE;
}

PyObject *
set_shortcut_open(PyObject *module, PyObject *args)
{
	PyObject *known, *take_note;

	(void)module;
	if (!PyArg_ParseTuple(args, "O!Oip", &PyDict_Type, &known, &take_note, &stripped, &direct_io))
		return NULL;
	Py_XSETREF(openable, Py_NewRef(known));
	Py_XSETREF(opened, Py_NewRef(take_note));
	Py_RETURN_NONE;
}

PyObject *
set_shortcut_faults(PyObject *module, PyObject *args)
{
	PyObject *given;

	(void)module;
	if (!PyArg_ParseTuple(args, "O", &given))
		return NULL;
	Py_XSETREF(decide, given == Py_None ? NULL : Py_NewRef(given));
	Py_RETURN_NONE;
}
