#!/usr/bin/env bash
# Builds candidate/*.tgz again from the checkout and compares the bytes; then final/ has it, its SHA-256 and its tag.
set -euo pipefail
# shellcheck source=ci/tasks/need.sh
. "$(dirname "$0")/need.sh"

need_programs cmp git go make sha256sum
tarballs=(candidate/on-demand-service-broker-*.tgz)
if ((${#tarballs[@]} != 1)) || [[ ! -f "${tarballs[0]}" ]]; then
  echo "promote.sh: there must be one candidate/on-demand-service-broker-VERSION.tgz here" >&2
  exit 1
fi
keep_go_cache
candidate="$PWD/${tarballs[0]}"
name="${candidate##*/}"
version="${name#on-demand-service-broker-}"
version="${version%.tgz}"

again="$(mktemp -d)"
trap 'rm -rf "$again"' EXIT
make -C "$(dirname "$0")/../.." release VERSION="$version" TARBALL="$again/$name"
if ! cmp "$candidate" "$again/$name"; then
  echo "promote.sh: the candidate isn't what this commit builds: it was changed on its way, or the build isn't reproducible" >&2
  exit 1
fi
mkdir -p final
cp "$candidate" "final/$name"
(cd final && sha256sum "$name" | tee "$name.sha256")
echo "v$version" >final/tag
