"""Runs a program of the user's, word by word as configured: no shell, no spoken options, limits on time
and output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from lapel_companion import durable, processes
from lapel_companion.agents.base import Context, Job, Request, Result, spoken
from lapel_companion.agents.output import Capture, summary
from lapel_companion.config import Jobs, Phrase
from lapel_companion.dispatcher import Plan, Refused

_AFTERMATH_S = 0.5


class CommandAgent:
    """`at_once` commands run at the same time; the others wait. Use it from one event loop."""

    name = "command"

    def __init__(self, limits: Jobs) -> None:
        self._limits = limits
        self._turns = asyncio.Semaphore(limits.at_once)
        self._starting = asyncio.Lock()
        self.captures: dict[str, Capture] = {}

    async def close(self) -> None:
        """From here on no program is started; one that is being started is, first.

        To be called before tasks are cancelled: asyncio waits for ever for a program whose start was cancelled
        while its pipes were being connected, by a task of asyncio's own.
        """
        await self._starting.acquire()

    def plan(self, phrase: Phrase, request: Request) -> Plan:
        return {
            "argv": argument_vector(phrase.run, request),
            "cwd": str(phrase.cwd or Path.home()),
            "env": list(phrase.env),
            "timeout_s": phrase.timeout_s or self._limits.timeout_s,
            "max_output_bytes": phrase.max_output_bytes or self._limits.max_output_bytes,
            "idempotent": phrase.idempotent,
            "result": phrase.result,
        }

    def reruns(self, plan: Plan) -> bool:
        return bool(plan["idempotent"])

    def repeats(self, plan: Plan) -> bool:
        return self.reruns(plan)

    async def run(self, job: Job, context: Context) -> Result:
        if not await self._turn(context.cancelled):
            return Result("cancelled", "cancelled before it began")
        capture = self.captures[job.id] = Capture(int(job.plan["max_output_bytes"]))
        try:
            return await _run(job, context, capture, self._starting)
        finally:
            del self.captures[job.id]
            self._turns.release()

    async def _turn(self, cancelled: asyncio.Event) -> bool:
        """Wait for a place among those that run; False when it was cancelled before it got one."""
        taking = asyncio.create_task(self._turns.acquire())
        giving_up = asyncio.create_task(cancelled.wait())
        try:
            await asyncio.wait((taking, giving_up), return_when=asyncio.FIRST_COMPLETED)
        finally:
            taking.cancel()
            giving_up.cancel()
            results = await asyncio.gather(taking, giving_up, return_exceptions=True)
            if results[0] is True and cancelled.is_set():
                self._turns.release()
        return not cancelled.is_set()


def argument_vector(run: Sequence[str], request: Request) -> list[str]:
    """The program and its arguments with the slots filled in. Raises Refused.

    A slot fills a whole argument after the program, and never becomes an option: what begins with a dash
    needs a "--" before it.
    """
    argv = [run[0]]
    for argument in run[1:]:
        slot = argument[1:-1] if argument.startswith("{") and argument.endswith("}") else None
        if slot is None or slot not in request.slots:
            argv.append(argument)
            continue
        text = spoken(request, slot)
        if text.startswith("-") and "--" not in run[1 : len(argv)]:
            raise Refused(f'"{text}" begins with a dash, and {run[0]} could take it for an option')
        argv.append(text)
    return argv


class _Child(asyncio.SubprocessProtocol):
    """Watches one process. (asyncio's own Process.wait() also waits for pipes that grandchildren hold
    open.)"""

    def __init__(self, capture: Capture) -> None:
        self._into = {1: capture.out, 2: capture.err}
        self._open = {1, 2}
        self.exited = asyncio.Event()
        self.drained = asyncio.Event()
        # What is left of it was ended, as far as that can be done.
        self.over = False

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._into[fd].take(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._open.discard(fd)
        if not self._open:
            self.drained.set()

    def process_exited(self) -> None:
        self.exited.set()


async def _run(job: Job, context: Context, capture: Capture, starting: asyncio.Lock) -> Result:
    argv = [str(word) for word in job.plan["argv"]]
    mark = secrets.token_hex(8)
    ours, theirs = socket.socketpair()
    with ours:
        ours.setblocking(False)
        try:
            with theirs:
                async with starting:
                    transport, child = await _start(job, capture, mark, theirs.fileno())
        except OSError as error:
            return Result("failed", f"it could not be started: {_cause(error, str(job.plan['cwd']))}")
        pid, ending = transport.get_pid(), "cut off"
        try:
            await _through_the_gate(job, context, pid, mark, ours)
            refused = await asyncio.get_running_loop().sock_recv(ours, 16)
            if refused:
                cause = _cause(OSError(int(refused), os.strerror(int(refused))), argv[0])
                return Result("failed", f"it could not be run: {cause}", facts={"argv": argv})
            ending = await _wait(child, context, float(job.plan["timeout_s"]))
            left = await _end(pid, "" if not ending else mark, child)
            return _result(job, argv, capture, transport.get_returncode(), ending, left)
        finally:
            # Also when this task is cancelled: nothing outlives its job. Who left the group of a command that
            # ended by itself was meant to (a program that it opened).
            if not child.over:
                await asyncio.shield(_end(pid, mark if ending else "", child))
            transport.close()


async def _start(
    job: Job, capture: Capture, mark: str, channel: int
) -> tuple[asyncio.SubprocessTransport, _Child]:
    """The program at the gate, which listens to the socket `channel`. Raises OSError."""
    with durable.step("job.spawn"):
        return await asyncio.get_running_loop().subprocess_exec(
            lambda: _Child(capture),
            *processes.gate_command(channel, [str(word) for word in job.plan["argv"]]),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=job.plan["cwd"],
            env={**processes.clean_environment(job.plan["env"]), processes.MARK: mark},
            pass_fds=(channel,),
            start_new_session=True,
        )


async def _through_the_gate(job: Job, context: Context, pid: int, mark: str, ours: socket.socket) -> None:
    leader = processes.look(pid)
    started = leader.started if leader else ""
    number = len(job.attempts) + 1
    facts = {"job": job.id, "n": number, "pid": pid, "pgid": pid, "started": started, "mark": mark}
    await context.attempt(facts)
    with durable.step("job.gate"), contextlib.suppress(BrokenPipeError, ConnectionResetError):
        await asyncio.get_running_loop().sock_sendall(ours, b"!")


async def _wait(child: _Child, context: Context, timeout_s: float) -> str:
    """Wait for the end: "" when it came by itself, else "timeout" or "cancelled"."""
    ended = asyncio.create_task(child.exited.wait())
    cancelled = asyncio.create_task(context.cancelled.wait())
    try:
        await asyncio.wait((ended, cancelled), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        return "" if ended.done() else "cancelled" if cancelled.done() else "timeout"
    finally:
        cancelled.cancel()
        ended.cancel()
        await asyncio.gather(cancelled, ended, return_exceptions=True)


async def _end(pid: int, mark: str, child: _Child) -> str:
    """End what is left of a run, and wait for it; "", or who cannot be ended."""
    left = ""
    # What it left behind in its group may hold the pipes open; the job has ended, and so do they.
    if child.exited.is_set() and not mark:
        await _within(child.drained, _AFTERMATH_S)
    try:
        await processes.end_group(pid, "job.early" if mark else "job.rest", mark)
    except processes.StillThere as error:
        left = str(error)
    await _within(child.exited, _AFTERMATH_S)
    await _within(child.drained, _AFTERMATH_S)
    child.over = True
    return left


async def _within(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


def _result(
    job: Job, argv: list[str], capture: Capture, status: int | None, ending: str, left: str
) -> Result:
    log, detail = capture.log(), capture.text()
    facts = {"argv": argv, "exit": status, "dropped_bytes": capture.dropped_bytes, "left": left or None}
    state, text = "failed", ""
    if ending == "cancelled":
        state, text = "cancelled", "cancelled while it ran"
    elif ending == "timeout":
        text = f"ended after {job.plan['timeout_s']:g} s, its limit"
    elif status:
        what = f"exit status {status}" if status > 0 else f"ended by {_signal_name(-status)}"
        said = capture.err.last_line() or capture.out.last_line()
        text = f"failed, {what}{': ' + said if said else ''}"
    else:
        state, text = "done", summary(capture, job.plan.get("result"))
    if left:
        # Not "cancelled", not "done": something of it is still at work.
        state, text = "failed", f"{left}; {text}"
    return Result(state, text, detail, log=log, facts=facts)


def _cause(error: OSError, what: str) -> str:
    if isinstance(error, FileNotFoundError) or error.errno == 2:
        return f"{what} is not there"
    return f"{what}: {(error.strerror or str(error)).lower()}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
