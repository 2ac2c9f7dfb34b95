"""lapel token, as a person types it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lapel_companion import cli
from lapel_companion.client import ApiError, Client
from tests.host.companion.companion_api import Rig, served


def invoke(*arguments: str, **more: Any) -> Result:
    return CliRunner().invoke(cli.lapel, list(arguments), **more)


def test_the_commands(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        at = ["--state", str(rig.state)]

        async def lapel(*arguments: str, **more: Any) -> Result:
            return await asyncio.to_thread(invoke, *arguments, *at, **more)

        assert "only you" in (await lapel("token", "list")).output
        made = await lapel("token", "add", "agent", "--scope", "read", "--scope", "say")
        token, said = made.stdout.strip(), made.stderr
        assert made.exit_code == 0 and token.startswith("lapel_") and "not shown again" in said and token not in said
        listed = await lapel("token", "list")
        assert "agent" in listed.output and "read, say" in listed.output and token not in listed.output
        by_token = {"LAPEL_TOKEN": token}
        assert (await lapel("jobs", env=by_token)).exit_code == 0
        refused = await lapel("cancel", "d1", env=by_token)
        assert refused.exit_code == 1 and "lacks the scope answer" in refused.output
        refused = await lapel("token", "list", env=by_token)
        assert refused.exit_code == 1 and "a token cannot" in refused.output
        piped = await asyncio.to_thread(invoke, "--token-stdin", "cancel", "d1", *at, input=f"{token}\n")
        assert piped.exit_code == 1 and "lacks the scope answer" in piped.output
        # Who means to come with a token and has none must not become the person.
        for none in ("", "two words", "a\r\nOrigin: x"):
            refused = await lapel("jobs", env={"LAPEL_TOKEN": none})
            assert refused.exit_code == 1 and "is no token" in refused.output
        empty = await asyncio.to_thread(invoke, "--token-stdin", "jobs", *at, input="")
        assert empty.exit_code == 1 and "is no token" in empty.output
        assert (await lapel("token", "remove", "agent")).exit_code == 0
        refused = await lapel("jobs", env=by_token)
        assert refused.exit_code == 1 and "not known" in refused.output
        assert (await lapel("token", "remove", "no/such one")).exit_code == 1
        assert (await lapel("token", "add", "x", "--scope", "root")).exit_code == 2
        assert (await lapel("token", "add", "x")).exit_code == 2
        with pytest.raises(ApiError, match="is no token"):
            Client(rig.state, "").get("/v1/status")

    served(test, tmp_path)
