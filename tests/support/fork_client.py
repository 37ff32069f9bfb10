"""Stands where pytest-xdist starts an interpreter: asks for a fork (forks.py) with its own files and lasts as long as that does."""

import os
import socket
import sys

with socket.socket(socket.AF_UNIX) as line:
    line.connect(sys.argv[1])
    socket.send_fds(line, [b"process"], [0, 1, 2])
    for file in (0, 1):
        os.close(file)
    line.recv(1)
