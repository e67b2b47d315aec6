/* Threads that stand by for syncs, for Python.
 *
 * To hand a call to a thread of Python's and hear of its end costs 150 to 400 µs: two waits for
 * the interpreter lock, and two rounds of trio. These threads never take that lock, so a sync
 * handed to one and waited for here costs 5 µs more than one in place. What it buys is that the
 * wait can be given up: the sync then goes on, and its end makes a descriptor readable.
 *
 * Each thread has one sync at a time. One that nobody waits for in place any longer keeps its
 * thread until `end`; the next sync gets another, so that a slow one never keeps a quick one
 * waiting.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum {
	NONE = -1,	/* answer of begin: nothing was done, since no thread is to be had */
	RUNNING = -2,	/* and every number below: the sync goes on in thread RUNNING - answer */
	KEPT = 4,	/* how many threads wait for more once they have nothing to do */
	STACK = 64 << 10,	/* bytes; a system call needs next to none of ours */
};

struct worker {
	pthread_mutex_t lock;	/* guards what follows, but for event and idle */
	pthread_cond_t begun, ended;	/* the second by CLOCK_MONOTONIC */
	int fd, datasync, error;
	long took_ns;
	int waiting, done, given_up, leaving;
	int event;	/* readable once the sync has ended whose wait was given up */
	int idle;	/* nobody has yet to hear of a sync; used by Python's thread alone */
};

/* Places are used again, and so never more than were ever taken at once. */
static struct worker **workers;
static int places, idle_workers;

static long
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000L + now.tv_nsec;
}

static void
release(struct worker *worker)
{
	pthread_cond_destroy(&worker->ended);
	pthread_cond_destroy(&worker->begun);
	pthread_mutex_destroy(&worker->lock);
	close(worker->event);
	free(worker);
}

static void *
stand_by(void *argument)
{
	struct worker *worker = argument;
	const uint64_t one = 1;
	int fd, datasync, error, heard;
	long start;

	pthread_mutex_lock(&worker->lock);
	for (;;) {
		while (!worker->waiting && !worker->leaving)
			pthread_cond_wait(&worker->begun, &worker->lock);
		if (worker->leaving)
			break;
		worker->waiting = 0;
		fd = worker->fd;
		datasync = worker->datasync;
		pthread_mutex_unlock(&worker->lock);
		start = now_ns();
		error = (datasync ? fdatasync(fd) : fsync(fd)) ? errno : 0;
		pthread_mutex_lock(&worker->lock);
		worker->took_ns = now_ns() - start;
		worker->error = error;
		worker->done = 1;
		if (worker->given_up)
			/* Fails only where the counter is full, and it is 0. */
			heard = write(worker->event, &one, sizeof one);
		else
			heard = pthread_cond_signal(&worker->ended);
		(void)heard;
	}
	pthread_mutex_unlock(&worker->lock);
	release(worker);
	return NULL;
}

/* Make a worker and its thread, with every signal blocked: they are for Python's main thread. */
static struct worker *
hire(void)
{
	struct worker *worker = calloc(1, sizeof *worker);
	pthread_condattr_t clock;
	pthread_attr_t small;
	pthread_t thread;
	sigset_t all, before;
	int failed;

	if (!worker)
		return NULL;
	worker->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker->event < 0) {
		free(worker);
		return NULL;
	}
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->begun, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->ended, &clock);
	pthread_condattr_destroy(&clock);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK);
	pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&thread, &small, stand_by, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&small);
	if (failed) {
		release(worker);
		return NULL;
	}
	worker->idle = 1;
	idle_workers++;
	return worker;
}

/* Return the place of an idle worker, or NONE. */
static int
find_idle(void)
{
	struct worker **more;
	int place, empty = NONE;

	for (place = 0; place < places; place++) {
		if (workers[place] && workers[place]->idle)
			return place;
		if (!workers[place] && empty == NONE)
			empty = place;
	}
	if (empty == NONE) {
		more = realloc(workers, (places + 1) * sizeof *workers);
		if (!more)
			return NONE;
		workers = more;
		empty = places++;
		workers[empty] = NULL;
	}
	workers[empty] = hire();
	return workers[empty] ? empty : NONE;
}

/* Wait for the end of the sync until the deadline; return whether it has ended. */
static int
await_end(struct worker *worker, long patience_ns)
{
	struct timespec deadline;
	long end_ns;
	int failed = 0, done;

	end_ns = now_ns() + patience_ns;
	deadline.tv_sec = end_ns / 1000000000;
	deadline.tv_nsec = end_ns % 1000000000;
	pthread_mutex_lock(&worker->lock);
	while (patience_ns > 0 && !worker->done && failed != ETIMEDOUT)
		failed = pthread_cond_timedwait(&worker->ended, &worker->lock, &deadline);
	done = worker->done;
	worker->given_up = !done;
	pthread_mutex_unlock(&worker->lock);
	return done;
}

static PyObject *
begin(PyObject *module, PyObject *arguments)
{
	struct worker *worker;
	long patience_ns;
	int fd, datasync, place, done;

	(void)module;
	if (!PyArg_ParseTuple(arguments, "ipl", &fd, &datasync, &patience_ns))
		return NULL;
	place = find_idle();
	if (place == NONE)
		return PyLong_FromLong(NONE);
	worker = workers[place];
	worker->idle = 0;
	idle_workers--;
	Py_BEGIN_ALLOW_THREADS
	pthread_mutex_lock(&worker->lock);
	worker->fd = fd;
	worker->datasync = datasync;
	worker->done = 0;
	worker->given_up = 0;
	worker->waiting = 1;
	pthread_cond_signal(&worker->begun);
	pthread_mutex_unlock(&worker->lock);
	done = await_end(worker, patience_ns);
	Py_END_ALLOW_THREADS
	if (!done)
		return PyLong_FromLong(RUNNING - place);
	worker->idle = 1;
	idle_workers++;
	return PyLong_FromLong(worker->error);
}

/* Return the worker whose sync the answer of begin says to be running; NULL, with an error, if it
 * says no such thing. */
static struct worker *
running(PyObject *answer)
{
	long place = RUNNING - PyLong_AsLong(answer);

	if (PyErr_Occurred())
		return NULL;
	if (place < 0 || place >= places || !workers[place] || workers[place]->idle) {
		PyErr_SetString(PyExc_ValueError, "no sync is running there");
		return NULL;
	}
	return workers[place];
}

static PyObject *
event(PyObject *module, PyObject *answer)
{
	struct worker *worker = running(answer);

	(void)module;
	return worker ? PyLong_FromLong(worker->event) : NULL;
}

static PyObject *
end(PyObject *module, PyObject *answer)
{
	struct worker *worker = running(answer);
	uint64_t count;
	long took_ns;
	int error;

	(void)module;
	if (!worker)
		return NULL;
	if (read(worker->event, &count, sizeof count) < 0)
		return PyErr_SetFromErrno(PyExc_OSError);
	pthread_mutex_lock(&worker->lock);
	error = worker->error;
	took_ns = worker->took_ns;
	worker->leaving = idle_workers >= KEPT;
	if (worker->leaving) {
		workers[RUNNING - PyLong_AsLong(answer)] = NULL;
		pthread_cond_signal(&worker->begun);
	} else {
		worker->idle = 1;
		idle_workers++;
	}
	pthread_mutex_unlock(&worker->lock);
	return Py_BuildValue("il", error, took_ns);
}

/* There a sync does nothing (noop_fsync in fs/libfs.c), so it needs no thread. */
static PyObject *
in_memory(PyObject *module, PyObject *descriptor)
{
	long fd = PyLong_AsLong(descriptor);
	struct statfs where;

	(void)module;
	if (PyErr_Occurred())
		return NULL;
	return PyBool_FromLong(!fstatfs(fd, &where)
	    && (where.f_type == TMPFS_MAGIC || where.f_type == RAMFS_MAGIC));
}

static PyMethodDef methods[] = {
	{"begin", begin, METH_VARARGS,
	 "begin(fd, datasync, patience_ns) -> error number, 0, NONE, or RUNNING and below"},
	{"event", event, METH_O,
	 "event(answer) -> descriptor that is readable once the sync that begin left running ended"},
	{"end", end, METH_O,
	 "end(answer) -> error number or 0, and nanoseconds; BlockingIOError: it hasn't ended"},
	{"in_memory", in_memory, METH_O,
	 "in_memory(fd) -> whether a sync there does nothing"},
	{NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, "_standby", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__standby(void)
{
	PyObject *module = PyModule_Create(&definition);

	if (module && (PyModule_AddIntMacro(module, RUNNING) || PyModule_AddIntMacro(module, NONE)))
		Py_CLEAR(module);
	return module;
}
