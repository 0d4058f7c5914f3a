# Two commands are enough for a start: make run, make test.
GO      ?= go
FUZZTIME ?= 10m
SEEDS   ?= 1000
PEOPLE  ?= 300
FIRST   ?= 1
VULNDB  ?= https://vuln.go.dev
TOOL     = $(GO) tool -modfile=tools.mod

# Commands run on a machine of your own. Every other folder of functions/ is a function that runs in Lambda.
COMMANDS  := idleseat relay
FUNCTIONS := $(filter-out $(COMMANDS),$(notdir $(patsubst %/main.go,%,$(wildcard functions/*/main.go))))
LDFLAGS  = -s -w -buildid=
TARGETS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 lambda

.PHONY: run test test-ad test-browser test-engines test-kills test-spreadsheet test-versions planted mutation nights check fuzz vulnerabilities bench build functions release $(COMMANDS) $(FUNCTIONS)

run: ## the whole chain against a simulated company; no account, no network
	$(GO) run ./functions/idleseat demo

# With Go's defaults, garbage collection takes a tenth of the time.
test: ## many tests wait for throttling, leases and heartbeats, so more of them run than there are cores
	GOGC=800 GOMEMLIMIT=2GiB $(GO) test -parallel 4 -timeout 20m ./...

test-ad: ## what needs a real Samba domain; installs Samba when run as root on Debian
	IDLESEAT_TEST_SAMBA=1 $(GO) test -count=1 -timeout 20m -run Samba ./shared/source/activedirectory/... ./shared/workflow/collect/... ./infra/simulation/samba/... ./functions/... ./infra/endtoend

test-engines: ## with S3 by versitygw, Step Functions by moto and aws-local-stepfunctions, and SAM's builder, where they are installed or can be
	infra/engines.sh

test-browser: ## pages in Chromium, which must be installed, with axe-core from npm; some minutes
	IDLESEAT_TEST_BROWSER=1 $(GO) test -count=1 -timeout 20m ./infra/browser

test-spreadsheet: ## the CSV files in LibreOffice, with Swedish, German and English settings
	@if command -v soffice >/dev/null; then IDLESEAT_TEST_SPREADSHEET=1 $(GO) test -count=1 -timeout 20m -run '^TestSpreadsheet$$' ./functions/idleseat/command; \
	else echo "SKIPPED: LibreOffice is not installed, so no spreadsheet opened the CSV files"; fi

test-kills: ## apply killed before and after every one of its operations; half an hour to an hour
	IDLESEAT_TEST_KILLS=all $(GO) test -count=1 -timeout 100m -run '^TestKilledAtEveryOperation$$' ./functions/idleseat/command

test-versions: ## two builds of the command share a store, the newer with a member more in its plans; some minutes
	IDLESEAT_TEST_VERSIONS=1 $(GO) test -count=1 -timeout 30m -run '^TestTwoBuiltVersions$$' ./functions/idleseat/command

nights: ## SEEDS companies of PEOPLE people, from seed FIRST on, live for 120 nights before the judge; an hour or two
	$(GO) run ./infra/nights -first $(FIRST) -seeds $(SEEDS) -people $(PEOPLE)

mutation: ## whether the tests see small changes to what decides and writes; hours on one core
	nice -n 10 $(GO) run ./infra/mutation

planted: ## the nights with each bug of infra/nights/planted; a quarter of an hour
	IDLESEAT_TEST_PLANTED=1 $(GO) test -count=1 -v -timeout 60m -run '^TestPlanted$$' ./infra/nights/planted

check:
	@test -z "$$(gofmt -l functions shared infra)" || { gofmt -l functions shared infra; echo "run gofmt -w on these files"; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	@$(MAKE) --no-print-directory vulnerabilities
	$(GO) test -count=1 ./shared
	@if command -v cfn-lint >/dev/null; then cfn-lint template.yaml; else echo "SKIPPED: cfn-lint is not installed"; fi
	@if command -v terraform >/dev/null; then terraform fmt -check -recursive infra/terraform; else echo "SKIPPED: terraform is not installed"; fi
	@mkdir -p bin; if npx --no-install asl-validator --version >/dev/null 2>&1; then \
	  sed 's/$${Partition}/aws/; s/$${[A-Za-z]*}/arn:aws:lambda:eu-north-1:123456789012:function:x/' infra/statemachine.asl.json > bin/definition.json && npx --no-install asl-validator --json-path bin/definition.json; \
	else echo "SKIPPED: asl-validator (npm install asl-validator@4.0.0) is not installed"; fi

fuzz: ## every fuzz target for FUZZTIME, one after another; finds go to testdata/fuzz
	infra/fuzz.sh $(FUZZTIME)

# The scan is by package and not by symbol: kong finds the commands by reflection, which govulncheck does not follow.
vulnerabilities: ## known ones of the packages that are built in; VULNDB=file:///folder names a copy of the database
	@if $(TOOL) govulncheck -db $(VULNDB) -version | grep -q '^DB updated'; then $(TOOL) govulncheck -db $(VULNDB) -scan package ./...; \
	else echo "SKIPPED: govulncheck cannot reach $(VULNDB), so nothing is known of vulnerabilities"; fi

bench: ## half an hour, and 10 GB of disk for a year of kept nights; on a quiet machine
	$(GO) test -run '^$$' -bench . ./shared/policy ./shared/source/entra
	$(GO) test -run '^$$' -bench . -benchtime 3x -cpu 1 -timeout 20m ./shared/workflow/evaluate
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m ./shared/workflow/backtest
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./functions/idleseat/command
	$(GO) test -run '^$$' -bench . -benchtime 3x -timeout 30m ./infra/endtoend
	IDLESEAT_TEST_SAMBA=1 $(GO) test -run '^$$' -bench . -benchtime 5x -timeout 30m ./shared/source/activedirectory
	IDLESEAT_TEST_SAMBA=1 $(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./functions/relay

build: $(COMMANDS) functions ## every command into bin/, the functions' zips into dist/

# No flag but -ldflags: go run and go test compile the same packages, and Microsoft's Graph SDK takes minutes.
idleseat:
	$(GO) build -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/$@ ./functions/$@

# Static, since it goes to machines that have another libc. It links no Graph SDK.
relay:
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/$@ ./functions/$@

FOR_LAMBDA = CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) build -tags lambda.norpc -trimpath -buildvcs=false -ldflags '$(LDFLAGS)'

functions: ## in one call, so that the cores share what is compiled and linked
	$(FOR_LAMBDA) -o bin/functions/ $(FUNCTIONS:%=./functions/%)
	$(GO) run ./infra/pack dist $(FUNCTIONS:%=bin/functions/%)

$(FUNCTIONS):
	@$(MAKE) --no-print-directory functions FUNCTIONS=$@

# The toolchain is exactly that of go.mod: another one writes other bytes.
release: export GOTOOLCHAIN = $(shell sed -n 's/^toolchain //p' go.mod)
release: ## archives for TARGETS, the functions' zips, SBOMs and checksums into dist/release/; with an empty build cache half an hour of CPU
	$(GO) run ./infra/release -out dist/release $(TARGETS)

# SAM calls these targets, with the folder for the function in ARTIFACTS_DIR.
build-CollectFunction: SAM := collect
build-EvaluateFunction: SAM := evaluate
build-GateFunction: SAM := gate
build-ApplyFunction: SAM := apply
build-ReevaluateFunction: SAM := reevaluate
build-ReevaluateApplyFunction: SAM := reevaluate
build-CollectFunction build-EvaluateFunction build-GateFunction build-ApplyFunction build-ReevaluateFunction build-ReevaluateApplyFunction:
	$(FOR_LAMBDA) -o $(ARTIFACTS_DIR)/bootstrap ./functions/$(SAM)
