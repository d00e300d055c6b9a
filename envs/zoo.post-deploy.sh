#!/usr/bin/env bash
# Adds the library itself to the environment, from the project's folder.
set -euo pipefail
pip install --quiet --no-deps --editable "${LUSCO_PROJECT:-.}"
