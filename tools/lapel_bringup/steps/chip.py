"""Heap, memory and temperature."""

from __future__ import annotations

from typing import Any

from lapel_bringup.desk import Desk, Step
from lapel_bringup.result import Result

# What the running app takes beside its modules: ring, tables, buffers, radio objects (`make bench` measures it).
_APP_NEEDS_BYTES = 40_000
_LARGEST_NEEDS_BYTES = 16_384
_PSRAM_BYTES = 1_000_000
_HOT_CELSIUS = 70


def run(desk: Desk) -> Result:
    """What is free before and after the app's modules."""
    result = Result()
    told = desk.bench.run("chip", timeout_s=40)
    board, heap = told.one("board"), told.one("heap")
    result.figures.update(
        heap_fresh_bytes=board["heap_fresh_bytes"],
        heap_with_board_bytes=board["heap_built_bytes"],
        heap_with_app_bytes=heap["with_app_bytes"],
        heap_total_bytes=heap["with_app_bytes"] + heap["allocated_bytes"],
        largest_bytes=heap["largest_bytes"],
        clock_hz=told.one("told")["hz"],
    )
    for fault in board["faults"]:
        result.bad(f"The board reports: {fault}.", "See the wiring table in the board's README.")
    _regions(result, told.all("regions"))
    temperatures = told.all("temperature")
    if temperatures:
        celsius = temperatures[-1]["celsius"]
        result.figures["temperature_celsius"] = celsius
        if celsius > _HOT_CELSIUS:
            result.look(f"The chip is {celsius} °C warm.", "A short, or a part that draws too much: feel what is hot.")
        else:
            result.good(f"The chip is {celsius} °C warm.")
    else:
        result.cannot_know("the chip's temperature: this MicroPython does not tell it")
    result.cannot_know("the heap under a full day's load: this is its state right after the start")
    largest = heap["largest_bytes"]
    free = (
        f"{heap['with_app_bytes'] // 1024} kB of heap free with the app's modules loaded, "
        f"the largest piece {largest // 1024} kB"
    )
    if heap["with_app_bytes"] < _APP_NEEDS_BYTES or largest < _LARGEST_NEEDS_BYTES:
        result.bad(f"Only {free}.", "Use a board with PSRAM, or an image with the app frozen into it (make firmware).")
    else:
        result.good(f"{free}.")
    return result


def _regions(result: Result, regions: list[dict[str, Any]]) -> None:
    for event in regions:
        free = sum(region[1] for region in event["regions"])
        result.figures[f"idf_{event['kind']}_free_bytes"] = free
        if event["kind"] == "data":
            psram = sum(region[0] for region in event["regions"] if region[0] > _PSRAM_BYTES)
            result.figures["psram_bytes"] = psram
    if not regions:
        result.cannot_know("memory outside Python's heap (DMA, NimBLE, PSRAM): this port does not tell it")


STEP = Step("chip", "Memory and chip", "Looks at heap, memory and temperature.", run)
