#!/usr/bin/env bash
# Installs the pinned lfx into the cache (AGENTSTORE_CACHE) and prints its folder; at once when it is there. Needs Python >= 3.11.
set -eu
cd "$(dirname "$0")/../.."
exec node_modules/.bin/node infra/dev/runtime/install.ts
