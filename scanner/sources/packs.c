/*
 * Objects out of a pack, and of each what it has in common with the one it is a delta of.
 *
 * Format: https://git-scm.com/docs/pack-format
 *
 * A delta says which bytes of its base an object repeats.  Versions of one file repeat nearly all
 * of each other, so what a first pass must look at again is a few pieces around what changed (`pieces.c`).
 * Git's own reader throws this knowledge away; so does every scanner behind it.
 *
 * Everything in a pack is somebody else's: each length and offset is checked before it is used.
 * What is not as the format says, or larger than a buffer, is left to git itself.
 *
 * Built where there is a C compiler, called through ctypes; zlib comes from the caller, since
 * Python has one.  `pack_reader.py` is the other side of every structure here.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pieces.h"

enum { OFS_DELTA = 6, LONGEST_CHAIN = 1 << 16 };
enum { LONGEST_HEADER = 32, STREAM_END = 1, OK = 0 };

/* An object and those it is a delta of lie far apart, and are read in turns: one window would be
 * filled anew at each step.  Each goes on for a header's length into the next. */
enum { WINDOW = 1 << 15, WINDOWS = 1 << 7, WINDOW_ROOM = WINDOW + LONGEST_HEADER };

/* zlib's own structure: its layout is part of its interface. */
typedef struct {
    const uint8_t *next_in;
    unsigned avail_in;
    unsigned long total_in;
    uint8_t *next_out;
    unsigned avail_out;
    unsigned long total_out;
    const char *msg;
    void *state, *zalloc, *zfree, *opaque;
    int data_type;
    unsigned long adler, reserved;
} zstream;

typedef struct {
    int (*init)(zstream *, const char *, int);
    int (*inflate)(zstream *, int);
    int (*reset)(zstream *);
    int (*end)(zstream *);
    const char *version;
} zlib;

typedef struct entry {
    int64_t offset, size;
    int64_t number; /* of the object in the order told, -1 where it was not told */
    uint8_t *data;
    struct entry *newer, *older, *next;
} entry;

enum { BUCKETS = 1 << 14 };

typedef struct {
    int fd;
    int64_t end;     /* where the trailer begins */
    int64_t largest; /* bytes of an object that is read here */
    int64_t hold;    /* bytes of texts that are kept */
    int64_t keep;    /* so many objects back the caller remembers what he was told */
    zlib z;
    zstream stream;
    struct {
        int64_t at, size; /* of the bytes in it: where they begin, how many */
    } windows[WINDOWS];
    uint8_t *window_bytes, *delta;
    int64_t delta_size;
    entry **buckets, *newest, *oldest;
    int64_t held, number;
    block *blocks;
    int64_t blocks_most;
} reader;

/* What one call fills in; all arrays are the caller's. */
typedef struct {
    uint8_t *text;
    int64_t text_most, docs_most, blocks_most, pieces_most;
    int64_t gap; /* bytes between documents, and before the first if more than one */
    int64_t *starts, *ends, *rows, *bases; /* a document each */
    int64_t *block_stops;                  /* a document each: where its blocks end */
    block *blocks;
    int64_t *failed; /* rows that are left to git */
    int64_t docs, used, failures, blocks_count, first;
} batch;

static entry **bucket(reader *r, int64_t offset) {
    uint64_t mixed = (uint64_t)offset * 0x9E3779B97F4A7C15u;
    return &r->buckets[mixed >> 50];
}

static void unlink_entry(reader *r, entry *e) {
    if (e->newer) e->newer->older = e->older; else r->newest = e->older;
    if (e->older) e->older->newer = e->newer; else r->oldest = e->newer;
}

static void make_newest(reader *r, entry *e) {
    e->newer = NULL;
    e->older = r->newest;
    if (r->newest) r->newest->newer = e; else r->oldest = e;
    r->newest = e;
}

static entry *find(reader *r, int64_t offset) {
    entry *e = *bucket(r, offset);
    while (e && e->offset != offset) e = e->next;
    if (e && e != r->newest) {
        unlink_entry(r, e);
        make_newest(r, e);
    }
    return e;
}

static void forget_oldest(reader *r) {
    entry *e = r->oldest, **at = bucket(r, e->offset);
    while (*at != e) at = &(*at)->next;
    *at = e->next;
    unlink_entry(r, e);
    r->held -= e->size + (int64_t)sizeof *e;
    free(e->data);
    free(e);
}

/* Keep a text; it takes `data` over.  The newest stays whatever its size. */
static entry *remember(reader *r, int64_t offset, uint8_t *data, int64_t size) {
    entry *e = malloc(sizeof *e), **at = bucket(r, offset);
    if (!e) {
        free(data);
        return NULL;
    }
    *e = (entry){.offset = offset, .size = size, .number = -1, .data = data, .next = *at};
    *at = e;
    make_newest(r, e);
    r->held += size + (int64_t)sizeof *e;
    while (r->held > r->hold && r->oldest != e) forget_oldest(r);
    return e;
}

/* Return the bytes at an offset, and in `size` how many there are in a row (0: none); as many as a
 * header may have, unless the pack ends. */
static const uint8_t *bytes_at(reader *r, int64_t offset, int64_t *size) {
    int64_t at = offset / WINDOW * WINDOW, number = offset / WINDOW % WINDOWS;
    uint8_t *bytes = r->window_bytes + number * WINDOW_ROOM;
    if (r->windows[number].at != at || !r->windows[number].size) {
        int64_t filled = 0, most = r->end - at < WINDOW_ROOM ? r->end - at : WINDOW_ROOM;
        while (filled < most) {
            ssize_t got = pread(r->fd, bytes + filled, (size_t)(most - filled), at + filled);
            if (got <= 0) break;
            filled += got;
        }
        r->windows[number].at = at;
        r->windows[number].size = filled;
    }
    *size = r->windows[number].size - (offset - at);
    if (*size < 0) *size = 0;
    return bytes + (offset - at);
}

typedef struct {
    int kind;
    int64_t size, base, body;
} header;

static int read_header(reader *r, int64_t offset, header *h) {
    int64_t have, at = 0, distance;
    const uint8_t *p;
    int shift = 4;
    if (offset < 12 || offset >= r->end) return 0;
    p = bytes_at(r, offset, &have);
    if (have < 1) return 0;
    h->kind = (p[0] >> 4) & 7;
    h->size = p[0] & 15;
    while (p[at++] & 0x80) {
        if (at >= have || shift > 50) return 0;
        h->size |= (int64_t)(p[at] & 0x7F) << shift;
        shift += 7;
    }
    h->base = 0;
    if (h->kind == OFS_DELTA) {
        if (at >= have) return 0;
        distance = p[at] & 0x7F;
        while (p[at++] & 0x80) {
            if (at >= have || distance > r->end) return 0;
            distance = ((distance + 1) << 7) | (p[at] & 0x7F);
        }
        if (distance <= 0 || distance > offset - 12) return 0;
        h->base = offset - distance;
    }
    h->body = offset + at;
    return h->size <= r->largest;
}

/* Inflate exactly `size` bytes; no less, no more. */
static int inflate_at(reader *r, int64_t offset, uint8_t *out, int64_t size) {
    uint8_t spare;
    zstream *z = &r->stream;
    if (r->z.reset(z) != OK) return 0;
    z->next_out = out;
    z->avail_out = (unsigned)size;
    for (;;) {
        int64_t have;
        int state;
        const uint8_t *next = bytes_at(r, offset, &have);
        if (have < 1) return 0;
        z->next_in = next;
        z->avail_in = (unsigned)have;
        if (!z->avail_out) { /* what is left is the checksum */
            z->next_out = &spare;
            z->avail_out = 1;
        }
        state = r->z.inflate(z, 0);
        if (z->next_out == &spare + 1) return 0;
        offset += z->next_in - next;
        if (state == STREAM_END) return (int64_t)z->total_out == size;
        if (state != OK) return 0;
        if (z->next_in == next && z->avail_out && z->next_out != &spare) return 0;
    }
}

static int number_at(const uint8_t **p, const uint8_t *end, int64_t *value) {
    int shift = 0;
    *value = 0;
    do {
        if (*p >= end || shift > 49) return 0;
        *value |= (int64_t)(**p & 0x7F) << shift;
        shift += 7;
    } while (*(*p)++ & 0x80);
    return 1;
}

/* Inflate the delta of an object into the reader's own buffer; return its result's size or -1. */
static int64_t load_delta(reader *r, const header *h, const uint8_t **ops) {
    const uint8_t *p, *end;
    int64_t from, to;
    if (h->size > r->delta_size) {
        uint8_t *grown = realloc(r->delta, (size_t)h->size);
        if (!grown) return -1;
        r->delta = grown;
        r->delta_size = h->size;
    }
    if (!inflate_at(r, h->body, r->delta, h->size)) return -1;
    p = r->delta;
    end = p + h->size;
    if (!number_at(&p, end, &from) || !number_at(&p, end, &to) || to > r->largest) return -1;
    *ops = p;
    return to;
}

/* Apply what `load_delta` left; return how many blocks were noted, or -1. */
static int64_t apply(reader *r, const header *h, const uint8_t *ops, const entry *base,
                     uint8_t *out, int64_t size) {
    const uint8_t *p = r->delta, *end = r->delta + h->size;
    int64_t at = 0, count = 0, from;
    if (!number_at(&p, end, &from) || from != base->size) return -1;
    for (p = ops; p < end;) {
        uint8_t op = *p++;
        if (op & 0x80) {
            int64_t place = 0, length = 0;
            block *last = count ? &r->blocks[count - 1] : NULL;
            for (int bit = 0; bit < 7; bit++) {
                if (!(op & (1 << bit))) continue;
                if (p >= end) return -1;
                if (bit < 4) place |= (int64_t)*p++ << (8 * bit);
                else length |= (int64_t)*p++ << (8 * (bit - 4));
            }
            if (!length) length = 0x10000;
            if (place + length > base->size || length > size - at) return -1;
            memcpy(out + at, base->data + place, (size_t)length);
            if (last && last->old + last->size == place && last->new + last->size == at)
                last->size += length;
            else if (count < r->blocks_most)
                r->blocks[count++] = (block){place, at, length};
            at += length;
        } else {
            if (!op || op > end - p || op > size - at) return -1;
            memcpy(out + at, p, op);
            p += op;
            at += op;
        }
    }
    return at == size ? count : -1;
}

/* Return the text of an object that others are deltas of, or NULL. */
static entry *text_of(reader *r, int64_t offset, int kind) {
    int64_t *chain = NULL, count = 0, most = 0;
    entry *e;
    header h;
    while (!(e = find(r, offset))) {
        if (!read_header(r, offset, &h)) goto done;
        if (h.kind != OFS_DELTA) {
            uint8_t *data;
            if (h.kind != kind || !(data = malloc((size_t)h.size + 1))) goto done;
            if (!inflate_at(r, h.body, data, h.size)) {
                free(data);
                goto done;
            }
            if (!(e = remember(r, offset, data, h.size))) goto done;
            break;
        }
        if (count >= LONGEST_CHAIN) goto done;
        if (count == most) {
            int64_t *grown = realloc(chain, sizeof *chain * (size_t)(most = most * 2 + 64));
            if (!grown) goto done;
            chain = grown;
        }
        chain[count++] = offset;
        offset = h.base;
    }
    while (e && count) {
        const uint8_t *ops;
        uint8_t *data;
        int64_t size;
        offset = chain[--count];
        if (!read_header(r, offset, &h) || (size = load_delta(r, &h, &ops)) < 0 ||
            !(data = malloc((size_t)size + 1))) {
            e = NULL;
        } else if (apply(r, &h, ops, e, data, size) < 0) {
            free(data);
            e = NULL;
        } else {
            e = remember(r, offset, data, size);
        }
    }
done:
    free(chain);
    return e;
}

/* Read one object behind the last; 1 done, 0 no room, -1 not for us. */
static int read_one(reader *r, batch *b, int64_t offset, int kind, int64_t least_block,
                    pieces *passes, int64_t passes_count) {
    int64_t start = b->used, size, count = 0, base_size = 0, number = -1;
    uint8_t *out = b->text + start, *copy;
    entry *e, *base;
    header h;
    if (!read_header(r, offset, &h)) return -1;
    if (h.kind == OFS_DELTA) {
        const uint8_t *ops;
        if (!(base = text_of(r, h.base, kind))) return -1;
        if ((size = load_delta(r, &h, &ops)) < 0) return -1;
        if (size + b->gap > b->text_most - start) return 0;
        if ((count = apply(r, &h, ops, base, out, size)) < 0) return -1;
        base_size = base->size;
        number = base->number;
    } else {
        if (h.kind != kind) return -1;
        size = h.size;
        if (size + b->gap > b->text_most - start) return 0;
        if (!inflate_at(r, h.body, out, size)) return -1;
    }
    if (count >= r->blocks_most || number < 0 || number < r->number - r->keep) count = 0;
    if (count) {
        int64_t kept = 0;
        for (int64_t n = 0; n < count; n++)
            if (r->blocks[n].size >= least_block) r->blocks[kept++] = r->blocks[n];
        count = kept;
    }
    if (count > b->blocks_most - b->blocks_count) return 0;
    for (int64_t n = 0; n < passes_count; n++)
        if (passes[n].count + count + 2 > b->pieces_most) return 0;
    if (!(e = find(r, offset))) {
        if (!(copy = malloc((size_t)size + 1))) return -1;
        memcpy(copy, out, (size_t)size);
        if (!(e = remember(r, offset, copy, size))) return -1;
    }
    for (int64_t n = 0; n < passes_count; n++)
        unsealed_cut(&passes[n], out, size, r->blocks, count, base_size, b->docs);
    if (count) memcpy(b->blocks + b->blocks_count, r->blocks, sizeof(block) * (size_t)count);
    b->blocks_count += count;
    e->number = r->number++;
    memset(out + size, '\n', (size_t)b->gap);
    b->starts[b->docs] = start;
    b->ends[b->docs] = start + size;
    b->bases[b->docs] = count ? number : -1;
    b->block_stops[b->docs] = b->blocks_count;
    b->used = start + size + b->gap;
    return 1;
}

/*
 * Read objects of one kind at these offsets, as many as there is room for; return how many were
 * dealt with.  Documents are told in the order of their offsets here, each with a number: those of
 * a batch follow each other, from `first` on.
 */
int64_t unsealed_read(reader *r, batch *b, const int64_t *offsets, int64_t count, int kind,
                      int64_t least_block, pieces *passes, int64_t passes_count) {
    int64_t n;
    b->docs = b->failures = b->blocks_count = 0;
    b->used = b->gap > 1 ? b->gap : 0;
    memset(b->text, '\n', (size_t)b->used);
    b->first = r->number;
    for (int64_t pass = 0; pass < passes_count; pass++) passes[pass].size = passes[pass].count = 0;
    for (n = 0; n < count && b->docs < b->docs_most; n++) {
        int done = read_one(r, b, offsets[n], kind, least_block, passes, passes_count);
        if (!done && b->docs) break;
        if (done <= 0) b->failed[b->failures++] = n;
        else b->rows[b->docs++] = n;
    }
    return n;
}

/* Changed with every change of a structure or call, here and in `native.py`: a library that was
 * built before another version of its caller came must not be called. */
int64_t unsealed_version(void) { return 1; }

void unsealed_close(reader *r) {
    if (!r) return;
    while (r->oldest) forget_oldest(r);
    if (r->stream.state) r->z.end(&r->stream);
    free(r->window_bytes);
    free(r->delta);
    free(r->buckets);
    free(r->blocks);
    free(r);
}

/* Return a reader of an open pack whose trailer begins at `end`, or NULL. */
reader *unsealed_open(int fd, int64_t end, int64_t largest, int64_t hold, int64_t keep,
                      const zlib *z) {
    reader *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->fd = fd;
    r->end = end;
    r->largest = largest;
    r->hold = hold;
    r->keep = keep;
    r->z = *z;
    r->blocks_most = 1 << 14;
    r->window_bytes = malloc((size_t)WINDOWS * WINDOW_ROOM);
    r->buckets = calloc(BUCKETS, sizeof *r->buckets);
    r->blocks = malloc(sizeof(block) * (size_t)r->blocks_most);
    if (!r->window_bytes || !r->buckets || !r->blocks ||
        r->z.init(&r->stream, r->z.version, (int)sizeof r->stream) != OK) {
        unsealed_close(r);
        return NULL;
    }
    return r;
}
