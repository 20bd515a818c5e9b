#!/usr/bin/env python3
"""What the scripts of tasks, locks and memories cost inside Redis: microseconds per call of EVALSHA, as Redis counts them.

    bench/scripts/script-cost.py [--redis-server PATH] [--tasks 20000] [--runs 5]

Starts a redis-server of its own (PATH, else the one in the embedded-redis jar of ~/.m2) with the
settings of EmbeddedRedis (append-only file synced every second; here it is never rewritten),
assembles the scripts as Script.java does, puts tasks through their life in three ways, acquires
and releases locks that nobody else wants, and puts items into a memory space. Prints,
per script, the median of the runs and the least: time per task, of which in Redis commands (the
rest is Lua and what surrounds a command), and commands per task. Another program on the machine
makes a figure larger, never smaller, so compare the least.
Needs nothing but Python 3.8.
"""
import argparse
import glob
import hashlib
import os
import shutil
import socket
import statistics
import struct
import subprocess
import tempfile
import time
import zipfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..'))
LUA = os.path.join(ROOT, 'server', 'src', 'main', 'resources', 'lua')
LOG = 'troupe:{bench/0}:log'
QUEUE = 'bench'
SPEC = b'p' * 120  # as long as an encoded TaskSpec with a payload of 100 bytes
CHANGE = b'c' * 60  # as long as an encoded TaskChange


# --- Redis -------------------------------------------------------------------


def find_redis(folder):
    on_path = shutil.which('redis-server')
    if on_path:
        return on_path
    jars = glob.glob(os.path.expanduser('~/.m2/repository/com/github/codemonstur/embedded-redis/*/*.jar'))
    with zipfile.ZipFile(jars[0]) as jar:
        path = jar.extract('redis-server-6.2.6-v5-linux-amd64', folder)
    os.chmod(path, 0o755)
    return path


class Redis:
    """A connection that sends many commands before it reads the replies."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile('rb', 1 << 20)

    def all(self, commands):
        replies = []
        for i in range(0, len(commands), 128):
            part = commands[i:i + 128]
            self.socket.sendall(b''.join(map(self.encode, part)))
            replies += [self.read() for _ in part]
        return replies

    def one(self, *command):
        return self.all([command])[0]

    @staticmethod
    def encode(command):
        parts = [b'*%d\r\n' % len(command)]
        for part in command:
            data = part if isinstance(part, bytes) else str(part).encode()
            parts.append(b'$%d\r\n%s\r\n' % (len(data), data))
        return b''.join(parts)

    def read(self):
        line = self.file.readline()[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b'-':
            raise RuntimeError(rest.decode())
        if kind == b':':
            return int(rest)
        if kind == b'$':
            return self.file.read(int(rest) + 2)[:-2] if rest != b'-1' else None
        if kind == b'*':
            return [self.read() for _ in range(int(rest))]
        return rest


# --- Scripts -----------------------------------------------------------------


def assemble(name, seen):
    if name in seen:
        return ''
    seen.add(name)
    source = ''
    with open(os.path.join(LUA, name + '.lua'), encoding='utf-8') as file:
        for line in file:
            line = line.strip()
            if line.startswith('--#include '):
                source += assemble(line[len('--#include '):].strip(), seen)
            elif line and not line.startswith('--'):
                source += line + '\n'
    return source


class Scripts:
    def __init__(self, redis):
        self.redis = redis
        self.sha = {}

    def call(self, name, *arguments):
        if name not in self.sha:
            self.sha[name] = self.redis.one('SCRIPT', 'LOAD', assemble(name, set())).decode()
        return ('EVALSHA', self.sha[name], 1, LOG) + arguments


def header():
    """A task with the defaults of TaskHeader.java."""
    return struct.pack(
        '>BBdddddBHHHdBdHddH', 0, 0, 30e6, 3600e6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1e6, 600e6, 0)


# --- Loads -------------------------------------------------------------------


def enqueue(scripts, first, count):
    tasks = []
    for i in range(first, first + count):
        task_id = hashlib.md5(b'%d' % i).hexdigest() + '-uid'  # as long as a UUID
        tasks += [task_id, header(), SPEC, '', CHANGE]
    return scripts.call('task/enqueue', QUEUE, '', 0, '', '', *tasks)


def lease(scripts, worker, count):
    return scripts.call('task/lease', QUEUE, 64, 5000000, CHANGE[:12], 0, *worker, count)


def granted(reply):
    """The rows of a lease's reply."""
    return [reply[i:i + 10] for i in range(2, len(reply), 10)]


def acknowledge(scripts, worker, rows):
    attempts = []
    for row in rows:
        attempts += [row[1], row[2], 0]
    return scripts.call('task/extend', QUEUE, *worker, *attempts)


def complete(scripts, rows):
    attempts = []
    for row in rows:
        attempts += [row[1], row[2], b'r' * 20, CHANGE, '', 0, 0]
    return scripts.call('task/complete', QUEUE, *attempts)


class Meter:
    """Collects, by script, what every run cost: time, time in commands, commands."""

    def __init__(self, redis):
        self.redis = redis
        self.runs = {}

    def run(self, name, commands):
        self.redis.one('CONFIG', 'RESETSTAT')
        replies = self.redis.all(commands)
        cost = self.runs[name][-1]
        for line in self.redis.one('INFO', 'commandstats').decode().split('\r\n'):
            if line.startswith('cmdstat_'):
                command, _, values = line[len('cmdstat_'):].partition(':')
                values = dict(v.split('=') for v in values.split(','))
                if command == 'evalsha':
                    cost[0] += int(values['usec'])
                elif not command.startswith('config'):
                    cost[1] += int(values['usec'])
                    cost[2] += int(values['calls'])
        return replies

    def begin_run(self, names):
        for name in names:
            self.runs.setdefault(name, []).append([0, 0, 0])

    def show(self, title, tasks, names):
        print(f'\n{title}\n')
        print('| script | us each, median | least | of which commands | commands |')
        print('|---|---|---|---|---|')
        sums = [0.0] * 4
        for name in names:
            least = min(self.runs[name])
            row = [statistics.median(run[0] for run in self.runs[name])] + least
            row = [value / tasks for value in row]
            sums = [a + b for a, b in zip(sums, row)]
            print('| %s | %.1f | %.1f | %.1f | %.1f |' % (name.split(':')[1], *row))
        if len(names) > 1:
            print('| **whole life** | **%.1f** | **%.1f** | %.1f | %.1f |' % tuple(sums))


STEPS = ['enqueue', 'lease', 'acknowledge', 'complete']
WORKERS = 4
SLOTS = 64


def open_streams(redis, scripts):
    """Workers, each a name and the epoch of its stream."""
    names = [f'worker {i}' for i in range(WORKERS)]
    return [(n, redis.one(*scripts.call('task/open_stream', QUEUE, n))[1]) for n in names]


def life(scripts, meter, workers, count, way, enqueued, leased):
    """All tasks wait before the first is leased; then each worker holds 64 at a time."""
    names = [f'{way}:{step}' for step in STEPS]
    meter.begin_run(names)
    meter.run(names[0], [enqueue(scripts, i, enqueued) for i in range(0, count, enqueued)])
    for _ in range(count // WORKERS // SLOTS):
        takers = [worker for worker in workers for _ in range(SLOTS // leased)]
        replies = meter.run(names[1], [lease(scripts, worker, leased) for worker in takers])
        grants = [granted(reply) for reply in replies]
        meter.run(names[2], [acknowledge(scripts, *pair) for pair in zip(takers, grants)])
        meter.run(names[3], [complete(scripts, rows) for rows in grants])


def idle_queue(scripts, meter, workers, count):
    """A worker waits: every task finds the queue empty and leaves it empty."""
    meter.begin_run(['idle:enqueue and lease'])
    commands = []
    for i in range(count):
        commands.append(enqueue(scripts, i, 1))
        commands.append(lease(scripts, workers[i % WORKERS], 1))
    meter.run('idle:enqueue and lease', commands)


LEASE = b'l' * 60  # as long as an encoded LockLease


def acquire(n):
    """An exclusive lock, as LockChangeRequest.Acquire asks for it; n names the caller."""
    name, lease = b'own-%d' % n, b'l%021d' % n
    member = b'h:worker-%d\0' % n + name + b'\0' + lease
    call = b'server-of-22-characte %d' % n
    rest = struct.pack('>dH', 30e6, len(member)) + member
    rest += struct.pack('>H', len(call)) + call + struct.pack('>H', 0) + LEASE
    return [name, lease, rest, LEASE[:28], b'03600000000\0w%021d\0~w%021d\0' % (n, n)]


def release(n):
    return [b'own-%d' % n, b'l%021d' % n, '']


def pairs(scripts, meter, _, count, way, together):
    names = [f'{way}:acquire', f'{way}:release']
    meter.begin_run(names)
    for first in range(0, count, 256):
        for name, op in zip(names, (acquire, release)):
            commands = []
            for begin in range(first, first + 256, together):
                ops = [arg for n in range(begin, begin + together) for arg in op(n % 256)]
                counts = [0, together] if op is acquire else [together, 0]
                commands.append(scripts.call('lock/fast', 20000, *counts, *ops))
            meter.run(name, commands)


LIVES = '900000000 3600000000 86400000000 60000000 60000000 60000000 0 0 0 0 0 0 0 1000000 4294967296 604800000000 0'


def put(n):
    """A call of PutMemory: a text of 200 bytes with a tag and an attribute."""
    item_id, text = hashlib.md5(b'%d' % n).hexdigest()[:22], (b'item %d ' % n).ljust(200, b'w')
    return ['space', '', 0, '', '', 1, item_id, hashlib.md5(text).hexdigest(), 1, 0, '0.5', 'agents/a',
            0, 1, 'tag', 2, 'key', 'value', text, b'm' * 40]


def puts(scripts, meter, _, count, way, together):
    meter.begin_run([f'{way}:put'])
    meter.run(f'{way}:put', [
        scripts.call('memory/put', 1000, b's' * 60, LIVES, *(arg for n in range(first, first + together)
                                                           for arg in put(n)))
        for first in range(0, count, together)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--redis-server')
    parser.add_argument('--tasks', type=int, default=20000)
    parser.add_argument('--runs', type=int, default=5)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix='troupe-script-cost')
    binary = options.redis_server or find_redis(folder)
    server = subprocess.Popen(
        [binary, '--port', '0', '--unixsocket', folder + '/redis.sock', '--dir', folder,
         '--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '',
         '--auto-aof-rewrite-percentage', '0'],
        stdout=subprocess.DEVNULL)
    try:
        while not os.path.exists(folder + '/redis.sock'):
            time.sleep(0.02)
        redis = Redis(folder + '/redis.sock')
        info = redis.one('INFO', 'server').decode()
        version = next(l for l in info.split('\r\n') if l.startswith('redis_version'))
        print(f'{version}, {options.tasks} tasks, {options.runs} runs')
        scripts, meter = Scripts(redis), Meter(redis)
        tasks = options.tasks - options.tasks % (WORKERS * SLOTS)
        locks = options.tasks - options.tasks % 256
        loads = [
            lambda *to: life(*to, tasks, 'one', 1, 1),
            lambda *to: life(*to, tasks, 'many', 64, 16),
            lambda *to: idle_queue(*to, 1000),
            lambda *to: pairs(*to, locks, 'alone', 1),
            lambda *to: pairs(*to, locks, 'shared', 32),
            lambda *to: puts(*to, locks, 'item', 1),
            lambda *to: puts(*to, locks, 'few', 4),
            lambda *to: puts(*to, locks, 'items', 32),
        ]
        for _ in range(options.runs):
            for load in loads:
                redis.one('FLUSHALL')
                load(scripts, meter, open_streams(redis, scripts))
        meter.show('Each script moves one task', tasks, [f'one:{step}' for step in STEPS])
        meter.show('64 tasks an enqueue, 16 each of the others', tasks,
                   [f'many:{step}' for step in STEPS])
        meter.show('One lock a script', locks, ['alone:acquire', 'alone:release'])
        meter.show('32 locks a script', locks, ['shared:acquire', 'shared:release'])
        meter.show('One item a script', locks, ['item:put'])
        meter.show('4 items of as many calls a script', locks, ['few:put'])
        meter.show('32 items of as many calls a script', locks, ['items:put'])
        meter.show('The queue is empty before and after', 1000, ['idle:enqueue and lease'])
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


if __name__ == '__main__':
    main()
