#!/usr/bin/env bash
# Deploys candidate/*.tgz to the environment, and then runs the errands of a tile, in their order.
# Beside it must be environment/manifest.yml, which names the release's version ((odb_version)); environment/vars.yml and
# environment/ops/*.yml are used if they are there. The BOSH_… variables are those of the bosh CLI.
set -euo pipefail
# shellcheck source=ci/tasks/need.sh
. "$(dirname "$0")/need.sh"

need_programs bosh
need_variables BOSH_ENVIRONMENT BOSH_CLIENT BOSH_CLIENT_SECRET BOSH_DEPLOYMENT
export BOSH_NON_INTERACTIVE=true

tarballs=(candidate/on-demand-service-broker-*.tgz)
if ((${#tarballs[@]} != 1)) || [[ ! -f "${tarballs[0]}" ]]; then
  echo "deploy.sh: there must be one candidate/on-demand-service-broker-VERSION.tgz here" >&2
  exit 1
fi
version="${tarballs[0]##*/on-demand-service-broker-}"
version="${version%.tgz}"

arguments=(--var "odb_version=$version")
[[ ! -f environment/vars.yml ]] || arguments+=(--vars-file environment/vars.yml)
for ops in environment/ops/*.yml; do
  [[ ! -f "$ops" ]] || arguments+=(--ops-file "$ops")
done

bosh upload-release "${tarballs[0]}"
bosh deploy "${arguments[@]}" environment/manifest.yml
bosh run-errand register-broker
bosh run-errand upgrade-all-service-instances
