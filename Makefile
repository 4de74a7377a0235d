# make demo    see it at work: simulated outlets and the real service, no network
# make test    everything CI checks; installs what it needs where it may
# make quick   the developer's loop: under a minute, nothing to install
# make fuzz TIME=2m   every fuzz target for that long
# make readers four readers of Debian's and two of npm's follow a day of feeds; schemas judge every kind of channel, a validator the HTML of every kind of page
# make html    that validation alone
# make axe     every kind of page in a browser, held to WCAG 2.2 AA by axe-core from npm
# make pictures   those of README, of the demo
# make sbom    every module that is compiled in, as a software bill of materials
# make kubernetes   the manifests of deploy/kubernetes against Kubernetes' schemas
# make samples    the samples for partners' servers, ASP.NET too where Mono is
# make release   static binaries and Debian packages in dist/
# make soak SOAK_TIME=20m KILL_STEPS=150   everything at once with the race detector, and kills at any moment
# make races SOAK=1000   the store's races, so many times, and three replicas with 2,001 sources
# make bench-freshness SEED=7 | TRACE=FILE   delay at the same number of polls, against other policies
# make eval-stories DATA=DIR   how well copies are told, on labelled articles
# make bench   what polls, pages and memory cost, beside what is aimed at; QUICK=1: in two minutes
# make bench-go   every Go benchmark
.PHONY: demo run build quick test readers html axe pictures bench bench-freshness eval-stories soak races fuzz fmt vuln licences sbom kubernetes samples bench-go release clean

GO ?= go
BIN := bin/diemtin
TIME ?= 2m
SEED ?= 7
SOAK ?= 1000
SOAK_TIME ?= 20m
KILL_STEPS ?= 150
QUICK ?=
TRACE ?=
VALIDATOR := html-validate@10.9.0
FRESHNESS ?= # more flags: -freshness.budget=4 -freshness.min=5m -freshness.max=2h -freshness.outlets=300

demo:
	$(GO) run ./cmd/diemtin demo

run: build
	$(BIN) serve

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./cmd/diemtin

quick:
	test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) test -short ./...
	$(GO) run ./cmd/diemtin check --config feeds.yaml

test:
	.ci/test

# the readers from npm go into a folder that is removed afterwards
readers:
	.ci/packages
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
		npm install --prefix "$$dir" --no-audit --no-fund --silent rss-parser@3.13.0 feedsmith@3.0.1 \
			jsonfeed-schema@0.5.0 ajv@8.20.0 ajv-formats@3.0.1 opmlparser@0.8.0 sitemap@9.0.1 $(VALIDATOR) && \
		DIEMTIN_READERS="$$dir" $(GO) test -count=1 -v -run '^TestSchemas$$' ./syndicate && \
		DIEMTIN_READERS="$$dir" $(GO) test -count=1 -v -timeout 20m -run '^(TestReadersOverADay|TestEveryLinkLeadsSomewhere)$$' ./cmd/diemtin

html:
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
		npm install --prefix "$$dir" --no-audit --no-fund --silent $(VALIDATOR) && \
		DIEMTIN_READERS="$$dir" $(GO) test -count=1 -v -run '^TestEveryLinkLeadsSomewhere$$' ./cmd/diemtin

# axe-core too goes into a folder that is removed afterwards
axe:
	.ci/packages
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
		npm install --prefix "$$dir" --no-audit --no-fund --silent axe-core@4.14.1 && \
		DIEMTIN_AXE="$$dir/node_modules/axe-core/axe.min.js" $(GO) test -count=1 -timeout 20m -run '^TestEndToEnd$$/^chromium$$' ./cmd/diemtin

pictures:
	.ci/packages
	DIEMTIN_PICTURES=$(abspath docs/img) $(GO) test -count=1 -timeout 10m -run '^TestPictures$$' ./cmd/diemtin

# one table, in docs/benchmarks.md: ten minutes, and half an hour more for an
# archive of a million items unless DIEMTIN_BENCH_DIR names a folder that keeps
# it. QUICK=1: under two minutes with a small archive, and writes no file
bench:
	@$(GO) run ./evaluation/bench $(if $(QUICK),-quick,-out docs/benchmarks.md)

# every Go benchmark, one package after another, so that none disturbs the next;
# of a larger archive: make bench-go DIEMTIN_BENCH_ITEMS=1000000
bench-go:
	$(GO) test -run '^$$' -bench . -benchmem -p 1 -timeout 3h ./...

bench-freshness:
	@mkdir -p bin
	@$(GO) test -count=1 -run '^TestFreshness$$' ./aggregator -args -freshness.report=$(abspath bin/freshness.txt) \
		-freshness.seed=$(SEED) $(if $(TRACE),-freshness.trace=$(abspath $(TRACE))) $(FRESHNESS) >bin/freshness.log || { cat bin/freshness.log; exit 1; }
	@cat bin/freshness.txt

# the samples for partners' servers; those for ASP.NET need mono-mcs and
# libmono-system-web4.0-cil of Debian
samples:
	CI= $(GO) test -count=1 -v -run 'SamplesRun|WebFormsSample' ./syndicate

# everything at once against the binary for SOAK_TIME, then kills through
# KILL_STEPS steps of 24 sources on both engines
soak:
	DIEMTIN_SOAK_TIME=$(SOAK_TIME) $(GO) test -count=1 -v -timeout 3h -run '^TestSoak$$' ./cmd/diemtin
	DIEMTIN_KILL_STEPS=$(KILL_STEPS) .ci/with-postgres $(GO) test -count=1 -v -timeout 3h -run '^TestKillAtAnyMoment$$' ./cmd/diemtin
	DIEMTIN_KILL_STEPS=$(KILL_STEPS) .ci/with-postgres $(GO) test -count=1 -v -timeout 3h -run '^TestKilledWhileMigrating$$' ./store

# the races and the newsroom of the store's tests, a thousand times on both
# engines, and three replicas with 2,001 sources
races:
	DIEMTIN_SOAK=$(SOAK) .ci/with-postgres $(GO) test -count=1 -timeout 3h -run 'ConcurrentCopies|RaceWithRulings|NoRepeatWhatever' ./store
	DIEMTIN_SOAK=$(SOAK) .ci/with-postgres $(GO) test -count=1 -v -timeout 30m -run '^TestReplicas$$' ./cmd/diemtin

# DATA holds articles.jsonl.gz and pairs.tsv; what it costs to store them at any
# size: go run ./evaluation/load -data DIR -items 100000
eval-stories:
	@$(GO) run ./evaluation/stories -data $(DATA)

fuzz:
	.ci/fuzz $(TIME)

vuln:
	$(GO) run golang.org/x/vuln/cmd/govulncheck@latest ./...

# every module that is compiled in, with its licence
licences:
	@.ci/licences

# dist/diemtin.cdx.json: what is compiled in, with versions, hashes and licences (CycloneDX)
sbom: build
	@mkdir -p dist
	$(GO) run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0 bin -json -licenses -version "$$($(BIN) version | sed -n '1s/^diemtin \([^ ]*\).*/\1/p')" -output dist/diemtin.cdx.json $(BIN)

# the manifests, asked of the schemas of Kubernetes 1.30 as strictly as a server would
kubernetes:
	$(GO) run sigs.k8s.io/kubectl-validate@v0.0.4 --version 1.30 deploy/kubernetes

# dist/: static binaries and Debian packages for amd64 and arm64, and checksums
release:
	@.ci/release

fmt:
	gofmt -w .

clean:
	rm -rf bin dist
