// Goes in front of a source of the library (-include): the platform is the one that STUB_FDATASYNC,
// STUB_F_FULLFSYNC or STUB_FSYNC names, and the calls below are those of stubs.cc.
#pragma once

// All that the platform macros could confuse is read before they change.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <functional>

#include "declared.h"

#define pread stub_pread
#define pwrite stub_pwrite
#define fdatasync stub_fdatasync
#define fsync stub_fsync
#define fcntl stub_fcntl

// NOLINTBEGIN: these names are the platforms'.
#undef __APPLE__
#undef _POSIX_SYNCHRONIZED_IO
#if defined(STUB_F_FULLFSYNC)
// macOS has fdatasync, too, and says that it has not; the first macro has to decide alone.
#define __APPLE__ 1
#define _POSIX_SYNCHRONIZED_IO 200112L
#undef F_FULLFSYNC
#define F_FULLFSYNC 51
#elif defined(STUB_FDATASYNC)
#define _POSIX_SYNCHRONIZED_IO 200112L
#elif defined(STUB_FSYNC)
#define _POSIX_SYNCHRONIZED_IO (-1)
#endif
// NOLINTEND
