#!/usr/bin/env bash
# What a user does: first start with the main job, the demo again, kill -9 of everything, a second start that has lost nothing.
set -u
cd "$(dirname "$0")/../.."
. infra/ci/wait-for-store.sh
work=$(mktemp -d); chmod 0711 "$work"; state="$work/state"
trap 'kill -9 $store_pid 2>/dev/null; rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

start_store "$work/first.log" --state "$state" --port 4300 || exit 1
cat "$work/first.log"
for said in "order paid → ACTIVE" "commit" "ledger entry" "transfer"; do grep -q "$said" "$work/first.log" || fail "the first start did not show: $said"; done
npm run demo --silent -- --state "$state" || fail "npm run demo"
npm run doctor --silent -- --state "$state" || fail "npm run doctor finds a fault in a store that is well"
origin=$(node -p "JSON.parse(require('fs').readFileSync('$state/dev.json')).urls.origin")
key=$(node -p "JSON.parse(require('fs').readFileSync('$state/dev.json')).demo.apiKey")
instance=$(node -p "JSON.parse(require('fs').readFileSync('$state/dev.json')).demo.instanceId")
ask() { curl -sf -m 30 -H "authorization: Bearer $key" -H 'content-type: application/json' -d "{\"instanceId\":\"$instance\",\"input\":\"Hello from a script.\"}" "$origin/v1/runs"; }
run=$(ask | node -p "JSON.parse(require('fs').readFileSync(0)).id") || fail "a run over REST with the API key of dev.json"
echo "memory of the store: $(ps -o rss= -p "$store_pid" --ppid "$store_pid" | awk '{s+=$1} END {printf "%d MB", s/1024}') (PostgreSQL beside it), disk: $(du -sm "$state" | cut -f1) MB"
stop_store KILL || exit 1
start_store "$work/second.log" --state "$state" || exit 1
cat "$work/second.log"
grep -q "The main job:" "$work/second.log" && fail "the second start did the main job again"
curl -sf -m 10 -H "authorization: Bearer $key" "$origin/v1/runs/$run" | grep -q SUCCEEDED || fail "the run was lost by kill -9"
ask >/dev/null || fail "a run after kill -9"
npm run doctor --silent -- --state "$state" || fail "npm run doctor finds a fault after kill -9"
stop_store INT || exit 1
echo "first start, demo, kill -9, second start: nothing lost, nothing left over"
