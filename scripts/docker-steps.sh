#!/usr/bin/env bash
# Carries out .actor/Dockerfile without Docker: each stage in a clean folder of its own, COPY and RUN as they stand, and CMD
# at the end, as a crawl of the demo site and as an Actor's run. What it cannot show is the base image: its Node, its Chrome,
# its user. CI runs it; it needs npm's registry.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stage=
count=0

while IFS= read -r line; do
  read -r -a words <<<"$line"
  case "${words[0]:-}" in
    FROM)
      count=$((count + 1))
      stage=$work/${words[3]:-final}
      mkdir -p "$stage"
      echo "== stage $count: ${words[3]:-final}"
      ;;
    COPY)
      source=$root
      paths=()
      for word in "${words[@]:1}"; do
        case $word in
          --from=*) source=$work/${word#--from=} ;;
          --chown=*) ;;
          *) paths+=("${word#/home/myuser/}") ;;
        esac
      done
      target=$stage/${paths[-1]}
      for path in "${paths[@]:0:${#paths[@]}-1}"; do
        echo "-- copy $path"
        cp -r "$source/$path" "$target"
      done
      ;;
    RUN)
      echo "-- ${line#RUN }"
      (cd "$stage" && unset NODE_PATH && bash -euo pipefail -c "${line#RUN }")
      ;;
    CMD)
      # ["node", "dist/main.js"] as words.
      command=$(sed -e 's/^CMD *\[//; s/\] *$//; s/", *"/ /g; s/"//g' <<<"$line")
      echo "-- $command"
      cd "$stage"
      test ! -e node_modules/vitest || { echo 'The development dependencies are still there.' >&2; exit 1; }
      $command --max-requests 5 --storage-dir "$work/plain"
      mkdir -p "$work/actor/key_value_stores/default"
      echo '{ "maxPagesPerCrawl": 5 }' >"$work/actor/key_value_stores/default/INPUT.json"
      CRAWLEE_STORAGE_DIR=$work/actor $command --actor
      test -s "$work/actor/key_value_stores/default/OUTPUT.json"
      test "$(find "$work/actor/datasets/default" -name '*.json' | wc -l)" -eq 4
      ;;
    ENV) export "${words[1]}" ;;
  esac
done <.actor/Dockerfile
echo "The Dockerfile's steps work."
