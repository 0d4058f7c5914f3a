//go:build unix

package store

import (
	"fmt"
	"os"
	"syscall"
)

// ownerOf returns the user id of the owner of a folder.
func ownerOf(location string) (int, error) {
	info, err := os.Stat(location)
	if err != nil {
		return 0, err
	}
	of, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, fmt.Errorf("find the owner of the folder %s: %T", location, info.Sys())
	}
	return int(of.Uid), nil
}
