/*
 * The entries of trees, each once for as many trees behind one another as hold it.
 *
 * Format: https://git-scm.com/docs/gitformat-pack; a tree is `<mode> <name>\0<id>` over and over,
 * in the order of the names.  Neighbours are versions of one folder: what a tree begins and ends
 * with is mostly what the one before it does, so only what is between is taken apart.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDER_MODE = 6 };

/* One column each of `tree_names.Entries`. */
typedef struct {
    int64_t *starts, *nuls, *trees, *lasts, *names;
    uint64_t *hashes;
    int64_t most, count;
} entries;

typedef struct {
    int64_t at;     /* where it begins in its tree */
    int64_t record; /* which entry told of it */
} spot;

typedef struct {
    spot *spots;
    int64_t count, most;
} list;

static uint64_t name_hash(const uint8_t *name, int64_t size) {
    const uint64_t mix = 0x9E3779B97F4A7C15u, final = 0xBF58476D1CE4E5B9u;
    uint64_t result = (uint64_t)size * mix;
    for (int64_t at = 0; at < size; at += 8) {
        uint64_t word = 0, mixed;
        int64_t left = size - at < 8 ? size - at : 8;
        for (int64_t n = 0; n < left; n++) word |= (uint64_t)name[at + n] << (8 * n);
        mixed = (result ^ word) * final;
        result = mixed ^ (mixed >> 29);
    }
    return result;
}

static int64_t common_head(const uint8_t *one, const uint8_t *other, int64_t most) {
    int64_t at = 0;
    for (; at + 8 <= most; at += 8) {
        uint64_t a, b;
        memcpy(&a, one + at, 8);
        memcpy(&b, other + at, 8);
        if (a != b) break;
    }
    while (at < most && one[at] == other[at]) at++;
    return at;
}

static int64_t common_tail(const uint8_t *one_end, const uint8_t *other_end, int64_t most) {
    int64_t at = 0;
    for (; at + 8 <= most; at += 8) {
        uint64_t a, b;
        memcpy(&a, one_end - at - 8, 8);
        memcpy(&b, other_end - at - 8, 8);
        if (a != b) break;
    }
    while (at < most && one_end[-at - 1] == other_end[-at - 1]) at++;
    return at;
}

static int add(list *l, int64_t at, int64_t record) {
    if (l->count == l->most) {
        spot *grown = realloc(l->spots, sizeof *grown * (size_t)(l->most * 2 + 64));
        if (!grown) return 0;
        l->spots = grown;
        l->most = l->most * 2 + 64;
    }
    l->spots[l->count++] = (spot){at, record};
    return 1;
}

/* Git's order of two entries by name: a folder's ends in a slash. */
static int order(const uint8_t *one, int64_t one_size, int one_folder, const uint8_t *other,
                 int64_t other_size, int other_folder) {
    int64_t least = one_size < other_size ? one_size : other_size;
    int found = memcmp(one, other, (size_t)least), a, b;
    if (found) return found;
    a = one_size > least ? one[least] : one_folder ? '/' : 0;
    b = other_size > least ? other[least] : other_folder ? '/' : 0;
    return a - b;
}

typedef struct {
    const uint8_t *text;
    int64_t start, size;
} tree;

/*
 * Tell of the entries of `now` between `from` and `until`; the one before holds those of `before`
 * from `first` on where it ends at `last`.  Return where it came to, -1 for lack of room.
 */
static int64_t between(entries *out, const tree *now, int64_t from, int64_t until, int64_t number,
                       const uint8_t *text, const list *before, int64_t first, int64_t last,
                       list *found, int64_t id_size) {
    int64_t at = from;
    while (at < until) {
        const uint8_t *entry = now->text + at;
        const uint8_t *nul = memchr(entry, 0, (size_t)(now->size - at));
        int64_t name, size, whole, start = now->start + at, record = -1;
        int folder = *entry == '4';
        if (!nul) return now->size;
        name = folder ? FOLDER_MODE : FOLDER_MODE + 1;
        if (name > nul - entry) name = nul - entry;
        size = nul - entry - name;
        whole = nul - entry + 1 + id_size;
        if (whole > now->size - at) whole = now->size - at;
        while (first < last) {
            int64_t old = before->spots[first].record;
            const uint8_t *theirs = text + out->names[old];
            int way = order(theirs, out->nuls[old] - out->names[old],
                            text[out->starts[old]] == '4', entry + name, size, folder);
            if (way > 0) break;
            first++;
            if (way < 0) continue;
            if (out->nuls[old] - out->starts[old] == nul - entry &&
                whole == nul - entry + 1 + id_size &&
                !memcmp(text + out->starts[old], entry, (size_t)whole))
                record = old;
            break;
        }
        if (record < 0) {
            if (out->count == out->most) return -1;
            record = out->count++;
            out->starts[record] = start;
            out->names[record] = start + name;
            out->nuls[record] = start + (nul - entry);
            out->trees[record] = number;
            out->hashes[record] = name_hash(entry + name, size);
        }
        out->lasts[record] = number;
        if (!add(found, at, record)) return -1;
        at += whole;
    }
    return at;
}

/* Tell of one tree behind another; 0 for lack of room. */
static int one_tree(entries *out, const uint8_t *text, const tree *old, const tree *now,
                    int64_t number, list *before, list *found, int64_t id_size) {
    int64_t least = old->size < now->size ? old->size : now->size, moved = now->size - old->size;
    int64_t head = common_head(old->text, now->text, least), tail, same = 0, rest, at;
    found->count = 0;
    /* An entry ends where the next begins. */
    while (same < before->count &&
           (same + 1 < before->count ? before->spots[same + 1].at : old->size) <= head)
        same++;
    for (int64_t n = 0; n < same; n++) {
        out->lasts[before->spots[n].record] = number;
        if (!add(found, before->spots[n].at, before->spots[n].record)) return 0;
    }
    head = same < before->count ? before->spots[same].at : old->size;
    tail = common_tail(old->text + old->size, now->text + now->size, least - head);
    rest = before->count;
    while (rest > same && before->spots[rest - 1].at >= old->size - tail) rest--;
    at = between(out, now, head,
                 rest < before->count ? before->spots[rest].at + moved : now->size, number, text,
                 before, same, rest, found, id_size);
    if (at < 0) return 0;
    if (rest < before->count && at == before->spots[rest].at + moved) {
        for (int64_t n = rest; n < before->count; n++) {
            out->lasts[before->spots[n].record] = number;
            if (!add(found, before->spots[n].at + moved, before->spots[n].record)) return 0;
        }
        return 1;
    }
    /* What looked like the same end was none: an id may hold anything. */
    return between(out, now, at, now->size, number, text, before, rest, before->count, found,
                   id_size) >= 0;
}

/*
 * Tell of the trees `from` to `count` of a buffer, as many as there is room for; return the first
 * that was left.  Each entry holds for the trees from the one it stands in to its last.
 */
int64_t unsealed_trees(entries *out, const uint8_t *text, const int64_t *starts,
                       const int64_t *ends, int64_t from, int64_t count, int64_t id_size) {
    list before = {0}, found = {0};
    tree old = {text, 0, 0};
    int64_t n;
    out->count = 0;
    for (n = from; n < count; n++) {
        tree now = {text + starts[n], starts[n], ends[n] - starts[n]};
        int64_t kept = out->count;
        list swap;
        if (!one_tree(out, text, &old, &now, n, &before, &found, id_size)) {
            /* What it continued ends with the one before it. */
            out->count = kept;
            for (int64_t record = 0; record < kept; record++)
                if (out->lasts[record] == n) out->lasts[record] = n - 1;
            break;
        }
        swap = before;
        before = found;
        found = swap;
        old = now;
    }
    free(before.spots);
    free(found.spots);
    return n;
}
