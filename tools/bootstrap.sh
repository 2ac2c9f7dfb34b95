#!/bin/sh
# Makes .venv with every Python package of the checkout. Needs no root.
# usage: tools/bootstrap.sh [extra ...]      (run by make; extras as in pyproject.toml, "dev" always)
# LAPEL_PYTHON names the interpreter to use. Mirrors and proxies come from pip's own configuration.
set -eu
cd "$(dirname "$0")/.."

venv=.venv
log=.tools/log/pip.log
extras=dev
for extra in "$@"; do extras="$extras,$extra"; done
mkdir -p .tools/log

say() { printf '%s\n' "$*"; }
fail() {
    printf '\nlapel: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

has_wheels() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1; }

find_python() {
    if [ -n "${LAPEL_PYTHON:-}" ]; then
        new_enough "$LAPEL_PYTHON" || fail "LAPEL_PYTHON=$LAPEL_PYTHON is not a Python of 3.11 or newer."
        echo "$LAPEL_PYTHON"
        return
    fi
    # Newer ones work too, where a compiler can build what has no wheel for them yet.
    for check in has_wheels new_enough; do
        for name in python3 python3.13 python3.12 python3.11; do
            if $check "$name"; then
                command -v "$name"
                return
            fi
        done
    done
    found=$(python3 -V 2>/dev/null || echo "none")
    case "$(uname -s)" in
    Darwin) hint="brew install python@3.13" ;;
    *) hint="Debian 12 or newer and Ubuntu 24.04 or newer have one: sudo apt install python3" ;;
    esac
    fail "needs Python 3.11 or newer; found: $found." "$hint" "Another one: LAPEL_PYTHON=/path/to/python3 make"
}

# Debian and Ubuntu ship Python without ensurepip. pip then comes from whatever is at hand.
make_venv() {
    rm -rf "$venv"
    if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 && "$python" -m venv "$venv" >"$log" 2>&1; then
        return
    fi
    rm -rf "$venv"
    if "$python" -m venv --without-pip "$venv" >"$log" 2>&1; then
        if "$python" -m pip --python "$venv/bin/python" install -q pip >>"$log" 2>&1; then return; fi
        say "  this Python has no ensurepip; fetching pip from the system's own package archive"
        wheel=$(PYTHONPATH=tools "$python" -m get_tools pip-wheel 2>>"$log" || true)
        if [ -n "$wheel" ] && PYTHONPATH="$wheel" "$venv/bin/python" -m pip install -q --no-index \
            --find-links "$(dirname "$wheel")" pip >>"$log" 2>&1; then return; fi
    fi
    rm -rf "$venv"
    fail "$python cannot make a virtual environment." \
        "On Debian and Ubuntu type:  sudo apt install python3-venv" \
        "then run make again. What happened is in $log."
}

# Content, not time stamps, and only what says what to install: a touched file does not install again.
python=$(find_python)
wanted=$({ sed '/^\[tool\.pytest/,$d' pyproject.toml; cat tools/constraints.txt; echo "$extras"; pwd -P; "$python" -V; } | cksum)
up_to_date() {
    if [ "$(cat "$venv/.lapel" 2>/dev/null)" != "$wanted" ] || ! "$venv/bin/python" -c '' 2>/dev/null; then return 1; fi
    touch "$venv/.lapel"
}
if up_to_date; then exit 0; fi

# Two makes at once: the second waits for the first. A lock whose owner has gone is taken over.
lock=.tools/bootstrap.lock
until mkdir "$lock" 2>/dev/null; do
    kill -0 "$(cat "$lock/pid" 2>/dev/null || echo $$)" 2>/dev/null || rm -rf "$lock"
    sleep 1
done
trap 'rm -rf "$lock"' EXIT
echo $$ >"$lock/pid"
if up_to_date; then exit 0; fi

say "Making $venv with $("$python" -V) (once; about a minute)"
# Scripts inside name the folder they were made in.
if [ "$(cat "$venv/.where" 2>/dev/null)" != "$(pwd -P)" ] ||
    ! "$venv/bin/python" -m pip --version >/dev/null 2>&1 ||
    [ "$("$venv/bin/python" -V)" != "$("$python" -V)" ]; then
    make_venv
fi
rm -f "$venv/.lapel"
pwd -P >"$venv/.where"

set +e
{
    PYTHONUNBUFFERED=1 "$venv/bin/python" -m pip install --disable-pip-version-check --no-input \
        --progress-bar off --retries "${PIP_RETRIES:-2}" -c tools/constraints.txt -e ".[$extras]" 2>&1
    echo "pip-exit=$?"
} | tee "$log" | awk '
    /^Collecting /          { n++; if (n % 10 == 0) { print "  " n " packages found"; fflush() } }
    /^Installing collected/ { print "  installing"; fflush() }
'
set -e
if ! grep -q '^pip-exit=0$' "$log"; then
    if grep -qiE 'NewConnectionError|NameResolution|Max retries|Connection (refused|reset|broken)|timed out|unreachable|from versions: none' "$log"; then
        fail "could not reach the Python package index." \
            "Connect to a network, or name a mirror in pip's configuration (pip config set global.index-url ...)," \
            "then run make again. The whole story is in $log."
    fi
    if grep -qE 'Failed (building|to build)|CMAKE_C_COMPILER|No CMAKE|compiler' "$log"; then
        fail "$("$python" -V) has no ready-made package for everything, and building one failed." \
            "Use Python 3.11, 3.12 or 3.13 (LAPEL_PYTHON=/path/to/python3.13 make)," \
            "or install a C compiler (Debian, Ubuntu: sudo apt install build-essential; macOS: xcode-select --install)." \
            "The whole story is in $log."
    fi
    grep -E '^ERROR' "$log" | head -n 3 >&2
    fail "installing the Python packages failed." "The whole story is in $log."
fi
printf '%s\n' "$wanted" >"$venv/.lapel"
say "  $venv is ready"
