#!/usr/bin/env bash
# The main job on the real lfx, installed beforehand into the cache.
set -u
cd "$(dirname "$0")/../.."
. infra/ci/wait-for-store.sh
work=$(mktemp -d); chmod 0711 "$work"; state="$work/state"
trap 'kill -9 $store_pid 2>/dev/null; rm -rf "$work"' EXIT
PATIENCE=1200 start_store "$work/log" --state "$state" --port 4400 --runtime lfx || exit 1
cat "$work/log"
grep -q "lfx 1.13" "$work/log" && grep -q "ledger entry" "$work/log" || { echo "FAILED: the main job did not run on lfx"; exit 1; }
stop_store TERM
