/* A filesystem of one file, "pages", that only answers: the floor of any FUSE filesystem.
 *
 * usage: floor MOUNT_POINT
 *
 * The same as noop.py, by libfuse alone. A file "pages.new" can be made and removed. Prints "ready"
 * once it is mounted and ends when it is unmounted.
 */
#define FUSE_USE_VERSION 32
#include <errno.h>
#include <fuse3/fuse_lowlevel.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGES = FUSE_ROOT_ID + 1, NEW, SIZE = 1 << 20 };

static const double TRUSTED_S = 300;	/* as pyfuse3 has it */
static int made;
static char zeros[SIZE];

static struct stat attributes(fuse_ino_t ino)
{
    struct stat info = {.st_ino = ino, .st_nlink = 1, .st_uid = getuid(), .st_gid = getgid()};

    info.st_mode = ino == FUSE_ROOT_ID ? S_IFDIR | 0777 : S_IFREG | 0666;
    info.st_size = ino == PAGES ? SIZE : 0;
    info.st_blksize = 4096;
    return info;
}

static struct fuse_entry_param entry(fuse_ino_t ino)
{
    return (struct fuse_entry_param){
        .ino = ino,
        .attr = attributes(ino),
        .attr_timeout = TRUSTED_S,
        .entry_timeout = TRUSTED_S,
    };
}

static void lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    fuse_ino_t ino = !strcmp(name, "pages") ? PAGES : made && !strcmp(name, "pages.new") ? NEW : 0;
    struct fuse_entry_param found = entry(ino);

    (void)parent;
    if (ino)
        fuse_reply_entry(req, &found);
    else
        fuse_reply_err(req, ENOENT);
}

static void get_attributes(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct stat info = attributes(ino);

    (void)fi;
    fuse_reply_attr(req, &info, TRUSTED_S);
}

static void set_attributes(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
                           struct fuse_file_info *fi)
{
    (void)attr, (void)to_set;
    get_attributes(req, ino, fi);
}

static void open_file(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    fi->fh = ino;
    fi->keep_cache = 1;
    fuse_reply_open(req, fi);
}

static void create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                   struct fuse_file_info *fi)
{
    struct fuse_entry_param new = entry(NEW);

    (void)parent, (void)name, (void)mode;
    made = 1;
    fi->fh = NEW;
    fuse_reply_create(req, &new, fi);
}

static void remove_name(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    (void)parent, (void)name;
    made = 0;
    fuse_reply_err(req, 0);
}

static void read_file(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                      struct fuse_file_info *fi)
{
    size_t left = off < SIZE ? (size_t)(SIZE - off) : 0;

    (void)ino, (void)fi;
    fuse_reply_buf(req, zeros, size < left ? size : left);
}

static void write_file(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
                       struct fuse_file_info *fi)
{
    (void)ino, (void)buf, (void)off, (void)fi;
    fuse_reply_write(req, size);
}

static void sync_file(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
    (void)ino, (void)datasync, (void)fi;
    fuse_reply_err(req, 0);
}

static void fine(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino, (void)fi;
    fuse_reply_err(req, 0);
}

static const struct fuse_lowlevel_ops operations = {
    .lookup = lookup,
    .getattr = get_attributes,
    .setattr = set_attributes,
    .open = open_file,
    .create = create,
    .unlink = remove_name,
    .read = read_file,
    .write = write_file,
    .fsync = sync_file,
    .flush = fine,
    .release = fine,
};

int main(int argc, char **argv)
{
    char *words[] = {argv[0], "-o", "fsname=floor,default_permissions"};
    struct fuse_args args = FUSE_ARGS_INIT(3, words);
    struct fuse_session *session;
    int failed = 1;

    if (argc != 2) {
        fprintf(stderr, "usage: %s MOUNT_POINT\n", argv[0]);
        return 2;
    }
    session = fuse_session_new(&args, &operations, sizeof operations, NULL);
    if (!session)
        return 1;
    if (!fuse_session_mount(session, argv[1])) {
        puts("ready");
        fflush(stdout);
        failed = fuse_session_loop(session);
        fuse_session_unmount(session);
    }
    fuse_session_destroy(session);
    fuse_opt_free_args(&args);
    return failed ? 1 : 0;
}
