/*
 * What of a document a pass must look at: pieces around what its base has not.
 */

#ifndef UNSEALED_PIECES_H
#define UNSEALED_PIECES_H

#include <stdint.h>

/* So many bytes that stand at `old` in the base stand at `new` in the document. */
typedef struct {
    int64_t old, new, size;
} block;

/* The pieces of a batch that a pass must look at, behind one another. */
typedef struct {
    uint8_t *text;
    int64_t reach, far;
    int64_t *places, *shifts, *owners; /* a piece each */
    int64_t size, count;
} pieces;

/* Add the pieces of the document with this number; there is room for `count` and two more. */
void unsealed_cut(pieces *p, const uint8_t *doc, int64_t size, const block *blocks, int64_t count,
                  int64_t base_size, int64_t owner);

#endif
