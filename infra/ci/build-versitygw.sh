#!/bin/sh
# Builds the S3 server that tests/contract/objects runs against, once per version and Go toolchain, into a cache outside the tree.
# Prints the path of the binary on stdout and nothing else; safe to run twice at once, and in the background.
set -eu

version=1.8.0
command -v go >/dev/null || { echo "build-versitygw: Go is not installed" >&2; exit 3; }
cache="${AGENTSTORE_CACHE:-$HOME/.cache/agentstore}"
home="$cache/versitygw-$version-$(go env GOVERSION)"
binary="$home/versitygw"

if [ ! -x "$binary" ]; then
  mkdir -p "$home"
  work=$(mktemp -d "$home/build.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM
  GOTOOLCHAIN=local GOBIN="$work" CGO_ENABLED=0 nice -n 10 \
    go install -trimpath -ldflags='-s -w' "github.com/versity/versitygw/cmd/versitygw@v$version" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; exit 1; }
  mv -f "$work/versitygw" "$binary" # atomic: a second builder at the same time loses nothing
fi
echo "$binary"
