#!/usr/bin/env bash
# Runs every fuzz target for $1 (default 10m), one after another. go test stores what a
# target finds under testdata/fuzz of its package. The other targets still run.
set -uo pipefail
cd "$(dirname "$0")/.."
time=${1:-10m} failed=()
for package in $(grep -rl --include='*_test.go' '^func Fuzz' functions shared infra | xargs -n1 dirname | sort -u); do
	for target in $(go test -list '^Fuzz' "./$package" | grep '^Fuzz'); do
		echo "== $package $target $time"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "./$package" || failed+=("$package $target")
	done
done
if [ ${#failed[@]} -gt 0 ]; then
	printf 'failed: %s\n' "${failed[@]}"
	exit 1
fi
