# Two commands are enough for a start: make run, make test.
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
TOOL     = $(GO) tool -modfile=tools.mod

# Doors that run on a machine of one's own; every other one is a Lambda.
NATIVE  := idleseat relay
DOORS   := $(notdir $(patsubst %/main.go,%,$(wildcard functions/*/main.go)))
LAMBDAS := $(filter-out $(NATIVE),$(DOORS))
LDFLAGS  = -s -w -buildid= -X main.version=$(VERSION)

.PHONY: run test test-ad check bench build $(DOORS)

run: ## the whole chain against a simulated company; no account, no network
	$(GO) run ./functions/idleseat demo

test:
	$(GO) test ./...

test-ad: ## the same against a real Samba domain; installs Samba when run as root on Debian
	IDLESEAT_TEST_SAMBA=1 $(GO) test -count=1 -timeout 20m ./shared/activedirectory/... ./shared/collect/... ./shared/sandbox/samba/... ./functions/...

check:
	@test -z "$$(gofmt -l functions shared infra)" || { gofmt -l functions shared infra; echo "run gofmt -w on these files"; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(GO) test -count=1 ./shared

bench: ## about ten minutes; on a quiet machine
	$(GO) test -run '^$$' -bench . ./shared/policy ./shared/entra
	$(GO) test -run '^$$' -bench . -benchtime 3x -cpu 1 -timeout 20m ./shared/evaluate
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./functions/idleseat
	IDLESEAT_TEST_SAMBA=1 $(GO) test -run '^$$' -bench . -benchtime 5x -timeout 30m ./shared/activedirectory
	IDLESEAT_TEST_SAMBA=1 $(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./functions/relay

build: $(DOORS)

$(filter $(NATIVE),$(DOORS)):
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/$@ ./functions/$@

$(LAMBDAS):
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) build -tags lambda.norpc -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/$@/bootstrap ./functions/$@
