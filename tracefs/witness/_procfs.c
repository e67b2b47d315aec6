/* What /proc says of a thread (proc(5)), read and parsed without a detour through Python strings.
 *
 * tracefs/witness/procfs.py has the same in Python, for machines without a compiler, and says what
 * each returns. `sight` keeps the interpreter lock: it is for threads that are held.
 */
#include "procfs.h"

#include <sched.h>

enum { LOOKS = 33, FIELDS = 8 };

static PyObject *with_fd, *without_fd;	/* names of the fields that a sighting is made of */

static PyObject *
from_args(const unsigned long long args[ARGUMENTS])
{
	return Py_BuildValue("(KKKKKK)", args[0], args[1], args[2], args[3], args[4], args[5]);
}

static PyObject *
call(PyObject *module, PyObject *number)
{
	struct held held;
	char line[LINE];
	int fd = (int)PyLong_AsLong(number), looks = LOOKS;

	(void)module;
	if (fd == -1 && PyErr_Occurred())
		return NULL;
	for (;;) {
		ssize_t got;

		/* The thread may be inside exec, and wait for another one of ours. */
		Py_BEGIN_ALLOW_THREADS
		got = read_text(fd, line, sizeof line);
		Py_END_ALLOW_THREADS
		if (got < 0)
			return PyErr_SetFromErrno(PyExc_OSError);
		if (!--looks || strncmp(line, "running", 7))
			break;
		sched_yield();
	}
	if (!parse_call(line, &held))
		Py_RETURN_NONE;
	return Py_BuildValue("(KNKK)", held.nr, from_args(held.args), held.stack, held.code);
}

static PyObject *
fdinfo(PyObject *module, PyObject *number)
{
	unsigned long long found[4];
	char text[INFO];
	int fd = (int)PyLong_AsLong(number);

	(void)module;
	if (fd == -1 && PyErr_Occurred())
		return NULL;
	if (read_text(fd, text, sizeof text) < 0)
		return PyErr_SetFromErrno(PyExc_OSError);
	switch (parse_fdinfo(text, found)) {
	case 4:
		return Py_BuildValue("(KKKK)", found[0], found[1], found[2], found[3]);
	case 3:
		return Py_BuildValue("(KKKO)", found[0], found[1], found[2], Py_None);
	case 2:
		return Py_BuildValue("(KKOO)", found[0], found[1], Py_None, Py_None);
	}
	errno = ENODATA;
	return PyErr_SetFromErrno(PyExc_OSError);
}

static PyObject *
comm(PyObject *module, PyObject *number)
{
	char name[NAME];
	ssize_t length;
	int plain, fd = (int)PyLong_AsLong(number);

	(void)module;
	if (fd == -1 && PyErr_Occurred())
		return NULL;
	length = read_name(fd, name, &plain);
	if (length < 0)
		return PyErr_SetFromErrno(PyExc_OSError);
	return plain ? PyUnicode_DecodeASCII(name, length, NULL)
		     : PyBytes_FromStringAndSize(name, length);
}

/* sight(make, descriptors, pid, syscall, comm, kept): see procfs.py. */
static PyObject *
sight(PyObject *module, PyObject *const *given, Py_ssize_t count)
{
	struct sighting looked;
	PyObject *values[FIELDS] = {NULL}, *seen = NULL;

	(void)module;
	if (count != 6 || !PyBytes_Check(given[1]) || !PyDict_Check(given[5])) {
		PyErr_SetString(PyExc_TypeError, "sight(make, descriptors, pid, syscall, comm, kept)");
		return NULL;
	}
	if (!sighted((int)PyLong_AsLong(given[3]), (int)PyLong_AsLong(given[4]), given[1], given[5],
		     &looked)) {
		if (PyErr_Occurred())
			return NULL;
		Py_RETURN_NONE;
	}
	values[0] = PyLong_FromUnsignedLongLong(looked.held.nr);
	values[1] = from_args(looked.held.args);
	values[2] = Py_NewRef(given[2]);
	values[3] = PyUnicode_DecodeASCII(looked.name, (Py_ssize_t)looked.name_length, NULL);
	if (looked.names_fd) {
		values[4] = PyLong_FromUnsignedLong(looked.fd);
		values[5] = PyLong_FromUnsignedLongLong(looked.info[0]);
		values[6] = PyLong_FromUnsignedLongLong(looked.info[1]);
		values[7] = PyLong_FromUnsignedLongLong(looked.info[3]);
	}
	if (!PyErr_Occurred())
		seen = PyObject_Vectorcall(given[0], values, 0,
					   looked.names_fd ? with_fd : without_fd);
	for (int i = 0; i < FIELDS; i++)
		Py_XDECREF(values[i]);
	return seen;
}

static PyMethodDef methods[] = {
	{"call", call, METH_O, "call(fd) -> (nr, args, stack, code) or None"},
	{"fdinfo", fdinfo, METH_O, "fdinfo(fd) -> (position, flags, mount, ino)"},
	{"comm", comm, METH_O, "comm(fd) -> the name, as bytes if it needs escapes"},
	{"sight", (PyCFunction)(void (*)(void))sight, METH_FASTCALL,
	 "sight(make, descriptors, pid, syscall, comm, kept) -> make(...) or None"},
	{NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, "_procfs", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__procfs(void)
{
	without_fd = Py_BuildValue("(ssss)", "nr", "args", "pid", "comm");
	with_fd = Py_BuildValue("(ssssssss)", "nr", "args", "pid", "comm", "fd", "position",
				"fd_flags", "fd_ino");
	if (!without_fd || !with_fd)
		return NULL;
	return PyModule_Create(&definition);
}
