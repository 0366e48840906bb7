#!/usr/bin/env bash
# The first start as an ordinary user, from a copy of the checkout that belongs to it. Run as root.
set -u
cd "$(dirname "$0")/../.."
id agentstore-ci >/dev/null 2>&1 || useradd --create-home agentstore-ci || exit 1
home=$(getent passwd agentstore-ci | cut -d: -f6)
rm -rf "$home/checkout"; mkdir "$home/checkout"
git ls-files -z | xargs -0 cp --parents -t "$home/checkout"
cp -a node_modules "$home/checkout/node_modules"
chown -R agentstore-ci "$home/checkout"
runuser -u agentstore-ci -- env HOME="$home" PATH="$PATH" bash -c '
  cd ~/checkout && . infra/ci/wait-for-store.sh
  state=$PWD/.agentstore
  start_store ~/start.log --state "$state" --port 4500 || exit 1
  cat ~/start.log
  grep -q "ledger entry" ~/start.log && stop_store INT'
code=$?
rm -rf "$home/checkout"
exit $code
