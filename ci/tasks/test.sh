#!/usr/bin/env bash
# Runs vet, staticcheck and all tests, and lets the bosh CLI see the release. By hand: `make test release-test` is the same.
set -euo pipefail
# shellcheck source=ci/tasks/need.sh
. "$(dirname "$0")/need.sh"

need_programs go gcc git make ruby
keep_go_cache
make -C "$(dirname "$0")/../.." test release-test
