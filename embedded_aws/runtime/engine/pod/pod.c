/* Process 1 of a task's pod: holds the network that the task's containers share, and is the endpoint for tasks in it.
 *
 * pod ADDRESS PORT NAME: listens at ADDRESS, port 80, on the pod's loopback interface, and connects each client to
 * PORT of the host that /etc/hosts calls NAME. It needs the capability NET_ADMIN, to add ADDRESS. There is no libc,
 * so that an image with nothing else can run it; ./make compiles it. Exit code 1: it could not listen.
 */
#include <asm/unistd.h>
#include <linux/in.h>
#include <linux/poll.h>
#include <linux/sockios.h>

typedef unsigned long word;
typedef unsigned char byte;

enum { INTERNET = 2, STREAM = 1, SHUT_WRITE = 1, AT_CWD = -100, MOST = 65536, SIGNAL_PIPE = 13, SIGNAL_CHILD = 17 };

/* Of <linux/if.h>, which needs a libc. */
struct interface { char name[16]; struct sockaddr_in address; char rest[8]; };

#if defined(__x86_64__)
static long call(long n, long a, long b, long c, long d, long e) {
    long r;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return r;
}
__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call start\n");
#elif defined(__aarch64__)
static long call(long n, long a, long b, long c, long d, long e) {
    register long x8 __asm__("x8") = n;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
}
__asm__(".globl _start\n_start: mov x0, sp\n b start\n");
#endif

/* The compiler may call these. */
void *memset(void *to, int value, word size) {
    volatile byte *at = to;
    while (size--) *at++ = (byte)value;
    return to;
}
void *memcpy(void *to, const void *from, word size) {
    volatile byte *at = to;
    const byte *next = from;
    while (size--) *at++ = *next++;
    return to;
}

static word length(const char *text) {
    word n = 0;
    while (text[n]) n++;
    return n;
}

static void leave(const char *why) {
    call(__NR_write, 2, (long)why, length(why), 0, 0);
    call(__NR_exit_group, 1, 0, 0, 0, 0);
}

static unsigned number(const char *text) {
    unsigned n = 0;
    while (*text >= '0' && *text <= '9') n = n * 10 + (unsigned)(*text++ - '0');
    return n;
}

/* The bytes of a dotted address, in the order of the network; 0 where it is none. */
static unsigned address(const char *text) {
    byte parts[4];
    unsigned n, result;
    for (n = 0; n < 4; n++) {
        if (*text < '0' || *text > '9') return 0;
        parts[n] = (byte)number(text);
        while (*text >= '0' && *text <= '9') text++;
        if (n < 3 && *text++ != '.') return 0;
    }
    memcpy(&result, parts, 4);
    return result;
}

static int blank(char c) { return c == ' ' || c == '\t'; }

/* The IPv4 address that a line of /etc/hosts gives a name; 0 where there is none. */
static unsigned host(const char *name) {
    static char text[MOST];
    word size = 0, n = length(name);
    long got, file = call(__NR_openat, AT_CWD, (long)"/etc/hosts", 0, 0, 0);
    char *line, *at;
    while (size < MOST - 1 && (got = call(__NR_read, file, (long)(text + size), MOST - 1 - size, 0, 0)) > 0)
        size += (word)got;
    call(__NR_close, file, 0, 0, 0, 0);
    for (line = text; *line; line = *at ? at + 1 : at) {
        unsigned found = address(line);
        for (at = line; *at && *at != '\n'; at++) {
            word k = 0;
            if (!blank(at[0])) continue;
            while (k < n && at[1 + k] == name[k]) k++;
            char end = at[1 + k];
            if (k == n && found && (!end || end == '\n' || blank(end))) return found;
        }
    }
    return 0;
}

static struct sockaddr_in place(unsigned at, unsigned port) {
    struct sockaddr_in made = {.sin_family = INTERNET};
    made.sin_port = (unsigned short)((port & 255) << 8 | port >> 8);
    made.sin_addr.s_addr = at;
    return made;
}

static void add_address(long any, unsigned at) {
    struct interface ask = {"lo:1", place(at, 0), ""};
    if (call(__NR_ioctl, any, SIOCSIFADDR, (long)&ask, 0, 0) < 0) leave("pod: the address cannot be added\n");
    ask.address = place(0xffffffff, 0);
    call(__NR_ioctl, any, SIOCSIFNETMASK, (long)&ask, 0, 0);
}

static int write_all(long to, const byte *data, long size) {
    while (size > 0) {
        long done = call(__NR_write, to, (long)data, size, 0, 0);
        if (done <= 0) return 0;
        data += done;
        size -= done;
    }
    return 1;
}

/* Copy in both directions until both ends have been closed. */
static void relay(long client, long server) {
    static byte data[MOST];
    long ends[2] = {client, server};
    int open = 2, n;
    struct pollfd waits[2] = {{(int)client, POLLIN, 0}, {(int)server, POLLIN, 0}};
    while (open > 0) {
        if (call(__NR_ppoll, (long)waits, 2, 0, 0, 0) < 0) return;
        for (n = 0; n < 2; n++) {
            if (waits[n].fd < 0 || !waits[n].revents) continue;
            long got = call(__NR_read, ends[n], (long)data, MOST, 0, 0);
            if (got > 0) {
                if (!write_all(ends[1 - n], data, got)) return;
                continue;
            }
            if (got < 0) return;
            call(__NR_shutdown, ends[1 - n], SHUT_WRITE, 0, 0, 0);
            waits[n].fd = -1;
            open--;
        }
    }
}

static void serve(long client, const char *name, unsigned port) {
    struct sockaddr_in at = place(host(name), port);
    long server = call(__NR_socket, INTERNET, STREAM, 0, 0, 0);
    if (at.sin_addr.s_addr && call(__NR_connect, server, (long)&at, sizeof at, 0, 0) == 0) relay(client, server);
    call(__NR_exit_group, 0, 0, 0, 0, 0);
}

/* Has the kernel reap the children: as with SIG_IGN for SIGNAL_CHILD, of which no restorer is needed. */
static void forget_children(void) {
    struct { void *handler; word flags; void *restorer; word mask; } ignore = {(void *)1, 0, 0, 0};
    call(__NR_rt_sigaction, SIGNAL_CHILD, (long)&ignore, 0, sizeof ignore.mask, 0);
    call(__NR_rt_sigaction, SIGNAL_PIPE, (long)&ignore, 0, sizeof ignore.mask, 0);
}

__attribute__((used)) void start(word *stack) {
    char **words = (char **)(stack + 1);
    if (stack[0] != 4) leave("pod: ADDRESS PORT NAME\n");
    unsigned here = address(words[1]), port = number(words[2]);
    struct sockaddr_in at = place(here, 80);
    long any = call(__NR_socket, INTERNET, STREAM, 0, 0, 0);
    forget_children();
    add_address(any, here);
    if (call(__NR_bind, any, (long)&at, sizeof at, 0, 0) < 0) leave("pod: the address cannot be bound\n");
    if (call(__NR_listen, any, 128, 0, 0, 0) < 0) leave("pod: it cannot listen\n");
    for (;;) {
        long client = call(__NR_accept4, any, 0, 0, 0, 0);
        if (client < 0) continue;
        long child = call(__NR_clone, SIGNAL_CHILD, 0, 0, 0, 0);
        if (child == 0) {
            call(__NR_close, any, 0, 0, 0, 0);
            serve(client, words[3], port);
        }
        call(__NR_close, client, 0, 0, 0, 0);
    }
}
