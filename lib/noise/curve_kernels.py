"""The field of Curve25519 (RFC 7748) as machine code of MicroPython's viper. It allocates nothing.

A number is 20 limbs of 13 bits in 16-bit words: 20 products of two limbs stay below 2 ** 31. After every operation all
limbs are at most 2 ** 13, and the number is below 2 ** 255 + 2 ** 14. No branch and no address depends on a secret.
"""

import micropython

NUMBERS_BYTES = 2 * 10 * 20


@micropython.viper
def run(x: int, y: int, numbers, columns, swap: int, program_bytes, count: int):
    """Swaps numbers 1, 2 with 3, 4 where `swap` is 1, then does `count` operations of 4 bytes each: what (0 times,
    1 plus, 2 minus), to where, and of which two, these as their first limb. Numbers 8 and 9 and the 20 words `columns`
    are its own."""
    f = ptr16(numbers)
    high = ptr32(columns)
    program = ptr8(program_bytes)
    mask = 0 - swap
    x = 20
    while x < 60:
        y = (f[x] ^ f[x + 40]) & mask
        f[x] = f[x] ^ y
        f[x + 40] = f[x + 40] ^ y
        x += 1
    pc = 0
    while count:
        what = program[pc]
        to = program[pc + 1]
        a = program[pc + 2]
        y = program[pc + 3]
        b = y
        pc += 4
        count -= 1
        if what == 0:
            # where a constant index finds it
            x = 0
            while x < 20:
                f[x + 180] = f[y]
                high[x] = 0
                x += 1
                y += 1
            # Row by row; what is done of a row, its lowest column, moves out.
            i = 0
            while i < 20:
                x = f[a + i]
                y = x * f[180] + high[0]
                f[i + 160] = y & 0x1FFF
                high[0] = x * f[181] + high[1] + (y >> 13)
                high[1] = x * f[182] + high[2]
                high[2] = x * f[183] + high[3]
                high[3] = x * f[184] + high[4]
                high[4] = x * f[185] + high[5]
                high[5] = x * f[186] + high[6]
                high[6] = x * f[187] + high[7]
                high[7] = x * f[188] + high[8]
                high[8] = x * f[189] + high[9]
                high[9] = x * f[190] + high[10]
                high[10] = x * f[191] + high[11]
                high[11] = x * f[192] + high[12]
                high[12] = x * f[193] + high[13]
                high[13] = x * f[194] + high[14]
                high[14] = x * f[195] + high[15]
                high[15] = x * f[196] + high[16]
                high[16] = x * f[197] + high[17]
                high[17] = x * f[198] + high[18]
                high[18] = x * f[199]
                i += 1
        carry = 0
        i = 0
        x = 0
        if what == 2:
            # 64 times the modulus, as limbs that are larger than any other: 16382, the first one 1214 less
            x = -1214
        while i < 20:
            if what == 0:
                # 2 ** 260 is 608
                carry += high[i]
                x += f[i + 160] + 608 * (carry & 0x1FFF)
                carry = carry >> 13
            elif what == 1:
                x += f[a + i] + f[b + i]
            else:
                x += f[a + i] - f[b + i] + 16382
            f[to + i] = x & 0x1FFF
            x = x >> 13
            i += 1
        # 2 ** 255 is 19
        x = x << 5 | f[to + 19] >> 8
        f[to + 19] = f[to + 19] & 0xFF
        x = x * 19 + f[to]
        f[to] = x & 0x1FFF
        f[to + 1] = f[to + 1] + (x >> 13)
