//go:build linux || darwin

package adapterclient

import (
	"runtime"
	"syscall"
	"unsafe"
)

// awaitExit returns when the child has exited and leaves it to be reaped: until then its process id can't be given
// to another process. False means that the system can't tell.
func awaitExit(pid int) bool {
	const byProcessID = 1      // P_PID
	var information [16]uint64 // a siginfo_t has 128 bytes or fewer; what it says doesn't matter
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, byProcessID, uintptr(pid),
			uintptr(unsafe.Pointer(&information)), syscall.WEXITED|syscall.WNOWAIT, 0, 0)
		if errno != syscall.EINTR {
			runtime.KeepAlive(&information)
			return errno == 0
		}
	}
}
