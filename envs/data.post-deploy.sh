#!/usr/bin/env bash
# Adds the library itself to the environment, from the project's folder.
set -euo pipefail
pip install --no-deps --editable "${LUSCO_PROJECT:-.}"
