"""Python: os, a buffered file, a thread and a child."""

import os
import threading

fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o644)
# EXPECT openat(f, O_RDWR|O_CREAT|O_CLOEXEC) = ok
os.lseek(fd, 4096, os.SEEK_SET)
# EXPECT lseek(f, 4096, SEEK_SET) = 4096
os.write(fd, bytes(512))
# EXPECT write(f, 512) = 512 @4096
os.writev(fd, [bytes(10), bytes(20)])
# EXPECT writev(f, 30) = 30 @4608 -- unknown seccomp: length: the length is not known
os.pwrite(fd, bytes(4096), 8192)
# EXPECT pwrite64(f, 4096, 8192) = 4096
os.fdatasync(fd)
# EXPECT fdatasync(f) = 0


def work() -> None:
    os.lseek(fd, 20000, os.SEEK_SET)
    # EXPECT[thread] lseek(f, 20000, SEEK_SET) = 20000
    os.write(fd, bytes(100))
    # EXPECT[thread] write(f, 100) = 100 @20000


thread = threading.Thread(target=work)
thread.start()
thread.join()
child = os.fork()
if child == 0:
    os.write(fd, bytes(100))
    # EXPECT[child] write(f, 100) = 100 @20100
    os._exit(0)  # EXPECT closes f by exit_group
assert os.waitpid(child, 0) == (child, 0)
os.lseek(fd, -200, os.SEEK_CUR)
# EXPECT lseek(f, -200, SEEK_CUR) = 20000 -- unknown: result: another thread or process
copy = os.dup(fd)
# EXPECT fcntl(f, F_DUPFD_CLOEXEC) = ok -- unknown: result: not visible at the entry
os.close(copy)
# EXPECT close(f) = 0
os.ftruncate(fd, 5000)
# EXPECT ftruncate(f, 5000) = 0
os.close(fd)
# EXPECT close(f) = 0
with open("f", "r+b") as file:
    # EXPECT openat(f, O_RDWR|O_CLOEXEC) = ok
    file.seek(1000)
    # EXPECT lseek(f, 1000, SEEK_SET) = 1000
    file.write(b"x" * 50)
    file.flush()
    # EXPECT write(f, 50) = 50 @1000
# EXPECT close(f) = 0
os.rename("f", "g")
# EXPECT rename(f, g) = 0
os.unlink("g")
# EXPECT unlink(g) = 0
