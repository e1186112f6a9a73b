"""Attempts to reach what lies outside a notebook's process: network, processes, files, the kernel.

Each cell raises "ESCAPED: ..." where its attempt works, and "held: ..." with the name of the kernel's refusal.
Network attempts stay on this machine.
"""

from __future__ import annotations

import platform
import textwrap

from autograder.tests.hostile.case import KIT, SECRET, Case

PRELUDE = """
import ctypes, errno, os, signal, socket, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args, bit=0):
    # A system call by its number, past every wrapper of the C library.
    import pyseccomp
    number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    result = libc.syscall(ctypes.c_long(number | bit), *(ctypes.c_long(a) if isinstance(a, int) else a for a in args))
    if result == -1: raise OSError(ctypes.get_errno(), "refused")
    return result
def refused(status):
    # For calls that tell by a number, not by an exception.
    if status != 0: raise OSError(errno.EPERM, "refused")
def write(path, flags=os.O_WRONLY | os.O_CREAT):
    os.write(os.open(path, flags), b"x")
"""


def trying(code: str) -> str:
    """A cell that says whether `code` got through."""
    indented = textwrap.indent(code.strip(), "    ")
    return f"""{PRELUDE}
try:
{indented}
except OSError as error:
    raise RuntimeError("held: " + errno.errorcode.get(error.errno, type(error).__name__)) from None
raise RuntimeError("ESCAPED: it worked")
"""


def cell(name: str, code: str, *words: str) -> Case:
    """Code in the cell of question 4 of a blank notebook."""
    return Case(name, {"q4": code}, words=words)


def held(name: str, code: str, how: str = "EPERM") -> Case:
    """An attempt in the cell of question 4, that has to end with the refusal `how`."""
    return cell(name, trying(code), f"stopped with RuntimeError: held: {how}")


NETWORK = (
    held("no TCP connection", "socket.create_connection(('127.0.0.1', 9), 2)"),
    held("no TCP server", "socket.create_server(('127.0.0.1', 0))"),
    held("no UDP datagram", "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 53))"),
    held("no Unix socket", "socket.socket(socket.AF_UNIX).connect('\\0mnist-kit')"),
    held("no pair of sockets", "socket.socketpair()"),
    held("no raw socket", "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"),
    held("no netlink socket", "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)"),
    held("no socket to a host machine", "socket.socket(socket.AF_VSOCK)"),
    held(
        "no name is looked up: the resolver cannot even ask",
        """
try: socket.getaddrinfo("mnist-kit.invalid", 80)
except socket.gaierror as error:
    if error.errno == socket.EAI_AGAIN: raise
""",
        "gaierror",
    ),
    held(
        "no page is fetched",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/', timeout=2)",
        "URLError",
    ),
)

PROCESSES = (
    held("no program is started", "subprocess.run(['/bin/true'])"),
    held("nothing is installed", "subprocess.run([sys.executable, '-m', 'pip', '--version'])"),
    held("no shell", "refused(os.system('true'))"),
    held("no shell behind a pipe", "os.popen('true')"),
    held("no program by posix_spawn", "os.posix_spawn('/bin/true', ['true'], {})"),
    held("the process is not replaced by another program", "os.execv('/bin/true', ['true'])"),
    held("no second process", "os.fork() or os._exit(0)"),
    held("no second process behind a terminal", "os.forkpty()[0] or os._exit(0)", "EACCES"),
    held("no second process by the raw call", "call('clone', signal.SIGCHLD, 0, 0, 0, 0) or os._exit(0)"),
    held("no second process by the newer call", "call('clone3', 0, 88)", "ENOSYS"),
    held("no pool", "import multiprocessing; multiprocessing.get_context('fork').Process(target=print).start()"),
    held("no signal to the parent", "os.kill(os.getppid(), 0)"),
    held("no signal to process 1", "os.kill(1, 0)"),
    held("no signal to everybody", "os.kill(-1, 0)"),
    held("no signal to a process group", "os.kill(0, 0)"),
    held("no signal by another call", "call('rt_sigqueueinfo', os.getppid(), 0, 0)"),
    held("no signal to a thread of another process", "call('tgkill', os.getppid(), os.getppid(), 0)"),
    held("no signal to a thread by its number alone", "call('tkill', os.getppid(), 0)"),
    held("no handle on another process", "os.pidfd_open(os.getppid())"),
    held(
        "no signal to the owner of a file that becomes ready",
        "import fcntl; fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, os.getppid())",
    ),
    held("no look into the parent by ptrace", "call('ptrace', 16, os.getppid(), 0, 0)"),
    held("the parent cannot be made to trace", "call('ptrace', 0, 0, 0, 0)"),
    held("no memory of the parent", "open(f'/proc/{os.getppid()}/mem', 'rb')", "EACCES"),
    held("no environment of the parent", "open(f'/proc/{os.getppid()}/environ').read()", "EACCES"),
    held("no open files of the parent", "os.listdir(f'/proc/{os.getppid()}/fd')", "EACCES"),
    held("no memory of the parent by the direct call", "call('process_vm_readv', os.getppid(), 0, 0, 0, 0, 0)"),
    held(
        "no limit of the parent is changed",
        "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (9, 9))",
    ),
    held("no limit of one's own is changed", "call('prlimit64', 0, 7, ctypes.create_string_buffer(16), 0)"),
    held("no pinning to cores", "os.sched_setaffinity(0, {0})"),
    held("no pinning of the parent", "os.sched_setaffinity(os.getppid(), {0})"),
    held("no priority is changed", "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)"),
    held("no scheduling class is changed", "os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))"),
)

KERNEL = (
    held("no other user", "os.setuid(1)"),
    held("no return to root", "os.setresuid(0, 0, 0)"),
    held("no other group", "os.setgroups([0])"),
    held("no session of its own", "os.setsid()"),
    held("no new user namespace", "call('unshare', 0x10000000)"),
    held("no other namespace", "call('setns', 3, 0)"),
    held("no mount", "call('mount', b'none', b'/tmp', b'tmpfs', 0, 0)"),
    held("no other root", "os.chroot('.')"),
    held("no program in the kernel", "call('bpf', 0, 0, 0)"),
    held("no performance counters", "call('perf_event_open', 0, 0, -1, -1, 0)"),
    held("no queue of calls past the filter", "call('io_uring_setup', 4, ctypes.create_string_buffer(120))"),
    held("no program out of memory", "os.execv(f'/proc/self/fd/{os.memfd_create(\"x\")}', ['x'])"),
    held("no program by its handle", "call('execveat', -100, b'/bin/true', 0, 0, 0)"),
    held("no page faults in one's own hands", "call('userfaultfd', 0)"),
    held("no keyring", "call('keyctl', 0, -3, 1)"),
    held("no key", "call('add_key', b'user', b'x', b'y', 1, -3)"),
    held("no other kernel", "call('kexec_load', 0, 0, 0, 0)"),
    held("no kernel module", "call('init_module', 0, 0, b'')"),
    held("no reboot", "call('reboot', 0, 0, 0, 0)"),
    held("no filter of one's own, which could lie to the recorder", "call('seccomp', 1, 0, 0)"),
    held("no change of what others may see of the process", "refused(libc.prctl(4, 1, 0, 0, 0))"),
    held("the bond to the parent's life is not cut", "refused(libc.prctl(1, 0, 0, 0, 0))"),
    held("no change of the clock", "time.clock_settime(time.CLOCK_REALTIME, time.time())"),
    held("no System V memory that outlives the process", "call('shmget', 0, 4096, 0o1666)"),
    held("no message queue that outlives the process", "call('mq_open', b'x', 0o102, 0o666, 0)"),
    held("no swap", "call('swapon', b'/x', 0)"),
    held(
        "a call that no kernel knows yet is refused like the others",
        "ctypes.set_errno(0); refused(libc.syscall(ctypes.c_long(4000)))",
    ),
)
X32 = tuple(
    cell(
        f"the number of {name} for the x32 ABI, which is not the machine's own, ends the process",
        trying(f"call({arguments}, bit=0x40000000)"),
        "process ended",
    )
    for name, arguments in (
        ("socket", "'socket', 2, 1, 0"),
        ("getpid", "'getpid'"),
        ("fork", "'fork'"),
        ("execve", "'execve', b'/bin/true', 0, 0"),
    )
)
OLD_GATE = tuple(
    cell(
        f"{name} by the gate of 32-bit programs, where its number means another call, ends the process",
        trying(f"""
import mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("53 b8 {number:02x} 00 00 00 bb 02 00 00 00 b9 01 00 00 00 31 d2 cd 80 5b c3"))
refused(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())
"""),
        "process ended",
    )
    for name, number in (("fork", 2), ("open", 5), ("getpid", 20))
)  # push rbx; mov eax, number; mov ebx, 2; mov ecx, 1; xor edx, edx; int 0x80; pop rbx; ret
FILES = (
    *(
        held(f"{name} cannot be read", f"open({path!r}, 'rb').read()", "EACCES")
        for name, path in (
            ("a planted secret", SECRET),
            ("the private images", f"{KIT}/assignment/data/mnist.npz"),
            ("grading.yml", f"{KIT}/grading.yml"),
            ("the hidden tests in the built zip", f"{KIT}/dist/autograder.zip"),
            ("the solution", f"{KIT}/solutions/solution.ipynb"),
            ("the machine's passwords", "/etc/shadow"),
            ("a secret by the link to the root folder", f"/proc/self/root{SECRET}"),
            ("a secret by climbing out of the work folder", "../../../../../../../../.." + SECRET),
        )
    ),
    held(
        "a secret by a handle that was only looked at",
        f"handle = os.open({SECRET!r}, os.O_PATH); os.read(os.open(f'/proc/self/fd/{{handle}}', 0), 9)",
        "EACCES",
    ),
    held("a secret by mapping", f"import mmap; mmap.mmap(os.open({SECRET!r}, os.O_RDONLY), 0)", "EACCES"),
    held("the kit's folder cannot be listed", f"os.listdir({KIT!r})", "EACCES"),
    held("work folders of others cannot be listed", "os.listdir('..')", "EACCES"),
    held("nothing is put beside the work folders", "os.mkdir('../mine')", "EACCES"),
    held("the work folder cannot be moved", "os.rename(os.getcwd(), os.getcwd() + 'x')", "E"),
    held("no file is moved out of the work folder", f"open('x', 'w').close(); os.rename('x', {KIT!r} + '/x')", "E"),
    held("nothing is written into the kit's folder", f"write({KIT!r} + '/x')", "EACCES"),
    held("grading.yml is not written", f"write({KIT!r} + '/grading.yml', os.O_WRONLY)", "EACCES"),
    held("grading.yml is not emptied", f"os.truncate({KIT!r} + '/grading.yml', 0)", "E"),
    held(
        "a file that may be read is not emptied by opening it for reading",
        "open('x', 'w').write('kept'); os.open('x', os.O_RDONLY | os.O_TRUNC)",
    ),
    held("grading.yml is not removed", f"os.remove({KIT!r} + '/grading.yml')", "EACCES"),
    held(
        "the times of grading.yml are not changed",
        f"before = os.stat({KIT!r} + '/grading.yml').st_mtime; os.utime({KIT!r} + '/grading.yml', (1, 1))\n"
        f"refused(os.stat({KIT!r} + '/grading.yml').st_mtime == before)",
        "E",
    ),
    held("nothing is written into /tmp", "write('/tmp/mnist-kit-hostile')", "EACCES"),
    held("nothing is written into the machine's settings", "write('/etc/mnist-kit-hostile')", "EACCES"),
    held("nothing is written into shared memory", "write('/dev/shm/mnist-kit-hostile')", "EACCES"),
    held("nothing is written into the Python environment", "write(sys.prefix + '/hostile.pth')", "EACCES"),
    held("no package is changed", "import numpy; write(numpy.__file__, os.O_WRONLY)", "EACCES"),
    held(
        "no attribute of a package's file is changed through a handle that only reads",
        "import array, fcntl, numpy\n"
        "fcntl.ioctl(os.open(numpy.__file__, os.O_RDONLY), 0x40086602, array.array('l', [0x80]))",
    ),
    held(
        "no compiled module is put in a package's cache",
        "import numpy; write(os.path.dirname(numpy.__file__) + '/__pycache__/x.pyc')",
        "EACCES",
    ),
    held(
        "the process's own files in /proc are for reading",
        "open('/proc/self/oom_score_adj', 'w').write('-1000')",
        "EACCES",
    ),
    held(
        "the images that all students share are not written",
        "write(os.getcwd() + '/../../public/x_train.npy', os.O_WRONLY)",
        "EACCES",
    ),
    held("no symbolic link", "os.symlink('/etc/shadow', 'x')"),
    held("no hard link", f"os.link({SECRET!r}, 'x')"),
    held("no FIFO", "os.mkfifo('x')"),
    held("no device", "os.mknod('x', 0o20666, os.makedev(1, 1))"),
    held("no extended attribute", f"os.setxattr({SECRET!r}, 'user.x', b'x')"),
    held("no other owner", f"os.chown({SECRET!r}, 1, 1)"),
    held(
        "permissions stay as they are, whatever is answered",
        "before = os.stat('.').st_mode; os.chmod('.', 0o777); refused(os.stat('.').st_mode == before)",
    ),
    held(
        "permissions of a secret stay as they are",
        f"before = os.stat({SECRET!r}).st_mode; os.chmod({SECRET!r}, 0o777)\n"
        f"refused(os.stat({SECRET!r}).st_mode == before)",
        "E",
    ),
)

LEFT_BEHIND = """
import os
for name, text in (
    ("sitecustomize.py", "open({kit!r} + '/customized', 'w')"),
    ("usercustomize.py", "open({kit!r} + '/customized', 'w')"),
    ("hostile.pth", "import os; open({kit!r} + '/customized', 'w')"),
    ("ld.so.preload", "/nonexistent.so"),
    (".bashrc", "touch {kit}/customized"),
):
    with open(name, "w") as file: file.write(text)
os.environ.update(LD_PRELOAD=os.getcwd() + "/hostile.so", PYTHONPATH=os.getcwd(), PYTHONSTARTUP="hostile.pth")
""".replace("{kit!r}", repr(KIT)).replace("{kit}", KIT)

CASES: tuple[Case, ...] = (
    *NETWORK,
    *PROCESSES,
    *KERNEL,
    *((*X32, *OLD_GATE) if platform.machine() == "x86_64" else ()),
    *FILES,
    cell("start-up files left in the work folder start nowhere", LEFT_BEHIND),
    cell("a token in the environment of whoever started the grader is not in that of the notebook", """
import os, re
held = open("/proc/self/environ").read() + repr(os.environ)
found = re.findall("secret-" + "[0-9a-f]{32}", held)
raise RuntimeError(f"ESCAPED: {found}" if found else "held: nothing there")
""", "held: nothing there"),
    cell("the only open files are the null device, the output pipe, and the two of the evidence", """
import os, stat
kinds, known = [], {stat.S_IFIFO: "pipe", stat.S_IFREG: "file", stat.S_IFCHR: "null"}
for number in range(256):
    try: mode = os.fstat(number).st_mode
    except OSError: continue
    kinds.append(known.get(stat.S_IFMT(mode), "OTHER"))
raise RuntimeError("held: " + " ".join(kinds))
""", "held: null pipe pipe file file"),
    cell(
        "a shell line is skipped with a note",
        f"!touch {KIT}/touched\nfound = !cat {SECRET}\nassert found == []",
        "was skipped",
    ),
)  # fmt: skip
