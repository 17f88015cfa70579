/*
 * A user-mode kernel of Debian 12 keeps 2696 bytes of floating-point registers for each process. A host
 * kernel takes them back by ptrace only as one whole area, and that is larger on CPUs with AMX: every
 * process then dies at once ("ptrace set fp regs failed, errno = 14"). This library, preloaded, pads the
 * area with zeroes to the host's size. The padding is the initial state of registers that no program in
 * the lab may use, since none can ask the user-mode kernel for them.
 *
 * Source: xstateregs_set() in arch/x86/kernel/fpu/regset.c, "A whole standard-format XSAVE buffer is needed".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define NT_X86_XSTATE 0x202

static char whole[65536] __attribute__((aligned(64)));
static size_t whole_size; /* what this host's kernel calls the whole area, in bytes */

static long set_padded(pid_t pid, void *kind, struct iovec *given)
{
	if (whole_size == 0) {
		struct iovec probe = { whole, sizeof whole };
		if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, kind, &probe) == 0)
			whole_size = probe.iov_len;
		memset(whole, 0, sizeof whole);
	}
	if (given->iov_len >= whole_size)
		return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, kind, given);
	memcpy(whole, given->iov_base, given->iov_len);
	struct iovec padded = { whole, whole_size };
	return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, kind, &padded);
}

/* Stands in front of the C library's function, whose PEEK requests return the word that they read. */
long ptrace(enum __ptrace_request request, ...)
{
	va_list arguments;
	va_start(arguments, request);
	pid_t pid = va_arg(arguments, pid_t);
	void *address = va_arg(arguments, void *);
	void *data = va_arg(arguments, void *);
	va_end(arguments);

	if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER) {
		long word;
		long failed = syscall(SYS_ptrace, request, pid, address, &word);
		if (failed < 0)
			return failed;
		errno = 0;
		return word;
	}
	if (request == PTRACE_SETREGSET && (long)address == NT_X86_XSTATE)
		return set_padded(pid, address, data);
	return syscall(SYS_ptrace, request, pid, address, data);
}
