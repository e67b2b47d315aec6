/* Saves a file of three blocks as `c.json`, beside it and by a rename, and acknowledges that by `mkdir .ack:saved`.
 *
 * The only argument is the way in which it deals with calls that fail: `right`, or one of the mistakes below. */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIZE = 3 * 4096 };

static const char *way;

static bool is(const char *name) { return strcmp(way, name) == 0; }

/* Writes all of it; with O_APPEND or without, as the kernel puts one write behind the other. */
static bool write_all(int fd, const char *data, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t count = write(fd, data + done, size - done);
        if (count < 0) {
            if (errno == EINTR && !is("gives-up"))
                continue;
            return false;
        }
        if (is("takes-for-whole"))
            return true;
        if (is("repeats-shifted") && (size_t)count < size) {
            if (write(fd, data, size) < 0)
                return false;
            return true;
        }
        done += (size_t)count;
    }
    return true;
}

static int sync_file(int fd) {
    int failed;
    do
        failed = fsync(fd);
    while (failed && errno == EINTR && !is("gives-up"));
    return failed;
}

static bool save(const char *data) {
    bool in_place = is("in-place");
    const char *name = in_place ? "c.json" : "c.json.tmp";
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        return false;
    bool good = write_all(fd, data, SIZE);
    if (!good && is("renames-anyway"))
        good = true;
    if (good && sync_file(fd)) {
        good = is("goes-on") || is("renames-anyway");
        if (is("syncs-again"))
            good = !fsync(fd);
        if (is("writes-anew"))
            good = pwrite(fd, data, SIZE, 0) == SIZE && !fsync(fd);
    }
    close(fd);
    if (!in_place && !good)
        unlink(name);
    if (good && !in_place && rename(name, "c.json"))
        return false;
    return good;
}

int main(int argc, char **argv) {
    static char data[SIZE];
    way = argc > 1 ? argv[1] : "right";
    memset(data, 'n', sizeof data);
    bool good = save(data);
    if (good || is("acknowledges-anyway"))
        (void)mkdir(".ack:saved", 0755);
    if (!good && !is("says-nothing") && !is("gives-up") && !is("goes-on")) {
        fprintf(stderr, "c.json is not saved: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}
