/* One file through many numbers: dup, dup2 onto another file, fcntl, close_range, a socket. */
#include "corpus.h"
#include <sys/socket.h>

static char bytes[512];

static int through_a_socket(int fd)
{
    int ends[2];
    char letter = 'x', room[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec one = {&letter, 1};
    struct msghdr message = {
        .msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    MUST(sendmsg(ends[0], &message, 0) == 1);
    MUST(recvmsg(ends[1], &message, 0) == 1);
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    close(ends[0]);
    close(ends[1]);
    return fd;
}

int main(void)
{
    int f = open("f", O_RDWR | O_CREAT, 0644);
    /* EXPECT openat(f, O_RDWR|O_CREAT) = ok */
    int g = open("g", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    /* EXPECT openat(g, O_RDWR|O_CREAT|O_CLOEXEC) = ok */
    int copy = dup(f);
    /* EXPECT dup(f) = ok -- unknown: result: not visible at the entry */
    MUST(lseek(copy, 8192, SEEK_SET) == 8192);
    /* EXPECT lseek(f, 8192, SEEK_SET) = 8192 */
    MUST(write(f, bytes, 512) == 512);
    /* EXPECT write(f, 512) = 512 @8192 */
    MUST(close(copy) == 0);
    /* EXPECT close(f) = 0 */
    MUST(dup2(f, 40) == 40);
    /* EXPECT dup2(f) = ok -- unknown: result: not visible at the entry */
    MUST(dup3(f, 41, O_CLOEXEC) == 41);
    /* EXPECT dup3(f) = ok -- unknown: result: not visible at the entry */
    MUST(fcntl(f, F_DUPFD, 50) == 50);
    /* EXPECT fcntl(f, F_DUPFD) = ok -- unknown: result: not visible at the entry */
    MUST(fcntl(f, F_DUPFD_CLOEXEC, 51) == 51);
    /* EXPECT fcntl(f, F_DUPFD_CLOEXEC) = ok -- unknown: result: not visible at the entry */
    MUST(fcntl(50, F_SETFL, O_APPEND) == 0);
    /* EXPECT fcntl(f, F_SETFL, O_RDONLY|O_APPEND) = 0 -- unknown: result: not visible at the entry */
    MUST(write(51, bytes, 100) == 100); /* O_APPEND is the open's, not the number's */
    /* EXPECT write(f, 100) = 100 @8704 */
    MUST(fcntl(f, F_SETFL, 0) == 0);
    /* EXPECT fcntl(f, F_SETFL, O_RDONLY) = 0 -- unknown: result: not visible at the entry */
    MUST(lseek(41, -100, SEEK_CUR) == 8704);
    /* EXPECT lseek(f, -100, SEEK_CUR) = 8704 -- unknown: result: no later call */
    MUST(write(40, bytes, 10) == 10);
    /* EXPECT write(f, 10) = 10 @8704 */
    MUST(close_range(40, 45, 0) == 0);
    /* EXPECT close_range() = 0 -- unheard */
    /* EXPECT closes f by close_range */
    /* EXPECT closes f by close_range */
    MUST(close_range(600, 700, 0) == 0); /* nothing there */
    /* EXPECT close_range() = 0 -- unheard */
    MUST(dup2(f, 51) == 51); /* onto itself, in a way: closes one and makes one */
    /* EXPECT dup2(f) = ok -- unknown: result: not visible at the entry */
    /* EXPECT closes f by dup2 */
    MUST(write(51, bytes, 10) == 10);
    /* EXPECT write(f, 10) = 10 @8714 */
    MUST(dup2(g, 51) == 51);
    /* EXPECT dup2(g) = ok -- unknown: result: not visible at the entry */
    /* EXPECT closes f by dup2 */
    MUST(write(51, bytes, 10) == 10);
    /* EXPECT write(g, 10) = 10 @0 */
    MUST(dup2(g, 52) == 52); /* closes nothing; the close after it is a close */
    /* EXPECT dup2(g) = ok -- unknown: result: not visible at the entry */
    MUST(close(52) == 0);
    /* EXPECT close(g) = 0 */
    MUST(dup2(f, f) == f);
    /* EXPECT dup2(f) = ok -- unknown: result: not visible at the entry */
    int passed = through_a_socket(g);
    MUST(lseek(passed, 4096, SEEK_SET) == 4096);
    /* EXPECT lseek(g, 4096, SEEK_SET) = 4096 */
    MUST(write(g, bytes, 512) == 512);
    /* EXPECT write(g, 512) = 512 @4096 */
    MUST(close(passed) == 0);
    /* EXPECT close(g) = 0 */
    MUST(close(50) == 0);
    /* EXPECT close(f) = 0 */
    MUST(close(51) == 0);
    /* EXPECT close(g) = 0 */
    MUST(close(g) == 0);
    /* EXPECT close(g) = 0 */
    MUST(close(f) == 0);
    /* EXPECT close(f) = 0 */
    return 0;
}
