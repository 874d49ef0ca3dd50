# What a developer does all day. `make help` lists it.
.DEFAULT_GOAL := help

# The module proxy's answers are checked against go.sum; nothing else is needed to build.
export GOFLAGS ?= -buildvcs=false

BIN := bin
DEV := .dev

# What a release is called, and what it is made from.
VERSION ?= 0.0.0+dev.$(or $(COMMIT),unknown)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null)
DIRTY   ?= $(if $(shell git status --porcelain 2>/dev/null),-dirty)
TARBALL ?= $(BIN)/on-demand-service-broker-$(VERSION).tgz

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build odb and the example's adapter into bin/
	go build -o $(BIN)/odb ./cmd/odb
	cd examples/cache && go build -o ../../$(BIN)/cache-adapter .

.PHONY: demo
demo: build ## provision, bind, update, unbind, deprovision: the whole story, told as it happens
	go run ./examples/demo -odb $(BIN)/odb -config examples/cache/broker.yml

.PHONY: run
run: build ## run the example's broker on a development Director until Ctrl-C
	@mkdir -p $(DEV)
	@echo "The broker's log: $(DEV)/odb.log"
	$(BIN)/odb dev --config examples/cache/broker.yml --state $(DEV)/director --log $(DEV)/odb.log

.PHONY: test
test: lint ## vet, staticcheck and every test, with the race detector
	go test -race -shuffle=on -timeout 15m $$(go list ./... | grep -v '/cmd/odb$$')
	go tool ginkgo run -race -procs=4 -randomize-all -timeout 15m ./cmd/odb
	cd examples/cache && go test -race -shuffle=on -timeout 2m ./...
	cd examples/cache-secure && go test -race -shuffle=on -timeout 2m ./...
	cd docs/monitoring && go test -timeout 10m ./...

.PHONY: conformance
conformance: ## check the broker against OSB 2.17, row by row, and print the table
	@out=$$(mktemp); go test -v ./cmd/odb -run TestODB -ginkgo.label-filter conformance -ginkgo.v -ginkgo.no-color > $$out 2>&1; code=$$?; \
		if [ $$code = 0 ]; then sed -n '/^ *A1 /,/not checkable from outside/p' $$out; else cat $$out; fi; rm -f $$out; exit $$code

.PHONY: lint
lint: ## formatting, vet and staticcheck
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not gofmt-ed:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	cd examples/cache && go vet ./...
	cd examples/cache-secure && go vet ./...
	cd docs/monitoring && go vet ./...
	cd cmd/odb/testdata/sdk-adapter && go vet ./...

# The VMs that compile packages have neither Go nor a network, so the program is built here, static, and goes in as it is.
.PHONY: release
release: ## build the BOSH release's tarball into bin/, of the same bytes for the same commit
	CGO_ENABLED=0 GOOS=linux GOARCH=amd64 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o boshrelease/src/odb/odb ./cmd/odb
	go run ./boshrelease/create -version "$(VERSION)" -commit "$(COMMIT)" $(DIRTY) -output "$(TARBALL)"

.PHONY: release-check
release-check: release ## build the release again from what is committed, elsewhere, and compare
	@elsewhere=$$(mktemp -d) && trap 'rm -rf "$$elsewhere"' EXIT && git archive HEAD | tar -x -C "$$elsewhere" && \
	$(MAKE) --no-print-directory -C "$$elsewhere" release VERSION="$(VERSION)" COMMIT="$(COMMIT)" DIRTY="$(DIRTY)" TARBALL="$$elsewhere/again.tgz" && \
	cmp "$(TARBALL)" "$$elsewhere/again.tgz" && sha256sum "$(TARBALL)"

.PHONY: release-test
release-test: ## let the bosh CLI, built from its module, list the release and work with the development Director
	cd boshrelease/cli && go vet ./... && go test -count=1 -timeout 20m ./...

CONTAINER ?= $(notdir $(shell command -v podman || command -v docker))
IMAGE     ?= odb:$(subst +,-,$(VERSION))

.PHONY: bosh
bosh: ## build the bosh CLI into bin/
	go build -C boshrelease/cli -o ../../$(BIN)/bosh github.com/cloudfoundry/bosh-cli/v7

.PHONY: image
image: ## build the container image, with podman or docker (CONTAINER=program, IMAGE=name:tag)
	@test -n "$(CONTAINER)" || { echo "make image needs podman or docker, and neither is here; CONTAINER=program names another one" >&2; exit 1; }
	@$(CONTAINER) info >/dev/null 2>&1 || { echo "$(CONTAINER) is here, but can't build; '$(CONTAINER) info' says why" >&2; exit 1; }
	$(CONTAINER) build --file Containerfile --build-arg VERSION="$(VERSION)" --tag "$(IMAGE)" .

.PHONY: docs
docs: ## write the pages that are made from the program anew
	go run ./docs/generate

.PHONY: docs-check
docs-check: ## check the pages: links, commands, what is generated; run the code blocks that are marked for it
	go test -count=1 ./docs/...

.PHONY: fuzz
fuzz: ## run each fuzz test for FUZZTIME (default 20s)
	@for target in $$(grep -rhoE --include='*_test.go' '^func Fuzz\w+' . | awk '{print $$2}' | sort -u); do \
		dir=$$(dirname $$(grep -rlE --include='*_test.go' "^func $$target\(" . | head -1)); \
		echo "== $$target in $$dir"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $${FUZZTIME:-20s} $$dir || exit 1; \
	done
	@echo "== requests that nobody thought of, of ODB_FUZZ_SEED if it is set"; ODB_FUZZ_REQUESTS=$${ODB_FUZZ_REQUESTS:-20000} go test -count=1 -timeout 30m ./cmd/odb -run TestODB -ginkgo.focus "requests that nobody thought of"

.PHONY: bench
bench: build ## measure the broker as a process: CPU, Director requests, latency (see docs/BENCHMARKS.md)
	go run ./bench -odb $(BIN)/odb

.PHONY: bench-fleet
bench-fleet: build ## measure upgrade, recreate and delete of 1 000 service instances; fails if a target is missed
	go run ./bench -fleet -check -odb $(BIN)/odb

.PHONY: soak
soak: ## five minutes of two brokers side by side under load, killed at random (SOAK=duration, SEED=number)
	go test -race -count=1 -timeout 30m -v ./soak -args -soak $${SOAK:-5m} -seed $${SEED:-1}

.PHONY: clean
clean: ## remove what make built and what make run kept
	rm -rf $(BIN) $(DEV) boshrelease/src
