#!/usr/bin/env bash
# Goes through a service instance's whole life with the cf CLI, version 8, in a space of its own that it removes.
# The user (CF_USERNAME, CF_PASSWORD) must be a manager of the organization CF_ORG. With OTHER_PLAN the instance is moved
# to that plan.
set -euo pipefail
# shellcheck source=ci/tasks/need.sh
. "$(dirname "$0")/need.sh"

need_programs cf
need_variables CF_API CF_USERNAME CF_PASSWORD CF_ORG SERVICE PLAN

# A cf home of its own, so that whoever runs this by hand stays logged in where they were.
CF_HOME="$(mktemp -d)"
export CF_HOME
trap 'rm -rf "$CF_HOME"' EXIT
space="odb-acceptance-$(date -u +%Y%m%d%H%M%S)-$$"
instance=acceptance

clean_up() {
  local code=$?
  trap - EXIT
  if ((code != 0)); then
    echo "acceptance.sh: failed; what Cloud Foundry says of the instance:" >&2
    cf service "$instance" >&2 || true
  fi
  cf delete-service-key "$instance" key -f --wait >&2 || true # the next line fails if it's still there
  if cf delete-service "$instance" -f --wait >&2; then
    cf delete-space "$space" -o "$CF_ORG" -f >&2 || code=1
  else
    echo "acceptance.sh: the instance couldn't be deleted; space $space is left for you to look at" >&2
    code=1
  fi
  rm -rf "$CF_HOME"
  exit "$code"
}

cf api "$CF_API"
cf auth # takes CF_USERNAME and CF_PASSWORD from the environment
cf create-space "$space" -o "$CF_ORG"
trap clean_up EXIT
cf target -o "$CF_ORG" -s "$space"

cf create-service "$SERVICE" "$PLAN" "$instance" --wait
cf create-service-key "$instance" key --wait
guid="$(cf service-key "$instance" key --guid | tail -n 1)"
# Only whether there are credentials is looked at: they must not be in the log.
details="$(cf curl --fail "/v3/service_credential_bindings/$guid/details")"
if ! [[ "$details" =~ \"credentials\":[[:space:]]*\{[[:space:]]*\" ]]; then
  echo "acceptance.sh: the service key has no credentials" >&2
  exit 1
fi
if [[ -n "${OTHER_PLAN:-}" ]]; then
  cf update-service "$instance" -p "$OTHER_PLAN" --wait
fi
cf delete-service-key "$instance" key -f --wait
cf delete-service "$instance" -f --wait
echo "acceptance.sh: $SERVICE was provisioned, bound, ${OTHER_PLAN:+updated, }unbound and deprovisioned"
