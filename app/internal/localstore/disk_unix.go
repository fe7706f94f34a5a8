//go:build unix

package localstore

import (
	"errors"
	"os"
	"syscall"
)

// isDiskFull reports whether err says that there is no room: no space, over quota, or a file at its allowed size.
func isDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// place tells the file apart from a copy of it on the same machine: its inode.
func place(path string) uint64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}

// machine tells this machine from others, "" where that is not known. Only systemd's id is used: host names change.
func machine() string {
	id, err := os.ReadFile("/etc/machine-id")
	if err != nil {
		return ""
	}
	return string(id)
}
