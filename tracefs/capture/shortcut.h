/* Answers to requests on open files without Python; see _shortcut.c. */
#ifndef TRACEFS_SHORTCUT_H
#define TRACEFS_SHORTCUT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stddef.h>

struct fuse_in_header;

/* Answer the request, whose own structure and data are `body`, on the FUSE device; 0: not this one,
 * and nothing was done. kills_setid: a write must clear set-id bits. */
int shortcut(int device, const struct fuse_in_header *header, int kills_setid, const char *body,
	     size_t size);

/* shortcut(files, threads, descriptors, journal, check_every), or shortcut() for none. */
PyObject *set_shortcut(PyObject *module, PyObject *args);

/* shortcut_open(openable, opened, stripped, direct_io). */
PyObject *set_shortcut_open(PyObject *module, PyObject *args);

/* shortcut_faults(decide), or shortcut_faults(None) for none. */
PyObject *set_shortcut_faults(PyObject *module, PyObject *args);

#endif
