# widgets.pro: `make help` lists what there is to do.

GOLANGCI_LINT := v2.15.0
TOOLS         := build/tools/$(GOLANGCI_LINT)
VERSION       := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GOFLAGS_OUT   := -trimpath -ldflags "-s -w -X widgets.pro/shared/release.version=$(VERSION)"

FRONTEND_SOURCES := $(shell find frontend/src frontend/public -type f 2>/dev/null) $(wildcard frontend/*.html frontend/*.mjs) frontend/package-lock.json
GO_SOURCES       := $(shell find app shared syncserver frontend main.go -name '*.go' -not -name '*_test.go' -not -path '*/node_modules/*' 2>/dev/null) go.mod go.sum

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

.PHONY: run
run: setup-desktop build/bin/widgets build/bin/widgets-server ## build what is missing, start a sync server and the desktop app
	@build/scripts/run.sh

.PHONY: build
build: setup-desktop build/bin/widgets build/bin/widgets-server build/bin/widgetsctl ## build the programs into build/bin

.PHONY: test
test: setup-test build/bin/widgets build/bin/widgets-server build/bin/widgets-server-ahead ## run every test: Go with the race detector, front end, browser, real window
	@build/scripts/test.sh

.PHONY: check
check: frontend/dist/.built ## the quick tests: no race detector, no browser, no window
	go vet ./...
	go test ./...
	npm --prefix frontend run --silent check
	npm --prefix frontend run --silent test

.PHONY: lint
lint: $(TOOLS)/golangci-lint frontend/dist/.built ## check style, import rules and formatting
	$(TOOLS)/golangci-lint run ./...
	npm --prefix frontend run --silent lint

.PHONY: bench
bench: setup-test build/bin/widgets-server ## measure, beside a floor in the same run (needs nginx and wrk)
	@build/bench/run.sh

.PHONY: crash
crash: setup-desktop build/bin/widgets build/bin/widgets-server ## kill both programs 200 times each under load, and check that nothing was lost
	go run ./build/crash

.PHONY: fuzz
fuzz: frontend/dist/.built ## fuzz every decoder for FUZZTIME each (default 30s)
	@build/scripts/fuzz.sh $(or $(FUZZTIME),30s)

.PHONY: simulate
simulate: ## simulate replicas for STEPS steps (default ten million), with seeds that were not tried before
	go run ./build/simulate -steps $(or $(STEPS),10000000)

.PHONY: clean
clean: ## remove what was built
	rm -rf build/bin build/tools build/test-results frontend/node_modules
	find frontend/dist -mindepth 1 -not -name .gitkeep -delete

.PHONY: setup-desktop setup-test
setup-desktop:
	@build/scripts/setup.sh desktop
setup-test:
	@build/scripts/setup.sh test

frontend/node_modules/.package-lock.json: frontend/package.json frontend/package-lock.json
	cd frontend && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

frontend/dist/.built: frontend/node_modules/.package-lock.json $(FRONTEND_SOURCES)
	npm --prefix frontend run --silent build
	@touch $@

build/bin/widgets: frontend/dist/.built $(GO_SOURCES)
	CGO_ENABLED=1 go build $(GOFLAGS_OUT) -tags desktop,production,webkit2_41 -o $@ .

build/bin/widgets-server: frontend/dist/.built $(GO_SOURCES)
	CGO_ENABLED=0 go build $(GOFLAGS_OUT) -o $@ ./syncserver

build/bin/widgets-server-ahead: frontend/dist/.built $(GO_SOURCES)
	CGO_ENABLED=0 go build $(GOFLAGS_OUT) -o $@ ./syncserver/servertest/ahead

build/bin/widgetsctl: $(GO_SOURCES)
	CGO_ENABLED=0 go build $(GOFLAGS_OUT) -o $@ ./app/cmd/widgetsctl

$(TOOLS)/golangci-lint:
	GOBIN=$(CURDIR)/$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT)
