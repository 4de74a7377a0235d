//go:build linux || darwin || freebsd

package main

import (
	"fmt"
	"path/filepath"
	"syscall"
)

// diskFree is how many bytes are free for us on the disk of a file.
func diskFree(file string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(file), &st); err != nil {
		return 0, fmt.Errorf("measure the disk of %s: %w", file, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}
