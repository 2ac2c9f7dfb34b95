"""The report as one page: everything is inside it, nothing is fetched."""

from __future__ import annotations

from html import escape
from typing import Any

from lapel_bringup.plots import pictures
from lapel_bringup.report import DONE, FAILED, SKIPPED, STOPPED, Report, StepRecord
from lapel_bringup.result import BAD, GOOD, IN_WORDS, LOOK, UNKNOWN

_SIGNS = {GOOD: "✓", LOOK: "!", BAD: "✗", UNKNOWN: "–"}
_STATES = {SKIPPED: "skipped", STOPPED: "stopped", FAILED: "failed"}

_STYLE = """
:root{--ink:#1c2733;--soft:#64707d;--paper:#f6f7f8;--card:#fff;--line:#e2e6ea;--accent:#b45309;--curve:#0f766e;
--other:#8a94a0;--good:#18794e;--good-bg:#e2f5ea;--look:#9a5b00;--look-bg:#fff0d2;--bad:#b42318;--bad-bg:#fde7e4;
--none:#64707d;--none-bg:#eceff2;color-scheme:light dark}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaee;--soft:#9aa5b1;--paper:#12171c;--card:#1a2128;--line:#2c353f;
--accent:#f0a44a;--curve:#3fc1b0;--other:#7d8894;--good:#5fd39a;--good-bg:#143524;--look:#f3c063;--look-bg:#3a2c0c;
--bad:#ff9a8f;--bad-bg:#43191a;--none:#9aa5b1;--none-bg:#262e37}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
main{max-width:960px;margin:0 auto;padding:32px 20px 64px}h1{font-size:26px;margin:0 0 4px}
.sub{color:var(--soft);margin:0 0 20px}section,.summary{background:var(--card);border:1px solid var(--line);
border-radius:12px;padding:20px 24px;margin:0 0 18px}h2{font-size:18px;margin:0;display:flex;gap:12px;
align-items:center;justify-content:space-between}.chips{margin:0;display:flex;gap:8px}.chip{font-size:13px;font-weight:600;border-radius:99px;
padding:2px 12px;white-space:nowrap}.good{color:var(--good);background:var(--good-bg)}
.look{color:var(--look);background:var(--look-bg)}.bad{color:var(--bad);background:var(--bad-bg)}
.unknown{color:var(--none);background:var(--none-bg)}ul.findings{list-style:none;padding:0;margin:12px 0 0}
ul.findings li{display:flex;gap:10px;padding:3px 0}ul.findings .sign{flex:none;width:22px;height:22px;
border-radius:50%;text-align:center;font-weight:700;font-size:13px;line-height:22px}.likely{color:var(--soft);
display:block}figure{margin:18px 0 0}figcaption{color:var(--soft);font-size:13px;margin-top:2px}
svg{width:100%;height:auto;display:block}table{border-collapse:collapse;width:100%;margin-top:14px;font-size:14px}
td,th{text-align:left;padding:5px 10px 5px 0;border-top:1px solid var(--line);vertical-align:top}
td.n{font-variant-numeric:tabular-nums;white-space:nowrap}details{margin-top:12px}summary{cursor:pointer;
color:var(--soft);font-size:13px}.not-known{color:var(--soft);font-size:13px;margin:12px 0 0}
.steps{display:grid;grid-template-columns:repeat(auto-fill,minmax(210px,1fr));gap:8px 18px;margin-top:14px}
.steps a{color:inherit;text-decoration:none;display:flex;justify-content:space-between;gap:8px;padding:3px 0;
border-bottom:1px solid var(--line)}.facts{display:flex;flex-wrap:wrap;gap:6px 22px;margin:0;padding:0;list-style:none;
color:var(--soft);font-size:14px}.facts b{color:var(--ink);font-weight:600}
svg text{font:11px system-ui,"DejaVu Sans",sans-serif;fill:var(--soft)}svg .label{fill:var(--ink)}
svg .title{font-size:11.5px}svg .grid{stroke:var(--line)}svg .axis{stroke:var(--soft)}svg .bar{fill:var(--curve);
opacity:.85}svg .curve{fill:none;stroke:var(--curve);stroke-width:1.6}svg .other{fill:none;stroke:var(--other);
stroke-width:1}svg .limit{fill:none;stroke:var(--accent);stroke-dasharray:5 4}svg .mark{stroke:var(--accent);
stroke-dasharray:5 4}svg .dot{fill:var(--accent)}
.swatch{display:inline-block;width:14px;height:14px;border-radius:4px;vertical-align:-2px;margin-right:7px;
border:1px solid var(--line)}footer{color:var(--soft);font-size:13px}
@media print{body{background:#fff}section{break-inside:avoid}}
"""
_SWATCHES = {"red": "#e5484d", "green": "#30a46c", "blue": "#3b82f6", "white": "#ffffff", "nothing": "#222"}


def html(report: Report) -> str:
    """The page."""
    board = escape(str(report.pin.get("board", "a pin")))
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width,initial-scale=1'>",
        f"<title>Lapel bring-up: {board}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>Bring-up of {board}</h1>",
        f"<p class='sub'>{escape(report.made_at.replace('T', ' ').replace('+00:00', ' UTC'))}"
        f"{'' if report.complete else ' · not complete'}</p>",
        _summary(report),
        *[_section(record) for record in report.steps],
        "<footer>Made by <code>lapel bringup</code>. <code>lapel sim --device</code> takes the file beside this page: "
        "the simulated pin then has this pin's constants. Nothing here identifies the pin or you.</footer>",
        "</main></body></html>\n",
    ]
    return "\n".join(parts)


def _summary(report: Report) -> str:
    counts = {level: sum(record.verdict == level for record in report.steps if _counts(record)) for level in IN_WORDS}
    said = [
        f"<span class='chip {level}'>{counts[level]} {words}</span>"
        for level, words in IN_WORDS.items()
        if counts[level]
    ]
    facts = "".join(
        f"<li>{escape(name.replace('_', ' '))}: <b>{escape(_value(name, value))}</b></li>"
        for name, value in report.pin.items()
        if value not in (None, "")
    )
    links = "".join(
        f"<a href='#{escape(record.name)}'><span>{escape(record.title)}</span>{_chip(record)}</a>"
        for record in report.steps
    )
    return (
        f"<div class='summary'><p class='chips'>{' '.join(said)}</p><div class='steps'>{links}</div>"
        f"<ul class='facts' style='margin-top:16px'>{facts}</ul></div>"
    )


def _counts(record: StepRecord) -> bool:
    return record.state in (DONE, FAILED)


def _chip(record: StepRecord) -> str:
    level = record.verdict if _counts(record) else UNKNOWN
    words = _STATES.get(record.state, IN_WORDS[level])
    return f"<span class='chip {level}'>{escape(words)}</span>"


def _section(record: StepRecord) -> str:
    result = record.result
    parts = [f"<section id='{escape(record.name)}'><h2>{escape(record.title)}{_chip(record)}</h2>"]
    items = [(finding.level, finding.says, finding.likely) for finding in result.findings]
    if record.trouble:
        items.insert(0, (BAD, record.trouble, record.way_on))
    if items:
        parts.append("<ul class='findings'>")
        for level, says, likely in items:
            why = f"<span class='likely'>{escape(likely)}</span>" if likely else ""
            sign = f"<span class='sign {level}'>{_SIGNS[level]}</span>"
            parts.append(f"<li>{sign}<span>{escape(says)}{why}</span></li>")
        parts.append("</ul>")
    parts += _colours(result.series.get("colours"))
    for caption, svg in pictures(record.name, result):
        parts.append(f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>")
    parts += _patterns(result.series.get("patterns"))
    figures = {name: value for name, value in result.figures.items() if not isinstance(value, list | dict)}
    if figures:
        parts.append("<details><summary>All figures</summary><table>")
        for name, value in figures.items():
            parts.append(f"<tr><td>{escape(name)}</td><td class='n'>{escape(_value(name, value))}</td></tr>")
        parts.append("</table></details>")
    if result.unknown:
        parts.append(f"<p class='not-known'>Not known: {escape('; '.join(result.unknown))}.</p>")
    parts.append("</section>")
    return "\n".join(parts)


def _colours(rows: Any) -> list[str]:
    if not isinstance(rows, list):
        return []
    cells = "".join(
        f"<tr><td>{_swatch(row.get('shown'))}</td><td>{_swatch(row.get('seen'))}</td></tr>"
        for row in rows
        if isinstance(row, dict)
    )
    return [f"<table><tr><th>shown</th><th>seen</th></tr>{cells}</table>"]


def _swatch(name: Any) -> str:
    if name is None:
        return "nobody answered"
    colour = _SWATCHES.get(str(name), "transparent")
    return f"<span class='swatch' style='background:{colour}'></span>{escape(str(name))}"


def _patterns(rows: Any) -> list[str]:
    if not isinstance(rows, list):
        return []
    cells = ["<details><summary>Each pattern</summary><table>"]
    cells.append("<tr><th>pattern</th><th>rhythm</th><th>over silence</th><th>over its pauses</th><th>felt</th></tr>")
    for row in rows:
        if isinstance(row, dict):
            cells.append(
                f"<tr><td>{escape(str(row.get('pattern')))}</td><td><code>{escape(str(row.get('rhythm')))}</code></td>"
                f"<td class='n'>{_db(row.get('over_quiet_db'))}</td><td class='n'>{_db(row.get('contrast_db'))}</td>"
                f"<td>{escape(str(row.get('felt') or '–'))}</td></tr>"
            )
    return [*cells, "</table></details>"]


def _db(value: Any) -> str:
    return f"{value:.1f} dB" if isinstance(value, int | float) else "–"


_UNITS = (
    ("_a_dbfs", "dBFS (A)"), ("_dbfs", "dBFS"), ("_spl_db", "dB SPL"), ("_db", "dB"), ("_us", "us"), ("_ms", "ms"),
    ("_mv", "mV"), ("_ma", "mA"), ("_mohm", "mΩ"), ("_hz", "Hz"), ("_ppm", "ppm"), ("_celsius", "°C"), ("_dbm", "dBm"),
    ("kbit_s", "kbit/s"), ("_bytes", "bytes"), ("_s", "s"),
)  # fmt: skip


def _value(name: str, value: Any) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    unit = next((unit for ending, unit in _UNITS if name.endswith(ending)), "")
    if unit == "bytes" and value >= 10_240:
        return f"{value / 1024:,.0f} kB".replace(",", " ")
    return f"{value:,} {unit}".rstrip().replace(",", " ")
