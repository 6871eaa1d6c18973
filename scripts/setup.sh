#!/bin/sh
# Makes $VENV with the locked dependencies and this project in it. Says what is
# missing and how to get it instead of failing somewhere inside pip.
set -eu

fail() {
    printf 'setup: %s\n' "$1" >&2
    exit 1
}

command -v "$PYTHON" >/dev/null 2>&1 ||
    fail "no '$PYTHON' on the PATH. Install Python 3.11 or 3.12, or name one: make setup PYTHON=python3.12"

version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case "$version" in
    3.11 | 3.12) ;;
    *) fail "'$PYTHON' is Python $version; plyvel has wheels for 3.11 and 3.12. Name one: make setup PYTHON=python3.12" ;;
esac

"$PYTHON" -c 'import venv, ensurepip' 2>/dev/null ||
    fail "'$PYTHON' has no venv module. On Debian or Ubuntu: apt-get install python3-venv (or python$version-venv)"

rm -rf "$VENV"
"$PYTHON" -m venv "$VENV" || fail "could not make $VENV (see above)"
echo "setup: installing the locked dependencies into $VENV (a minute or two) ..."
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt ||
    fail "pip could not install requirements/dev.txt (see above); check that a package index is reachable"
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . ||
    fail "pip could not install this project into $VENV (see above)"
touch "$VENV/.ready"
echo "setup: ready. Try: make demo"
