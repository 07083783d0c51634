#!/bin/sh
# Makes an environment with rolecall, from the very commit of this action, and writes its Python to the step output
# `python`. INPUT_PYTHON names a Python that has rolecall already, and nothing is installed.
set -eu
if [ -n "${INPUT_PYTHON:-}" ]; then
  "$INPUT_PYTHON" -c 'import rolecall' || { echo "::error title=rolecall::$INPUT_PYTHON has no rolecall"; exit 1; }
  echo "python=$INPUT_PYTHON" >>"$GITHUB_OUTPUT"
  exit 0
fi
here=$(cd "$(dirname "$0")/.." && pwd)
venv=${RUNNER_TEMP:-/tmp}/rolecall-venv
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
# Every file that is installed is one that the lock files name by its hash.
pip() { "$venv/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }
pip install --require-hashes -r "$here/requirements.lock" -r "$here/requirements-build.lock"
pip install --no-deps --no-build-isolation "$here"
echo "python=$venv/bin/python" >>"$GITHUB_OUTPUT"
