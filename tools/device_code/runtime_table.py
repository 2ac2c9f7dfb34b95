"""The runtime that machine code calls: the entries of MicroPython's function table, which of them are here, and what
each is taken to cost.

Objects are words as MicroPython has them on the chip: a small integer n is 2 n + 1, and everything else an address: a
buffer's content, a kernel's function object, or, for longer integers and None, False and True, a cell with their value.
"""

from __future__ import annotations

from dataclasses import dataclass

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
# The first three are objects, with these values.
_VALUES = {"const_none": 0, "const_false": 0, "const_true": 1}
# MP_NATIVE_TYPE_xxx of py/runtime0.h: objects, numbers up to here, pointers from there.
OBJECT, BOOL, INT, UINT = range(4)
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
CALL_BYTES = 24
# Cells for integers that are made on the way: the oldest is taken again.
CELLS_BYTES = 4096
_EXIT, _WRITE = 118, 13
STDOUT = 1


@dataclass(frozen=True)
class Places:
    """Addresses: of the list of calls, of what is written in the end and how much that is; of an object for each global
    name, 0 for none; of two words; of CELLS_BYTES and of a word that says where in them; of None, False and True."""

    calls: int = 0
    dump: int = 0
    dump_bytes: int = 0
    globals: int = 0
    scratch: int = 0
    cells: int = 0
    next_cell: int = 0
    values: tuple[int, int, int] = (0, 0, 0)


def write(code: Assembler, places: Places) -> tuple[list[int], dict[int, str]]:
    """Puts start and routines into `code`. Gives the table, and the address of each routine that is provided."""
    _write_start(code, places)
    code.label("missing")
    code.l32r(3, places.scratch)
    code.s32i(6, 3, 0)
    code.s32i(5, 3, 4)
    code.movi(4, 8)
    code.system(_WRITE, STDOUT)
    code.system(_EXIT, MISSING_STATUS)
    table, provided = [], {}
    for number, name in enumerate(ENTRIES):
        if name in _VALUES:
            table.append(places.values[number])
            continue
        code.align()
        code.label(name)
        table.append(code.here)
        if name not in COSTS_CYCLES:
            code.movi(6, number)
            code.l32r(5, NO_NAME)
            code.j("missing")
            continue
        provided[code.here] = name
        code.entry(_ENTRY_BYTES)
        _ROUTINES[name](code, places, number)
        code.retw()
    return table, provided


def objects_of_constants() -> list[int]:
    """What lies in the cells of None, False and True."""
    return list(_VALUES.values())


def _write_start(code: Assembler, places: Places) -> None:
    """The program: makes each call of the list, then writes what is to be written to the standard output.

    A call is six words: function object, count and place of its arguments, its code (0 ends the list), where its result
    goes and of what type that is. A byte is written before each call, so that it is known which one was the last.
    """
    code.label("start")
    # A frame below one that its caller had: there registers are saved when calls nest deeper than there are windows.
    code.addi(1, 1, -128)
    code.addi(3, 1, 96)
    code.addi(4, 1, -16)
    code.s32i(3, 4, 4)
    code.l32r(7, places.calls)
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
    code.l32i(11, 7, 20)
    code.l32r_label(8, "native_from_obj")
    code.callx8(8)
    code.l32i(3, 7, 16)
    code.s32i(10, 3, 0)
    code.addi(7, 7, CALL_BYTES)
    code.j("next")
    code.label("done")
    code.l32r(3, places.dump)
    code.l32r(4, places.dump_bytes)
    code.system(_WRITE, STDOUT)
    code.system(_EXIT, 0)


def _from_object(code: Assembler, places: Places, number: int) -> None:
    code.beqz(3, "as it is")
    code.movi(8, 1)
    code.and_(8, 2, 8)
    code.beqz(8, "an address")
    code.halve(2, 2)
    code.retw()
    code.label("an address")
    code.addi(8, 3, -1 - UINT)
    code.bgez(8, "as it is")
    code.l32i(2, 2, 0)
    code.label("as it is")


def _to_object(code: Assembler, places: Places, number: int) -> None:
    code.beqz(3, "is one")
    code.add(8, 2, 2)
    code.halve(9, 8)
    code.xor(9, 9, 2)
    code.beqz(9, "small")
    code.l32r(8, places.next_cell)
    code.l32i(9, 8, 0)
    code.l32r(10, places.cells)
    code.add(10, 10, 9)
    code.s32i(2, 10, 0)
    code.mov(2, 10)
    code.addi(9, 9, 4)
    code.l32r(10, CELLS_BYTES - 1)
    code.and_(9, 9, 10)
    code.s32i(9, 8, 0)
    code.retw()
    code.label("small")
    code.addi(2, 8, 1)
    code.label("is one")


def _unchanged(code: Assembler, places: Places, number: int) -> None:
    # as the runtime says it when the caller is of the same module
    code.movi(2, 0)


def _load_global(code: Assembler, places: Places, number: int) -> None:
    code.mov(5, 2)
    code.l32r(8, places.globals)
    code.addx4(8, 2, 8)
    code.l32i(2, 8, 0)
    code.movi(6, number)
    code.beqz(2, "missing")


def _call(code: Assembler, places: Places, number: int) -> None:
    code.mov(10, 2)
    code.mov(11, 3)
    code.movi(12, 0)
    code.mov(13, 4)
    code.l32i(8, 2, 12)
    code.callx8(8)
    code.mov(2, 10)


def _floor_divide(code: Assembler, places: Places, number: int) -> None:
    _remainder(code)
    code.quos(2, 2, 3)
    code.beqz(9, f"exact {number}")
    code.bgez(8, f"exact {number}")
    code.addi(2, 2, -1)
    code.label(f"exact {number}")


def _modulo(code: Assembler, places: Places, number: int) -> None:
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
    "native_from_obj": _from_object,
    "native_to_obj": _to_object,
    "swap_globals": _unchanged,
    "load_global": _load_global,
    "call_function_n_kw": _call,
    "small_int_floor_divide": _floor_divide,
    "small_int_modulo": _modulo,
}
