/*
 * The steps of `attribution_paths.py`: up from wanted objects to the trees that hold them, and down
 * from root trees to their paths.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRY_SIZE = 20 };
#define MIX 0x9E3779B97F4A7C15u
#define FINAL 0xBF58476D1CE4E5B9u

/* The numbers of some keys.  A bit for each of their `bits` upper bits tells most others apart. */
typedef struct {
    uint64_t *keys;
    int32_t *numbers; /* -1 where there is none */
    uint8_t *maybe;
    int64_t mask, bits;
} table;

/* One column each of what `PathFinder` keeps of the entries. */
typedef struct {
    int32_t *firsts, *lengths, *items;
    uint32_t *names;
    int64_t count;
} runs;

void unsealed_fill(table *t, const uint64_t *keys, const int32_t *numbers, int64_t count) {
    for (int64_t n = 0; n < count; n++) {
        uint64_t slot = (keys[n] * MIX >> 20) & (uint64_t)t->mask, bit = keys[n] >> (64 - t->bits);
        while (t->numbers[slot] >= 0) slot = (slot + 1) & (uint64_t)t->mask;
        t->keys[slot] = keys[n];
        t->numbers[slot] = numbers[n];
        t->maybe[bit >> 3] |= (uint8_t)(1 << (bit & 7));
    }
}

/* Keep the entries (see `history.ENTRY`) whose child is in the table, and mark who holds them. */
void unsealed_climb(const uint8_t *entries, int64_t count, const table *t, uint8_t *holds,
                    runs *out) {
    out->count = 0;
    for (int64_t n = 0; n < count; n++, entries += ENTRY_SIZE) {
        uint64_t child, bit, slot;
        int32_t first, last;
        memcpy(&child, entries, 8);
        bit = child >> (64 - t->bits);
        if (!(t->maybe[bit >> 3] >> (bit & 7) & 1)) continue;
        slot = (child * MIX >> 20) & (uint64_t)t->mask;
        while (t->numbers[slot] >= 0 && t->keys[slot] != child) slot = (slot + 1) & (uint64_t)t->mask;
        if (t->numbers[slot] < 0) continue;
        memcpy(&first, entries + 12, 4);
        memcpy(&last, entries + 16, 4);
        memset(holds + first, 1, (size_t)(last - first + 1));
        out->firsts[out->count] = first;
        out->lengths[out->count] = last - first + 1;
        out->items[out->count] = t->numbers[slot];
        memcpy(&out->names[out->count++], entries + 8, 4);
    }
}

/* What lies at one depth: one row for each item and path, see `attribution_paths.Level`. */
typedef struct {
    int32_t *item, *first, *up;
    uint32_t *name;
    uint64_t *path;
    int64_t count, most;
    int32_t *slots; /* of a table of rows, -1 where there is none */
    int64_t mask;
} level;

static uint64_t combine(uint64_t path, uint32_t name) {
    uint64_t mixed = (path ^ name) * MIX;
    mixed = (mixed ^ (mixed >> 31)) * FINAL;
    return mixed ^ (mixed >> 29);
}

static uint64_t slot_of(const level *l, int32_t item, uint64_t path) {
    return ((path ^ (uint64_t)item * MIX) * FINAL >> 16) & (uint64_t)l->mask;
}

static int resized(void **column, size_t size) {
    void *grown = realloc(*column, size);
    if (grown) *column = grown;
    return grown != NULL;
}

static int grow(level *l) {
    size_t most = l->most ? (size_t)l->most * 2 : 1 << 12;
    if (!resized((void **)&l->item, most * 4) || !resized((void **)&l->first, most * 4) ||
        !resized((void **)&l->up, most * 4) || !resized((void **)&l->name, most * 4) ||
        !resized((void **)&l->path, most * 8) || !resized((void **)&l->slots, most * 8))
        return 0;
    l->most = (int64_t)most;
    l->mask = (int64_t)most * 2 - 1;
    memset(l->slots, 0xFF, most * 8);
    for (int64_t n = 0; n < l->count; n++) {
        uint64_t slot = slot_of(l, l->item[n], l->path[n]);
        while (l->slots[slot] >= 0) slot = (slot + 1) & (uint64_t)l->mask;
        l->slots[slot] = (int32_t)n;
    }
    return 1;
}

/* An item has a path from `first` on; 0 for lack of memory. */
static int reach(level *l, int32_t item, uint64_t path, int32_t first, int32_t up, uint32_t name) {
    uint64_t slot;
    int64_t row;
    if (l->count == l->most && !grow(l)) return 0;
    slot = slot_of(l, item, path);
    while ((row = l->slots[slot]) >= 0 && (l->item[row] != item || l->path[row] != path))
        slot = (slot + 1) & (uint64_t)l->mask;
    if (row < 0) {
        row = l->slots[slot] = (int32_t)l->count++;
        l->item[row] = item;
        l->path[row] = path;
        l->name[row] = name;
    } else if (l->first[row] <= first) {
        return 1;
    }
    l->first[row] = first;
    l->up[row] = up;
    return 1;
}

void unsealed_leave(level *l) {
    free(l->item);
    free(l->first);
    free(l->up);
    free(l->name);
    free(l->path);
    free(l->slots);
    memset(l, 0, sizeof *l);
}

/*
 * Go from a level to the one below, in at most `left` steps.  `order` lists its rows by item: those
 * of a tree stand from its place in `begin` to the next's.  Return the steps left, -1 if there were
 * too few, -2 for lack of memory.
 */
int64_t unsealed_below(const runs *r, const int32_t *begin, const int32_t *order,
                       const uint64_t *path, const int32_t *first, int64_t left, level *out) {
    for (int64_t n = 0; n < r->count; n++) {
        const int32_t *row = order + begin[r->firsts[n]];
        const int32_t *stop = order + begin[r->firsts[n] + r->lengths[n]];
        while (row < stop) {
            /* Mostly all of a run lies at one path. */
            int32_t best = *row;
            uint64_t here = path[best];
            for (; row < stop && path[*row] == here; row++) {
                if (left-- <= 0) return -1;
                if (first[*row] < first[best]) best = *row;
            }
            if (!reach(out, r->items[n], combine(here, r->names[n]), first[best], best, r->names[n]))
                return -2;
        }
    }
    return left;
}
