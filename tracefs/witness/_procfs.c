/* What /proc says of a thread (proc(5)), read and parsed without a detour through Python strings.
 *
 * tracefs/witness/procfs.py has the same in Python, for machines without a compiler, and says what
 * each returns. The interpreter lock is kept: these reads wait for nobody but the kernel.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

enum { LOOKS = 33, LINE = 256, INFO = 512, NAME = 64, ARGUMENTS = 6 };

/* Read from the beginning, and end it with a NUL; -1: errno says why. */
static ssize_t
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
static int
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

static int
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

static PyObject *
call(PyObject *module, PyObject *number)
{
	unsigned long long nr, args[ARGUMENTS], stack, code;
	char line[LINE];
	const char *at = line;
	int fd = (int)PyLong_AsLong(number), looks = LOOKS;

	(void)module;
	if (fd == -1 && PyErr_Occurred())
		return NULL;
	for (;;) {
		if (read_text(fd, line, sizeof line) < 0)
			return PyErr_SetFromErrno(PyExc_OSError);
		if (!--looks || strncmp(line, "running", 7))
			break;
		sched_yield();
	}
	if (!take(&at, 10, &nr))
		Py_RETURN_NONE;
	for (int i = 0; i < ARGUMENTS; i++)
		if (!take(&at, 16, &args[i]))
			Py_RETURN_NONE;
	if (!take(&at, 16, &stack) || !take(&at, 16, &code))
		Py_RETURN_NONE;
	return Py_BuildValue("(K(KKKKKK)KK)", nr, args[0], args[1], args[2], args[3], args[4],
			     args[5], stack, code);
}

static PyObject *
fdinfo(PyObject *module, PyObject *number)
{
	unsigned long long position, flags, mount, ino;
	char text[INFO];
	const char *at = text;
	int fd = (int)PyLong_AsLong(number);

	(void)module;
	if (fd == -1 && PyErr_Occurred())
		return NULL;
	if (read_text(fd, text, sizeof text) < 0)
		return PyErr_SetFromErrno(PyExc_OSError);
	if (!skip(&at, "pos:") || !take(&at, 10, &position) || !skip(&at, "flags:")
	    || !take(&at, 8, &flags)) {
		errno = ENODATA;
		return PyErr_SetFromErrno(PyExc_OSError);
	}
	if (!skip(&at, "mnt_id:") || !take(&at, 10, &mount))
		return Py_BuildValue("(KKOO)", position, flags, Py_None, Py_None);
	if (!skip(&at, "ino:") || !take(&at, 10, &ino))
		return Py_BuildValue("(KKKO)", position, flags, mount, Py_None);
	return Py_BuildValue("(KKKK)", position, flags, mount, ino);
}

static PyObject *
comm(PyObject *module, PyObject *number)
{
	char name[NAME];
	ssize_t length;
	int fd = (int)PyLong_AsLong(number);

	(void)module;
	if (fd == -1 && PyErr_Occurred())
		return NULL;
	length = read_text(fd, name, sizeof name);
	if (length < 0)
		return PyErr_SetFromErrno(PyExc_OSError);
	if (length)
		length--;	/* the newline that ends it */
	for (ssize_t i = 0; i < length; i++)
		if (name[i] < ' ' || name[i] > '~' || name[i] == '\\')
			return PyBytes_FromStringAndSize(name, length);
	return PyUnicode_DecodeASCII(name, length, NULL);
}

static PyMethodDef methods[] = {
	{"call", call, METH_O, "call(fd) -> (nr, args, stack, code) or None"},
	{"fdinfo", fdinfo, METH_O, "fdinfo(fd) -> (position, flags, mount, ino)"},
	{"comm", comm, METH_O, "comm(fd) -> the name, as bytes if it needs escapes"},
	{NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, "_procfs", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__procfs(void)
{
	return PyModule_Create(&definition);
}
