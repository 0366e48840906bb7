# Sourced by the start scripts: starts the store in the background and waits until it has said "Up in".
# start_store LOG [options]; sets store_pid. Fails with the log when it does not come up.
start_store() {
  local log=$1; shift
  npm start --silent -- "$@" >"$log" 2>&1 &
  store_pid=$!
  wait_until "Up in" "$log"
}
# start_in_terminal LOG [options]: the same in a terminal of its own, whose keys are typed with type_ctrl_c.
start_in_terminal() {
  local log=$1; shift
  rm -f "$log.keys"; mkfifo "$log.keys"
  script -qec "npm start --silent -- $*" /dev/null <"$log.keys" >"$log" 2>&1 &
  store_pid=$!
  exec 3>"$log.keys"
  wait_until "Up in" "$log"
}
# type_ctrl_c LOG: what a person does. The whole process group gets the signal, and npm passes its own on.
type_ctrl_c() {
  local code
  printf '\003' >&3
  wait "$store_pid"; code=$?
  exec 3>&-
  [ $code = 0 ] || { echo "Ctrl-C ended with $code:"; cat "$1"; return 1; }
  grep -q "Stopped\." "$1" || { echo "Ctrl-C did not stop in order:"; cat "$1"; return 1; }
  nothing_left "Ctrl-C"
}
# wait_until TEXT LOG: until the store has said it.
wait_until() {
  for _ in $(seq 1 "${PATIENCE:-600}"); do
    if grep -q "$1" "$2"; then return 0; fi
    if ! kill -0 "$store_pid" 2>/dev/null; then break; fi
    sleep 0.5
  done
  echo "the store did not come up:"; cat "$2"; return 1
}
# stop_store SIGNAL: ends the store (and the npm before it, which passes no kill -9 on) and checks that nothing of it is left.
stop_store() {
  pkill "-$1" -f "infra/dev/main.js --state $state"
  [ "$1" = KILL ] && kill -9 "$store_pid" 2>/dev/null
  wait "$store_pid" 2>/dev/null
  nothing_left "SIG$1"
}
# kill_everything: the power cut. npm, node, the guards and every PostgreSQL process at once, so that nothing is left to stop PostgreSQL in order.
kill_everything() {
  local postgres guards pid
  postgres=$(processes_in "$state/postgres")
  guards=$(for pid in $postgres; do pgrep -f "guard -?$pid (INT|KILL)"; done)
  [ -n "$postgres" ] && [ -n "$guards" ] || { echo "PostgreSQL or its guard was not found"; return 1; }
  # Frozen first: a guard must not see its owner end before it ends itself.
  # shellcheck disable=SC2086
  kill -STOP $guards
  # shellcheck disable=SC2086
  kill -9 "$store_pid" $(pgrep -f "infra/dev/main.js --state $state") $postgres $guards 2>/dev/null
  wait "$store_pid" 2>/dev/null
  nothing_left "kill -9 of everything"
}
# processes_in DIRECTORY: those that work there, as every PostgreSQL process does in its data directory.
processes_in() {
  local link
  for link in /proc/[0-9]*/cwd; do
    if [ "$(readlink "$link" 2>/dev/null)" = "$1" ]; then link=${link#/proc/}; echo "${link%/cwd}"; fi
  done
}
nothing_left() {
  for _ in $(seq 1 240); do
    if ! pgrep -f -- "$state" >/dev/null && [ -z "$(processes_in "$state/postgres")" ]; then return 0; fi
    sleep 0.25
  done
  echo "left over after $1:"; pgrep -af -- "$state"; processes_in "$state/postgres"; return 1
}
