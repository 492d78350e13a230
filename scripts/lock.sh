#!/usr/bin/env bash
# Resolve requirements/*.in into hashed locks, free of any index address. Arguments go to uv (e.g. --upgrade-package rich).
set -euo pipefail
cd "$(dirname "$0")/.."
options=(--quiet --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links
  --custom-compile-command "make lock")
for name in runtime dev; do
  printf '· requirements/%s.txt\n' "$name"
  constraint=()
  [[ $name == dev ]] && constraint=(--constraint requirements/runtime.txt)
  .venv/bin/uv pip compile "${options[@]}" "${constraint[@]}" "$@" "requirements/$name.in" -o "requirements/$name.txt"
done
