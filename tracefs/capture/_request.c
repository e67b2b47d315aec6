/* What pyfuse3 does not pass on of the FUSE request that is being handled, for Python.
 *
 * pyfuse3 gives no RequestContext to write, read, fsync, flush and release, so the thread that
 * made the request would have to be guessed. This module stands between pyfuse3 and libfuse by
 * symbol interposition (ld.so(8)): loaded with RTLD_GLOBAL before pyfuse3, its functions are the
 * ones that pyfuse3 calls. They keep the request's struct fuse_in_header (linux/fuse.h) and pass
 * the request on, unchanged.
 *
 * It also agrees with the kernel on what libfuse does not know. Without FUSE_HANDLE_KILLPRIV_V2 the
 * kernel asks for the xattr security.capability before every write. With FUSE_ABORT_ERROR a
 * connection that was aborted ends with ECONNABORTED, and not as if it had been unmounted. And it
 * takes back libfuse's consent to FUSE_ATOMIC_O_TRUNC: with it an open that truncates has truncated
 * before the kernel finds that a program is running from the file, and fails (do_open in
 * fs/namei.c).
 *
 * Requests that pyfuse3 has no handler for reach its handler of READ, if `carry` was told so: that
 * one is asked to read from CARRIED, an open that there is not, and what it returns is the reply.
 * READ alone can be answered with any bytes.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define FUSE_USE_VERSION 32
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shortcut.h"

#define EXPORTED __attribute__((visibility("default")))

/* The first two members of libfuse's struct fuse_custom_io, all that is needed (libfuse 3.14). */
struct device_io {
	ssize_t (*writev)(int fd, struct iovec *iov, int count, void *userdata);
	ssize_t (*read)(int fd, void *buf, size_t size, void *userdata);
	void *unused[8];
};

typedef void process_fn(struct fuse_session *, const struct fuse_buf *);
typedef int receive_fn(struct fuse_session *, struct fuse_buf *);
typedef int mount_fn(struct fuse_session *, const char *);
typedef int custom_io_fn(struct fuse_session *, const struct device_io *, int);

static process_fn *real_process;
static receive_fn *real_receive;
static mount_fn *real_mount;
static custom_io_fn *custom_io;

#define CARRIED UINT64_MAX
#define MAX_BODY 1024
#define MOST_IN_A_ROW 16

static struct fuse_in_header header;
static uint64_t carried_opcodes;	/* a bit for each */
static char carried_body[MAX_BODY];
static size_t carried_size;
static long requests;	/* read so far; -1: there will be no more */
static int is_page_cache;	/* FUSE_WRITE_CACHE: write-back of a shared mapping */
static int kills_setid;		/* set-id bits must be cleared */
static int is_direct;		/* a write by O_DIRECT, which its caller may not wait for */
static int write_flags;		/* RWF_* that have a write synced: by its open or by itself */
static uint32_t offered;	/* by the kernel, of what libfuse does not know */
static int has_killpriv_v2;

/* Copy the operation's own structure, which follows the header; 0 when the request is shorter. */
static int
body(const struct fuse_buf *buf, void *in, size_t size)
{
	if (buf->size < sizeof header + size)
		return 0;
	memcpy(in, (const char *)buf->mem + sizeof header, size);
	return 1;
}

static void
look(const struct fuse_buf *buf)
{
	struct fuse_write_in write_in;
	struct fuse_open_in open_in;
	struct fuse_setattr_in setattr_in;
	struct fuse_init_in init_in;
	int asks = 0;

	memset(&header, 0, sizeof header);
	is_page_cache = kills_setid = is_direct = write_flags = 0;
	/* A request spliced into a pipe can't be seen here: tid 0, so its caller is unknown. */
	if ((buf->flags & FUSE_BUF_IS_FD) || buf->size < sizeof header)
		return;
	memcpy(&header, buf->mem, sizeof header);
	switch (header.opcode) {
	case FUSE_WRITE:
		if (body(buf, &write_in, sizeof write_in)) {
			is_page_cache = !!(write_in.write_flags & FUSE_WRITE_CACHE);
			is_direct = !!(write_in.flags & O_DIRECT);
			/* O_SYNC has the bit of O_DSYNC, too. */
			write_flags = (write_in.flags & O_SYNC) == O_SYNC ? RWF_SYNC
				: write_in.flags & O_DSYNC ? RWF_DSYNC : 0;
			asks = !!(write_in.write_flags & FUSE_WRITE_KILL_SUIDGID);
		}
		break;
	case FUSE_OPEN:
		if (body(buf, &open_in, sizeof open_in))
			asks = !!(open_in.open_flags & FUSE_OPEN_KILL_SUIDGID);
		break;
	case FUSE_SETATTR:
		if (body(buf, &setattr_in, sizeof setattr_in))
			asks = !!(setattr_in.valid & FATTR_KILL_SUIDGID);
		break;
	case FUSE_INIT:
		if (body(buf, &init_in, sizeof init_in))
			offered = init_in.flags & (FUSE_HANDLE_KILLPRIV_V2 | FUSE_ABORT_ERROR);
		break;
	}
	/* Where the kernel doesn't say: root has CAP_FSETID, others have not (capabilities(7)). */
	kills_setid = has_killpriv_v2 ? asks : header.uid != 0;
}

/* Write a reply; in the one to INIT, agree on what libfuse does not, and not on what it does. */
static ssize_t
device_writev(int fd, struct iovec *iov, int count, void *userdata)
{
	struct fuse_out_header out;
	struct fuse_init_out init;

	(void)userdata;
	if (header.opcode == FUSE_INIT && count == 2
	    && iov[0].iov_len == sizeof out && iov[1].iov_len == sizeof init) {
		memcpy(&out, iov[0].iov_base, sizeof out);
		if (out.unique == header.unique && !out.error) {
			memcpy(&init, iov[1].iov_base, sizeof init);
			init.flags &= ~(uint32_t)FUSE_ATOMIC_O_TRUNC;
			has_killpriv_v2 = !!(offered & FUSE_HANDLE_KILLPRIV_V2);
			if (has_killpriv_v2)
				init.flags &= ~(uint32_t)FUSE_HANDLE_KILLPRIV;
			init.flags |= offered;
			memcpy(iov[1].iov_base, &init, sizeof init);
		}
	}
	return writev(fd, iov, count);
}

/* The connection ended while the device was read: libfuse takes ENODEV for the end, and prints
 * any other error. */
static ssize_t
device_read(int fd, void *buf, size_t size, void *userdata)
{
	ssize_t got = read(fd, buf, size);

	(void)userdata;
	if (got < 0 && errno == ECONNABORTED)
		errno = ENODEV;
	return got;
}

static int
is_carried(const struct fuse_buf *buf)
{
	return header.opcode < 64 && (carried_opcodes >> header.opcode & 1)
	    && !(buf->flags & FUSE_BUF_IS_FD) && buf->size - sizeof header <= MAX_BODY;
}

/* Keep what the request says, and let libfuse see a READ in its place. */
static void
carry(struct fuse_session *session, const struct fuse_buf *buf)
{
	struct {
		struct fuse_in_header header;
		struct fuse_read_in in;
	} as_read = {.header = header, .in = {.fh = CARRIED, .size = MAX_BODY}};
	struct fuse_buf read_buf = {.size = sizeof as_read, .mem = &as_read};

	carried_size = buf->size - sizeof header;
	memcpy(carried_body, (const char *)buf->mem + sizeof header, carried_size);
	as_read.header.opcode = FUSE_READ;
	as_read.header.len = sizeof as_read;
	real_process(session, &read_buf);
}

EXPORTED void
fuse_session_process_buf(struct fuse_session *session, const struct fuse_buf *buf)
{
	look(buf);
	if (is_carried(buf))
		carry(session, buf);
	else
		real_process(session, buf);
}

static int
takes_shortcut(int device, const struct fuse_buf *buf)
{
	look(buf);
	if (!header.len || is_page_cache || is_direct)
		return 0;
	return shortcut(device, &header, kills_setid, (const char *)buf->mem + sizeof header,
			buf->size - sizeof header);
}

/* pyfuse3 ends the mount with an exception on all errors but EINTR.
 * EAGAIN: the device is read without blocking, since a request may be withdrawn between poll(2)
 * and read(2). ECONNABORTED: the connection ended meanwhile (fuse_dev_do_read in fs/fuse/dev.c).
 * Some are answered here; then the next is read, but not for long: others have tasks, too. */
EXPORTED int
fuse_session_receive_buf(struct fuse_session *session, struct fuse_buf *buf)
{
	int result, in_a_row = 0;

	do {
		result = real_receive(session, buf);
		if (result > 0)
			requests++;
	} while (result > 0 && takes_shortcut(fuse_session_fd(session), buf)
		 && ++in_a_row < MOST_IN_A_ROW);
	if (in_a_row == MOST_IN_A_ROW)
		return -EINTR;
	if (result == -EAGAIN)
		return -EINTR;
	if (result == -ECONNABORTED) {
		fuse_session_exit(session);
		result = 0;
	}
	if (result == 0)
		requests = -1;
	return result;
}

/* "/dev/fd/N" names a device that is mounted already; where libfuse lets us do the reading and
 * writing there, do. */
EXPORTED int
fuse_session_mount(struct fuse_session *session, const char *mountpoint)
{
	static const struct device_io io = {.writev = device_writev, .read = device_read};
	int fd;

	if (custom_io && sscanf(mountpoint, "/dev/fd/%d", &fd) == 1)
		return custom_io(session, &io, fd);
	return real_mount(session, mountpoint);
}

static PyObject *
current(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	return Py_BuildValue("(Iii)", header.pid, is_page_cache, kills_setid);
}

static PyObject *
unique(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	return PyLong_FromUnsignedLongLong(header.unique);
}

static PyObject *
direct(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	return PyBool_FromLong(is_direct);
}

static PyObject *
synchronous(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	return PyLong_FromLong(write_flags);
}

static PyObject *
received(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	return PyLong_FromLong(requests);
}

static PyObject *
set_carried(PyObject *module, PyObject *args)
{
	unsigned long long opcodes = 0;
	Py_ssize_t count = PyTuple_GET_SIZE(args);

	(void)module;
	for (Py_ssize_t i = 0; i < count; i++) {
		long opcode = PyLong_AsLong(PyTuple_GET_ITEM(args, i));

		if (opcode == -1 && PyErr_Occurred())
			return NULL;
		if (opcode < 0 || opcode > 63) {
			PyErr_SetString(PyExc_ValueError, "no such opcode");
			return NULL;
		}
		opcodes |= 1ULL << opcode;
	}
	carried_opcodes = opcodes;
	Py_RETURN_NONE;
}

static PyObject *
carried(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	return Py_BuildValue("(IKIIIy#)", header.opcode, (unsigned long long)header.nodeid,
			     header.pid, header.uid, header.gid, carried_body,
			     (Py_ssize_t)carried_size);
}

static PyObject *
answer(PyObject *module, PyObject *args)
{
	struct fuse_buf buf = {0};
	Py_buffer request;
	int device, answered;

	(void)module;
	if (!PyArg_ParseTuple(args, "iy*", &device, &request))
		return NULL;
	buf.mem = request.buf;
	buf.size = (size_t)request.len;
	answered = takes_shortcut(device, &buf);
	PyBuffer_Release(&request);
	return PyBool_FromLong(answered);
}

static PyMethodDef methods[] = {
	{"received", received, METH_NOARGS,
	 "received() -> number of requests read so far; -1: the connection has ended"},
	{"carry", set_carried, METH_VARARGS,
	 "carry(*opcodes): let the handler of READ have these requests, as reads of CARRIED"},
	{"carried", carried, METH_NOARGS,
	 "carried() -> (opcode, nodeid, tid, uid, gid, body) of the request being handled"},
	{"unique", unique, METH_NOARGS,
	 "unique() -> number of the request being handled, as its header has it"},
	{"direct", direct, METH_NOARGS,
	 "direct() -> whether the request being handled is a write by O_DIRECT"},
	{"synchronous", synchronous, METH_NOARGS,
	 "synchronous() -> RWF_SYNC, RWF_DSYNC or 0: how the write being handled is to be synced"},
	{"current", current, METH_NOARGS,
	 "current() -> (tid, is_page_cache, kills_setid) of the request being handled"},
	{"shortcut", set_shortcut, METH_VARARGS,
	 "shortcut(files, threads, descriptors, journal, check_every): see request.py"},
	{"shortcut_open", set_shortcut_open, METH_VARARGS,
	 "shortcut_open(openable, opened, stripped, direct_io): see request.py"},
	{"shortcut_faults", set_shortcut_faults, METH_VARARGS,
	 "shortcut_faults(decide): see request.py"},
	{"answer", answer, METH_VARARGS,
	 "answer(device, request) -> whether it was answered by the shortcut, as one that is read is"},
	{NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, "_request", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__request(void)
{
	PyObject *module, *number;

	real_process = (process_fn *)dlsym(RTLD_NEXT, "fuse_session_process_buf");
	real_receive = (receive_fn *)dlsym(RTLD_NEXT, "fuse_session_receive_buf");
	real_mount = (mount_fn *)dlsym(RTLD_NEXT, "fuse_session_mount");
	/* Since libfuse 3.17 the plain name takes the structure's size, too. */
	custom_io = (custom_io_fn *)dlsym(RTLD_NEXT, "fuse_session_custom_io_30");
	if (!custom_io)
		custom_io = (custom_io_fn *)dlsym(RTLD_NEXT, "fuse_session_custom_io");
	if (!real_process || !real_receive || !real_mount) {
		PyErr_SetString(PyExc_ImportError, "libfuse3 lacks a function");
		return NULL;
	}
	module = PyModule_Create(&definition);
	if (!module)
		return NULL;
	number = PyLong_FromUnsignedLongLong(CARRIED);
	if (!number || PyModule_AddObjectRef(module, "CARRIED", number) < 0)
		Py_CLEAR(module);
	Py_XDECREF(number);
	return module;
}
