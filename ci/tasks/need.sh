# Sourced by the tasks: tells at once, and all of it, what is missing to run one by hand.

# need_programs NAME…: programs that must be on the PATH.
need_programs() {
  local program missing=()
  for program in "$@"; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  if ((${#missing[@]})); then
    echo "${0##*/}: not on the PATH: ${missing[*]}" >&2
    exit 1
  fi
}

# need_variables NAME…: environment variables that must not be empty. Their values are never printed.
need_variables() {
  local variable missing=()
  for variable in "$@"; do
    [[ -n "${!variable:-}" ]] || missing+=("$variable")
  done
  if ((${#missing[@]})); then
    echo "${0##*/}: not set: ${missing[*]}" >&2
    exit 1
  fi
}

# keep_go_cache has Go's downloads and builds kept from one run of a task to the next, where Concourse has made a place for it.
keep_go_cache() {
  if [[ -d cache ]]; then
    export GOMODCACHE="$PWD/cache/modules" GOCACHE="$PWD/cache/builds"
  fi
}
