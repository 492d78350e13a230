/* A load client for Socket.IO servers: one thread, epoll, many WebSocket connections that count what they hear.
 *
 *   fanout_load PORT AUTH [TOKENS EVENT [centrifugo]]
 *
 * AUTH is the JSON sent with CONNECT. In it %d becomes the connection's number, %t its line of the file TOKENS, and %p
 * its position, or null: where it began is the "position" that came with EVENT. Without EVENT a connection has joined when its CONNECT is
 * answered, else when it was told EVENT. With `centrifugo` it speaks that server's JSON protocol instead: AUTH is then
 * the command that connects, and a reply that holds EVENT is its answer.
 *
 * Reads commands, a line each, and answers each with one line:
 *   open N        opens N more connections           -> "opened SECONDS"
 *   expect N      counts events until there are N    -> "heard N SECONDS P50 P99 CLIENT_CPU READS", times in ms
 *   storm         who loses the connection comes back within 200 ms, again and again
 *                                                    -> "back SECONDS" from the first that is accepted until all are in
 *   move PORT     before the first event: from now on who is told that its server closes, or is closed, goes on at PORT.
 *                 Every other connection does not know that word: as a plain Socket.IO client it comes half a second to
 *                 one and a half after it was closed
 *   tally         what became of them since `move`   -> "tally IN TRIES SHOWN LOST REPEATED LATE RESYNCS BACK CLOSING":
 *                 connections at PORT, and handshakes for them; events shown, those left out before a later one, shown
 *                 twice, shown after a later one; positions that PORT did not accept; seconds from the first word or end
 *                 until all were in (0 before), and from the first to the last connection that its server closed
 * It is one program, although a long one: it is compiled where a benchmark runs, without a build of its own.
 * Events carry the wall clock in microseconds as "t":…; latency is read from it. At most 64 handshakes of `open` are under way at once.
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
#include "fanout_shown.h"

enum { MOST = 65536, BUFFER = 1 << 18, AT_ONCE = 64, SLOTS = 1 << 20, CONTROL = MOST };
enum state { AWAY, CONNECTING, UPGRADING, JOINING, JOINED };
enum mode { STAYING, STORMING, MOVING };

struct client {
    int fd;
    enum state state;
    int kept;      /* bytes of an unfinished frame */
    uint8_t *rest;
    int moved;     /* it has a new server */
    double again;  /* when it comes back, or 0 */
};

static struct client clients[MOST];
static struct place places[MOST];
static int opened, wanted, joined, joining, poller;
static const char *auth, *welcome;
static char **tokens;
static int centrifugo;
static enum mode mode;
static double first_in;
static long in, tries, resyncs;
static double first_word, all_in, first_closed, last_closed;
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
    if (send(c->fd, frame, at + size, MSG_NOSIGNAL) != at + size && mode == STAYING) fail("cannot send", NULL, 0);
}

static void open_one(int number) {
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
    c->state = CONNECTING;
    c->again = 0;
    c->moved = mode == MOVING;
    tries += c->moved;
    joining++;
}

static void hang_up(struct client *c) {
    close(c->fd);
    if (c->state == JOINED) {
        joined--;
        in -= c->moved;
    } else {
        joining--;
    }
    c->state = AWAY;
    c->kept = 0;
}

static void lost(struct client *c, const char *why, const uint8_t *data, int size) {
    if (mode == STAYING) fail(why, data, size);
    double now = clock_of(CLOCK_MONOTONIC), chance = (double)rand() / RAND_MAX;
    if (mode == MOVING && !c->moved) {
        if (!first_word) first_word = now;
        if (!first_closed) first_closed = now;
        last_closed = now;
    }
    hang_up(c);
    if (!c->again) c->again = now + (mode == MOVING ? 0.5 + chance : 0.2 * chance);
}

static void come_back(void) {
    double now = clock_of(CLOCK_MONOTONIC);
    for (int i = 0; i < opened; i++) {
        struct client *c = &clients[i];
        if (!c->again || c->again > now) continue;
        if (c->state != AWAY) hang_up(c);
        open_one(i);
    }
}

static void request(struct client *c, int number) {
    char text[300];
    int size = sprintf(text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        centrifugo ? "/connection/websocket" : "/socket.io/?EIO=4&transport=websocket");
    if (send(c->fd, text, size, MSG_NOSIGNAL) < 0) {
        lost(c, "cannot connect", NULL, 0);
        return;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
    c->state = UPGRADING;
}

static void join(struct client *c, int number) {
    char text[4000];
    int size = sprintf(text, "%s", centrifugo ? "" : "40");
    for (const char *p = auth; *p && size < 3900; p++) {
        if (p[0] == '%' && p[1] == 'd') {
            size += sprintf(text + size, "%d", number);
            p++;
        } else if (p[0] == '%' && p[1] == 't') {
            size += snprintf(text + size, 2000, "%s", tokens[number]);
            p++;
        } else if (p[0] == '%' && p[1] == 'p') {
            size += write_position(&places[number], text + size, 1500);
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

/* With {"reconnectInMs":…} its server closes, with {"retryInMs":…} it had no place: every other one listens. */
static void on_word(struct client *c, int number, const char *text, int size) {
    const char *pause = memmem(text, size, "InMs\":", 6);
    if (c->moved && size > 11 && !memcmp(text + 2, "[\"resync\"", 9)) resyncs++;
    if (!pause) return;
    double now = clock_of(CLOCK_MONOTONIC);
    if (!first_word) first_word = now;
    if (number % 2 == 0) c->again = now + strtol(pause + 6, NULL, 10) / 1e3;
}

static void enter(struct client *c) {
    if (c->state == JOINED) return;
    c->state = JOINED;
    joined++;
    joining--;
    in += c->moved;
}

static int is_welcome(const uint8_t *text, int size) {
    int length = welcome ? strlen(welcome) : 0;
    return length && size > length + 4 && text[1] == '2' && !memcmp(text + 4, welcome, length);
}

static void on_text(struct client *c, int number, const uint8_t *text, int size, double now) {
    if (is_welcome(text, size)) {
        begin(&places[number], (const char *)text, size);
        enter(c);
    } else if (size >= 2 && text[0] == '4' && text[1] == '2') {
        int shown = mode == MOVING ? show(&places[number], (const char *)text, size) : 1;
        if (shown < 0) fail("an event of an unknown log", text, size);
        if (shown) on_event(text, size, now);
        else on_word(c, number, (const char *)text, size);
    } else if (size == 1 && text[0] == '2') {
        send_text(c, "3", 1);
    } else if (text[0] == '0') {
        join(c, number);
    } else if (size >= 2 && text[0] == '4' && text[1] == '0') {
        if (!welcome) enter(c);
    } else {
        fail("unexpected packet", text, size);
    }
}

/* Several may stand in one frame, a line each: pushes, replies, and {} for a ping. */
static void on_replies(struct client *c, const uint8_t *text, int size, double now) {
    for (const uint8_t *end = text + size, *next; text < end; text = next + 1) {
        next = memchr(text, '\n', end - text);
        if (!next) next = end;
        int length = next - text;
        if (length > 7 && !memcmp(text, "{\"push\"", 7)) on_event(text, length, now);
        else if (length == 2) send_text(c, "{}", 2);
        else if (memmem(text, length, welcome, strlen(welcome))) enter(c);
        else fail("unexpected reply", text, length);
    }
}

static void on_bytes(struct client *c, int number) {
    if (c->kept) memcpy(buffer, c->rest, c->kept);
    ssize_t got = recv(c->fd, buffer + c->kept, BUFFER - c->kept - 1, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        lost(c, "connection lost", NULL, 0);
        return;
    }
    if (expected) reads++;
    double now = clock_of(CLOCK_REALTIME);
    uint8_t *at = buffer, *end = buffer + c->kept + got;
    *end = 0;
    c->kept = 0;
    if (c->state == UPGRADING) {
        uint8_t *head = memmem(at, end - at, "\r\n\r\n", 4);
        if (head) {
            if (memcmp(at, "HTTP/1.1 101", 12)) {
                lost(c, "refused", at, end - at);
                return;
            }
            /* Only now: what takes a connection may be the socket of a server that is just being killed. */
            if (mode == STORMING && !first_in) first_in = clock_of(CLOCK_MONOTONIC);
            at = head + 4;
            c->state = JOINING;
            if (centrifugo) join(c, number);
        }
    }
    while (c->state > UPGRADING && end - at >= 2) {
        long size = at[1], head = 2;
        if (size == 126) head = 4;
        if (size == 127) head = 10;
        if (end - at < head) break;
        if (head > 2) {
            size = 0;
            for (int i = 2; i < head; i++) size = size << 8 | at[i];
        }
        if (end - at < head + size) break;
        if ((at[0] & 15) != 1) {
            lost(c, "unexpected frame", at, end - at);
            return;
        }
        if (centrifugo) on_replies(c, at + head, size, now);
        else on_text(c, number, at + head, size, now);
        at += head + size;
    }
    if (end > at) {
        c->kept = end - at;
        c->rest = realloc(c->rest, c->kept);
        memcpy(c->rest, at, c->kept);
    }
}

static void report_tally(void) {
    char line[200];
    snprintf(line, sizeof line, "tally %ld %ld %ld %ld %ld %ld %ld %.6f %.6f", in, tries, tally.shown, tally.lost,
             tally.repeated, tally.late, resyncs, all_in ? all_in - first_word : 0, last_closed - first_closed);
    answer(line);
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
    } else if (!strncmp(line, "storm", 5)) {
        mode = STORMING;
        first_in = 0;
        answer("ready");
    } else if (sscanf(line, "move %ld", &number) == 1) {
        mode = MOVING;
        server.sin_port = htons(number);
        answer("ready");
    } else if (!strncmp(line, "tally", 5)) {
        report_tally();
    }
}

static void read_tokens(const char *path) {
    FILE *file = fopen(path, "r");
    tokens = calloc(MOST, sizeof *tokens);
    char line[2000];
    for (int i = 0; file && i < MOST && fgets(line, sizeof line, file); i++) {
        line[strcspn(line, "\n")] = 0;
        tokens[i] = strdup(line);
    }
    if (file) fclose(file);
}

static void report_joined(void) {
    static int told;
    char line[60];
    double now = clock_of(CLOCK_MONOTONIC);
    if (mode == MOVING) {
        if (in == opened && !all_in) all_in = now;
    } else if (mode == STORMING && joined == opened && first_in) {
        snprintf(line, sizeof line, "back %.6f", now - first_in);
        mode = STAYING;
        answer(line);
    } else if (mode == STAYING && joined == wanted && told != wanted) {
        told = wanted;
        snprintf(line, sizeof line, "opened %.6f", now - began);
        answer(line);
    }
}

int main(int count, char **arguments) {
    if (count != 3 && count != 5 && count != 6) return 2;
    auth = arguments[2];
    centrifugo = count == 6 && !strcmp(arguments[5], "centrifugo");
    if (count >= 5) {
        read_tokens(arguments[3]);
        welcome = arguments[4];
    }
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
    for (;;) {
        while (opened < wanted && joining < AT_ONCE) open_one(opened++);
        if (mode != STAYING) come_back();
        report_joined();
        struct epoll_event events[512];
        int ready = epoll_wait(poller, events, 512, mode == STAYING ? -1 : 5);
        for (int i = 0; i < ready; i++) {
            uint32_t number = events[i].data.u32;
            struct client *c = number == CONTROL ? NULL : &clients[number];
            if (!c) command();
            else if (c->state == CONNECTING && events[i].events & EPOLLERR) lost(c, "cannot connect", NULL, 0);
            else if (c->state == CONNECTING) request(c, number);
            else if (c->state != AWAY) on_bytes(c, number);
        }
    }
}
