/* A filesystem of a few files in one directory that only answers: the floor of any FUSE filesystem.
 *
 * usage: floor MOUNT_POINT
 *
 * The same as noop.py, by libfuse alone: of a file it knows the name and the size, and what is read is
 * zeros. Ends when it is unmounted.
 */
#define FUSE_USE_VERSION 32
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FILES = 16, NAME_SIZE = 32, MOST_READ = 1 << 20 };

static const double TRUSTED_S = 300;	/* as pyfuse3 has it */
static const char zeros[MOST_READ];

static struct file {
    char name[NAME_SIZE];	/* empty: there is no such file */
    fuse_ino_t ino;
    off_t size;
} files[MOST_FILES];

static fuse_ino_t last_ino = FUSE_ROOT_ID;

/* NULL: the root directory, or a file that was removed and is still open. */
static struct file *by_ino(fuse_ino_t ino)
{
    for (int i = 0; i < MOST_FILES; i++)
        if (files[i].name[0] && files[i].ino == ino)
            return &files[i];
    return NULL;
}

/* NULL: none has this name; of the empty name: there are as many as there can be. */
static struct file *by_name(const char *name)
{
    for (int i = 0; i < MOST_FILES; i++)
        if (!strcmp(files[i].name, name))
            return &files[i];
    return NULL;
}

static struct stat attributes(fuse_ino_t ino)
{
    struct stat info = {.st_ino = ino, .st_nlink = 1, .st_uid = getuid(), .st_gid = getgid()};
    struct file *file = by_ino(ino);

    info.st_mode = ino == FUSE_ROOT_ID ? S_IFDIR | 0777 : S_IFREG | 0666;
    info.st_size = file ? file->size : 0;
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
    struct file *file = by_name(name);

    (void)parent;
    if (file) {
        struct fuse_entry_param found = entry(file->ino);
        fuse_reply_entry(req, &found);
    } else {
        fuse_reply_err(req, ENOENT);
    }
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
    struct file *file = by_ino(ino);

    if (file && to_set & FUSE_SET_ATTR_SIZE)
        file->size = attr->st_size;
    get_attributes(req, ino, fi);
}

/* One that is opened to be read only starts without pages, so that reads can be measured, too. */
static void open_file(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    fi->fh = ino;
    fi->keep_cache = (fi->flags & O_ACCMODE) != O_RDONLY;
    fuse_reply_open(req, fi);
}

static void create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                   struct fuse_file_info *fi)
{
    struct file *file = by_name("");
    struct fuse_entry_param new;

    (void)parent, (void)mode;
    if (!file || strlen(name) >= NAME_SIZE) {
        fuse_reply_err(req, ENOSPC);
        return;
    }
    strcpy(file->name, name);
    file->ino = ++last_ino;
    file->size = 0;
    new = entry(file->ino);
    fi->fh = file->ino;
    fuse_reply_create(req, &new, fi);
}

static void remove_name(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct file *file = by_name(name);

    (void)parent;
    if (file)
        file->name[0] = '\0';
    fuse_reply_err(req, file ? 0 : ENOENT);
}

static void read_file(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                      struct fuse_file_info *fi)
{
    struct file *file = by_ino(ino);
    off_t left = file && off < file->size ? file->size - off : 0;

    (void)fi;
    size = size < MOST_READ ? size : MOST_READ;
    fuse_reply_buf(req, zeros, (off_t)size < left ? size : (size_t)left);
}

static void write_file(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
                       struct fuse_file_info *fi)
{
    struct file *file = by_ino(ino);

    (void)buf, (void)fi;
    if (file && off + (off_t)size > file->size)
        file->size = off + (off_t)size;
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
        failed = fuse_session_loop(session);
        fuse_session_unmount(session);
    }
    fuse_session_destroy(session);
    fuse_opt_free_args(&args);
    return failed ? 1 : 0;
}
