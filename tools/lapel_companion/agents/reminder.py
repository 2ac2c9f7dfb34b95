"""Reminds of something some time after it was said; the time counts from the press, and survives restarts."""

from __future__ import annotations

import asyncio
import time

from lapel_companion import when
from lapel_companion.agents.base import Context, Job, Request, Result, spoken
from lapel_companion.config import Phrase
from lapel_companion.dispatcher import Plan, Refused

# The wall clock is looked at this often: a computer that slept, or whose clock was set, must not be late by
# it.
_LOOK_S = 20.0
_LATE_S = 30.0


class ReminderAgent:
    name = "reminder"

    def plan(self, phrase: Phrase, request: Request) -> Plan:
        text, span = spoken(request, "text"), spoken(request, "when")
        seconds = when.parse(span)
        if seconds is None:
            raise Refused(f'"{span}" is no time like "ten minutes" or "an hour and a half"')
        if request.press_unix_s is None:
            raise Refused("nobody knows when it was said, so nobody knows when it is due")
        due = request.press_unix_s + seconds
        plan: Plan = {"text": text, "due_unix_s": due, "said_unix_s": request.press_unix_s}
        if due > request.now_s:
            # Said back at once, so that a time that was misheard is noticed before it has passed.
            plan["promise"] = f"you will be reminded at {at(due)}"
        return plan

    def reruns(self, plan: Plan) -> bool:
        return True

    def repeats(self, plan: Plan) -> bool:
        return True

    async def run(self, job: Job, context: Context) -> Result:
        due = float(job.plan["due_unix_s"])
        while (left := due - context.clock()) > 0:
            try:
                async with asyncio.timeout(min(left, _LOOK_S)):
                    await context.cancelled.wait()
            except TimeoutError:
                continue
            return Result("cancelled", "cancelled before it was due")
        late = context.clock() - due
        text = f"was due at {at(due)}" if late > _LATE_S else "now"
        return Result("done", text, str(job.plan["text"]), kind="reminder", facts={"late_s": round(late, 3)})


def at(unix_s: float) -> str:
    """A time as people say it here: "14:05" today, else with its date."""
    local = time.localtime(unix_s)
    today = time.localtime()
    return time.strftime("%H:%M" if local[:3] == today[:3] else "%Y-%m-%d %H:%M", local)
