/*
 * The rounds of PBKDF2 with HMAC-SHA-256 (RFC 8018, RFC 2104), two steps of the hash each.
 *
 * The step is that of the library behind Python's hashes, which knows the processor.  It asks of
 * its context only that the eight words of the state come first; the rest is room to spare.
 */

#include <stdint.h>
#include <string.h>

typedef struct {
    uint32_t state[8];
    uint8_t room[480];
} context;

typedef void step_function(context *, const uint8_t *);

static void begin(step_function *step, context *c, const uint8_t *key, uint8_t pad) {
    static const uint32_t first[8] = {0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
                                      0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u};
    uint8_t block[64];
    for (int n = 0; n < 64; n++) block[n] = key[n] ^ pad;
    memcpy(c->state, first, sizeof first);
    step(c, block);
}

static void finish(step_function *step, context *c, const uint32_t *from, uint8_t *block) {
    memcpy(c->state, from, sizeof c->state);
    step(c, block);
    for (int n = 0; n < 8; n++)
        for (int m = 0; m < 4; m++) block[4 * n + m] = (uint8_t)(c->state[n] >> (24 - 8 * m));
}

/*
 * Go on for `rounds` from the first value of a block, `value`, to the block.  `key` is the password,
 * filled up with zeros.
 */
void unsealed_pbkdf2(step_function *step, const uint8_t *key, uint8_t *value, int64_t rounds) {
    context c;
    uint32_t inner[8], outer[8];
    uint8_t block[64] = {0};
    memset(&c, 0, sizeof c);
    begin(step, &c, key, 0x36);
    memcpy(inner, c.state, sizeof inner);
    begin(step, &c, key, 0x5c);
    memcpy(outer, c.state, sizeof outer);
    memcpy(block, value, 32);
    /* The end of a message of 64 and 32 bytes: a bit, and how many bits those are. */
    block[32] = 0x80;
    block[62] = 3;
    while (rounds-- > 0) {
        finish(step, &c, inner, block);
        finish(step, &c, outer, block);
        for (int n = 0; n < 32; n++) value[n] ^= block[n];
    }
}
