"""Notebooks that loop, eat, flood, multiply or die; what was answered before that counts."""

from __future__ import annotations

from autograder.authoring.bundled_class import LOAD
from autograder.tests.hostile.case import NOTHING, RIGHT, UNTRAINED, Case

FIRST = {**NOTHING, "q4": 6}  # question 4 was answered before the notebook came to its end
TIME = "The time limit of 8 s was reached in the cell that begins"
DIED = "The notebook's process ended in the cell that begins"
REACHED = " was reached in the cell that begins"  # after the limit of memory or of time: machines differ
FILES = "The limit of 2000 files was reached in the cell that begins"
DISK = "The limit of 256 MB for files was reached in the cell that begins"


def ends(name: str, code: str, *words: str) -> Case:
    """The code ends the whole notebook in question 5."""
    return Case(name, {**RIGHT, "q5": code}, FIRST, words=words)


def fails(name: str, code: str, *words: str) -> Case:
    """The code fails in question 4, which costs that question and no other."""
    return Case(name, {**RIGHT, "q4": code}, {**UNTRAINED, "q4": 0}, words=words)


def passes(name: str, code: str) -> Case:
    """The code stands below the answer to question 4, and costs nothing."""
    return Case(name, {**RIGHT, "q4": LOAD + code}, UNTRAINED)


CASES: tuple[Case, ...] = (
    ends("a loop without an end", "while True: pass", TIME),
    ends(
        "a loop that swallows the exception of the time limit",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        TIME,
    ),
    ends("a sleep of an hour", "import time; time.sleep(3600)", TIME),
    ends("one operation that no signal handler can interrupt", "9 ** 9 ** 9 ** 9", TIME),
    ends("a process that stops itself", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", TIME),
    ends("every signal ignored, the alarm switched off", """
import signal, time
signal.setitimer(signal.ITIMER_REAL, 0)
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
time.sleep(3600)
""", "The time limit of 8 s was reached"),
    ends(
        "an object that sleeps when the recorder asks for its class, also at the end",
        "import time\nSlow = type('Slow', (), {'__class__': property(lambda self: time.sleep(3600))})\n"
        "model = train_images_shape = Slow()",
        "The time limit of 8 s was reached",
    ),
    ends("arrays without end", "hog = [np.ones(2**23) for _ in range(10**6)]", REACHED),
    ends("one buffer that grows", "hog = bytearray()\nwhile True: hog += b'x' * 2**25", REACHED),
    ends(
        "anonymous memory that the kernel counts as shared",
        "import mmap\nflags, hog = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE, []\n"
        "while True: hog.append(mmap.mmap(-1, 2**26, flags))",
        REACHED,
    ),
    fails("one array larger than the machine", "np.ones(10**12)", "stopped with"),
    ends("a million empty files", "for number in range(10**6): open(f'f{number}', 'w').close()", FILES),
    ends(
        "folders without end, beside each other", "import os\nfor number in range(10**6): os.mkdir(f'd{number}')", FILES
    ),
    ends(
        "10,000 folders inside each other: deeper than any path can say",
        "import os, time\nfor _ in range(10_000):\n    os.mkdir('d'); os.chdir('d')\ntime.sleep(3)",
        FILES,
    ),
    ends(
        "large files where no path reaches: below folders with long names",
        "import os, time\nfor _ in range(20):\n    os.mkdir('d' * 250); os.chdir('d' * 250)\n"
        "for number in range(8): open(str(number), 'wb').write(bytes(2**26))\ntime.sleep(3)",
        "The limit of",
    ),
    ends(
        "large files that are open, but stand in no folder any more",
        "import os, time\nkept = []\nfor _ in range(8):\n    kept.append(open('x', 'wb')); os.unlink('x')\n"
        "    kept[-1].write(bytes(2**26)); kept[-1].flush()\ntime.sleep(3)",
        DISK,
    ),
    ends("large files that stand in no folder and are open no more, but held by a mapping of one page", """
import ctypes, os, time
mmap = ctypes.CDLL(None).mmap
mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
for _ in range(8):
    file = os.open('x', os.O_RDWR | os.O_CREAT)
    os.write(file, bytes(2**24)); mmap(None, 4096, 1, 2, file, 0)
    os.unlink('x'); os.close(file)
time.sleep(3)
""", DISK),
    passes(
        "folders of mode 000, which must go all the same when the notebook is over",
        "\nimport os\nfor number in range(9):\n    os.makedirs(f'd{number}/e'); os.mkdir(f'd{number}/f', 0)\n"
        "    os.mkdir(f'shut{number}', 0)",
    ),
    ends(
        "one file that grows without end", "with open('huge', 'wb') as file:\n    while True: file.write(bytes(2**20))"
    ),
    ends(
        "several files, none of them over the limit of one",
        "for number in range(10**3): open(str(number), 'wb').write(bytes(2**25))",
        DISK,
    ),
    fails(
        "a terabyte of nothing",
        "with open('hole', 'wb') as file:\n    file.truncate(2**28 - 1)\n    file.truncate(2**40)",
        "stopped with OSError",
    ),
    passes("more output than is kept", "\nfor _ in range(200): print('x' * 10**5)"),
    ends("output without end", "import os\nwhile True: os.write(1, b'x' * 2**16)", TIME),
    passes("standard output closed", "\nimport os, sys\nsys.stdout.close(); os.close(1); os.close(2)"),
    ends("every descriptor closed, those of the evidence too", "import os; os.closerange(0, 10**4)", DIED),
    fails("forks without end", "import os\nwhile True: os.fork()", "stopped with PermissionError"),
    ends(
        "threads without end",
        "import threading, time\nthreading.stack_size(2**16)\n"
        "while True: threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()",
        "The limit of 256 threads was reached",
    ),
    fails(
        "a process that would outlive the notebook",
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)",
        "stopped with PermissionError",
    ),
    passes("a thread, an exit handler and a finaliser that sleep for an hour after the end", """
import atexit, threading, time
threading.Thread(target=time.sleep, args=(3600,)).start()
atexit.register(time.sleep, 3600)
kept = type('Kept', (), {'__del__': lambda self: time.sleep(3600)})()
"""),
    fails(
        "the folder the notebook runs in, emptied and removed",
        "import os, shutil\nshutil.rmtree(os.getcwd())",
        "stopped with PermissionError",
    ),
    fails("the usual way out of a program", "import sys; sys.exit()", "stopped with SystemExit"),
    fails("a KeyboardInterrupt", "raise KeyboardInterrupt", "stopped with KeyboardInterrupt"),
    fails("a question to whoever sits there", "input('name? ')", "stopped with"),
    fails("a function that calls itself", "def f(): f()\nf()", "stopped with RecursionError"),
    fails("a cell that Python cannot read", "%%time\nprint(", "stopped with"),
    ends("an exit past every handler", "import os; os._exit(0)", DIED),
    ends("an abort", "import os; os.abort()", DIED),
    ends("a look at address 0", "import ctypes; ctypes.string_at(0)", DIED),
    ends(
        "recursion until the C stack is full",
        "import sys; sys.setrecursionlimit(10**9)\nf = lambda x: sorted([x], key=f)\nf(1)",
        DIED,
    ),
    ends("a process that kills itself", "import os; os.kill(os.getpid(), 9)", DIED),
    fails("an error in one cell", "np.load_data()", "stopped with AttributeError"),
    fails(
        "an exception that has the name of the grader's own",
        "class TimeLimit(BaseException): pass\nraise TimeLimit('over')",
        "stopped with TimeLimit: over",
    ),
)  # fmt: skip
