/*
 * Commits taken apart: tree, parents, date, and where their texts stand.
 *
 * Only those that are written as git writes them; `commits.py` does the rest, and says what is what.
 */

#include <stdint.h>
#include <string.h>

enum { IDENTITY, HEADER, MESSAGE };
enum { MOST_DIGITS = 17 };
#define LATEST ((int64_t)1 << 40)

typedef struct {
    uint64_t *trees;
    int64_t *times;
    int64_t *children;
    uint64_t *parents;
    int64_t *starts, *ends, *owners, *parts;
    int64_t parent_count, part_count;
} commits;

static int digit(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The first eight bytes of an id, followed by a line's end; 0 if it is none. */
static int id_at(const uint8_t *text, const uint8_t *end, int64_t hex, uint64_t *key) {
    if (end - text <= hex || text[hex] != '\n') return 0;
    *key = 0;
    for (int64_t n = 0; n < hex; n++) {
        int value = digit(text[n]);
        if (value < 0) return 0;
        if (n < 16) *key = *key << 4 | (uint64_t)value;
    }
    return 1;
}

/* The seconds in a line that ends in `<seconds> <zone>`; 0 if it does not. */
static int seconds(const uint8_t *line, const uint8_t *end, int64_t *time) {
    const uint8_t *stop = end, *at;
    int64_t value = 0;
    int below;
    while (stop > line && stop[-1] != ' ') stop--;
    if (stop == line) return 0;
    at = --stop;
    while (at > line && at[-1] != ' ') at--;
    if (at == line) return 0;
    below = *at == '-';
    at += below;
    if (at >= stop || stop - at > MOST_DIGITS) return 0;
    for (; at < stop; at++) {
        if (*at < '0' || *at > '9') return 0;
        value = value * 10 + (*at - '0');
    }
    if (value > LATEST) value = LATEST;
    *time = below ? -value : value;
    return 1;
}

static void part(commits *out, const uint8_t *text, const uint8_t *start, const uint8_t *end,
                 int64_t owner, int64_t kind) {
    out->starts[out->part_count] = start - text;
    out->ends[out->part_count] = end - text;
    out->owners[out->part_count] = owner;
    out->parts[out->part_count++] = kind;
}

static int one(commits *out, const uint8_t *text, const uint8_t *at, const uint8_t *end,
               int64_t number, int64_t hex) {
    const uint8_t *begin, *committer = NULL, *line_end, *stop = end;
    if (end - at < 5 || memcmp(at, "tree ", 5) || !id_at(at + 5, end, hex, &out->trees[number]))
        return 0;
    at += 6 + hex;
    while (end - at >= 7 && !memcmp(at, "parent ", 7)) {
        if (!id_at(at + 7, end, hex, &out->parents[out->parent_count])) return 0;
        out->children[out->parent_count++] = number;
        at += 8 + hex;
    }
    for (begin = at; at < end;) {
        const uint8_t *next;
        if (*at == '\n') {
            stop = at - 1;
            break;
        }
        if (!committer && end - at >= 10 && !memcmp(at, "committer ", 10)) committer = at;
        next = memchr(at, '\n', (size_t)(end - at));
        at = next ? next + 1 : end;
    }
    if (!committer) return 0;
    line_end = memchr(committer, '\n', (size_t)(stop - committer));
    if (!line_end) line_end = stop;
    if (!seconds(committer, line_end, &out->times[number])) return 0;
    part(out, text, begin, line_end, number, IDENTITY);
    if (line_end + 1 < stop) part(out, text, line_end + 1, stop, number, HEADER);
    if (end - stop > 2) part(out, text, stop + 2, end, number, MESSAGE);
    return 1;
}

/* Take the commits of a buffer apart; 0 if one is written otherwise. */
int64_t unsealed_commits(commits *out, const uint8_t *text, const int64_t *starts,
                         const int64_t *ends, int64_t count, int64_t hex) {
    out->parent_count = out->part_count = 0;
    for (int64_t n = 0; n < count; n++)
        if (!one(out, text, text + starts[n], text + ends[n], n, hex)) return 0;
    return 1;
}
