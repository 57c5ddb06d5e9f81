/*
 * Which pieces of a document a pass must look at (`scanner/ruleset/reach.py` says how far around a
 * change): where they come to nearly all of it, the whole.
 */

#include "pieces.h"

#include <stddef.h>
#include <string.h>

enum { HOPS = 3 };

static int64_t start_of_change(const uint8_t *doc, int64_t change, const pieces *p) {
    for (int hop = 0; hop < HOPS; hop++) {
        int64_t edge, at;
        change -= p->reach;
        if (change <= 0) return 0;
        edge = change > p->far ? change - p->far : 0;
        for (at = change; at > edge && doc[at - 1] != '\n';) at--;
        change = at;
    }
    return change;
}

static int64_t end_of_change(const uint8_t *doc, int64_t size, int64_t change, const pieces *p) {
    for (int hop = 0; hop < HOPS; hop++) {
        int64_t edge;
        const uint8_t *newline;
        change += p->reach;
        if (change >= size) return size;
        edge = size - change < p->far ? size : change + p->far;
        newline = memchr(doc + change, '\n', (size_t)(edge - change));
        change = newline ? newline - doc + 1 : edge;
    }
    return change;
}

static void add_piece(pieces *p, const uint8_t *doc, int64_t begin, int64_t stop, int64_t owner) {
    memcpy(p->text + p->size, doc + begin, (size_t)(stop - begin));
    p->places[p->count] = p->size;
    p->shifts[p->count] = begin - p->size;
    p->owners[p->count++] = owner;
    p->size += stop - begin;
    p->text[p->size++] = '\n';
}

void unsealed_cut(pieces *p, const uint8_t *doc, int64_t size, const block *blocks, int64_t count,
                  int64_t base_size, int64_t owner) {
    int64_t first = p->count, kept = p->size, end = 0, sum = 0, begin = -1, stop = -1;
    const block *last = count ? &blocks[count - 1] : NULL;
    int whole = !count;
    for (int64_t n = 0; !whole && n <= count; n++) {
        int64_t from = end, to = n < count ? blocks[n].new : size, here, there;
        if (n < count) end = blocks[n].new + blocks[n].size;
        if (!n && !to && !blocks[0].old) continue;
        if (n == count && from == size && last->old + last->size == base_size) continue;
        here = start_of_change(doc, from, p);
        there = end_of_change(doc, size, to, p);
        if (begin >= 0 && here <= stop) {
            if (there > stop) stop = there;
            continue;
        }
        if (begin >= 0) {
            sum += stop - begin;
            add_piece(p, doc, begin, stop, owner);
        }
        begin = here;
        stop = there;
    }
    if (begin >= 0) {
        sum += stop - begin;
        whole = sum * 5 > size * 4;
        if (!whole) add_piece(p, doc, begin, stop, owner);
    }
    if (whole) {
        p->count = first;
        p->size = kept;
        add_piece(p, doc, 0, size, owner);
    }
}
