/* Loaded before libc (LD_PRELOAD), it counts the calls by which a process writes to the files of one queue: write and
   pwrite, ftruncate, fsync and fdatasync, unlink, on every file whose name begins with the queue's path. At the n-th
   it kills the process before it, after it or halfway through it, or lets that one call fail. It can also write each
   of them into a trace, from which the files can be rebuilt as a power cut would have left them.

   It cannot see what goes into the -shm file, which SQLite maps into memory: only the calls that make it grow.

   Settings come from the environment when the process starts, or from gatekit_shim_arm() later. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum turn { PASS, BEFORE, AFTER, HALF, FAIL };

static char target[PATH_MAX];
static char directory[PATH_MAX];
static enum turn how;
static int failure;
static long at;
static atomic_long count;
static int trace = -1;
/* Held across each call while there is a trace, so that the trace has the order in which things happened. */
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

#define REAL(result, name, parameters)                                                                                 \
    static result (*name##_of_libc) parameters;                                                                        \
    static void find_##name(void) {                                                                                    \
        if (!name##_of_libc)                                                                                           \
            name##_of_libc = (result(*) parameters)dlsym(RTLD_NEXT, #name);                                            \
    }

REAL(ssize_t, write, (int, const void *, size_t))
REAL(ssize_t, pwrite, (int, const void *, size_t, off_t))
REAL(int, ftruncate, (int, off_t))
REAL(int, fsync, (int))
REAL(int, fdatasync, (int))
REAL(int, unlink, (const char *))

static void settle_mode(const char *mode) {
    failure = 0;
    how = PASS;
    if (!strcmp(mode, "before"))
        how = BEFORE;
    else if (!strcmp(mode, "after"))
        how = AFTER;
    else if (!strcmp(mode, "half"))
        how = HALF;
    else if (!strcmp(mode, "EIO") || !strcmp(mode, "ENOSPC")) {
        how = FAIL;
        failure = mode[1] == 'I' ? EIO : ENOSPC;
    }
}

void gatekit_shim_arm(const char *path, long nth, const char *mode, const char *trace_file) {
    snprintf(target, sizeof target, "%s", path);
    snprintf(directory, sizeof directory, "%s", path);
    char *slash = strrchr(directory, '/');
    if (slash)
        *slash = '\0';
    at = nth;
    settle_mode(mode);
    atomic_store(&count, 0);
    if (trace >= 0)
        close(trace);
    trace = *trace_file ? open(trace_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
}

long gatekit_shim_calls(void) { return atomic_load(&count); }

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value ? value : "";
}

__attribute__((constructor)) static void begin(void) {
    find_write(), find_pwrite(), find_ftruncate(), find_fsync(), find_fdatasync(), find_unlink();
    if (*setting("GATEKIT_SHIM_PATH"))
        gatekit_shim_arm(setting("GATEKIT_SHIM_PATH"), atol(setting("GATEKIT_SHIM_AT")), setting("GATEKIT_SHIM_HOW"),
                         setting("GATEKIT_SHIM_TRACE"));
}

static int is_ours(const char *name) { return *target && !strncmp(name, target, strlen(target)); }

/* The name behind a descriptor; whether it is one of the queue's. */
static int named(int descriptor, char *name) {
    char link[64];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = *target ? readlink(link, name, PATH_MAX - 1) : -1;
    errno = before;
    name[length < 0 ? 0 : length] = '\0';
    return is_ours(name);
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* The trace is a row of: kind, length of the name, offset, length of the bytes, the name, the bytes. */
struct __attribute__((packed)) head {
    char kind;
    uint32_t name;
    uint64_t offset;
    uint64_t bytes;
};

static void record(char kind, const char *name, uint64_t offset, const void *data, size_t size) {
    if (trace < 0)
        return;
    int before = errno;
    struct head head = {kind, (uint32_t)strlen(name), offset, size};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)name, head.name}, {(void *)data, size}};
    if (writev(trace, parts, 3) != (ssize_t)(sizeof head + head.name + size))
        abort();
    errno = before;
}

void gatekit_shim_note(const char *text) {
    pthread_mutex_lock(&order);
    record('N', "", 0, text, strlen(text));
    pthread_mutex_unlock(&order);
}

static enum turn enter(void) {
    if (trace >= 0)
        pthread_mutex_lock(&order);
    enum turn turn = atomic_fetch_add(&count, 1) + 1 == at ? how : PASS;
    if (turn == BEFORE)
        die();
    return turn;
}

static void leave(enum turn turn) {
    if (turn == AFTER || turn == HALF)
        die();
    if (trace >= 0)
        pthread_mutex_unlock(&order);
}

static ssize_t failed(void) {
    leave(FAIL);
    errno = failure;
    return -1;
}

ssize_t write(int descriptor, const void *data, size_t size) {
    char name[PATH_MAX];
    find_write();
    if (!named(descriptor, name))
        return write_of_libc(descriptor, data, size);
    enum turn turn = enter();
    if (turn == FAIL)
        return failed();
    off_t offset = lseek(descriptor, 0, SEEK_CUR);
    ssize_t done = write_of_libc(descriptor, data, turn == HALF ? size / 2 : size);
    if (done > 0)
        record('W', name, (uint64_t)offset, data, (size_t)done);
    leave(turn);
    return done;
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t offset) {
    char name[PATH_MAX];
    find_pwrite();
    if (!named(descriptor, name))
        return pwrite_of_libc(descriptor, data, size, offset);
    enum turn turn = enter();
    if (turn == FAIL)
        return failed();
    ssize_t done = pwrite_of_libc(descriptor, data, turn == HALF ? size / 2 : size, offset);
    if (done > 0)
        record('W', name, (uint64_t)offset, data, (size_t)done);
    leave(turn);
    return done;
}

/* The system does these at once or not at all: half of one is none of it. */

int ftruncate(int descriptor, off_t size) {
    char name[PATH_MAX];
    find_ftruncate();
    if (!named(descriptor, name))
        return ftruncate_of_libc(descriptor, size);
    enum turn turn = enter();
    if (turn == FAIL)
        return (int)failed();
    int result = turn == HALF ? 0 : ftruncate_of_libc(descriptor, size);
    if (result == 0)
        record('T', name, (uint64_t)size, "", 0);
    leave(turn);
    return result;
}

static int synced(int descriptor, int (*sync)(int)) {
    char name[PATH_MAX];
    if (!named(descriptor, name)) {
        int result = sync(descriptor);
        if (trace >= 0 && *name && !strcmp(name, directory)) {
            pthread_mutex_lock(&order);
            record('S', name, 0, "", 0);
            pthread_mutex_unlock(&order);
        }
        return result;
    }
    enum turn turn = enter();
    if (turn == FAIL)
        return (int)failed();
    int result = turn == HALF ? 0 : sync(descriptor);
    if (result == 0)
        record('S', name, 0, "", 0);
    leave(turn);
    return result;
}

int fsync(int descriptor) {
    find_fsync();
    return synced(descriptor, fsync_of_libc);
}

int fdatasync(int descriptor) {
    find_fdatasync();
    return synced(descriptor, fdatasync_of_libc);
}

int unlink(const char *name) {
    find_unlink();
    if (!is_ours(name))
        return unlink_of_libc(name);
    enum turn turn = enter();
    if (turn == FAIL)
        return (int)failed();
    int result = turn == HALF ? 0 : unlink_of_libc(name);
    if (result == 0)
        record('U', name, 0, "", 0);
    leave(turn);
    return result;
}

#ifdef __GLIBC__
/* With 64-bit offsets glibc calls them by these names. */
ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t offset) {
    return pwrite(descriptor, data, size, (off_t)offset);
}

int ftruncate64(int descriptor, off64_t size) { return ftruncate(descriptor, (off_t)size); }
#endif
