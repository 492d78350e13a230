#!/usr/bin/env bash
# Make .venv from the lock, with everything a developer needs. Quick and silent when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."
UV_VERSION=0.13.8
STAMP=.venv/.carillon-stamp

say() { printf '· %s\n' "$*"; }
fail() { printf '✗ %s\n' "$*" >&2; exit 1; }

suitable_python() { # the first interpreter that is 3.11 or newer and can make environments
  local name
  for name in "${PYTHON:-python3.11}" python3.11 python3 python3.12 python3.13; do
    if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      printf '%s' "$name"
      return
    fi
  done
}

java_is_17() {
  local version
  version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n1) || return 1
  [[ -n $version && $version -ge 17 ]]
}

missing_packages() { # Debian's names of what this machine lacks
  [[ -n $(suitable_python) ]] || printf 'python3 python3-venv '
  java_is_17 || printf 'openjdk-17-jre-headless '
  command -v mvn >/dev/null || printf 'maven '
  command -v node >/dev/null || printf 'nodejs '
  command -v npm >/dev/null || printf 'npm '
}

install_missing() {
  local wanted
  read -r -a wanted <<<"$(missing_packages)" || true
  ((${#wanted[@]})) || return 0
  if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    say "installing ${wanted[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
    [[ -z $(missing_packages) ]] || fail "still missing after apt-get: $(missing_packages)"
  else
    fail "please install (Debian's names): ${wanted[*]}. Needed: Python 3.11+ with venv, Java 17+, Maven, Node.js with npm."
  fi
}

# Debian's mail server and Caddy, which one test each goes through. Conveniences: nothing else needs them, no other mail
# server is replaced, and neither stays running.
conveniences() {
  [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 0
  [[ -e /usr/sbin/sendmail || -e /usr/sbin/smtpd ]] || convenience opensmtpd
  command -v caddy >/dev/null || convenience caddy
  command -v chromium >/dev/null || command -v google-chrome >/dev/null || convenience chromium
}

convenience() {
  say "installing $1"
  if DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null 2>&1; then
    systemctl disable --now "$1" >/dev/null 2>&1 || true
  else
    say "$1 cannot be installed; the test that goes through it is skipped"
  fi
}

# What the environment is made from. The interpreter is part of it: extensions are built for one version.
fingerprint() {
  { cat requirements/dev.txt pyproject.toml scripts/setup.sh ./*/package-lock.json clients/js/package-lock.json \
    tests/contract/js/package-lock.json 2>/dev/null; "$(suitable_python)" -V; pwd; } | sha256sum | cut -d' ' -f1
}

environment() {
  local python
  python=$(suitable_python)
  if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    say "making .venv with $("$python" -V)"
    rm -rf .venv
    "$python" -m venv .venv
  fi
  if [[ $(.venv/bin/uv --version 2>/dev/null) != "uv $UV_VERSION"* ]]; then
    say "installing uv $UV_VERSION"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION"
  fi
  say "installing the locked requirements"
  VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip install --quiet --require-hashes -r requirements/dev.txt
  # compat puts the repository on the path, so a new top-level package needs no new installation.
  say "installing carillon itself (editable)"
  VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip install --quiet --no-deps --no-build-isolation -C editable_mode=compat --editable .
  .venv/bin/python -c 'import faust._cython.streams' \
    || fail "faust-streaming came without its compiled extension; the router would lose its guarantees. Remove .venv and try again."
}

javascript() { # each directory with a lock: the client library, clients for the contract tests, the web interface
  local lock
  for lock in clients/js/package-lock.json tests/contract/js/package-lock.json ./*/package-lock.json; do
    [[ -f $lock ]] || continue
    say "installing $(dirname "$lock")/node_modules"
    npm ci --prefix "$(dirname "$lock")" --silent --no-fund --no-audit
  done
}

install_missing
wanted=$(fingerprint)
if [[ -f $STAMP && $(cat "$STAMP") == "$wanted" ]]; then
  exit 0
fi
environment
javascript
conveniences
printf '%s' "$wanted" >"$STAMP"
say "ready: .venv/bin/carillon"
