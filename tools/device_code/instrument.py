"""Viper functions rewritten before they run as plain Python: casts get their 32-bit meaning, and, where asked for, each
result is looked at.

The device computes with 32 bits, the 64-bit unix port with 64, Python with as many as it takes. They agree where only
the low 32 bits of anything too long are ever used. So a result may leave 32 bits where nothing but a store, a mask or a
sum, difference, product, shift to the left, or, xor, and of such follows; where it is shifted to the right, divided,
compared, used as an index, passed on or kept in a local, it may not. Types are viper's: of the left operand, and a
local's of what it is given first.
"""

from __future__ import annotations

import ast

# Names that the rewritten code finds among its builtins.
WORDS = "__int32__"
_CHECKS = "__checks__"
_LOW_BITS = (ast.Add, ast.Sub, ast.Mult, ast.LShift, ast.BitOr, ast.BitXor, ast.BitAnd)
_SHIFTS = (ast.LShift, ast.RShift)
_NOT_VIPERS = (ast.Div, ast.Pow, ast.MatMult)
_BITS = 32


class LeavesWord(ArithmeticError):
    """A result that is not the same with 32 bits, 64 and more; the text says where and what."""


class Checks:
    """What the rewritten code calls."""

    @staticmethod
    def in_int(value: int, where: str) -> int:
        """A signed word, or LeavesWord."""
        if -(1 << 31) <= value < 1 << 31:
            return value
        raise LeavesWord(f"{where} is {value}: outside of 32 bits, signed")

    @staticmethod
    def in_uint(value: int, where: str) -> int:
        """An unsigned word, or LeavesWord."""
        if 0 <= value < 1 << 32:
            return value
        raise LeavesWord(f"{where} is {value}: outside of 32 bits, unsigned")

    @staticmethod
    def in_count(value: int, where: str) -> int:
        """How far to shift: the device looks at 5 bits of it, the 64-bit port at 6."""
        if 0 <= value < _BITS:
            return value
        raise LeavesWord(f"{where} is {value}: shifts go from 0 to {_BITS - 1}")


def is_viper(node: ast.AST) -> bool:
    """Whether that is a function with the decorator micropython.viper."""
    if not isinstance(node, ast.FunctionDef):
        return False
    return any(ast.unparse(decorator) in ("micropython.viper", "viper") for decorator in node.decorator_list)


def instrumented(tree: ast.Module, path: str, *, strict: bool) -> ast.Module:
    """The tree with its viper functions rewritten, in place."""
    for node in ast.walk(tree):
        if is_viper(node):
            assert isinstance(node, ast.FunctionDef)
            if strict:
                _Strict(path, node).rewrite()
            _Casts().visit_body(node)
    return ast.fix_missing_locations(tree)


def _is_name(node: ast.expr | None, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


class _Casts(ast.NodeTransformer):
    """int(x), a class everywhere else, is a cast in viper code."""

    def visit_body(self, function: ast.FunctionDef) -> None:
        function.body = [self.visit(statement) for statement in function.body]

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if _is_name(node.func, "int"):
            node.func = ast.copy_location(ast.Name(WORDS, ast.Load()), node.func)
        return node


class _Strict:
    """The checks of one function."""

    def __init__(self, path: str, function: ast.FunctionDef) -> None:
        self._path = path
        self._function = function
        arguments = function.args.posonlyargs + function.args.args
        annotations = {argument.arg: argument.annotation for argument in arguments}
        self._types = {name: "uint" if _is_name(type_, "uint") else "int" for name, type_ in annotations.items()}

    def rewrite(self) -> None:
        self._block(self._function.body)

    def _block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]):
                # Before the check: a local takes the type of what it is given first.
                self._types.setdefault(name, self._type(node.value))
                node.value = self._exact(node.value)
            case ast.Assign(targets=[ast.Subscript() as target]):
                target.slice = self._exact(target.slice)
                node.value = self._low(node.value)
            case ast.AugAssign(target=ast.Name(id=name) as target):
                loaded = ast.copy_location(ast.Name(name, ast.Load()), target)
                sum_ = ast.copy_location(ast.BinOp(loaded, node.op, node.value), node)
                node.value = self._exact(sum_)
                # The statement stays what it is, an operation in place: make it one that keeps the value.
                self._replace(node, ast.copy_location(ast.Assign([target], node.value), node))
            case ast.AugAssign(target=ast.Subscript() as target):
                target.slice = self._exact(target.slice)
                exact = isinstance(node.op, ast.RShift | ast.FloorDiv | ast.Mod)
                node.value = self._exact(node.value) if exact else self._low(node.value)
            case ast.Return(value=ast.expr() as value) | ast.Expr(value=value):
                node.value = self._exact(value)
            case ast.While(test=test) | ast.If(test=test):
                node.test = self._exact(test)
            case ast.For(target=ast.Name(id=name), iter=sequence):
                self._types.setdefault(name, "int")
                node.iter = self._exact(sequence)
        for body in ("body", "orelse"):
            self._block(getattr(node, body, []))

    def _replace(self, old: ast.stmt, new: ast.stmt) -> None:
        for node in ast.walk(self._function):
            for body in (getattr(node, "body", None), getattr(node, "orelse", None)):
                if isinstance(body, list) and old in body:
                    body[body.index(old)] = new
                    return

    def _type(self, node: ast.expr) -> str:
        match node:
            case ast.Name(id=name):
                return self._types.get(name, "int")
            case ast.BinOp(left=left) | ast.UnaryOp(operand=left):
                return self._type(left)
            case ast.Call(func=ast.Name(id="uint")):
                return "uint"
        return "int"

    def _exact(self, node: ast.expr) -> ast.expr:
        """The expression where all of it counts."""
        if isinstance(node, ast.BinOp | ast.UnaryOp) and not isinstance(getattr(node, "op", None), ast.Not):
            type_ = self._type(node)
            where = self._where(node)
            return self._check(type_, self._low(node), where)
        return self._parts(node)

    def _low(self, node: ast.expr) -> ast.expr:
        """The expression where only its low 32 bits count."""
        if isinstance(node, ast.BinOp):
            if isinstance(node.op, _NOT_VIPERS):
                raise LeavesWord(f"{self._where(node)}: viper has no such operation")
            where = self._where(node.right)
            low = isinstance(node.op, _LOW_BITS)
            node.left = self._low(node.left) if low else self._exact(node.left)
            if isinstance(node.op, _SHIFTS):
                node.right = self._check("count", self._exact(node.right), where)
            else:
                node.right = self._low(node.right) if low else self._exact(node.right)
            return node
        if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
            node.operand = self._low(node.operand)
            return node
        return self._parts(node)

    def _parts(self, node: ast.expr) -> ast.expr:
        """What is neither a sum nor a sign: each part of it counts whole."""
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.expr) and not isinstance(value, ast.Name | ast.Constant):
                setattr(node, field, self._exact(value))
            elif isinstance(value, list):
                value[:] = [self._exact(part) if isinstance(part, ast.expr) else part for part in value]
        return node

    def _check(self, what: str, node: ast.expr, where: str) -> ast.expr:
        if isinstance(node, ast.Constant):
            return node
        check = ast.Attribute(ast.Name(_CHECKS, ast.Load()), f"in_{what}", ast.Load())
        return ast.copy_location(ast.Call(check, [node, ast.Constant(where)], []), node)

    def _where(self, node: ast.expr) -> str:
        return f"{self._path}:{node.lineno}: {ast.unparse(node)}"
