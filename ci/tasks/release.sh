#!/usr/bin/env bash
# Builds release/on-demand-service-broker-VERSION.tgz, of the version in version/version.
# By hand, in an empty folder: mkdir version && echo 1.2.3 > version/version && PATH-TO-CHECKOUT/ci/tasks/release.sh
set -euo pipefail
# shellcheck source=ci/tasks/need.sh
. "$(dirname "$0")/need.sh"

need_programs go git make
[[ -s version/version ]] || { echo "release.sh: there is no version/version here, which says what the release is called" >&2; exit 1; }
keep_go_cache
version="$(<version/version)"
mkdir -p release
make -C "$(dirname "$0")/../.." release VERSION="$version" TARBALL="$PWD/release/on-demand-service-broker-$version.tgz"
