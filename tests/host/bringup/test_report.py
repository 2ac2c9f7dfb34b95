"""The report: as it was when it is read again, refused with a sentence when it is not ours, a page of its own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lapel_bringup import page, report
from lapel_bringup.report import BadReport, Report, StepRecord
from lapel_bringup.result import Result


def some() -> Report:
    made = Report("2026-01-02T03:04:05+00:00", {"board": "sim", "psram_bytes": 8_388_608}, complete=True)
    flash = Result(figures={"erase_median_us": 45_000}, series={"erase_us": [45_000] * 49 + [200_000]})
    flash.series["program_128_bytes_us"] = [400, 410]
    flash.good("An erase takes 45 ms.")
    flash.cannot_know("how it ages")
    made.put(StepRecord("flash", "Flash", report.DONE, 12.0, flash))
    microphone = Result()
    microphone.bad("Nothing but zeros <b>.", "The data wire & its solder.")
    made.put(StepRecord("microphone", "Microphone", report.DONE, 3.0, microphone))
    made.put(StepRecord("radio", "Radio", report.FAILED, 1.0, trouble="aioble is not on this pin", way_on="make flash"))
    made.put(StepRecord("led", "LED", report.SKIPPED))
    return made


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = some()
    written, shown = made.save(tmp_path, page.html(made))
    again = report.load(written)
    assert again.as_json() == made.as_json()
    assert report.load(tmp_path).as_json() == made.as_json()
    assert shown.read_text() == page.html(again)
    assert [record.verdict for record in again.steps] == ["good", "bad", "bad", "unknown"]


def test_a_step_that_is_repeated_takes_its_own_place() -> None:
    made = some()
    made.put(StepRecord("flash", "Flash", report.SKIPPED))
    assert [record.name for record in made.steps] == ["flash", "microphone", "radio", "led"]
    assert made.steps[0].state == report.SKIPPED


def _changed(**changes: Any) -> Any:
    return {**some().as_json(), **changes}


def _step(**changes: Any) -> Any:
    body = some().as_json()
    body["steps"][0] = {**body["steps"][0], **changes}
    return body


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "is no report of `lapel bringup`"),
        (_changed(schema="other"), 'it has no "schema": "lapel-bringup"'),
        (_changed(version=7), "version 7 of the report; this Lapel reads version 1"),
        (_changed(steps={}), "no list of steps or no pin"),
        (_changed(pin=None), "no list of steps or no pin"),
        (_changed(steps=[1]), "step 1: is no object"),
        (_step(state="gone"), "step 1: there is no state 'gone'"),
        (_step(figures=[]), "step 1: 'figures' is missing or of the wrong kind"),
        (_step(name=3), "step 1: 'name' is missing or of the wrong kind"),
        (_step(findings=[{"level": "good"}]), "step 1: a finding has level, says and likely"),
        (_step(findings=[{"level": "fine", "says": "", "likely": ""}]), "step 1: there is no level 'fine'"),
    ],
)
def test_what_is_no_report_is_refused_with_a_sentence(tmp_path: Path, body: Any, says: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps(body))
    with pytest.raises(BadReport) as error:
        report.load(file)
    assert says in str(error.value)
    assert str(file) in str(error.value)


def test_a_file_that_is_not_there_or_not_json_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadReport, match="No such file"):
        report.load(tmp_path / "none.json")
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(BadReport, match="it is not JSON"):
        report.load(tmp_path / "x.json")


def test_the_page_stands_alone_and_says_everything() -> None:
    text = page.html(some())
    assert not re.search(r"(src|href)\s*=\s*['\"](https?:|//)|@import|url\(", text)
    assert "<script" not in text
    for said in ("An erase takes 45 ms.", "how it ages", "Nothing but zeros &lt;b&gt;", "its solder", "aioble is not"):
        assert said in text
    assert text.count("<svg") == 2
    # 8 MB, told as a person reads it
    assert "8 192 kB" in text


def test_a_page_of_damaged_data_is_still_a_page() -> None:
    made = some()
    made.steps[0].result.series["erase_us"] = ["x", None]
    made.steps[0].result.figures["odd"] = {"a": 1}
    made.steps[1].result.series.update(spectrum={"hz": [1]}, colours=[3], patterns=[{}, 4])
    text = page.html(made)
    assert "The data of this picture are damaged." in text
    assert "</html>" in text
