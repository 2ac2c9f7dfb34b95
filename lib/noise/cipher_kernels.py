"""ChaCha20 and Poly1305 (RFC 8439) as machine code of MicroPython's viper. They allocate nothing.

Only the first two parameters live in registers, so those two are working variables and callers pass 0 for them.
Arithmetic is 32 bits wide on the device and 64 on a desk: what is shifted right is masked, so that only the low 32 bits
of anything ever count. No branch and no address depends on a secret.

The state of a tag is an array of 16-bit words: 1 the sum, 11 five times r, 21 r, 31 the product, each 10 limbs of 13
bits; 41 the block, and 49 its bit 128.
"""

import micropython

MAC_BYTES = 2 * 50


@micropython.viper
def crypt(b: int, d: int, state_words, stream_words, buffer, start: int, length: int):
    """Mixes the key stream into buffer[start : start + length]. Its first block is that of the 16 words of `state`,
    and each block counts that up; the last one, of at least one, stays in `stream`."""
    state = ptr32(state_words)
    stream = ptr32(stream_words)
    keys = ptr8(stream_words)
    text = ptr8(buffer)
    end = start + length
    more = 1
    while more:
        b = 16
        while b:
            b -= 1
            stream[b] = state[b]
        quarter = 0
        while quarter < 80:
            # four columns, then four diagonals
            b = quarter
            d = b >> 2 & 1
            ia = b & 3
            b = ia + d
            ib = (b & 3) + 4
            ic = (b + d & 3) + 8
            id = (ia - d & 3) + 12
            a = stream[ia]
            b = stream[ib]
            c = stream[ic]
            d = stream[id]
            a += b
            d ^= a
            d = d << 16 | d >> 16 & 0xFFFF
            c += d
            b ^= c
            b = b << 12 | b >> 20 & 0xFFF
            a += b
            d ^= a
            d = d << 8 | d >> 24 & 0xFF
            c += d
            b ^= c
            b = b << 7 | b >> 25 & 0x7F
            stream[ia] = a
            stream[ib] = b
            stream[ic] = c
            stream[id] = d
            quarter += 1
        b = 16
        while b:
            b -= 1
            stream[b] = stream[b] + state[b]
        state[12] = state[12] + 1
        b = start
        d = 0
        while d < 64 and b < end:
            text[b] = text[b] ^ keys[d]
            b += 1
            d += 1
        start = b
        more = end - start


@micropython.viper
def absorb(x: int, y: int, mac_words, data, start: int, length: int, top: int):
    """Adds data[start : start + length] to the tag, the last block filled up with zeros. Where `top` is 0 those 16
    bytes are the first half of the one-time key, and a tag begins; else it is 1."""
    mac = ptr16(mac_words)
    block = ptr8(mac_words)
    text = ptr8(data)
    length += start
    while start < length:
        x = 82
        while x < 98:
            y = 0
            if start < length:
                y = text[start]
            block[x] = y
            start += 1
            x += 1
        mac[49] = top
        if top == 0:
            # r is clamped: of each 32 bits the top 4, and but for the first the low 2
            y = 42
            while y < 49:
                mac[y] = mac[y] & 0x0FFF + (y & 1) * 0xEFFD
                y += 1
        # The sum and the block, carried; the top limb may be longer.
        carry = 0
        y = 0
        while y < 10:
            x = y * 13 >> 4
            x = (mac[x + 41] | mac[x + 42] << 16) >> (y * 13 & 15) & 0x1FFF
            y += 1
            if top:
                x += mac[y] + carry
                carry = x >> 13
                mac[y] = x & 0x1FFF
            else:
                mac[y + 20] = x
                mac[y + 10] = 5 * x
                mac[y] = 0
        if top:
            mac[10] = mac[10] + (carry << 13)
            # Column by column, each below 2 ** 32: r where limbs stay below 2 ** 130, five times r where they do not.
            x = 0
            column = 22
            while column < 32:
                y = 10
                while y:
                    x += mac[y] * mac[column - y]
                    y -= 1
                mac[column + 9] = x & 0x1FFF
                x = int(uint(x) >> 13)
                column += 1
            x = x * 5 + mac[31]
            mac[31] = x & 0x1FFF
            mac[32] = mac[32] + (x >> 13)
            y = 10
            while y:
                mac[y] = mac[y + 30]
                y -= 1


@micropython.viper
def end(x: int, y: int, mac_words, key_words, buffer, at: int, compare: int) -> int:
    """Writes the tag to buffer[at : at + 16], or compares it with what stands there. 0: it is the same. `key_words` are
    the one-time key."""
    mac = ptr16(mac_words)
    key = ptr16(key_words)
    text = ptr8(buffer)
    # The sum plus 5 reaches 2 ** 130 where it is not below the modulus: then 5 more, and no bit 130.
    x = 5
    y = 1
    while y < 11:
        x = x + mac[y] >> 13
        y += 1
    x = x * 5
    bits = 0
    limb = 1
    differs = 0
    y = 0
    while y < 16:
        if bits < 8:
            x += mac[limb] << bits
            limb += 1
            bits += 13
        if y & 1 == 0:
            x += key[(y >> 1) + 8]
        if compare:
            differs = differs | (x ^ text[at]) & 0xFF
        else:
            text[at] = x
        x = x >> 8
        bits -= 8
        at += 1
        y += 1
    return differs
