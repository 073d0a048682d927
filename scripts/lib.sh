# shellcheck shell=bash
# What the scripts share. Source it; it moves to the repository's root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

TOOLS=$PWD/target/tools
# `local` and CI machines may set another target folder; the scripts look where cargo looks.
TARGET=${CARGO_TARGET_DIR:-$PWD/target}
export TOOLS TARGET

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# as_root COMMAND…: as it is for root, else through sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif has sudo; then sudo "$@"
  else die "this needs root; run it yourself and try again: $*"
  fi
}

# fresh STAMP FILE…: true when STAMP was made from these very files.
fresh() {
  local stamp=$1; shift
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(sha256sum "$@")" ]
}

# mark STAMP FILE…
mark() {
  local stamp=$1; shift
  mkdir -p "$(dirname "$stamp")"
  sha256sum "$@" >"$stamp"
}

# quietly NAME COMMAND…: shows the output only when the command fails.
quietly() {
  local name=$1 log status=0; shift
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || status=$?
  [ "$status" = 0 ] || { cat "$log" >&2; say "error: $name failed"; }
  rm -f "$log"
  return "$status"
}
