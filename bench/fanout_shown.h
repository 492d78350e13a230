/* What a connection was shown of each log: its position, and whether anything was lost, shown twice or out of order. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOGS = 8, REMEMBERED = 64 };

struct log {
    char *name;
    long epoch, seq;
    uint64_t shown;  /* bit n: seq - n was shown, or stood before the beginning */
};

struct place {
    struct log logs[LOGS];
    int count;
};

static struct {
    long shown, lost, repeated, late;
} tally;

static struct log *log_of(struct place *place, const char *name, int length) {
    for (struct log *log = place->logs; log < place->logs + place->count; log++)
        if (!strncmp(log->name, name, length) && !log->name[length]) return log;
    return NULL;
}

/* Takes the logs of {"position":{name:[epoch,seq],…}} that are not known yet: how far it came in others it knows itself. */
static void begin(struct place *place, const char *text, int size) {
    const char *at = memmem(text, size, "\"position\":{", 12), *end = text + size;
    if (!at) return;
    at += 12;
    while (at < end && *at == '"' && place->count < LOGS) {
        const char *name = at + 1, *quote = memchr(name, '"', end - name);
        if (!quote) return;
        char *next;
        long epoch = strtol(quote + 3, &next, 10), seq = strtol(next + 1, &next, 10);
        if (!log_of(place, name, quote - name))
            place->logs[place->count++] = (struct log){strndup(name, quote - name), epoch, seq, ~0ULL};
        at = next + 1 + (next[1] == ',');
    }
}

/* Notes an event with {"position":{"room":…,"epoch":…,"seq":…}}; 0 when it has none, -1 when it is of no known log. */
static int show(struct place *place, const char *text, int size) {
    static const char mark[] = "\"position\":{\"room\":\"";
    const char *name = memmem(text, size, mark, sizeof mark - 1);
    if (!name) return 0;
    name += sizeof mark - 1;
    const char *quote = memchr(name, '"', text + size - name);
    struct log *log = quote ? log_of(place, name, quote - name) : NULL;
    if (!log || strncmp(quote, "\",\"epoch\":", 10)) return -1;
    char *next;
    if (strtol(quote + 10, &next, 10) != log->epoch || strncmp(next, ",\"seq\":", 7)) return -1;
    long ahead = strtol(next + 7, NULL, 10) - log->seq;
    if (ahead > 0) {
        tally.lost += ahead - 1;
        tally.shown++;
        log->shown = (ahead < REMEMBERED ? log->shown << ahead : 0) | 1;
        log->seq += ahead;
    } else if (-ahead < REMEMBERED && !(log->shown >> -ahead & 1)) {
        tally.lost--;
        tally.shown++;
        tally.late++;
        log->shown |= 1ULL << -ahead;
    } else {
        tally.repeated++;
    }
    return 1;
}

/* The position as JSON, null without one; its length. */
static int write_position(const struct place *place, char *to, int most) {
    if (!place->count) return snprintf(to, most, "null");
    int size = 0;
    for (const struct log *log = place->logs; log < place->logs + place->count && size < most; log++)
        size += snprintf(to + size, most - size, "%c\"%s\":[%ld,%ld]", log == place->logs ? '{' : ',', log->name,
                         log->epoch, log->seq);
    return size < most ? size + snprintf(to + size, most - size, "}") : size;
}
