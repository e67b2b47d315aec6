// The stand-ins, named so that they meet no call of the C library.
#pragma once

#include <sys/types.h>

#include <cstddef>

ssize_t stub_pread(int descriptor, void* data, std::size_t length, off_t offset);
ssize_t stub_pwrite(int descriptor, const void* data, std::size_t length, off_t offset);
int stub_fdatasync(int descriptor);
int stub_fsync(int descriptor);
int stub_fcntl(int descriptor, int command);
