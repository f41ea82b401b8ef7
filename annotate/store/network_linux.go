package store

import "syscall"

// networkFile reports whether a folder lies on a network file system, by the magic numbers of statfs(2).
func networkFile(dir string) bool {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return false
	}
	switch uint32(s.Type) {
	case 0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x0bd00bd0, 0x00c36400: // NFS, SMB, CIFS, SMB2, 9P, Lustre, Ceph
		return true
	}
	return false
}
