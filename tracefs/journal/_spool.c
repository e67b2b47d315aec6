/* A file that bytes are appended to by a thread, for Python.
 *
 * What a program wrote is kept while the program waits for its reply. To write 1 MiB takes as long
 * as the program's own write; so it is left to a thread, which never takes the interpreter lock. A
 * piece that costs no more than to wake that thread is written at once, if none is before it. The
 * bytes aren't copied: the thread reads them where Python has them.
 *
 * The file is at any time what was added, up to some byte: pieces are written in their order, and
 * after the first failure nothing is.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	AT_ONCE = 16 << 10,	/* bytes that are written in about 5 µs */
	OVERHEAD = 128,	/* bytes of a piece beside its data, at most */
	STACK = 64 << 10,
};

struct piece {
	PyObject *data;
	Py_ssize_t length;
	struct piece *next;
};

struct queue {
	struct piece *first, **end;
};

typedef struct {
	PyObject_HEAD
	int fd;
	Py_ssize_t most;	/* bytes that may be held */
	Py_ssize_t held;	/* bytes of all pieces, written ones too; by Python's threads alone */
	int started;	/* there is a thread to join; by Python's threads alone */
	pthread_t thread;
	pthread_mutex_t lock;	/* guards what follows */
	pthread_cond_t added, written;
	struct queue waiting, done;	/* a piece is in the first until it is written */
	int error, ending, dropping;
} Spool;

static void
put(struct queue *queue, struct piece *piece)
{
	piece->next = NULL;
	*queue->end = piece;
	queue->end = &piece->next;
}

static struct piece *
take(struct queue *queue)
{
	struct piece *piece = queue->first;

	queue->first = piece->next;
	if (!queue->first)
		queue->end = &queue->first;
	return piece;
}

/* Write all of it; return 0 or the error number. */
static int
append(int fd, const char *data, Py_ssize_t length)
{
	ssize_t count;

	while (length > 0) {
		count = write(fd, data, length);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return count ? errno : EIO;
		data += count;
		length -= count;
	}
	return 0;
}

static void *
work(void *argument)
{
	Spool *self = argument;
	struct sched_param none = { 0 };
	struct piece *piece;
	int error;

	/* Woken, it doesn't run before whoever woke it (check_preempt_wakeup in kernel/sched). */
	if (sched_getscheduler(0) == SCHED_OTHER)
		sched_setscheduler(0, SCHED_BATCH, &none);
	pthread_mutex_lock(&self->lock);
	for (;;) {
		while (!self->waiting.first && !self->ending)
			pthread_cond_wait(&self->added, &self->lock);
		piece = self->waiting.first;
		if (!piece)
			break;
		if (!self->error && !self->dropping) {
			pthread_mutex_unlock(&self->lock);
			error = append(self->fd, PyBytes_AS_STRING(piece->data), piece->length);
			pthread_mutex_lock(&self->lock);
			self->error = error;
		}
		put(&self->done, take(&self->waiting));
		pthread_cond_signal(&self->written);
	}
	pthread_mutex_unlock(&self->lock);
	return NULL;
}

/* Start the thread, with every signal blocked: they are for Python's main thread. */
static int
start(Spool *self)
{
	pthread_attr_t small;
	sigset_t all, before;
	int failed;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&self->thread, &small, work, self);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&small);
	return !failed;
}

/* Let go of what is written; return the error number, and whether nothing waits. */
static int
reap(Spool *self, int *idle)
{
	struct piece *piece, *next;
	int error;

	pthread_mutex_lock(&self->lock);
	piece = self->done.first;
	self->done.first = NULL;
	self->done.end = &self->done.first;
	error = self->error;
	*idle = !self->waiting.first;
	pthread_mutex_unlock(&self->lock);
	for (; piece; piece = next) {
		next = piece->next;
		self->held -= piece->length + OVERHEAD;
		Py_DECREF(piece->data);
		free(piece);
	}
	return error;
}

/* Wait until some piece is written; the caller has just reaped. */
static void
await_written(Spool *self)
{
	Py_BEGIN_ALLOW_THREADS
	pthread_mutex_lock(&self->lock);
	while (!self->done.first && self->waiting.first)
		pthread_cond_wait(&self->written, &self->lock);
	pthread_mutex_unlock(&self->lock);
	Py_END_ALLOW_THREADS
}

static int
write_here(Spool *self, const char *data, Py_ssize_t length)
{
	int error;

	Py_BEGIN_ALLOW_THREADS
	error = append(self->fd, data, length);
	Py_END_ALLOW_THREADS
	pthread_mutex_lock(&self->lock);
	self->error = error;
	pthread_mutex_unlock(&self->lock);
	return error;
}

static PyObject *
spool_add(Spool *self, PyObject *arguments)
{
	struct piece *piece;
	PyObject *data;
	Py_ssize_t length;
	int error, idle;

	if (!PyArg_ParseTuple(arguments, "Sn", &data, &length))
		return NULL;
	if (length < 0 || length > PyBytes_GET_SIZE(data)) {
		PyErr_SetString(PyExc_ValueError, "there are not so many bytes");
		return NULL;
	}
	error = reap(self, &idle);
	while (!error && self->held && self->held + length + OVERHEAD > self->most) {
		await_written(self);
		error = reap(self, &idle);
	}
	if (error)
		return PyLong_FromLong(error);
	if (idle && length <= AT_ONCE)
		return PyLong_FromLong(write_here(self, PyBytes_AS_STRING(data), length));
	if (!self->started)
		self->started = start(self);
	if (!self->started)
		/* Then nothing waits. */
		return PyLong_FromLong(write_here(self, PyBytes_AS_STRING(data), length));
	piece = malloc(sizeof *piece);
	if (!piece)
		return PyErr_NoMemory();
	piece->data = Py_NewRef(data);
	piece->length = length;
	self->held += length + OVERHEAD;
	pthread_mutex_lock(&self->lock);
	put(&self->waiting, piece);
	pthread_cond_signal(&self->added);
	pthread_mutex_unlock(&self->lock);
	return PyLong_FromLong(0);
}

static PyObject *
spool_error(Spool *self, PyObject *unused)
{
	int idle;

	(void)unused;
	return PyLong_FromLong(reap(self, &idle));
}

static int
end(Spool *self, int dropping)
{
	int idle;

	pthread_mutex_lock(&self->lock);
	self->ending = 1;
	self->dropping = dropping;
	pthread_cond_signal(&self->added);
	pthread_mutex_unlock(&self->lock);
	if (self->started) {
		Py_BEGIN_ALLOW_THREADS
		pthread_join(self->thread, NULL);
		Py_END_ALLOW_THREADS
	}
	self->started = 0;
	self->ending = 0;
	return reap(self, &idle);
}

static PyObject *
spool_finish(Spool *self, PyObject *unused)
{
	(void)unused;
	return PyLong_FromLong(end(self, 0));
}

static PyObject *
spool_drop(Spool *self, PyObject *unused)
{
	(void)unused;
	end(self, 1);
	Py_RETURN_NONE;
}

static PyObject *
spool_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
	Py_ssize_t most;
	Spool *self;
	int fd;

	(void)keywords;
	if (!PyArg_ParseTuple(arguments, "in", &fd, &most))
		return NULL;
	self = (Spool *)type->tp_alloc(type, 0);
	if (!self)
		return NULL;
	self->fd = fd;
	self->most = most;
	self->waiting.end = &self->waiting.first;
	self->done.end = &self->done.first;
	pthread_mutex_init(&self->lock, NULL);
	pthread_cond_init(&self->added, NULL);
	pthread_cond_init(&self->written, NULL);
	return (PyObject *)self;
}

static void
spool_dealloc(Spool *self)
{
	PyTypeObject *type = Py_TYPE(self);

	end(self, 1);
	pthread_cond_destroy(&self->written);
	pthread_cond_destroy(&self->added);
	pthread_mutex_destroy(&self->lock);
	type->tp_free((PyObject *)self);
	Py_DECREF(type);
}

static PyMethodDef spool_methods[] = {
	{"add", (PyCFunction)spool_add, METH_VARARGS,
	 "add(data, length) -> 0, or the error number of what failed, this or earlier"},
	{"error", (PyCFunction)spool_error, METH_NOARGS, "error() -> the same, of what was added"},
	{"finish", (PyCFunction)spool_finish, METH_NOARGS,
	 "finish() -> the same, once everything is written"},
	{"drop", (PyCFunction)spool_drop, METH_NOARGS,
	 "drop(): write nothing more; the descriptor is used no longer"},
	{NULL, NULL, 0, NULL},
};

static PyType_Slot spool_slots[] = {
	{Py_tp_new, spool_new},
	{Py_tp_dealloc, spool_dealloc},
	{Py_tp_methods, spool_methods},
	{0, NULL},
};

static PyType_Spec spool_spec = {
	"tracefs.journal._spool.Spool", sizeof(Spool), 0, Py_TPFLAGS_DEFAULT, spool_slots,
};

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, "_spool", NULL, -1, NULL, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__spool(void)
{
	PyObject *module = PyModule_Create(&definition);
	PyObject *type = module ? PyType_FromSpec(&spool_spec) : NULL;

	if (module && (!type || PyModule_AddObjectRef(module, "Spool", type)))
		Py_CLEAR(module);
	Py_XDECREF(type);
	return module;
}
