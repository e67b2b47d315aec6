"""Lines as strace 6.1 printed them, from programs on a bare directory."""

HEAD = """\
100 execve("./prog", ["./prog", "a, b"], 0x7ffc9ad0d318 /* 35 vars */) = 0
100 brk(NULL)                         = 0x34ca9000
100 mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f88823f1000
100 access("/etc/ld.so.preload", R_OK) = -1 ENOENT (No such file or directory)
100 openat(AT_FDCWD</d>, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3</etc/ld.so.cache>
100 close(3</etc/ld.so.cache>)        = 0
100 set_tid_address(0x7f88823f1a10)   = 100
"""
BODY = """\
100 openat(AT_FDCWD</d>, "pages.db", O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0644) = 3</d/pages.db>
100 pwrite64(3</d/pages.db>, "a page\\0\\0"..., 4096, 8192) = 4096
100 fdatasync(3</d/pages.db>)  = 0
100 lseek(3</d/pages.db>, 100, SEEK_SET) = 100
100 lseek(3</d/pages.db>, 0, 0x63 /* SEEK_??? */) = -1 EINVAL (Invalid argument)
100 write(3</d/pages.db>, "x", 1) = 1
100 writev(3</d/pages.db>, [{iov_base="ab", iov_len=2}, {iov_base="iov_len=9", iov_len=9}], 2) = 11
100 pwritev2(3</d/pages.db>, [{iov_base="ab", iov_len=2}, ...], 3, 4096, RWF_DSYNC) = 5
100 pwritev(3</d/pages.db>, 0x8, 2, 4096) = -1 EFAULT (Bad address)
100 fcntl(3</d/pages.db>, F_DUPFD_CLOEXEC, 0) = 4</d/pages.db>
100 fcntl(3</d/pages.db>, F_SETFL, O_RDONLY|O_APPEND) = 0
100 mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_SHARED, 3</d/pages.db>, 0) = 0x7f8cc6d3a000
100 msync(0x7f8cc6d3a000, 8192, MS_SYNC) = 0
100 munmap(0x7f8cc6d3a000, 8192) = 0
100 unlink("pages.db")                = 0
100 write(4</d/pages.db>(deleted), "zz", 2) = 2
100 ftruncate(3</d/pages.db>(deleted), 10) = 0
100 fallocate(3</d/pages.db>(deleted), 0, 0, 8192) = 0
100 openat(AT_FDCWD</d>, "x\\377\\"y\\n>z", O_WRONLY|O_CREAT, 0777) = 6</d/x\\377\\"y\\n\\76z>
100 rename("x\\377\\"y\\n>z", "new")     = 0
100 sendfile(6</d/new>, 3</d/pages.db>(deleted), [0] => [100], 100) = 100
100 copy_file_range(3</d/pages.db>(deleted), [0], 6</d/new>, [0], 100, 0) = 100
100 splice(8<pipe:[14310157]>, NULL, 6</d/new>, NULL, 3, 0) = 3
100 openat(AT_FDCWD</d>, ".", O_RDONLY|O_CLOEXEC|O_DIRECTORY) = 7</d>
100 fsync(7</d>)               = 0
100 sync()                            = 0
100 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f8cc6a2d310) = 101
101 set_robust_list(0x7f8cc6a2d320, 24 <unfinished ...>
100 wait4(-1,  <unfinished ...>
101 <... set_robust_list resumed>)    = 0
101 write(1</dev/pts/0<char 136:0>>, "out\\n", 4) = 4
101 connect(5<TCP:[127.0.0.1:41844->127.0.0.1:80]>, {sa_family=AF_INET}, 16) = 0
101 pwrite64(6</d/new>, "k", 1, 5 <unfinished ...>
101 <... pwrite64 resumed>)           = 1
101 close_range(100, 4294967295, CLOSE_RANGE_CLOEXEC) = 0
101 exit_group(0)                     = ?
101 +++ exited with 0 +++
100 <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 101
100 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=101, si_uid=0, si_status=0} ---
100 clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=2, tv_nsec=0}, NULL) = ? ERESTART_RESTARTBLOCK (x)
100 renameat2(AT_FDCWD</d>, "new", 7</d>, "e/n", RENAME_NOREPLACE) = 0
100 linkat(AT_FDCWD</d>, "/proc/self/fd/6", AT_FDCWD</d>, "named", AT_SYMLINK_FOLLOW) = 0
100 truncate("e/n", 3)                  = 0
100 openat2(AT_FDCWD</d>, "q", {flags=O_RDWR|O_CREAT, mode=0600, resolve=0}, 24) = 8</d/q>
100 mkdir("dd", 0700) = 0
100 chmod("q", 0600) = 0
100 utimensat(8</d/q>, NULL, NULL, 0) = 0
100 fsetxattr(8</d/q>, "user.a", "b", 1, 0) = 0
100 symlink("i", "j") = 0
100 unlinkat(AT_FDCWD</d>, "dd", AT_REMOVEDIR) = 0
100 chdir("dd") = -1 ENOENT (No such file or directory)
100 sync_file_range(8</d/q>, 0, 10, SYNC_FILE_RANGE_WRITE) = 0
100 mremap(0x7f8cc6d3a000, 8192, 4096, MREMAP_MAYMOVE) = 0x7f8cc6d3a000
"""
TAIL = """\
100 exit_group(0)                     = ?
100 +++ exited with 0 +++
"""


def text(*lines: str, head: str = HEAD, tail: str = TAIL) -> list[str]:
    """Return a whole text with *lines*, which need no number, of its only process."""
    body = "".join(
        f"{line if line[:1].isdigit() or line.startswith('strace:') else f'100 {line}'}\n"
        for line in lines
    )
    return (head + body + tail).splitlines(keepends=True)
