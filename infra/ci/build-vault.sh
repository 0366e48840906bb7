#!/bin/sh
# Builds the Vault core that tests/contract/secrets runs against, once per state of vault-core/ and Go toolchain, into a cache outside the tree.
# Prints the path of the binary on stdout and nothing else; safe to run twice at once, and in the background.
set -eu

source=$(cd "$(dirname "$0")/vault-core" && pwd)
command -v go >/dev/null || { echo "build-vault: Go is not installed" >&2; exit 3; }
cache="${AGENTSTORE_CACHE:-$HOME/.cache/agentstore}"
state=$(cd "$source" && cat go.mod go.sum main.go | sha256sum | cut -c1-12)
home="$cache/vault-core-1.14.1-$state-$(go env GOVERSION)"
binary="$home/vault-core"

if [ ! -x "$binary" ]; then
  mkdir -p "$home"
  work=$(mktemp -d "$home/build.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM
  (cd "$source" && GOTOOLCHAIN=local CGO_ENABLED=0 nice -n 19 \
    go build -mod=readonly -buildvcs=false -trimpath -ldflags='-s -w' -o "$work/vault-core" .) >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; exit 1; }
  mv -f "$work/vault-core" "$binary" # atomic: a second builder at the same time loses nothing
fi
echo "$binary"
