"""Decides a dispatch: gathers the facts, asks the dispatcher, and writes the outcome down with its jobs
and notices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lapel_companion import dispatcher, history, ledger, wording
from lapel_companion.agents.base import Request
from lapel_companion.dispatcher import Clip, Decision, Limits, Match, Plan, Reply, Said
from lapel_companion.engine import Services
from lapel_companion.ledger import Dispatch
from lapel_companion.speech.base import Transcript

BY_HAND = "typed"


class Outcomes:
    """`begin` is told of dispatches that a decision let go; it is called from any thread."""

    def __init__(self, services: Services, begin: Callable[[str], None]) -> None:
        self._services = services
        self._begin = begin

    def decide(self, dispatch_id: str, round_: int, failure: str | None) -> dict[str, Any]:
        """Settle the outcome, once: {"outcome": ..., "jobs": [ids]}."""
        services = self._services
        before = self._load(dispatch_id)
        if before.round != round_:
            return {"outcome": "released", "jobs": []}
        match, heard = self._understand(before)
        let_go: list[str] = []
        with services.log.transaction():
            found = self._load(dispatch_id)
            if found.round != round_:
                return {"outcome": "released", "jobs": []}
            if found.outcome is None:
                decision = self._decide(found, match, failure)
                let_go = self._settle(found, decision, heard)
                found = self._load(dispatch_id)
        for other in let_go:
            self._begin(other)
        assert found.outcome is not None
        return {"outcome": found.outcome["outcome"], "jobs": [job.id for job in found.current_jobs]}

    def _decide(self, found: Dispatch, match: Match | None, failure: str | None) -> Decision:
        services = self._services
        heard = found.transcript or {}
        typed = found.by_person or heard.get("engine") == BY_HAND
        said = Said(
            found.heard,
            no_speech=bool(heard.get("no_speech", False)) or not heard,
            trusted=typed or services.recogniser.trusted,
            by_person=found.by_person,
            confidence=heard.get("confidence"),
            failure=failure,
        )
        now_s = services.clock()
        request = Request(found.heard, {}, found.press_unix_s, now_s)
        # A cancel that came before its clip names the clip.
        early = found.clip_id is not None and services.log.find("cancel", "clip", found.clip_id) is not None
        return dispatcher.decide(
            said,
            Clip(found.press_unix_s, bool(found.clip.get("cut", False)), self._restored(found)),
            match,
            lambda matched: self._plan(matched, request),
            now_s=now_s,
            reply=self._reply(found),
            cancelled=found.cancelled or (early and found.round == 1),
            limits=Limits(services.config.ask_after_s, services.config.speech.min_confidence),
        )

    def _restored(self, found: Dispatch) -> bool:
        log = self._services.log
        if history.lost_since(log, found.event.seq):
            return True
        return found.clip_id is not None and history.may_have_been_done(log, found.clip)

    def _plan(self, match: Match, request: Request) -> Plan:
        agent = self._services.agents[match.phrase.agent]
        filled = Request(request.heard, match.slots, request.press_unix_s, request.now_s)
        return agent.plan(match.phrase, filled)

    def _understand(self, found: Dispatch) -> tuple[Match | None, str]:
        """The phrase that was said, if any, and what was heard (its words, where it was confirmed)."""
        if found.transcript is None or not found.heard:
            return None, ""
        services = self._services
        heard, phrases = Transcript.from_body(found.transcript), services.config.phrases
        if services.recogniser.trusted or found.source == "say" or heard.engine == BY_HAND:
            return services.match(heard, phrases, True), heard.text
        match = services.match(heard, phrases, False)
        if match is not None:
            return match, _filled(match)
        # A person who lets it go as it was heard stands for the words.
        return (services.match(heard, phrases, True) if found.by_person else None), heard.text

    def _reply(self, found: Dispatch) -> Reply | None:
        services, notice_id = self._services, found.clip.get("reply_to")
        if not notice_id or found.by_person:
            return None
        notice = services.outbox.find(str(notice_id))
        target = ledger.load(services.log, str(notice.body["dispatch"])) if notice else None
        # What the pin was never told it cannot answer: that number was another notice's, in a history that
        # is lost.
        if notice is None or target is None or not services.outbox.was_sent(notice):
            return Reply(known=False)
        match, _ = self._understand(target)
        return Reply(
            known=True,
            kind=str(notice.body["kind"]),
            # A dispatch that was asked about twice is answered by a reply to the second question only.
            open=target.status == "held" and not services.outbox.taken_back(notice),
            dispatch=target.id,
            job=notice.body.get("job"),
            harmless=match is not None and match.phrase.harmless,
        )

    def _settle(self, found: Dispatch, decision: Decision, heard: str) -> list[str]:
        """Write an outcome down, with its jobs and notices; returns the dispatches that it let go."""
        services = self._services
        body = {
            "outcome": decision.outcome,
            "reason": decision.reason,
            "why": decision.why,
            "heard": heard,
            "round": found.round,
            "reply_to": found.clip.get("reply_to"),
        }
        services.log.append("outcome", body, principal=found.principal, dispatch=found.id)
        if decision.outcome == "jobs":
            self._queue(found, decision, heard)
            if decision.closes is not None:
                self.put_away(decision.closes, found.principal, f"replaced by {found.id}")
            return []
        if decision.outcome == "answer":
            return self._answer(found, decision)
        self._say_outcome(found, decision, heard)
        return []

    def _say_outcome(self, found: Dispatch, decision: Decision, heard: str) -> None:
        if found.clip.get("recovered") and found.round == 1:
            # One notice speaks of all that were found; this one would only add to the noise.
            return
        if decision.outcome == "held":
            known = decision.reason not in ("no_match", "refused", "speech_failed")
            text = wording.held(heard, decision.why)
            detail = wording.how_to_release(found.id, heard, known=known)
        else:
            text = wording.outcome(heard, decision.why)
            detail = ""
        self._services.outbox.record(
            decision.outcome, dispatch=found.id, text=text, detail=detail, principal=found.principal
        )

    def _queue(self, found: Dispatch, decision: Decision, heard: str) -> None:
        assert decision.phrase is not None and decision.plan is not None
        services = self._services
        job_id = f"{found.id}.{len(found.jobs) + 1}"
        ledger.check_change("", "queued")
        body = {
            "id": job_id,
            "agent": decision.phrase.agent,
            "state": "queued",
            "heard": heard,
            "phrase": decision.phrase.say,
            "harmless": decision.phrase.harmless,
            "plan": decision.plan,
            "round": found.round,
            "follows": decision.follows,
        }
        services.log.append("job", body, principal=found.principal, dispatch=found.id, job=job_id)
        promise = decision.plan.get("promise")
        if promise:
            text = wording.outcome(heard, str(promise))
            services.outbox.record(
                "done", dispatch=found.id, job=job_id, text=text, principal=found.principal
            )

    def _answer(self, found: Dispatch, decision: Decision) -> list[str]:
        assert decision.target is not None
        if decision.answer == "no":
            self.put_away(decision.target, found.principal, "you said no")
            return []
        self.let_go(decision.target, None, found.principal)
        return [decision.target]

    def let_go(self, dispatch_id: str, text: str | None, principal: str) -> None:
        """Begin another round of a dispatch. Inside a transaction."""
        found = self._load(dispatch_id)
        body = {"round": found.round + 1, "text": text}
        self._services.log.append("released", body, principal=principal, dispatch=dispatch_id)
        self._services.outbox.retract(dispatch=dispatch_id, principal=principal)

    def put_away(self, dispatch_id: str, principal: str, why: str) -> None:
        """What was held will not be done. Inside a transaction."""
        found = self._load(dispatch_id)
        may_have_run = (found.outcome or {}).get("reason") == ledger.INTERRUPTED
        body = {
            "outcome": "cancelled",
            "reason": "put_away",
            "why": why,
            "heard": found.understood,
            "round": found.round,
        }
        self._services.log.append("outcome", body, principal=principal, dispatch=dispatch_id)
        self._services.outbox.retract(dispatch=dispatch_id, principal=principal)
        text = wording.outcome(found.understood, f"{'not run again' if may_have_run else 'not done'}, {why}")
        self._services.outbox.record("cancelled", dispatch=dispatch_id, text=text, principal=principal)

    def _load(self, dispatch_id: str) -> Dispatch:
        return ledger.need(self._services.log, dispatch_id)


def _filled(match: Match) -> str:
    """The words of a phrase with what its slots took."""
    text = match.phrase.say
    for slot, words in match.slots.items():
        text = text.replace(f"{{{slot}}}", words)
    return text
