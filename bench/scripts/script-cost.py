#!/usr/bin/env python3
"""What the task scripts cost inside Redis: microseconds per call of EVALSHA, as Redis counts them.

    bench/scripts/script-cost.py [--redis-server PATH] [--tasks 20000] [--runs 5]

Starts a redis-server of its own (PATH, else the one in the embedded-redis jar of ~/.m2) with the
settings of EmbeddedRedis (append-only file synced every second; here it is never rewritten),
assembles the scripts as Script.java does, and puts tasks through their life in three ways. Prints,
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


# --- Loads: each returns the calls of one step, given what the step before answered --------------


def enqueue(scripts, first, count):
    tasks = []
    for i in range(first, first + count):
        task_id = hashlib.md5(b'%d' % i).hexdigest() + '-uid'  # as long as a UUID
        tasks += [task_id, header(), SPEC, '', CHANGE]
    return scripts.call('task/enqueue', QUEUE, '', 0, '', '', *tasks)


def lease(scripts, epoch, count):
    return scripts.call('task/lease', QUEUE, 64, 5000000, CHANGE[:12], 0, 'worker', epoch, count)


def acknowledge(scripts, epoch, rows):
    attempts = []
    for row in rows:
        attempts += [row[1], row[2], 0]
    return scripts.call('task/extend', QUEUE, 'worker', epoch, *attempts)


def complete(scripts, row):
    return scripts.call('task/complete', QUEUE, row[1], row[2], b'r' * 20, CHANGE, '', 0)


class Meter:
    """Collects, by script, the cost per task of every run."""

    def __init__(self, redis):
        self.redis = redis
        self.costs = {}

    def run(self, name, tasks, commands):
        self.redis.one('CONFIG', 'RESETSTAT')
        replies = self.redis.all(commands)
        total = inner = calls = 0
        for line in self.redis.one('INFO', 'commandstats').decode().split('\r\n'):
            if line.startswith('cmdstat_'):
                command, _, values = line[len('cmdstat_'):].partition(':')
                values = dict(v.split('=') for v in values.split(','))
                if command == 'evalsha':
                    total = int(values['usec'])
                elif not command.startswith('config'):
                    inner += int(values['usec'])
                    calls += int(values['calls'])
        self.costs.setdefault(name, []).append((total / tasks, inner / tasks, calls / tasks))
        return replies

    def show(self, title, names):
        print(f'\n{title}\n')
        print('| script | us per task, median | least | of which commands | commands |')
        print('|---|---|---|---|---|')
        sums = [0.0] * 4
        for name in names:
            runs = self.costs[name]
            least = min(runs)
            row = [statistics.median(r[0] for r in runs), least[0], least[1], least[2]]
            sums = [a + b for a, b in zip(sums, row)]
            print('| %s | %.1f | %.1f | %.1f | %.1f |' % (name.split(':')[1], *row))
        print('| **whole life** | **%.1f** | **%.1f** | %.1f | %.1f |' % tuple(sums))


def one_by_one(scripts, meter, epoch, count):
    """A queue with much to do; every script moves one task."""
    meter.run('1:enqueue', count, [enqueue(scripts, i, 1) for i in range(count)])
    leased = meter.run('1:lease', count, [lease(scripts, epoch, 1) for _ in range(count)])
    rows = [reply[2] for reply in leased]
    meter.run('1:acknowledge', count, [acknowledge(scripts, epoch, [row]) for row in rows])
    meter.run('1:complete', count, [complete(scripts, row) for row in rows])


def many_at_once(scripts, meter, epoch, count):
    """A busy queue: 64 tasks an enqueue, 16 a lease and an acknowledgement."""
    count -= count % 64
    meter.run('64:enqueue', count, [enqueue(scripts, i, 64) for i in range(0, count, 64)])
    leased = meter.run('64:lease', count, [lease(scripts, epoch, 16) for _ in range(count // 16)])
    rounds = [reply[2:] for reply in leased]
    meter.run('64:acknowledge', count, [acknowledge(scripts, epoch, rows) for rows in rounds])
    meter.run('64:complete', count, [complete(scripts, row) for rows in rounds for row in rows])


def idle_queue(scripts, meter, epoch, count):
    """A worker waits: every task finds the queue empty and leaves it empty. All steps as one."""
    commands = []
    for i in range(count):
        commands.append(enqueue(scripts, i, 1))
        commands.append(lease(scripts, epoch, 1))
    meter.run('idle:enqueue and lease', count, commands)


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
        for run in range(options.runs):
            for load in one_by_one, many_at_once, idle_queue:
                redis.one('FLUSHALL')
                epoch = redis.one(*scripts.call('task/open_stream', QUEUE, 'worker'))[1].decode()
                load(scripts, meter, epoch, options.tasks)
        steps = ['enqueue', 'lease', 'acknowledge', 'complete']
        meter.show('Each script moves one task', ['1:' + s for s in steps])
        meter.show('64 tasks an enqueue, 16 a lease and an acknowledgement', ['64:' + s for s in steps])
        meter.show('The queue is empty before and after', ['idle:enqueue and lease'])
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


if __name__ == '__main__':
    main()
