# shellcheck shell=bash
# Source it after lib.sh: a server of its own, filled with the real rows of tests/fixtures/zango, gone when the script ends.
# Gives BASE_URL, WORKSPACE, TOKEN (of an auditor: it reads) and TOTAL_ACCESS, TOTAL_APPLICATION, TOTAL_FRAMEWORK.
logbook=$TARGET/debug/logbook
WORKSPACE=peerapp TOTAL_ACCESS=81 TOTAL_APPLICATION=178 TOTAL_FRAMEWORK=121
home=$(mktemp -d)
server=''
# shellcheck disable=SC2329 # called by the trap
remove_server() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
  rm -rf "$home"
}
trap remove_server EXIT

# Own events would be counted among the fixture's.
export LOGBOOK_AUDIT=false LOGBOOK_RATE_KEY=0 LOGBOOK_RATE_USER=0 LOGBOOK_RATE_ADDRESS=0
export LOGBOOK_LISTEN=127.0.0.1:0 LOGBOOK_DATA_DIR=$home LOGBOOK_DATABASE_URL=sqlite://$home/logbook.db
quietly import "$logbook" import zango --from tests/fixtures/zango --schema peerapp --workspace $WORKSPACE
TOKEN=$("$logbook" token --role auditor --workspace $WORKSPACE | tail -n 1)
: >"$home/server.log" # read below, maybe before the server has opened it
"$logbook" serve >>"$home/server.log" 2>&1 </dev/null &
server=$!
for ((tries = 0; ; tries++)); do
  BASE_URL=$(sed -n 's/^Logbook listens on //p' "$home/server.log")
  if [ -n "$BASE_URL" ] && curl --silent --fail --output /dev/null "$BASE_URL/readyz"; then break; fi
  if [ $tries = 6000 ] || ! kill -0 "$server" 2>/dev/null; then cat "$home/server.log" >&2; die "the server did not start"; fi
  sleep 0.1
done
export BASE_URL WORKSPACE TOKEN TOTAL_ACCESS TOTAL_APPLICATION TOTAL_FRAMEWORK
