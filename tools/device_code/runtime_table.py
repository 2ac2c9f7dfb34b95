"""The runtime that machine code calls: the entries of MicroPython's function table, which of them are here, and what
each is taken to cost.

Objects are plain words here: an integer is itself, a buffer its address, a kernel its function object. So what makes
objects of numbers, and numbers of objects, gives back what it got.
"""

from __future__ import annotations

from device_code.xtensa import Assembler

# In the order of py/nativeglue.h, MicroPython 1.29.
ENTRIES = tuple(
    (
        "const_none const_false const_true native_from_obj native_to_obj swap_globals load_name load_global"
        " load_build_class load_attr load_method load_super_method store_name store_global store_attr obj_subscr"
        " obj_is_true unary_op binary_op new_tuple new_list new_dict new_set set_store list_append dict_store"
        " make_function_from_proto_fun call_function_n_kw call_method_n_kw call_method_n_kw_var getiter iternext"
        " nlr_push nlr_pop raise import_name import_from import_all new_slice unpack_sequence unpack_ex delete_name"
        " delete_global new_closure arg_check_num_sig setup_code_state small_int_floor_divide small_int_modulo"
        " yield_from setjmp"
    ).split()
)
# The first three are values.
_VALUES = {"const_none": 0, "const_false": 0, "const_true": 1}
# Cycles of a call on the device: estimates from the source, since this part is C code that does not run here.
COSTS_CYCLES = {
    "native_from_obj": 50,
    "native_to_obj": 30,
    "swap_globals": 60,
    "load_global": 100,
    "call_function_n_kw": 150,
    "small_int_floor_divide": 30,
    "small_int_modulo": 30,
}
# What reaches for anything else writes two words to the standard output, its number and a name's, and ends so.
MISSING_STATUS = 99
NO_NAME = 0xFFFFFFFF
_ENTRY_BYTES = 32
CALL_BYTES = 20
_EXIT, _WRITE = 118, 13
STDOUT = 1


def write(code: Assembler, globals_at: int, scratch_at: int) -> tuple[list[int], dict[int, str]]:
    """Puts the routines behind what is in `code`. Gives the table, and the address of each routine that is provided.

    `globals_at` is where for each name the address of its value lies, 0 for none; `scratch_at` has room for two words.
    """
    code.label("missing")
    code.l32r(3, scratch_at)
    code.s32i(6, 3, 0)
    code.s32i(5, 3, 4)
    code.movi(4, 8)
    code.system(_WRITE, STDOUT)
    code.system(_EXIT, MISSING_STATUS)
    table, provided = [], {}
    for number, name in enumerate(ENTRIES):
        if name in _VALUES:
            table.append(_VALUES[name])
            continue
        code.align()
        table.append(code.here)
        if name not in COSTS_CYCLES:
            code.movi(6, number)
            code.l32r(5, NO_NAME)
            code.j("missing")
            continue
        provided[code.here] = name
        code.entry(_ENTRY_BYTES)
        _ROUTINES[name](code, globals_at, number)
        code.retw()
    return table, provided


def write_start(code: Assembler, calls_at: int, dump_at: int, dump_bytes: int) -> None:
    """The program: makes each call of the list at `calls_at`, then writes what lies at `dump_at` to standard output.

    A call is five words: function object, count and place of its arguments, its code (0 ends the list), and where its
    result goes. A byte is written before each call, so that it is known which one was the last.
    """
    code.label("start")
    # A frame below one that its caller had: there registers are saved when calls nest deeper than there are windows.
    code.addi(1, 1, -128)
    code.addi(3, 1, 96)
    code.addi(4, 1, -16)
    code.s32i(3, 4, 4)
    code.l32r(7, calls_at)
    code.label("next")
    code.l32i(8, 7, 12)
    code.beqz(8, "done")
    code.mov(3, 7)
    code.movi(4, 1)
    code.system(_WRITE, STDOUT)
    code.l32i(8, 7, 12)
    code.l32i(10, 7, 0)
    code.l32i(11, 7, 4)
    code.movi(12, 0)
    code.l32i(13, 7, 8)
    code.callx8(8)
    code.l32i(3, 7, 16)
    code.s32i(10, 3, 0)
    code.addi(7, 7, CALL_BYTES)
    code.j("next")
    code.label("done")
    code.l32r(3, dump_at)
    code.l32r(4, dump_bytes)
    code.system(_WRITE, STDOUT)
    code.system(_EXIT, 0)


def _same(code: Assembler, globals_at: int, number: int) -> None:
    pass


def _unchanged(code: Assembler, globals_at: int, number: int) -> None:
    # as the runtime says it when the caller is of the same module
    code.movi(2, 0)


def _load_global(code: Assembler, globals_at: int, number: int) -> None:
    code.mov(5, 2)
    code.l32r(8, globals_at)
    code.addx4(8, 2, 8)
    code.l32i(2, 8, 0)
    code.movi(6, number)
    code.beqz(2, "missing")
    code.l32i(2, 2, 0)


def _call(code: Assembler, globals_at: int, number: int) -> None:
    code.mov(10, 2)
    code.mov(11, 3)
    code.movi(12, 0)
    code.mov(13, 4)
    code.l32i(8, 2, 12)
    code.callx8(8)
    code.mov(2, 10)


def _floor_divide(code: Assembler, globals_at: int, number: int) -> None:
    _remainder(code)
    code.quos(2, 2, 3)
    code.beqz(9, f"exact {number}")
    code.bgez(8, f"exact {number}")
    code.addi(2, 2, -1)
    code.label(f"exact {number}")


def _modulo(code: Assembler, globals_at: int, number: int) -> None:
    _remainder(code)
    code.mov(2, 9)
    code.beqz(9, f"exact {number}")
    code.bgez(8, f"exact {number}")
    code.add(2, 2, 3)
    code.label(f"exact {number}")


def _remainder(code: Assembler) -> None:
    """a9: what is left, with the sign of the number; a8: below zero where that and the divisor's differ."""
    code.rems(9, 2, 3)
    code.xor(8, 9, 3)


_ROUTINES = {
    "native_from_obj": _same,
    "native_to_obj": _same,
    "swap_globals": _unchanged,
    "load_global": _load_global,
    "call_function_n_kw": _call,
    "small_int_floor_divide": _floor_divide,
    "small_int_modulo": _modulo,
}
