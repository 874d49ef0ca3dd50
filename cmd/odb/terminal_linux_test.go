package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"unsafe"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// newTerminal opens a pseudo-terminal: what is typed into the one end, a program reads from the other.
func newTerminal() (person, program *os.File) {
	GinkgoHelper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(person.Close)
	number, unlocked := int32(0), int32(0)
	for request, argument := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlocked, syscall.TIOCGPTN: &number} {
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, person.Fd(), request, uintptr(unsafe.Pointer(argument)))
		Expect(errno).To(BeZero())
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(program.Close)
	return person, program
}

// startOnTerminal starts odb with its input and its output on a terminal, and tells what is shown there.
func startOnTerminal(args ...string) (p *program, person io.Writer, shown *logBuffer) {
	GinkgoHelper()
	executable, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	link := filepath.Join(GinkgoT().TempDir(), "odb")
	Expect(os.Symlink(executable, link)).To(Succeed())
	typing, screen := newTerminal()
	p = &program{cmd: exec.Command(link, args...), ended: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), beODB+"=1", "TERM=xterm")
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = screen, screen, screen
	Expect(p.cmd.Start()).To(Succeed())
	go func() { p.ended <- p.cmd.Wait(); close(p.ended) }()
	DeferCleanup(p.kill)
	shown = &logBuffer{}
	go func() { _, _ = io.Copy(shown, typing) }() // ends with the terminal
	return p, typing, shown
}

var _ = Describe("on a terminal", func() {
	It("the number of instances is to be typed before they are deleted", func() {
		w := newWorld()
		c := w.registeredCloud()
		c.creates("cache-1", "cache-2")
		file := c.deleteFile()
		const question = "2 service instances of redis will be deleted, with their data. Type their number to go on: "

		p, person, shown := startOnTerminal("instances", "delete", "--config", file)
		Eventually(shown.String).Should(ContainSubstring(question))
		fmt.Fprintln(person, "yes")
		Expect(p.end()).To(Equal(1))
		Eventually(shown.String).Should(ContainSubstring("that isn't their number: nothing was deleted"))
		Expect(c.Instances()).To(HaveLen(2))

		p, _, shown = startOnTerminal("instances", "delete", "--config", file)
		Eventually(shown.String).Should(ContainSubstring(question))
		Expect(p.cmd.Process.Signal(os.Interrupt)).To(Succeed())
		Expect(p.end()).To(Equal(1))
		Eventually(shown.String).Should(ContainSubstring("stopped before it was confirmed: nothing was deleted"))
		Expect(c.Instances()).To(HaveLen(2))

		p, person, shown = startOnTerminal("instances", "delete", "--config", file)
		Eventually(shown.String).Should(ContainSubstring(question))
		fmt.Fprintln(person, "2")
		Expect(p.end()).To(BeZero())
		Eventually(shown.String).Should(ContainSubstring("delete-all: Number of successful operations: 2;"))
		Expect(c.Instances()).To(BeEmpty())
	})
})
