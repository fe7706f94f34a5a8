package victim

import (
	"fmt"
	"os"
	"syscall"
)

// ownGroup puts a child into a process group of its own, and has it killed with this process.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(p *os.Process) error {
	if err := syscall.Kill(-p.Pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill: %w", err)
	}
	return nil
}

// privateHost is an address on loopback that hardly anybody else uses, so that the port of a program that is down is not
// taken meanwhile.
func privateHost(random [3]byte) string {
	return fmt.Sprintf("127.%d.%d.%d", 64+random[0]%64, random[1], 1+random[2]%250)
}
