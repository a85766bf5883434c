#!/usr/bin/env bash
# Sets msgbot up in .venv beside this file, then runs a command in it.
#   ./setup.sh run [ARGUMENTS...]   installs msgbot and runs `msgbot ARGUMENTS` (the demo, if there are none)
#   ./setup.sh test                 installs msgbot with its development tools and runs every check and test
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
what=${1:-}
[ "$what" = run ] || [ "$what" = test ] || { echo "usage: ./setup.sh run [ARGUMENTS...] | test" >&2; exit 2; }
shift

python=${PYTHON:-python3}
command -v "$python" >/dev/null || { echo "setup.sh: $python is not installed; msgbot needs Python 3.11 or newer" >&2; exit 2; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "setup.sh: $("$python" -V) is too old; msgbot needs 3.11 or newer (PYTHON=/path/to/python3.11 ./setup.sh ...)" >&2; exit 2; }

if [ "$what" = test ]; then
  shared=${MSGBOT_SHARED:-../shared}
  [[ $shared = /* ]] || shared=$here/$shared
  [ -d "$shared/spapi" ] || { echo "setup.sh: the tests need Amazon's models, which are not in $shared/spapi: set MSGBOT_SHARED to the folder that holds spapi/" >&2; exit 2; }
fi

venv=$here/.venv
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
install() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint "$here/constraints.txt" "$@"; }

if [ "$what" = run ]; then
  install --editable "$here"
  [ $# -gt 0 ] || set -- demo
  exec "$venv/bin/msgbot" "$@"
fi

install --editable "$here[dev]"
cd "$here"
export PATH="$venv/bin:$PATH"
ruff check .
ruff format --check .
mypy
lint-imports --no-cache
pytest --cov --cov-report=term:skip-covered "$@"
