package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"fmt"
	"net/url"
	"os"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/uuid"
)

// writeBOM writes the list of the modules in a binary, in the format CycloneDX. The linker records these modules in
// each binary (go version -m shows the record), so the list has exactly the linked modules.
func writeBOM(binary, name, version, to string) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return fmt.Errorf("read the modules of %s: %w", binary, err)
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	bom, err := makeBOM(info, name, version, sha256.Sum256(content))
	if err != nil {
		return fmt.Errorf("list the modules of %s: %w", name, err)
	}
	var text bytes.Buffer
	if err := cdx.NewBOMEncoder(&text, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	return os.WriteFile(to, text.Bytes(), 0o644)
}

// makeBOM returns the list of the modules. It has no time, and its serial number is made from the digest of the binary,
// so the same binary always has the same list. The linker does not record which module needs which, so the list says
// that the program needs each module. A module from a folder of this machine is an error, because nobody else has it.
func makeBOM(info *debug.BuildInfo, name, version string, digest [sha256.Size]byte) (*cdx.BOM, error) {
	root := cdx.Component{
		BOMRef: packageURL(info.Main.Path, "v"+version) + "#" + name, Type: cdx.ComponentTypeApplication, Name: name, Version: version,
		PackageURL: packageURL(info.Main.Path, "v"+version),
		Hashes:     &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: fmt.Sprintf("%x", digest)}},
		Licenses:   &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}},
	}
	var settings []cdx.Property
	for _, s := range info.Settings {
		settings = append(settings, cdx.Property{Name: "go:build:" + s.Key, Value: s.Value})
	}
	root.Properties = &settings
	standard := strings.TrimPrefix(info.GoVersion, "go")
	components := []cdx.Component{{
		BOMRef: packageURL("std", standard), Type: cdx.ComponentTypeLibrary, Name: "std", Version: standard,
		PackageURL: packageURL("std", standard),
	}}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		if module.Version == "(devel)" {
			return nil, fmt.Errorf("a module comes from the folder %s", module.Path)
		}
		c := cdx.Component{
			BOMRef: packageURL(module.Path, module.Version), Type: cdx.ComponentTypeLibrary, Name: module.Path, Version: module.Version,
			PackageURL: packageURL(module.Path, module.Version),
		}
		if module.Sum != "" { // the field Sum is the hash of the names and contents of all files of the module
			c.Properties = &[]cdx.Property{{Name: "go:sum", Value: module.Sum}}
		}
		components = append(components, c)
	}
	needs := make([]string, len(components))
	for i, c := range components {
		needs[i] = c.BOMRef
	}
	bom := cdx.NewBOM()
	bom.SerialNumber = uuid.NewSHA1(uuid.NameSpaceOID, digest[:]).URN()
	bom.Metadata = &cdx.Metadata{Component: &root}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: root.BOMRef, Dependencies: &needs}}
	return bom, nil
}

// packageURL returns the package URL of a Go module. As the package-url specification requires, the path is in lower
// case and each part is escaped.
func packageURL(module, version string) string {
	parts := strings.Split(strings.ToLower(module), "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return "pkg:golang/" + strings.Join(parts, "/") + "@" + strings.ReplaceAll(url.PathEscape(version), "+", "%2B")
}
