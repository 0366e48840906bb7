# Sourced by the start scripts: starts the store in the background and waits until it has said "Up in".
# start_store LOG [options]; sets store_pid. Fails with the log when it does not come up.
start_store() {
  local log=$1; shift
  npm start --silent -- "$@" >"$log" 2>&1 &
  store_pid=$!
  for _ in $(seq 1 "${PATIENCE:-600}"); do
    if grep -q "Up in" "$log"; then return 0; fi
    if ! kill -0 "$store_pid" 2>/dev/null; then break; fi
    sleep 0.5
  done
  echo "the store did not come up:"; cat "$log"; return 1
}
# stop_store SIGNAL: ends the store (and the npm before it, which passes no kill -9 on) and checks that nothing of it is left.
stop_store() {
  pkill "-$1" -f "infra/dev/main.js --state $state"
  [ "$1" = KILL ] && kill -9 "$store_pid" 2>/dev/null
  wait "$store_pid" 2>/dev/null
  for _ in $(seq 1 60); do
    if ! pgrep -f -- "$state" >/dev/null; then return 0; fi
    sleep 0.25
  done
  echo "left over after SIG$1:"; pgrep -af -- "$state"; return 1
}
