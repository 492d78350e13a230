/* A load client for Socket.IO servers: one thread, epoll, many WebSocket connections that count what they hear.
 *
 *   fanout_load PORT AUTH      AUTH is the JSON sent with CONNECT; every %d in it becomes the connection's number
 *
 * Reads commands, a line each, and answers each with one line:
 *   open N        opens N more connections           -> "opened SECONDS"
 *   expect N      counts events until there are N    -> "heard N SECONDS P50 P99 CLIENT_CPU READS", times in ms
 * Events carry the wall clock in microseconds as "t":…; latency is read from it. At most 64 handshakes are open at once.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 65536, BUFFER = 1 << 18, AT_ONCE = 64, SLOTS = 1 << 20, CONTROL = MOST };
enum state { CONNECTING, UPGRADING, JOINING, JOINED };

struct client {
    int fd;
    enum state state;
    int kept;      /* bytes of an unfinished frame */
    uint8_t *rest;
};

static struct client clients[MOST];
static int opened, wanted, joined, joining, poller;
static const char *auth;
static struct sockaddr_in server;
static uint8_t buffer[BUFFER];
static uint32_t latencies[SLOTS];  /* by 10 microseconds */
static long heard, expected, reads;
static double began;

static double clock_of(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void answer(const char *text) {
    puts(text);
    fflush(stdout);
}

static void fail(const char *why, const uint8_t *data, int size) {
    fprintf(stderr, "fanout_load: %s: %.*s\n", why, size > 200 ? 200 : size, (const char *)data);
    exit(1);
}

static void send_text(struct client *c, const char *text, int size) {
    uint8_t frame[4096];
    int at = 0;
    frame[at++] = 0x81;
    if (size < 126) {
        frame[at++] = 0x80 | size;
    } else {
        frame[at++] = 0x80 | 126;
        frame[at++] = size >> 8;
        frame[at++] = size & 255;
    }
    const uint8_t mask[4] = {0x5a, 0x17, 0xc3, 0x88};
    memcpy(frame + at, mask, 4);
    at += 4;
    for (int i = 0; i < size; i++) frame[at + i] = text[i] ^ mask[i & 3];
    if (send(c->fd, frame, at + size, MSG_NOSIGNAL) != at + size) fail("cannot send", NULL, 0);
}

static void open_next(void) {
    int number = opened++;
    struct client *c = &clients[number];
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS) {
        perror("connect");
        exit(1);
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u32 = number};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
    joining++;
}

static void request(struct client *c, int number) {
    static const char text[] =
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    if (send(c->fd, text, sizeof text - 1, MSG_NOSIGNAL) < 0) fail("cannot connect", NULL, 0);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
    c->state = UPGRADING;
}

static void join(struct client *c, int number) {
    char text[4000];
    int size = sprintf(text, "40");
    for (const char *p = auth; *p && size < 3900; p++) {
        if (p[0] == '%' && p[1] == 'd') {
            size += sprintf(text + size, "%d", number);
            p++;
        } else {
            text[size++] = *p;
        }
    }
    send_text(c, text, size);
}

static double quantile(double share) {
    long left = (long)(heard * share);
    for (int i = 0; i < SLOTS; i++) {
        left -= latencies[i];
        if (left < 0) return i / 100.0;
    }
    return -1;
}

static void report(void) {
    char line[200];
    snprintf(line, sizeof line, "heard %ld %.6f %.3f %.3f %.3f %ld", heard, clock_of(CLOCK_MONOTONIC) - began,
             quantile(0.5), quantile(0.99), clock_of(CLOCK_PROCESS_CPUTIME_ID), reads);
    expected = 0;
    answer(line);
}

static void on_event(const uint8_t *text, int size, double now) {
    const uint8_t *found = memmem(text, size, "\"t\":", 4);
    if (!expected) return;
    if (found) {
        long at = (long)((now - strtod((const char *)found + 4, NULL) / 1e6) * 1e5);
        latencies[at < 0 ? 0 : at >= SLOTS ? SLOTS - 1 : at]++;
    }
    if (++heard == expected) report();
}

static void on_text(struct client *c, int number, const uint8_t *text, int size, double now) {
    if (size >= 2 && text[0] == '4' && text[1] == '2') {
        on_event(text, size, now);
    } else if (size == 1 && text[0] == '2') {
        send_text(c, "3", 1);
    } else if (text[0] == '0') {
        join(c, number);
    } else if (size >= 2 && text[0] == '4' && text[1] == '0') {
        c->state = JOINED;
        joined++;
        joining--;
    } else {
        fail("unexpected packet", text, size);
    }
}

static void on_bytes(struct client *c, int number) {
    if (c->kept) memcpy(buffer, c->rest, c->kept);
    ssize_t got = recv(c->fd, buffer + c->kept, BUFFER - c->kept - 1, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) fail("connection lost", NULL, 0);
    if (expected) reads++;
    double now = clock_of(CLOCK_REALTIME);
    uint8_t *at = buffer, *end = buffer + c->kept + got;
    *end = 0;
    c->kept = 0;
    if (c->state == UPGRADING) {
        uint8_t *head = memmem(at, end - at, "\r\n\r\n", 4);
        if (head) {
            if (memcmp(at, "HTTP/1.1 101", 12)) fail("refused", at, end - at);
            at = head + 4;
            c->state = JOINING;
        }
    }
    while (c->state != UPGRADING && end - at >= 2) {
        long size = at[1], head = 2;
        if (size == 126) head = 4;
        if (size == 127) head = 10;
        if (end - at < head) break;
        if (head > 2) {
            size = 0;
            for (int i = 2; i < head; i++) size = size << 8 | at[i];
        }
        if (end - at < head + size) break;
        if ((at[0] & 15) != 1) fail("unexpected frame", at, end - at);
        on_text(c, number, at + head, size, now);
        at += head + size;
    }
    if (end > at) {
        c->kept = end - at;
        c->rest = realloc(c->rest, c->kept);
        memcpy(c->rest, at, c->kept);
    }
}

static void command(void) {
    char line[100];
    long number;
    if (!fgets(line, sizeof line, stdin)) exit(0);
    if (sscanf(line, "open %ld", &number) == 1) {
        wanted += number;
        began = clock_of(CLOCK_MONOTONIC);
    } else if (sscanf(line, "expect %ld", &number) == 1) {
        memset(latencies, 0, sizeof latencies);
        heard = reads = 0;
        expected = number;
        began = clock_of(CLOCK_MONOTONIC);
        answer("ready");
    }
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    auth = arguments[2];
    server.sin_family = AF_INET;
    server.sin_port = htons(atoi(arguments[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdin, NULL, _IONBF, 0);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    poller = epoll_create1(0);
    struct epoll_event control = {.events = EPOLLIN, .data.u32 = CONTROL};
    epoll_ctl(poller, EPOLL_CTL_ADD, 0, &control);
    for (int told = 0;;) {
        while (opened < wanted && joining < AT_ONCE) open_next();
        if (joined == wanted && told != wanted) {
            char line[60];
            told = wanted;
            snprintf(line, sizeof line, "opened %.6f", clock_of(CLOCK_MONOTONIC) - began);
            answer(line);
        }
        struct epoll_event events[512];
        int ready = epoll_wait(poller, events, 512, -1);
        for (int i = 0; i < ready; i++) {
            uint32_t number = events[i].data.u32;
            if (number == CONTROL) command();
            else if (clients[number].state == CONNECTING) request(&clients[number], number);
            else on_bytes(&clients[number], number);
        }
    }
}
