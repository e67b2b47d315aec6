/* A thread that stands by for calls which may take long, for Python.
 *
 * To hand a call to a thread of Python's and hear of its end costs 150 to 400 µs: two waits for
 * the interpreter lock, and two rounds of trio. This thread never takes that lock, so a call
 * handed to it and waited for here costs 5 µs more than one in place. What it buys is that the
 * wait can be given up: the call then goes on, and the caller serves others meanwhile.
 *
 * There is one thread, used by one caller; while it is in a call it takes no other.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum { RUNNING = -1, BUSY = -2 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t begun = PTHREAD_COND_INITIALIZER;
static pthread_cond_t ended;	/* by CLOCK_MONOTONIC */
static int started;	/* the thread exists */
static int taken;	/* it has a call whose end nobody has heard of yet */

static struct {
	int fd, datasync, error, waiting, done;
} job;	/* guarded by the lock */

static int
synced(int fd, int datasync)
{
	return (datasync ? fdatasync(fd) : fsync(fd)) ? errno : 0;
}

static void *
stand_by(void *unused)
{
	int fd, datasync, error;

	(void)unused;
	pthread_mutex_lock(&lock);
	for (;;) {
		while (!job.waiting)
			pthread_cond_wait(&begun, &lock);
		job.waiting = 0;
		fd = job.fd;
		datasync = job.datasync;
		pthread_mutex_unlock(&lock);
		error = synced(fd, datasync);
		pthread_mutex_lock(&lock);
		job.error = error;
		job.done = 1;
		pthread_cond_signal(&ended);
	}
	return NULL;
}

/* Make the thread, with every signal blocked: they are for Python's main thread. */
static int
start(void)
{
	pthread_condattr_t clock;
	pthread_t thread;
	sigset_t all, before;
	int failed;

	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&ended, &clock);
	pthread_condattr_destroy(&clock);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&thread, NULL, stand_by, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!failed)
		pthread_detach(thread);
	return !failed;
}

/* There a sync does nothing (noop_fsync in fs/libfs.c), so it needs no thread. */
static int
in_memory(int fd)
{
	struct statfs where;

	return !fstatfs(fd, &where)
	    && (where.f_type == TMPFS_MAGIC || where.f_type == RAMFS_MAGIC);
}

/* Wait for the end of the call until the deadline, or without one; its error, or RUNNING. */
static int
await_end(const struct timespec *deadline)
{
	int failed = 0, answer;

	pthread_mutex_lock(&lock);
	while (!job.done && failed != ETIMEDOUT)
		failed = deadline ? pthread_cond_timedwait(&ended, &lock, deadline)
				  : pthread_cond_wait(&ended, &lock);
	answer = job.done ? job.error : RUNNING;
	pthread_mutex_unlock(&lock);
	return answer;
}

static PyObject *
begin(PyObject *module, PyObject *arguments)
{
	struct timespec deadline;
	long patience_ns;
	int fd, datasync, answer;

	(void)module;
	if (!PyArg_ParseTuple(arguments, "ipl", &fd, &datasync, &patience_ns))
		return NULL;
	if (in_memory(fd))
		return PyLong_FromLong(synced(fd, datasync));
	if (!started)
		started = start();
	if (!started || taken)
		return PyLong_FromLong(BUSY);
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_nsec += patience_ns;
	deadline.tv_sec += deadline.tv_nsec / 1000000000;
	deadline.tv_nsec %= 1000000000;
	Py_BEGIN_ALLOW_THREADS
	pthread_mutex_lock(&lock);
	job.fd = fd;
	job.datasync = datasync;
	job.waiting = 1;
	job.done = 0;
	pthread_cond_signal(&begun);
	pthread_mutex_unlock(&lock);
	answer = await_end(&deadline);
	Py_END_ALLOW_THREADS
	taken = answer == RUNNING;
	return PyLong_FromLong(answer);
}

static PyObject *
end(PyObject *module, PyObject *unused)
{
	int answer;

	(void)module;
	(void)unused;
	Py_BEGIN_ALLOW_THREADS
	answer = await_end(NULL);
	Py_END_ALLOW_THREADS
	taken = 0;
	return PyLong_FromLong(answer);
}

static PyMethodDef methods[] = {
	{"begin", begin, METH_VARARGS,
	 "begin(fd, datasync, patience_ns) -> error number, 0, RUNNING or BUSY"},
	{"end", end, METH_NOARGS, "end() -> error number or 0 of the call that was RUNNING"},
	{NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, "_standby", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__standby(void)
{
	PyObject *module = PyModule_Create(&definition);

	if (module && (PyModule_AddIntMacro(module, RUNNING) || PyModule_AddIntMacro(module, BUSY)))
		Py_CLEAR(module);
	return module;
}
