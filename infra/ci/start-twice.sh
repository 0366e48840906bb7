#!/usr/bin/env bash
# What a user does: first start with the main job, the demo again, kill -9 of everything (at rest, and in the middle of a run), starts that have lost
# nothing, Ctrl-C in a terminal.
set -u
cd "$(dirname "$0")/../.."
. infra/ci/wait-for-store.sh
work=$(mktemp -d); chmod 0711 "$work"; state="$work/state"
trap 'kill -9 $store_pid 2>/dev/null; rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; exit 1; }
described() { node -p "JSON.parse(require('fs').readFileSync('$state/dev.json')).$1"; }

start_in_terminal "$work/first.log" --state "$state" --port 4300 || exit 1
cat "$work/first.log"
for said in "order paid → ACTIVE" "commit" "webhook" "reserved" "ledger entry" "transfer"; do grep -q "$said" "$work/first.log" || fail "the first start did not show: $said"; done
type_ctrl_c "$work/first.log" || fail "Ctrl-C in a terminal"

start_store "$work/second.log" --state "$state" || exit 1
cat "$work/second.log"
grep -q "The main job:" "$work/second.log" && fail "the second start did the main job again"
npm run demo --silent -- --state "$state" || fail "npm run demo"
npm run doctor --silent -- --state "$state" || fail "npm run doctor finds a fault in a store that is well"
origin=$(described urls.origin); key=$(described demo.apiKey); instance=$(described demo.instanceId)
ask() { curl -sf -m 30 -H "authorization: Bearer $key" -H 'content-type: application/json' -d "{\"instanceId\":\"$instance\",\"input\":\"$1\"}" "$origin/v1/runs"; }
state_of() { curl -sf -m 10 -H "authorization: Bearer $key" "$origin/v1/runs/$1" | node -p "JSON.parse(require('fs').readFileSync(0)).state"; }
run=$(ask "Hello from a script." | node -p "JSON.parse(require('fs').readFileSync(0)).id") || fail "a run over REST with the API key of dev.json"
echo "memory of the store: $(ps -o rss= -p "$store_pid" --ppid "$store_pid" | awk '{s+=$1} END {printf "%d MB", s/1024}') (PostgreSQL beside it), disk: $(du -sm "$state" | cut -f1) MB"
kill_everything || exit 1

start_store "$work/third.log" --state "$state" || exit 1
cat "$work/third.log"
grep -q "The main job:" "$work/third.log" && fail "the start after kill -9 did the main job again"
grep -q "is taken" "$work/third.log" && fail "the start after kill -9 found a port taken"
[ "$(state_of "$run")" = SUCCEEDED ] || fail "the run was lost by kill -9"
# A run that takes minutes, so that the kill is in its middle.
curl -sN -m 60 -H "authorization: Bearer $key" -H 'content-type: application/json' -H 'accept: text/event-stream' \
  -d "{\"instanceId\":\"$instance\",\"input\":\"scripted-slow?tokens=2000&delay=50 Tell me everything.\"}" "$origin/v1/runs" >"$work/events" &
for _ in $(seq 1 300); do grep -q -i "delta" "$work/events" && break; sleep 0.1; done
half=$(grep -o '"runId":"[^"]*"' "$work/events" | head -1 | cut -d'"' -f4)
[ -n "$half" ] || fail "the run did not begin: $(head -c 500 "$work/events")"
kill_everything || exit 1

start_store "$work/fourth.log" --state "$state" || exit 1
cat "$work/fourth.log"
for _ in $(seq 1 120); do ended=$(state_of "$half"); case $ended in SUCCEEDED|FAILED) break;; esac; sleep 0.5; done
case $ended in SUCCEEDED|FAILED) ;; *) fail "the run that kill -9 hit is $ended" ;; esac
[ "$(state_of "$run")" = SUCCEEDED ] || fail "the first run was lost by the second kill -9"
ask "Are you there?" >/dev/null || fail "a run after kill -9"
npm run doctor --silent -- --state "$state" || fail "npm run doctor finds a fault after kill -9"
stop_store INT || exit 1
echo "first start, Ctrl-C, demo, kill -9 at rest and in a run ($ended after it): nothing lost, nothing left over"
