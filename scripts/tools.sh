#!/bin/sh
# Installs what other people made and some tests hold us against: anvil, cast and viem, as locked.
set -eu
cd "$(dirname "$0")/.."
FOLDER="${TALLYSTICK_NPM:-.tools}"

if ! command -v npm >/dev/null 2>&1; then
    echo "make tools needs npm, which comes with Node.js 20 or later; the suite skips what needs the tools" >&2
    exit 1
fi
if cmp -s tests/npm/package-lock.json "$FOLDER/installed.json"; then
    exit 0
fi
mkdir -p "$FOLDER"
cp tests/npm/package.json tests/npm/package-lock.json "$FOLDER/"
npm ci --prefix "$FOLDER" --ignore-scripts --no-audit --no-fund --omit-lockfile-registry-resolved
cp tests/npm/package-lock.json "$FOLDER/installed.json"
