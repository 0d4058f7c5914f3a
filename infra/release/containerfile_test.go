package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The type "instruction" is an instruction of a Containerfile. The field "name" is its first word, such as RUN. The
// field "words" is the rest, on one line.
type instruction struct{ name, words string }

// The function "stages" reads a Containerfile. The first element of the result has the instructions before the first
// FROM. Each later element has the instructions of one stage. Comments between the lines of an instruction are allowed
// (containerfile(5)).
func stages(text string) (all [][]instruction) {
	all = [][]instruction{nil}
	line := ""
	for part := range strings.Lines(text) {
		part = strings.TrimSpace(part)
		if part == "" || strings.HasPrefix(part, "#") {
			continue
		}
		before, goesOn := strings.CutSuffix(part, `\`)
		if line += before; goesOn {
			continue
		}
		name, words, _ := strings.Cut(line, " ")
		if name == "FROM" {
			all = append(all, nil)
		}
		last := len(all) - 1
		all[last], line = append(all[last], instruction{name, strings.TrimSpace(words)}), ""
	}
	return all
}

func words(stage []instruction, name string) (all []string) {
	for _, i := range stage {
		if i.name == name {
			all = append(all, i.words)
		}
	}
	return all
}

// TestContainerfile: the image is built with the flags of a release, the toolchain of go.mod, and files that are in the
// repository. It runs as an unprivileged user. It contains only the command, the certificates and a folder for the
// store.
func TestContainerfile(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	all := stages(read("Containerfile"))
	if len(all) != 3 {
		t.Fatalf("%d stages, expected one that builds and one that runs: %v", len(all)-1, all)
	}
	head, build, image := all[0], all[1], all[2]
	toolchain := regexp.MustCompile(`(?m)^toolchain go(.+)$`).FindStringSubmatch(read("go.mod"))[1]
	if diff := cmp.Diff([]string{"BUILDER=docker.io/library/golang:" + toolchain + "-trixie"}, words(head, "ARG")); diff != "" {
		t.Errorf("the arguments (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"--platform=$BUILDPLATFORM ${BUILDER} AS build"}, words(build, "FROM")); diff != "" {
		t.Errorf("the build begins (-want +got):\n%s", diff)
	}
	var quoted []string
	for _, flag := range flags {
		if strings.Contains(flag, " ") {
			flag = `"` + flag + `"`
		}
		quoted = append(quoted, flag)
	}
	compile := "CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH GOTOOLCHAIN=local go build " + strings.Join(quoted, " ") + " -o /out/idleseat ./functions/idleseat"
	if runs := words(build, "RUN"); !slices.Contains(runs, compile) {
		t.Errorf("the build runs %q, and a release %q", runs, compile)
	}
	ignored := read(".dockerignore")
	for _, copied := range words(build, "COPY") {
		for _, source := range strings.Fields(copied)[:len(strings.Fields(copied))-1] {
			if _, err := os.Stat(filepath.Join("../..", source)); err != nil || !strings.Contains(ignored, "\n!"+source+"\n") {
				t.Errorf("COPY %s: %v, or .dockerignore hides it", source, err)
			}
		}
	}
	want := []instruction{
		{"FROM", "scratch"},
		{"COPY", "--from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt"},
		{"COPY", "--from=build --chown=65532:65532 /skeleton/ /"},
		{"COPY", "--from=build /out/idleseat /usr/local/bin/idleseat"},
		{"ENV", "HOME=/work IDLESEAT_STORE=/store IDLESEAT_POLICY=/work/policy.yaml"},
		{"USER", "65532:65532"},
		{"WORKDIR", "/work"},
		{"VOLUME", "/store"},
		{"ENTRYPOINT", `["/usr/local/bin/idleseat"]`},
		{"CMD", `["--help"]`},
	}
	if diff := cmp.Diff(want, image, cmp.AllowUnexported(instruction{})); diff != "" {
		t.Errorf("the image (-want +got):\n%s", diff)
	}
	for _, form := range append(words(image, "ENTRYPOINT"), words(image, "CMD")...) {
		if err := json.Unmarshal([]byte(form), new([]string)); err != nil { // if the value is not JSON, the instruction needs a shell, but the image has no shell
			t.Errorf("%s: %v", form, err)
		}
	}
}
