#!/usr/bin/env bash
# What a newcomer does, as an ordinary user, in a clean checkout and with an empty npm cache: npm ci && npm start, Ctrl-C, a second start.
# Says how long each took and what the store uses. Run as root it makes the user; anyone else is one already.
set -um
cd "$(dirname "$0")/../.."
child=
work=$(mktemp -d); chmod 0755 "$work"
home="$work/home"; mkdir -p "$home/checkout"
# What is left of the group that this started, and PostgreSQL, which is in one of its own and has this folder in its arguments.
cleanup() { [ -n "$child" ] && kill -9 -- "-$child" 2>/dev/null; pkill -9 -f -- "$home/checkout/"; wait; rm -rf "$work"; }
trap cleanup EXIT
trap 'exit 130' INT TERM
git ls-files -z | xargs -0 cp --parents -t "$home/checkout" || exit 1

as_user=()
if [ "$(id -u)" = 0 ]; then
  id agentstore-ci >/dev/null 2>&1 || useradd --no-create-home agentstore-ci || exit 1
  chown -R agentstore-ci "$home"
  as_user=(runuser -u agentstore-ci --)
fi

# In the background, so that the traps are served while it runs.
"${as_user[@]}" env -u AGENTSTORE_CACHE HOME="$home" npm_config_cache="$home/npm-cache" PATH="$PATH" bash -c '
  set -u
  cd "$HOME/checkout" && . infra/ci/wait-for-store.sh
  fail() { echo "FAILED: $*"; exit 1; }
  now() { date +%s.%N; }
  since() { awk "BEGIN { printf \"%.1f s\", $(now) - $1 }"; }
  # Pages shared by several processes count once: the sum of the proportional sizes.
  memory() { local kb=0 pid; for pid in "$@"; do kb=$((kb + $(awk "/^Pss:/ { print \$2 }" "/proc/$pid/smaps_rollup" 2>/dev/null || echo 0))); done; echo "$((kb / 1024)) MB"; }
  state=$PWD/.agentstore

  began=$(now); npm ci --no-audit --no-fund || fail "npm ci"; install=$(since "$began")
  began=$(now); start_store "$HOME/first.log" --state "$state" --port 4500 || exit 1; first=$(since "$began")
  cat "$HOME/first.log"
  grep -q "ledger entry" "$HOME/first.log" || fail "the first start did not show the main job"
  store=$(pgrep -f "infra/dev/main.js --state $state" | tail -1)
  server=$(head -1 "$state/postgres/postmaster.pid")
  used="memory: store $(memory "$store"), PostgreSQL $(memory "$server" $(pgrep -P "$server"))"
  stop_store INT || exit 1
  began=$(now); start_store "$HOME/second.log" --state "$state" || exit 1; second=$(since "$began")
  grep -q "The main job:" "$HOME/second.log" && fail "the second start did the main job again"
  stop_store INT || exit 1
  echo "as $(id -un), Node $(node -v) outside, npm $(npm -v): npm ci $install, first start with the main job $first, second start $second"
  echo "$used; disk: packages $(du -sm --total node_modules */node_modules */*/node_modules 2>/dev/null | tail -1 | cut -f1) MB, data $(du -sm "$state" | cut -f1) MB"
' &
child=$!
wait "$child"
